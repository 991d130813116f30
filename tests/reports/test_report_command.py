"""`watchroom report`, `months import` and `measures` as people run them, with a real Redis."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from openpyxl import load_workbook
from rich.console import Console

from tests.browser import chromium, screen
from tests.flow.commands import Done, watchroom
from tests.flow.servers import RedisServer
from tests.parts import ROOT, PartMissing, missing
from tests.reports.conftest import EVENTS
from tests.reports.redis_months import NOW_MS, Happened, fill, settings_on
from watchroom.demo.processes import environment
from watchroom.reports.month_reader import Request
from watchroom.reports.page import page
from watchroom.reports.read_report import Report, read_report
from watchroom.reports.report_columns import as_lines, as_objects
from watchroom.reports.report_output import print_report, report_csv
from watchroom.reports.sections import load_layout
from watchroom.reports.workbook import workbook
from watchroom.rolling.calendar import Calendar
from watchroom.settings import Settings
from watchroom.store.read import Reader

pytestmark = pytest.mark.real
ROWS: Final = {  # the rows of the published report that some entries serve
    "call_volume": [1, 2, 3], "call_answer_time": [9, 10], "call_abandonment": [11], "call_abandoned_within_60s": [12],
    "incident_resourced": [14], "incident_attendance_time": [15, 16, 17, 18], "crime_recorded": [50],
}  # fmt: skip
EVENTS_OF: Final = ("calls.toml", "incidents.toml", "crimes.toml")
FIGURE: Final = Happened(
    "return.figure", "road_fatalities||2020-12/2021-11", "2022-01-27T10:00:00Z",
    {"measure": "road_fatalities", "period": "2020-12/2021-11", "as_at": "2022-01-27", "numerator": 21,
     "note": "One is under review."},
)  # fmt: skip
NOTES: Final = [
    Happened("return.note", f"note|{name}", "2022-01-27T10:00:00Z", {"text": text, "from": since, **more})
    for name, text, since, more in (
        ("covid", "Lockdowns changed demand.", "2020-03", {"to": "2021-07"}),
        ("chat", "Live chat began.", "2021-04-28", {"measure": "call_volume"}),
        ("later", "A new system.", "2022-01", {}),
        ("once", "A strike.", "2021-11", {"to": "2021-11", "measure": "call_abandonment"}),
    )
]
CRIMES: Final = [  # of October: 30 in Stoke, 20 in the county, 3 without an area, 1 in an area that is not listed
    Happened("crime.recorded", f"oct{number}", "2021-10-10T10:00:00Z", {"group": "Robbery", **area})
    for number, area in enumerate([{"area": "stoke"}] * 30 + [{"area": "county"}] * 20 + [{}] * 3 + [{"area": "Mars"}])
]
DECEMBER: Final = [  # one of each stream, so that each is known to have been fed
    Happened("call.presented", "d", "2021-12-10T10:00:00Z", {"line": "101"}),
    Happened("crime.recorded", "z", "2021-12-10T10:00:00Z", {"group": "Drug offences", "area": "stoke"}),
]
YEAR: Final = [Calendar.months_after("2018-12", number) for number in range(12)]
BASELINE: Final = "month,measure,line,group,area,field,value\n" + "".join(
    f"{month},call_volume,999,,,count,100\n{month},call_answer_time,999,,,observations,100\n"
    f"{month},call_answer_time,999,,,sum_ms,1130000\n{month},crime_recorded,,robbery,,count,37\n"
    for month in YEAR
)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings for a filled Redis, with a catalogue whose entries name rows of the published report."""
    folder = tmp_path_factory.mktemp("report")
    schemas = folder / "schemas"
    shutil.copytree(ROOT / "schemas", schemas)
    for file in (schemas / "measures").glob("*.toml"):
        text = file.read_text()
        if file.name in EVENTS_OF:
            text = re.sub(r"^rows = .*\n", "", text, flags=re.MULTILINE)
        for entry, rows in ROWS.items():
            text = text.replace(f"[{entry}]\n", f"[{entry}]\nrows = {rows}\n")
        file.write_text(text)
    try:
        server = RedisServer(folder / "redis")
    except PartMissing as error:
        missing(str(error))
    try:
        server.start()
        settings = settings_on(server.url, schemas=schemas, areas=("stoke", "county"))
        fill(settings, [*EVENTS, *CRIMES, *DECEMBER, *NOTES, FIGURE])
        (folder / "baseline.csv").write_text(BASELINE)
        assert run(settings, "months", "import", "--baseline", "2018/19", str(folder / "baseline.csv")).code == 0
        yield settings
    finally:
        server.kill()


