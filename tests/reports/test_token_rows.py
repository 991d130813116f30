"""Rows of bands and of the most frequent tokens: for one month or twelve, never added up."""

from __future__ import annotations

import io
from fractions import Fraction
from typing import Any

import pytest
from openpyxl import load_workbook
from rich.console import Console

from tests.flow.servers import RedisServer
from tests.reports.made import baseline, held, measure
from tests.reports.redis_months import NOW_MS, Happened, fill, settings_on
from watchroom.catalogue.model import Catalogue
from watchroom.kinds.tokens import Bands as Counted
from watchroom.reports.baselines import months_from
from watchroom.reports.compare import BaselineHeld
from watchroom.reports.held import Held, StoredMonth
from watchroom.reports.month_reader import Request
from watchroom.reports.page import page
from watchroom.reports.read_report import Report, read_report
from watchroom.reports.report import Ranked, ReportRow
from watchroom.reports.report_columns import as_objects
from watchroom.reports.report_output import print_report
from watchroom.reports.rows import Month, month_rows
from watchroom.reports.sections import Section
from watchroom.reports.token_rows import Bands, BaselineBands, bands_row, has_bands, ranked_row
from watchroom.reports.workbook import workbook
from watchroom.store.bands import Both, ReportedBands

MONTH = ("2021-11",)
TOP = measure("top", tokens="caller_token")
REPEAT = measure("repeat", tokens="address_token")
NOW = Counted(74, 19, 7, 74, 45, 40, 1, 0, 0)  # 26 of 100 addresses more than once, as published


def year(first: str) -> tuple[str, ...]:
    """Twelve months."""
    return tuple(months_from(first, f"{int(first[:4]) + 1}-11"))


def row(
    bands: Bands | None, *, months: tuple[str, ...] = MONTH, absent: tuple[str, ...] = (), **baselines: BaselineBands
) -> ReportRow:
    """The row of these bands; nothing is held of the months in `absent`."""
    return bands_row(REPEAT, held_of(months, absent), bands, baselines, small_below=50)


def held_of(months: tuple[str, ...], absent: tuple[str, ...] = ()) -> Held:
    """These months, without those that are absent."""
    return held([StoredMonth(month, {}, ()) for month in months if month not in absent], of=months)


def test_a_row_has_its_bands_and_the_share_that_occurs_more_than_once() -> None:
    """19 occurred two or three times, 7 four times or more: 26 of 100."""
    found = row(Bands(NOW, NOW))
    assert found.figure is not None
    assert found.figure.value is not None
    assert (found.figure.value.numerator, found.figure.value.denominator) == (26, 100)
    assert found.figure.nested == {
        "bands": {"tokens_1": 74, "tokens_2_3": 19, "tokens_4_plus": 7},
        "occurrences": {"occurrences_1": 74, "occurrences_2_3": 45, "occurrences_4_plus": 40},
    }
    assert (found.held_months, found.closed, found.restatements, found.small, found.note) == (1, True, 0, False, "")


def test_a_change_since_closing_is_the_difference_in_each_band() -> None:
    """Bands of a month that is not closed have not been published yet."""
    then = NOW._replace(once=75, once_occurrences=75)
    restated, running = row(Bands(NOW, then)), row(Bands(NOW, None))
    assert restated.published is not None
    assert (restated.published.nested["bands"]["tokens_1"], restated.restatements) == (75, 1)
    assert (running.published, running.closed, running.restatements) == (None, False, 0)


@pytest.mark.parametrize(("closed", "restatements"), [(False, 0), (True, 1)])
def test_bands_that_have_not_been_written_yet_are_not_restated(closed: bool, restatements: int) -> None:
    """Until a worker has written those of a closed month, nothing of them was published."""
    standing = ReportedBands(Both(NOW._replace(once=75), NOW), closed)
    catalogue = Catalogue({REPEAT.id: REPEAT})
    month = Month("2021-11", {}, (), {}, {}, (), {REPEAT.id: standing})
    (found,) = month_rows(catalogue, month, {}, published=True)
    assert (found["closed"], found["restatements"]) == (closed, restatements)


def test_published_bands_have_their_own_columns() -> None:
    """As in the months: a restated month shows what was published in each band."""
    then = NOW._replace(once=75, once_occurrences=75)
    section = Section(name="asb", title="ASB", rows=(19,))
    report = Report("force", MONTH, "2021-11-30", {}, 50, (), [(section, [row(Bands(NOW, then))])])
    (found,) = as_objects(report)
    assert [found[f"published_tokens_{band}"] for band in ("1", "2_3", "4_plus")] == [75, 19, 7]
    assert [found[f"published_occurrences_{band}"] for band in ("1", "2_3", "4_plus")] == [75, 45, 40]


