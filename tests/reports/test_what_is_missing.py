"""What a report shows if months are not held, if there are only figures, and for notes in unexpected places."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.flow.commands import watchroom
from tests.flow.servers import RedisServer
from tests.parts import ROOT
from tests.reports.redis_months import NOW_MS, Happened, fill, months, settings_on
from watchroom.demo.processes import environment
from watchroom.errors import ConfigurationInvalid
from watchroom.reports.baselines import months_from
from watchroom.reports.month_reader import Request
from watchroom.reports.read_report import Report, read_report
from watchroom.reports.report_columns import as_objects
from watchroom.reports.returned import Note, reported
from watchroom.settings import Settings
from watchroom.store.read import Reader

pytestmark = pytest.mark.real
YEAR: Final = months_from("2020-12", "2021-11")
TOKEN: Final = "k1." + "A" * 26
KINDS: Final = {"count": "call_volume", "share": "call_abandonment", "bands": "landline_callers", "top": "top_callers"}


def calls(month: str, **data: Any) -> list[Happened]:
    """Two calls by the same caller."""
    data = {"line": "101", "cli_type": "landline", "caller_token": TOKEN, "caller_org": "hospital", **data}
    return [Happened("call.presented", f"{month}-{n}", f"{month}-10T10:00:00Z", data) for n in range(2)]


def figure(period: str, as_at: str, numerator: int, measure: str = "road_fatalities") -> Happened:
    """A figure that was produced elsewhere."""
    data = {"measure": measure, "period": period, "as_at": as_at, "numerator": numerator}
    return Happened("return.figure", f"{measure}||{period}", "2022-01-27T10:00:00Z", data)


def note(name: str, **data: Any) -> Happened:
    """A note of 2021."""
    return Happened("return.note", f"note|{name}", "2022-01-27T10:00:00Z", {"text": name, "from": "2021-01", **data})


def filled(server: RedisServer, events: Sequence[Happened]) -> Settings:
    """Settings over a Redis that holds these events."""
    settings = settings_on(server.url)
    fill(settings, events)
    return settings


def rows(report: Report) -> dict[str, dict[str, Any]]:
    """The first row of each measure as in JSON."""
    found: dict[str, dict[str, Any]] = {}
    for row in as_objects(report):
        found.setdefault(str(row["measure"]), row)
    return found


@pytest.mark.parametrize("absent", [(), ("2021-06",), ("2020-12", "2021-11"), tuple(YEAR[1:])])
def test_every_kind_of_row_counts_the_same_months_as_held(redis_server: RedisServer, absent: tuple[str, ...]) -> None:
    """A month without events of the stream is missing in counts, shares, bands and lists alike, never 0."""
    settings = filled(redis_server, [event for month in YEAR if month not in absent for event in calls(month)])
    found = rows(read_report(settings, Request("2021-11", 12), NOW_MS))
    missing = f"not held: {', '.join(absent)}" if absent else ""
    for measure in KINDS.values():
        row = found[measure]
        assert (measure, row["held_months"], row["of_months"]) == (measure, 12 - len(absent), 12)
        assert missing in str(row["remark"])
    assert found["call_volume"]["value"] == 2 * (12 - len(absent))
    assert found["incident_volume"]["held_months"] == 0
    assert found["incident_volume"]["remark"] == "no events are held for incidents in these months"
    shown = {row["period"] for row in months(settings, measures=["call_volume"])}
    assert shown == set(YEAR) - set(absent)


def test_a_month_with_events_but_none_of_a_measure_is_held(redis_server: RedisServer) -> None:
    """No calls with a token and no queued calls: the month is held, so its figures are 0 or none."""
    plain = [event._replace(data={"line": "999"}) for event in calls("2021-11")]
    settings = filled(redis_server, [*calls("2021-10"), *plain])
    found = rows(read_report(settings, Request("2021-11", 2), NOW_MS))
    assert [found[KINDS[kind]]["held_months"] for kind in ("count", "share", "top")] == [2, 2, 2]
    alone = rows(read_report(settings, Request("2021-11", 1), NOW_MS))
    assert (alone["call_abandonment"]["denominator"], alone["call_abandonment"]["remark"]) == (0, "")
    assert (alone["top_callers"]["ranked"], alone["top_callers"]["held_months"]) == ([], 1)


def test_a_baseline_of_own_months_with_a_gap_is_absent(redis_server: RedisServer) -> None:
    """For counts and for bands: a year with a gap must not be compared with a full year."""
    years = [*months_from("2019-12", "2020-11"), *YEAR]
    settings = filled(redis_server, [event for month in years if month != "2020-06" for event in calls(month)])
    found = rows(read_report(settings, Request("2021-11", 12, baselines=["previous"]), NOW_MS))
    count, bands = (found[KINDS[kind]]["baselines"]["previous"] for kind in ("count", "bands"))
    assert (count["value"], count["reason"]) == (None, "not held: 2020-06")
    assert (bands["value"], bands["reason"]) == (None, "not held: 2020-06")


def test_a_report_with_only_figures_is_possible(redis_server: RedisServer) -> None:
    """Rows based on events are absent with the reason, whichever months are requested."""
    settings = filled(redis_server, [figure("2020-12/2021-11", "2021-12-20", 21)])
    for request in (
        Request(as_at="2022-01-31"),
        Request("2021-06", 3, "2022-01-31"),
        Request("2018-01", 1, "2022-01-31"),
    ):
        found = rows(read_report(settings, request, NOW_MS))
        assert found["road_fatalities"]["value"] == 21
        for measure in KINDS.values():
            assert (found[measure]["value"], found[measure]["held_months"]) == (None, 0)
            when = "this month" if request.months == 1 else "these months"
            assert found[measure]["remark"] == f"no events are held for calls in {when}"
    assert read_report(settings, Request(), NOW_MS).months[-1] == "2021-11"
    for months_ in (1, 12):
        with pytest.raises(ConfigurationInvalid, match="found '2031-01', which is in the future; write one of 2021-11"):
            read_report(settings, Request("2031-01", months_), NOW_MS)


def test_a_future_month_is_refused_but_the_current_one_is_not(redis_server: RedisServer) -> None:
    """Twelve months that end in the future include months that are held, but future ones would read as 0."""
    settings = filled(redis_server, [*calls("2021-12"), *calls("2022-02")])
    assert read_report(settings, Request("2022-02"), NOW_MS).months[-1] == "2022-02"
    said = "found '2022-03', which is in the future; write one of 2021-12, 2022-02"
    with pytest.raises(ConfigurationInvalid, match=said):
        read_report(settings, Request("2022-03"), NOW_MS)
    with pytest.raises(ConfigurationInvalid, match="and none of the 12 months ending with it is held; write one of"):
        read_report(settings, Request("2018-01"), NOW_MS)
    with pytest.raises(ConfigurationInvalid, match="found '2018-01', which is not held; write one of"):
        read_report(settings, Request("2018-01", 1), NOW_MS)


def test_the_last_month_with_events_is_the_default(redis_server: RedisServer) -> None:
    """The month in which a figure's period ends may have no events, and would give an empty report."""
    settings = filled(redis_server, [*calls("2021-10"), figure("2021", "2021-06-30", 5)])
    assert read_report(settings, Request(), NOW_MS).months[-1] == "2021-10"