def run(settings: Settings, *arguments: str) -> Done:
    """A command with these settings."""
    return watchroom(*arguments, environment=environment(settings))


def report(settings: Settings, **request: Any) -> Report:
    """The report of October to December 2021 unless requested otherwise."""
    return read_report(settings, Request(**{"to": "2021-12", "months": 3, **request}), NOW_MS)


def rows(settings: Settings, measure: str, **request: Any) -> list[Any]:
    """The rows of a measure as in JSON."""
    return [row for row in as_objects(report(settings, **request)) if row["measure"] == measure]


# --------------------------------------------------------------------------------------------- rows


def test_json_is_an_array_of_objects_in_the_published_order(settings: Settings) -> None:
    """As the command prints it: by section, then the rows of each."""
    done = run(settings, "report", "--to", "2021-12", "--months", "3", "--format", "json")
    assert (done.code, done.lines) == (0, [])
    found = json.loads(done.out)
    sections = [section.name for section in load_layout(settings.schemas).sections]
    assert found == sorted(found, key=lambda row: sections.index(row["section"]))
    firsts = [row["measure"] for row in found if row["section"] != "further" and row["measure"] in ROWS]
    assert list(dict.fromkeys(firsts)) == [*ROWS]
    assert found[0]["rows"] == [1, 2, 3]


def test_a_row_has_its_counts_bins_completeness_and_published_figure(settings: Settings) -> None:
    """One 999 call answered in 8 s; November is closed, and no call has been restated since."""
    every, of_999, of_101 = rows(settings, "call_answer_time", to="2021-11", months=1)
    assert (every["by"], of_999["by"], of_101["by"]) == ({}, {"line": "999"}, {"line": "101"})
    said = {"value": 8, "numerator": 8, "denominator": 1, "unit": "s", "within_target": 1, "missing_start": 1,
            "bins": {"under_10": 1, "10_to_60": 0, "60_or_more": 0}, "small": True, "fed_by": "events",
            "period": "2021-11", "span": "month", "held_months": 1, "of_months": 1, "closed": True,
            "as_of": "2022-02-01T12:00:00.000Z", "published_value": 8, "published_denominator": 1, "restatements": 0,
            "areas": None, "remark": ""}  # fmt: skip
    assert {name: of_999[name] for name in said} == said
    assert (every["within_target"], of_101["value"], of_101["denominator"]) == (None, None, 0)


def test_listed_areas_are_parts_and_the_rest_is_the_residual(settings: Settings) -> None:
    """Robbery: 54 in October, and the one in November that was not cancelled."""
    robbery = next(row for row in rows(settings, "crime_recorded") if row["by"] == {"group": "robbery"})
    areas = robbery["areas"]
    assert {name: part["value"] for name, part in areas["parts"].items()} == {"stoke": 31, "county": 20}
    assert areas["residual"]["value"] == 4
    assert {name: part["value"] for name, part in areas["residual"]["of"].items()} == {"unknown": 3, "other": 1}
    assert (robbery["value"], areas["parts"]["stoke"]["share_of_total"]) == (55, round(31 / 55, 6))
    assert (robbery["restatements"], robbery["published_value"], robbery["closed"]) == (1, 56, True)


def test_a_closed_row_shows_what_was_published(settings: Settings) -> None:
    """Two robberies in November, one of which was cancelled in January."""
    robbery = next(
        row for row in rows(settings, "crime_recorded", to="2021-11", months=1) if row["by"] == {"group": "robbery"}
    )
    assert (robbery["value"], robbery["published_value"], robbery["restatements"]) == (1, 2, 1)


def test_months_before_the_first_event_of_a_stream_are_missing(settings: Settings) -> None:
    """Calls begin in November, crimes in October."""
    calls = rows(settings, "call_volume")[0]
    assert (calls["value"], calls["held_months"], calls["of_months"]) == (4, 2, 3)
    assert calls["remark"] == "not held: 2021-10"
    assert rows(settings, "crime_recorded")[0]["held_months"] == 3