def test_bands_are_in_every_format_including_those_of_a_baseline() -> None:
    """As text next to the row on a terminal and the page; in a sheet, as numbers in their own columns."""
    before = baseline(held_of(("2020-11",))), Bands(NOW._replace(once=71, two_or_three=22), None)
    section = Section(name="asb", title="ASB", rows=(19,))
    found = row(Bands(NOW, NOW._replace(once=75)), before=before)
    report = Report("force", MONTH, "2021-11-30", {"before": "w"}, 50, (), [(section, [found])])
    console = Console(file=io.StringIO(), width=300)
    print_report(report, console)
    printed: Any = console.file
    for text in (" ".join(str(printed.getvalue()).split()), " ".join(page(report).split())):
        assert "bands: once: 74 · two or three times: 19 · four times or more: 7" in text
        assert "before bands: once: 71 · two or three times: 22 · four times or more: 7" in text
        assert "restated since closing: 25.7% when closed" in text  # how often, bands do not say
    head, line = load_workbook(io.BytesIO(workbook(report)))["asb"].iter_rows(min_row=6, max_row=7)
    cells = {str(name.value): cell for name, cell in zip(head, line, strict=True)}
    said = {"bands: once": 74, "bands: four times or more": 7, "occurrences: two or three times": 45,
            "before: bands: once": 71, "before: bands: two or three times": 22, "before: value": 0.29}  # fmt: skip
    assert {name: cells[name].value for name in said} == said
    assert {cells[name].data_type for name in said} == {"n"}
    assert "bands" not in str(cells["remarks"].value)


def test_a_share_of_repeated_tokens_changes_by_points() -> None:
    """26 % after 29 %."""
    before = baseline(held_of(("2020-11",))), Bands(NOW._replace(once=71, two_or_three=22), None)
    found = row(Bands(NOW, NOW), before=before).compared["before"]
    assert found.changes["value"].points == Fraction(-3)
    assert found.figure is not None
    assert found.figure.nested["bands"] == {"tokens_1": 71, "tokens_2_3": 22, "tokens_4_plus": 7}


def test_bands_that_are_not_kept_are_absent_with_the_reason() -> None:
    """If the bands of three months were added up, one token would count as three."""
    no_month = BaselineHeld("w", (), None, (), "it has no month")
    none = row(None, months=("2021-09", "2021-10", "2021-11"), before=(no_month, None))
    assert (none.figure, none.note) == (
        None,
        "bands are kept only for single months and for twelve months, and cannot be added up",
    )
    assert none.compared["before"].reason == "it has no month"
    absent = row(Bands(NOW, NOW), before=(baseline(held_of(("2019-11",))), None)).compared["before"]
    assert (absent.figure, absent.reason) == (None, "no bands are kept for these months")


def test_a_month_that_is_not_held_is_also_missing_from_bands() -> None:
    """Eleven months compared with twelve would look like a fall, so they are marked and have no change."""
    before = baseline(held_of(year("2019-12"))), Bands(NOW, None)
    found = row(Bands(NOW, NOW), months=year("2020-12"), absent=("2021-06",), before=before)
    assert (found.held_months, len(found.months), found.note) == (11, 12, "not held: 2021-06")
    compared = found.compared["before"]
    assert (compared.figure is None, compared.changes) == (False, {})
    assert compared.reason == "change not computed, because not every month of the report is held"
    none = row(None, months=year("2020-12"), absent=("2020-12",))
    assert (none.held_months, none.note) == (11, "not held: 2020-12; no bands are kept for these months")
    nothing = row(None, absent=MONTH)
    assert (nothing.held_months, nothing.note) == (0, "no events are held for made_up in this month")


def test_tokens_of_two_keys_are_marked() -> None:
    """In the month in which the key changes, one address may have two tokens."""
    assert (
        row(Bands(NOW._replace(token_keys=2), NOW)).note
        == "tokens were generated with 2 keys: one person may be counted twice"
    )


@pytest.mark.parametrize(
    ("months", "can"),
    [
        (MONTH, True),
        (tuple(f"2021-{month:02}" for month in range(1, 13)), True),
        (("2021-10", "2021-11"), False),
        (("2019-12", *(f"2019-{month:02}" for month in range(1, 12))), False),
    ],
)
def test_bands_exist_for_one_month_or_for_twelve_consecutive_months(months: tuple[str, ...], can: bool) -> None:
    """These are kept after the tokens have been deleted."""
    assert has_bands(months) is can