def test_a_figure_as_at_a_day_before_its_period_ends_is_marked_in_report_and_list(redis_server: RedisServer) -> None:
    """Half a year is not the whole year."""
    settings = filled(redis_server, [figure("2021", "2021-06-30", 5), figure("2020", "2021-01-10", 30)])
    row = rows(read_report(settings, Request("2021-11"), NOW_MS))["road_fatalities"]
    said = "as at 2021-06-30, before the period ends"
    assert (row["period"], row["value"], row["remark"]) == ("2021", 5, said)
    reader = Reader(settings.redis_url, settings.force)
    listed = {each.period: each.remark for each in reported(reader, settings, ["road_fatalities"])}
    reader.close()
    assert listed == {"2021": said, "2020": ""}


def test_a_note_is_never_hidden(redis_server: RedisServer, tmp_path: Path) -> None:
    """About everything, about a measure without a row, or about one that the catalogue has since lost."""
    settings = filled(redis_server, [
        *calls("2021-11"),
        note("all"), note("volume", measure="call_volume"), note("gone", measure="call_mobile_share"),
        note("live", measure="calls_waiting"), note("past", **{"from": "2019-01", "to": "2019-12"}),
    ])  # fmt: skip
    found = read_report(settings, Request("2021-11"), NOW_MS)
    live = "live (about calls_waiting, which has no row here; from 2021-01 onwards)"
    assert sorted(found.notes) == ["all (from 2021-01 onwards)", live]
    assert rows(found)["call_volume"]["notes"] == ["volume (from 2021-01 onwards)"]
    gone = "gone (about call_mobile_share, which is not in the catalogue; from 2021-01 onwards)"
    then = read_report(
        settings.model_copy(update={"schemas": without("call_mobile_share", tmp_path)}), Request(), NOW_MS
    )
    assert gone in then.notes
    reader = Reader(settings.redis_url, settings.force)
    listed = {each.note: each for each in reported(reader, settings, ["call_volume", "calls_waiting"])}
    reader.close()
    assert listed.keys() == {"all", "volume", "gone", "live", "past"}
    assert {each.type for each in listed.values()} == {"return.note"}
    assert listed["gone"].measure == "call_mobile_share"
    assert listed["gone"].remark == "the catalogue has no measure call_mobile_share"
    assert (listed["all"].period, listed["all"].remark) == ("2021-01/", "")


def without(measure: str, folder: Path) -> Path:
    """Our schemas without one entry."""
    shutil.copytree(ROOT / "schemas", folder / "schemas")
    file = folder / "schemas" / "measures" / "calls.toml"
    file.write_text(
        re.sub(rf"^\[{measure}\]\n.*?(?=^\[[a-z_]+\]$)", "", file.read_text(), flags=re.DOTALL | re.MULTILINE)
    )
    return folder / "schemas"


def test_the_list_of_figures_is_not_cut_off_in_a_pipe(redis_server: RedisServer) -> None:
    """A pipe has no width: even a note of 300 characters is on one line with the rest of its row."""
    text = "word " * 60 + "end"
    settings = filled(redis_server, [note("n", text=text), figure("2020-01/2021-11", "2021-11-30", 123_456)])
    done = watchroom("figures", "list", environment=environment(settings))
    printed = done.out.decode()
    assert done.code == 0
    assert text in printed
    for said in ("road_fatalities", "2020-01/2021-11 (range)", "123456", "arrived 2022-01-27T10:00:00.000Z"):
        assert said in printed


@given(st.dates(date(2020, 1, 1), date(2021, 12, 31)), st.dates(date(2020, 1, 1), date(2021, 12, 31)))
def test_a_note_that_ends_before_it_begins_is_about_the_days_between(since: date, until: date) -> None:
    """Redis may hold such notes from before they were refused; they are shown, and marked."""
    told = Note("n", "text", since.isoformat(), until.isoformat(), "", "s", "", "")
    turned = told._replace(since=told.until, until=told.since)
    for month in months_from("2019-12", "2022-01"):
        assert told.is_about(f"{month}-01", f"{month}-28") == turned.is_about(f"{month}-01", f"{month}-28")
    assert told.is_about(since.isoformat(), since.isoformat())
    assert told.is_turned == (until < since)