def test_imported_months_are_a_baseline_but_not_part_of_any_own_figure(settings: Settings) -> None:
    """October to December of 2018/19: 3 x 37; 55 robberies after 111 are -56, or -50.5 %."""
    robbery = next(
        row for row in rows(settings, "crime_recorded", baselines=["2018/19"]) if row["by"] == {"group": "robbery"}
    )
    found = robbery["baselines"]["2018/19"]
    assert found["months"] == ["2018-12", "2019-10", "2019-11"]
    assert (found["value"], found["change"], found["change_percent"]) == (111, -56, round(-5600 / 111, 6))
    assert (found["imported"], found["small"], found["change_points"], found["reason"]) == (True, False, None, "")
    calls = next(
        row for row in rows(settings, "call_answer_time", to="2021-11", months=1, baselines=["2018/19"]) if row["by"]
    )
    then = calls["baselines"]["2018/19"]
    assert (then["value"], then["change"], then["within_target"], then["bins"]) == (11.3, -3.3, None, None)


def test_a_baseline_without_its_months_is_absent_with_the_reason(settings: Settings) -> None:
    """It is never 0."""
    calls = rows(settings, "call_volume", to="2021-12", months=1, baselines=["pre-covid", "previous"])[1]
    absent, before = calls["baselines"]["pre-covid"], calls["baselines"]["previous"]
    assert (absent["value"], absent["change"]) == (None, None)
    assert absent["reason"] == "2019-12 is neither held nor imported"
    assert (before["value"], before["change"], before["change_percent"], before["imported"]) == (3, -3, -100, False)


def test_importing_twice_changes_nothing(settings: Settings, tmp_path: Path) -> None:
    """If the imports were added up, every change would be wrong."""
    before = list(as_objects(report(settings, baselines=["2018/19"])))
    (tmp_path / "again.csv").write_text(BASELINE)
    done = run(settings, "months", "import", "--baseline", "2018/19", str(tmp_path / "again.csv"))
    assert (done.code, done.lines) == (0, ["imported 48 rows for 12 months into 2018/19"])
    assert list(as_objects(report(settings, baselines=["2018/19"]))) == before


def test_a_bad_row_of_an_import_is_reported_and_the_others_are_imported(settings: Settings, tmp_path: Path) -> None:
    """With exit code 1, and what to write instead."""
    file = tmp_path / "months.csv"
    file.write_text(
        "month,measure,line,field,value\n2019-03,call_volume,999,count,7\n2019-03,call_volume,112,count,7\n"
    )
    done = run(settings, "months", "import", "--baseline", "pre-covid", str(file))
    assert done.code == 1
    assert f"{file}:3: line: found '112'; write one of 999, 101, unknown, other" in done.said
    assert "imported 1 row for 1 month into pre-covid; 1 row refused" in done.said
    stored = Reader(settings.redis_url, settings.force).baseline_months("pre-covid", ["2019-03"])
    assert stored == [{"call_volume|line=999|count": 7}]


def test_figures_that_were_produced_elsewhere_are_in_their_sections(settings: Settings) -> None:
    """21 people in a year, reported in January: shown as at January, but not as at the end of November."""
    (now,) = rows(settings, "road_fatalities", to="2021-11", as_at="2022-01-31", baselines=["previous"])
    said = {"section": "road-safety", "rows": [28], "period": "2020-12/2021-11", "span": "12mo", "value": 21,
            "numerator": 21, "denominator": None, "unit": "people", "small": True, "fed_by": "figures",
            "as_at": "2022-01-27T00:00:00.000Z", "held_months": None, "remark": "One is under review."}  # fmt: skip
    assert {name: now[name] for name in said} == said
    assert now["baselines"]["previous"]["reason"] == "no figure for 2019-12 to 2020-11"
    (then,) = rows(settings, "road_fatalities", to="2021-11")
    assert (then["value"], then["remark"]) == (None, "2020-12/2021-11 was revised after 2021-11-30")
    (none,) = rows(settings, "ksi_collisions")
    assert (none["value"], none["remark"]) == (None, "no figure as at 2021-12-31")


def test_notes_about_these_months_are_with_their_measure_or_at_the_top(settings: Settings) -> None:
    """Notes about the year of the report are shown; others are not."""
    found = report(settings, to="2021-11", months=12)
    assert list(found.notes) == ["Lockdowns changed demand. (2020-03 to 2021-07)"]
    said = [row["notes"] for row in rows(settings, "call_volume", to="2021-11", months=12)]
    assert said == [["Live chat began. (from 2021-04-28 onwards)"], [], []]
    assert rows(settings, "call_abandonment", to="2021-11", months=12)[0]["notes"] == ["A strike. (2021-11)"]
    assert report(settings, to="2021-12", months=1).notes == []