def test_the_most_frequent_tokens_are_listed_in_order() -> None:
    """The row has no number of its own: it lists which tokens, and how often."""
    ranked = [Ranked("k1.abcdef", "hospital", 120), Ranked("k1.bcdefg", "", 7)]
    found = ranked_row(TOP, held_of(MONTH), (), ranked, {"previous": baseline(held_of(("2020-11",)))})
    assert found.compared["previous"].figure is None
    assert (found.ranked, found.figure, found.held_months) == (tuple(ranked), None, 1)


def test_months_not_held_or_whose_tokens_are_deleted_are_missing_from_the_most_frequent() -> None:
    """If a month is held without any tokens, it is known that there were none."""
    months = ("2020-09", "2020-10", "2020-11")
    found = ranked_row(TOP, held_of(months, ("2020-10",)), ["2020-09"], [Ranked("k1.abcdef", "", 7)], {})
    assert (found.held_months, found.note) == (1, "not held: 2020-10; tokens for 2020-09 are no longer held")


@pytest.mark.real
def test_addresses_and_callers_are_in_their_sections(redis_server: RedisServer) -> None:
    """Three addresses in November, one of them twice; October as baseline; no token is ever shown in full."""
    tokens = [f"k1.{letter * 26}" for letter in "ABC"]
    events = [
        Happened(
            "incident.created", f"{month}{number}", f"2021-{month}-10T10:00:00Z",
            {"category": "asb", "area": "lichfield" if number == 3 else "stoke", "address_token": tokens[number % 3]},
        )
        for month, many in (("10", 3), ("11", 4))
        for number in range(many)
    ]  # fmt: skip
    calls = [
        Happened(
            "call.presented", f"c{number}", "2021-11-10T10:00:00Z",
            {"line": "101", "caller_token": tokens[number % 2], "caller_org": "hospital"},
        )
        for number in range(3)
    ]  # fmt: skip
    settings = settings_on(redis_server.url)
    fill(settings, [*events, *calls])
    request = Request("2021-11", 1, baselines=["previous"])
    rows: list[Any] = list(as_objects(read_report(settings, request, NOW_MS)))
    found = {row["measure"]: row for row in rows if not row["by"]}
    areas = found["incident_volume"]["areas"]
    assert (areas["parts"]["stoke"]["value"], areas["groups"]["county"]["value"]) == (3, 1)
    addresses = found["asb_addresses"]
    assert (addresses["section"], addresses["rows"]) == ("anti-social-behaviour", [19, 20])
    assert (addresses["numerator"], addresses["denominator"], addresses["held_months"]) == (1, 3, 1)
    assert addresses["bands"] == {"tokens_1": 2, "tokens_2_3": 1, "tokens_4_plus": 0}
    assert addresses["baselines"]["previous"]["bands"] == {"tokens_1": 3, "tokens_2_3": 0, "tokens_4_plus": 0}
    assert addresses["baselines"]["previous"]["change_points"] == round(100 / 3, 6)
    callers = found["top_callers"]
    assert callers["ranked"] == [
        {"name": "k1.AAAAAA", "word": "hospital", "occurrences": 2},
        {"name": "k1.BBBBBB", "word": "hospital", "occurrences": 1},
    ]
    console = Console(file=io.StringIO(), width=250)
    print_report(read_report(settings, request, NOW_MS), console)
    text = str(console.file.getvalue())  # type: ignore[attr-defined]  # the StringIO above
    assert "most frequent: k1.AAAAAA hospital 2" in text
    assert not any(token in text for token in tokens)
    assert "force: 2021-11, 1 month; figures as at 2021-11-30" in text
    assert "bands: once: 2 · two or three times: 1 · four times or more: 0" in text


@pytest.mark.real
def test_tokens_beyond_the_limit_are_counted_separately(redis_server: RedisServer) -> None:
    """A crime with 130 suspects: 100 are in the bands, and the other 30 are counted separately in every month."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    suspects = [
        Happened(
            "crime.suspect_linked", "x", f"2021-11-10T11:{number // 60:02}:{number % 60:02}Z",
            {"suspect_token": f"k1.{letters[number // 32]}{letters[number % 32]}{'A' * 24}"},
        )
        for number in range(130)
    ]  # fmt: skip
    settings = settings_on(redis_server.url)
    fill(settings, [Happened("crime.recorded", "x", "2021-11-10T10:00:00Z"), *suspects])
    rows: list[Any] = list(as_objects(read_report(settings, Request("2021-11", 1), NOW_MS)))
    (found,) = [row for row in rows if row["measure"] == "repeat_suspects"]
    assert (found["denominator"], found["left_out"]) == (100, 30)
    assert found["remark"] == "30 tokens beyond the limit of 100 per entity: excluded, counted separately"