def test_a_row_of_text_is_in_its_section(settings: Settings) -> None:
    """Row 13 has no number."""
    row = rows(settings, "contact_recruitment")[0]
    assert (row["section"], row["value"], row["remark"]) == (
        "contact",
        None,
        "Improvements are expected to be seen by April 2022.",
    )


# ------------------------------------------------------------------------------------------ command


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["report", "--section", "contacts"], "--section: found 'contacts'; write one of contact, response"),
        (["report", "--baseline", "2018"], "--baseline: found '2018'; write one of 2018/19, pre-covid, previous"),
        (["report", "--to", "2021-13"], "--to: found '2021-13'; write a month such as 2021-04"),
        (["report", "--to", "2031-01"], "'2031-01', which is in the future; write one of 2021-10,"),
        (["report", "--as-at", "2021-02-30"], "--as-at: found '2021-02-30'; write a day such as 2022-01-27"),
        (["report", "--as-at", "9999-12-31"], "--as-at: found '9999-12-31'; write a day such as 2022-01-27"),
        (["months", "--month", "2031-01"], "'2031-01', which is not held; write one of 2021-10, 2021-11, 2021-12"),
        (["months", "--log", "--month", "2031-01"], "'2031-01', which is not held"),
        (["months", "--measure", "calls"], "--measure: found 'calls'; write one of call_volume"),
        (["months", "import", "--baseline", "x", "b.csv"], "--baseline: found 'x'; write one of 2018/19"),
        (["months", "import", "--baseline", "previous", "none.csv"], "none.csv: found No such file"),
        (["months", "--log", "import", "--baseline", "previous", "x.csv"], "found options before import"),
    ],
)
def test_an_unknown_argument_exits_with_2_and_the_message_names_valid_ones(
    settings: Settings, arguments: list[str], said: str
) -> None:
    """Nothing is printed that looks like the requested report."""
    done = run(settings, *arguments)
    assert (done.code, done.out) == (2, b"")
    assert said in " ".join(done.said.split())


def test_the_last_complete_month_held_is_the_default(settings: Settings) -> None:
    """Figures are as at the end of that month."""
    found = read_report(settings, Request(), NOW_MS)
    assert (found.months[0], found.months[-1], found.as_at) == ("2021-01", "2021-12", "2021-12-31")


def test_a_refused_stream_is_named_and_left_out(settings: Settings, tmp_path: Path) -> None:
    """As in `months`."""
    shutil.copytree(settings.schemas, tmp_path / "schemas")
    file = tmp_path / "schemas" / "measures" / "crimes.toml"
    file.write_text(file.read_text().replace('at = "recorded"', 'at = "outcome_assigned"', 1))
    changed = settings.model_copy(update={"schemas": tmp_path / "schemas"})
    done = run(changed, "report", "--to", "2021-11", "--format", "csv")
    assert done.code == 0
    assert done.said.startswith("crimes is left out because Redis holds its figures under a different definition")
    assert (b",call_volume," in done.out, b",crime_recorded," in done.out) == (True, False)


# ------------------------------------------------------------------------------------------- writers


def test_csv_has_a_line_for_each_row_and_part(settings: Settings) -> None:
    """Filtered by part = total, it is the rows; areas and residual add up to each of them."""
    found = list(csv.DictReader(io.StringIO(report_csv(report(settings, baselines=["2018/19"])))))
    totals = [line for line in found if line["part"] == "total"]
    assert len(totals) == len(list(as_objects(report(settings))))
    robbery = [line for line in found if (line["measure"], line["group"]) == ("crime_recorded", "robbery")]
    parts = [(line["part"], line["area"], line["value"]) for line in robbery]
    assert parts == [
        ("total", "", "55"), ("area", "stoke", "31"), ("area", "county", "20"), ("residual", "residual", "4"),
        ("residual_of", "unknown", "3"), ("residual_of", "other", "1"),
    ]  # fmt: skip
    assert (robbery[0]["2018/19 value"], robbery[0]["2018/19 change"]) == ("111", "-56")
    answer = next(line for line in found if (line["measure"], line["line"]) == ("call_answer_time", "999"))
    assert (answer["under_10"], answer["10_to_60"], answer["60_or_more"]) == ("1", "0", "0")
    assert "bins" not in answer


def test_a_table_has_the_row_and_all_remarks(settings: Settings) -> None:
    """Counts next to shares, parts, residual, restatements, months not held, why a baseline is absent."""
    console = Console(file=io.StringIO(), width=200)
    print_report(report(settings, baselines=["2018/19", "previous"]), console)
    text = " ".join(str(console.file.getvalue()).split())  # type: ignore[attr-defined]  # the StringIO above
    for said in (
        "A Local and Responsive Service: Contact",
        "compared with 2018/19: December 2018 to November 2019",
        "printed 2022-02-01 12:00:00 GMT",
        "calls: applied up to 2022-02-01 12:00:00 GMT",
        "50 Crimes recorded: offence group robbery events 55 111 -56 (-50.5%) absent",
        "by area: stoke 31 (56.4%) · county 20 (36.4%)",
        "residual (outside the listed areas): 4 (7.3%) (unknown 3 (5.5%), other 1 (1.8%))",
        "restated once since closing: 56 when closed",
        "2018/19: imported months · previous: 2021-07 is neither held nor imported",
        "11 Calls abandoned: line 999 events 50.0% 1 of 2",
        "2 of 3 months held (not held: 2021-10)",
        "within the target 50.0% 1 of 2",
        "small number",
    ):
        assert said in text
    assert "stoke 0 · county 0" not in text  # an empty row has no parts to show


def test_the_page_is_one_file_that_prints_on_a4_landscape(settings: Settings, tmp_path: Path) -> None:
    """No external resource, no console message, every section and definition, no row wider than the sheet."""
    file = tmp_path / "report.html"
    request = ["report", "--to", "2021-12", "--months", "3", "--baseline", "2018/19", "--baseline", "previous"]
    assert run(settings, *request, "--format", "html", "--output", str(file)).code == 0
    text = file.read_text()
    assert re.findall(r"(?:src|href|url)\s*[=(]", text) == []
    sheet = {"width": 1039, "height": 710}  # A4 landscape without its margins, at 96 dots an inch
    with chromium() as browser, screen(browser, light=True, viewport=sheet) as shown:
        requested: list[str] = []
        shown.page.on("request", lambda request: requested.append(request.url))
        shown.page.goto(file.as_uri())
        assert requested == [file.as_uri()]
        titles = shown.each("h2", lambda element: element.inner_text())
        shown.page.emulate_media(media="print")
        assert shown.page.evaluate("document.documentElement.scrollWidth <= 1039")
        printed = shown.page.pdf(prefer_css_page_size=True)
        assert shown.complaints == []
    assert titles[:2] == ["A Local and Responsive Service: Contact", "A Local and Responsive Service: Response"]
    assert titles[-1] == "Definitions"
    boxes = {tuple(map(float, box.split())) for box in re.findall(rb"/MediaBox\s*\[([^\]]*)\]", printed)}
    assert {(round(box[2]), round(box[3])) for box in boxes} == {(842, 595)}  # 297 x 210 mm in points


def test_every_format_for_people_shows_how_current_its_events_are_and_marks_old_streams(
    settings: Settings,
) -> None:
    """Yesterday's figures must not pass for today's; a stream without a row in the report is not named."""
    fresh, late = (
        read_report(settings, Request("2021-12", 3, sections=["contact"]), now_ms)
        for now_ms in (NOW_MS, NOW_MS + 3_600_000)
    )
    old = "calls: OLD, applied up to 2022-02-01 12:00:00 GMT, 1 h 00 min ago: later events are missing"
    for found, is_old in ((fresh, False), (late, True)):
        console = Console(file=io.StringIO(), width=200)
        print_report(found, console)
        sheet = load_workbook(io.BytesIO(workbook(found)))["contact"]
        cells = [str(line[0]) for line in sheet.iter_rows(max_row=12, values_only=True)]
        for text in (console.file.getvalue(), page(found), "\n".join(cells)):  # type: ignore[attr-defined]  # the StringIO above
            assert f"printed 2022-02-01 {13 if is_old else 12}:00:00 GMT" in text
            assert (old in text) is is_old
            assert ("calls: applied up to 2022-02-01 12:00:00 GMT" in text) is not is_old
            assert "crimes:" not in text
        assert (f'<p class="old">{old}</p>' in page(found)) is is_old


def test_a_figure_is_shown_with_the_note_sent_with_it(settings: Settings) -> None:
    """In every format, with its as-at day and its source."""
    found = report(settings, to="2021-11", as_at="2022-01-31", sections=["road-safety"])
    console = Console(file=io.StringIO(), width=200)
    print_report(found, console)
    said = "2020-12/2021-11 · as at 2022-01-27 · small number"
    note = said.replace(" · small", " · One is under review. · published after closing · small")
    assert note in " ".join(console.file.getvalue().split())  # type: ignore[attr-defined]  # the StringIO above
    assert note in page(found)
    assert "One is under review." in report_csv(found)
    lines = list(load_workbook(io.BytesIO(workbook(found)))["road-safety"].iter_rows(values_only=True))
    head = next(line for line in lines if line[0] == "row")
    shown = next(dict(zip(head, line, strict=True)) for line in lines if line[4] == "2020-12/2021-11")
    assert (shown["fed by"], shown["as at"], shown["value"]) == ("figures", "2022-01-27", 21)
    assert "One is under review." in str(shown["remarks"])


def test_the_title_of_a_report_of_one_month_names_one_month(settings: Settings) -> None:
    """A single month is not a range."""
    assert "<h1>Performance report, 2021-11</h1>" in page(report(settings, to="2021-11", months=1))
    assert "<h1>Performance report, 2021-10 to 2021-12</h1>" in page(report(settings))


def test_the_page_escapes_texts(settings: Settings) -> None:
    """The texts of a force's own catalogue may contain anything, even `<`."""
    found = report(settings, sections=["contact"])
    section, contact = found.sections[0]
    named = found._replace(sections=[(section.model_copy(update={"title": "a < b & <script>"}), contact)])
    assert "a &lt; b &amp; &lt;script&gt;" in page(named)
    assert "<script" not in page(named)


def test_the_workbook_has_numbers_as_numbers(settings: Settings, tmp_path: Path) -> None:
    """Read by another library: a sheet per section, one of definitions; shares are shown in per cent."""
    file = tmp_path / "report.xlsx"
    done = run(settings, "report", "--to", "2021-12", "--months", "3", "--baseline", "2018/19", "--format", "xlsx",
               "--output", str(file))  # fmt: skip
    assert (done.code, done.out) == (0, b"")
    book = load_workbook(file)
    assert book.sheetnames == [*(section.name for section, _ in report(settings).sections), "definitions"]
    sheet = book["outcomes"]
    lines = list(sheet.iter_rows())
    head_at = next(number for number, line in enumerate(lines) if line[0].value == "row")
    head = [cell.value for cell in lines[head_at]]
    robbery = [dict(zip(head, line, strict=True)) for line in lines[head_at + 1 :]
               if line[1].value == "Crimes recorded: offence group robbery"]  # fmt: skip
    total = robbery[0]
    assert [(line["part"].value, line["area"].value, line["value"].value) for line in robbery] == [
        ("total", "all", 55), ("area", "stoke", 31), ("area", "county", 20), ("residual", "residual", 4),
        ("residual_of", "unknown", 3), ("residual_of", "other", 1),
    ]  # fmt: skip
    assert (total["2018/19: value"].value, total["2018/19: change"].value) == (111, -56)
    assert (total["2018/19: change %"].value, total["2018/19: change %"].number_format) == (-0.505, "+0.0%;-0.0%;0.0%")
    assert (total["held months"].value, total["restatements"].value) == (3, 1)
    shares = [line for line in book["contact"].iter_rows() if line[1].value == "Calls abandoned: line 999"]
    value, part, whole = shares[0][6:9]
    fatalities = next(line for line in book["road-safety"].iter_rows(values_only=True) if line[4] == "2020-12/2021-11")
    assert fatalities[-6:-1] == ("figures", None, None, None, 0)
    assert total["fed by"].value == "events"
    assert (value.value, value.number_format, part.value, whole.value) == (0.5, "0.0%", 1, 2)
    assert {cell.data_type for cell in (value, part, whole, total["value"])} == {"n"}
    ids = [line[0].value for line in book["definitions"].iter_rows(min_row=4)]
    assert {"call_volume", "call_answer_time"} <= set(ids)


def test_flat_lines_and_objects_have_the_same_values(settings: Settings) -> None:
    """A figure that differed between the formats would be wrong in one of them."""
    found = report(settings, baselines=["previous"])
    totals = [line for line in as_lines(found) if line["part"] == "total"]
    objects: list[Any] = list(as_objects(found))
    for line, row in zip(totals, objects, strict=True):
        names = ("measure", "value", "numerator", "denominator", "held_months")
        assert [line[name] for name in names] == [row[name] for name in names]
        assert line["previous value"] == row["baselines"]["previous"]["value"]
