"""Clock times without a day: `day_from` names the time that they are close to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.importer.extracts import MapText
from watchroom.errors import ConfigurationInvalid
from watchroom.importer.convert import Conversion
from watchroom.importer.local_time import rfc3339
from watchroom.importer.mapping import check_mapping
from watchroom.importer.row import Row
from watchroom.importer.summary import missing_times

UNITS: dict[str, Any] = {
    "source": "cad", "about": "Units of incidents.",
    "time": {"zone": "UTC", "formats": "%H:%M:%S", "day_from": {"join": ["date", "told"]}},
    "entity": {"key": "id", "rows": "together"},
    "event": [
        {"type": "incident.created", "per": "entity", "time": {"column": "told", "pick": "min"}},
        {"type": "incident.resource_on_scene", "time": "on_scene", "optional": True, "key": "unit",
         "data": {"unit": "unit"}},
    ],
}  # fmt: skip
HEADER = "id,date,unit,told,on_scene\n"
HALF_A_DAY_S = 43_200
SECOND = timedelta(seconds=1)


def times(made: Any) -> list[str]:
    """The time of each event, in order."""
    return [rfc3339(event.time_ms) for event in made.events]


@given(
    told=st.integers(0, 35 * 365 * 86_400).map(lambda seconds: datetime(1991, 1, 1, tzinfo=UTC) + seconds * SECOND),
    offsets_s=st.lists(st.integers(1 - HALF_A_DAY_S, HALF_A_DAY_S - 1), min_size=1, max_size=8),
    untold=st.booleans(),
)
def test_times_within_12_hours_are_recovered_from_their_clock_times(
    told: datetime, offsets_s: list[int], untold: bool
) -> None:
    """Across midnight, month ends and leap days, in any order, and before the row that gives the day."""
    on_scene = [told + offset_s * SECOND for offset_s in offsets_s]
    rows = [
        {"date": f"{told:%Y-%m-%d}", "told": f"{told:%H:%M:%S}", "on_scene": f"{on_scene[0]:%H:%M:%S}"},
        *({"date": "1999-09-09", "told": "", "on_scene": f"{at:%H:%M:%S}"} for at in on_scene[1:]),
    ]
    if untold:
        rows = [*rows[1:], rows[0]]
    conversion = Conversion(check_mapping(UNITS, "m.toml"), lambda row: pytest.fail(str(row)))
    cells = [Row("f", n, {"id": "1", "unit": str(n), **row}) for n, row in enumerate(rows)]
    found = [(event.type, event.time_ms // 1000) for event in conversion.events(cells)]
    wanted = [("incident.created", told), *(("incident.resource_on_scene", at) for at in on_scene)]
    assert sorted(found) == sorted((kind, int(at.timestamp())) for kind, at in wanted)


def test_a_time_exactly_12_hours_away_gets_the_day_of_the_first_told_time(map_text: MapText) -> None:
    """Either day would be possible; the result must not depend on the order of rows or on anything else."""
    rows = "1,2020-03-01,a,06:00:00,18:00:00\n2,2020-03-01,a,18:00:00,06:00:00\n"
    made = map_text(UNITS, HEADER + rows)
    assert times(made) == [f"2020-03-01T{clock}:00:00Z" for clock in ("06", "06", "18", "18")]


def test_a_time_just_before_its_incident_is_not_moved_to_the_next_day(map_text: MapText) -> None:
    """Keys get pressed in the wrong order; that is a negative duration, not one of 24 hours."""
    made = map_text(UNITS, HEADER + "1,2020-03-01,a,00:03:00,23:59:00\n")
    assert times(made) == ["2020-02-29T23:59:00Z", "2020-03-01T00:03:00Z"]


def test_the_first_told_time_in_file_order_gives_the_day_even_across_files(map_text: MapText) -> None:
    """Not the earliest clock time, and not the first row, whose `day_from` columns may be empty."""
    first = HEADER + "1,2020-03-05,a,,00:20:00\n1,2020-03-01,b,23:50:00,\n"
    made = map_text(UNITS, first, HEADER + "1,2020-03-09,c,00:05:00,00:30:00\n")
    assert times(made) == ["2020-03-01T23:50:00Z", "2020-03-02T00:20:00Z", "2020-03-02T00:30:00Z"]


def test_an_incident_without_any_told_time_has_no_day(map_text: MapText) -> None:
    """Its rows are refused with that reason; a row that has no times at all does not cause it."""
    made = map_text(UNITS, HEADER + "1,2020-03-01,a,,00:20:00\n2,2020-03-01,a,06:00:00,\n")
    assert made.refused == [
        "f0.csv:2: time: '00:20:00' has no day: the time.day_from columns are empty in all rows with this key"
    ]
    assert times(made) == ["2020-03-01T06:00:00Z"]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("1,2020-13-01,a,06:00:00,", "time.day_from: '2020-13-01 06:00:00' does not match the time format iso"),
        ("1,2020-03-01,a,06:00:00,6.10", "time: '6.10' does not match the time format %H:%M:%S"),
        ("1,2020-03-01,a,06:00:00,24:00:00", "time: '24:00:00' does not match"),
        ("1,1980-03-01,a,06:00:00,", "time.day_from: '1980-03-01 06:00:00' is 1980-03-01T06:00:00.000Z, before"),
    ],
)
def test_a_row_with_an_unreadable_time_is_refused_exactly_once(map_text: MapText, row: str, says: str) -> None:
    """The rows around it are used, and each row is counted once."""
    made = map_text(UNITS, HEADER + row + "\n2,2020-03-01,a,06:00:00,\n")
    assert len(made.refused) == 1
    assert made.refused[0].startswith(f"f0.csv:2: {says}")
    assert (made.tally.rows, made.tally.used, made.tally.refused) == (2, 1, 1)


def test_each_row_has_its_own_day_if_rows_are_apart(map_text: MapText) -> None:
    """As in a call log with a date and clock times, where a call is answered after midnight."""
    log = {
        **UNITS, "entity": {"key": "id"},
        "time": {"zone": "Europe/London", "formats": ["%H:%M", "%H:%M:%S"],
                 "day_from": {"join": ["date", "queued"], "formats": "%d/%m/%Y %H:%M:%S"}},
        "event": [{"type": "call.queued", "time": "queued"},
                  {"type": "call.answered", "time": "answered", "optional": True}],
    }  # fmt: skip
    rows = "1,30/06/2021,23:59:50,0:00:04\n2,01/07/2021,00:00:01,\n3,,00:00:01,00:03\n4,02/07/2021,09:00:00,09:03\n"
    made = map_text(log, "id,date,queued,answered\n" + rows)
    assert times(made) == [
        "2021-06-30T22:59:50Z", "2021-06-30T23:00:04Z", "2021-06-30T23:00:01Z",
        "2021-07-02T08:00:00Z", "2021-07-02T08:03:00Z",
    ]  # fmt: skip
    assert made.refused[0].startswith("f0.csv:4: time: '00:00:01' has no day")


def test_an_ambiguous_hour_is_read_by_the_same_rule_as_for_complete_times(map_text: MapText) -> None:
    """The day is found on the wall clock; the mapping's rule then decides which of the two hours is meant."""
    log = {
        **UNITS, "entity": {"key": "id"},
        "event": [{"type": "call.queued", "time": "queued"}, {"type": "call.answered", "time": "answered"}],
    }  # fmt: skip
    time = {"zone": "Europe/London", "formats": "%H:%M:%S", "day_from": {"column": "at", "formats": "iso"}}
    rows = "id,at,queued,answered\n1,2021-10-31T00:00,01:59:50,01:00:05\n"
    made = map_text({**log, "time": {**time, "ambiguous_hour": "in_order"}}, rows)
    assert times(made) == ["2021-10-31T00:59:50Z", "2021-10-31T01:00:05Z"]
    assert made.tally.by_order == 1
    assert "happens twice in Europe/London" in map_text({**log, "time": time}, rows).refused[0]


def test_times_with_a_day_and_clock_times_can_be_mixed(map_text: MapText) -> None:
    """The complete time, read by a format of [time] that includes the day, gives the day of the others."""
    mapping = {
        **UNITS,
        "time": {"zone": "UTC", "formats": ["%d/%m/%Y %H:%M:%S", "%H:%M:%S"], "day_from": "received"},
        "event": [{"type": "incident.created", "time": "received", "per": "entity"}, UNITS["event"][1]],
    }
    made = map_text(mapping, "id,unit,received,on_scene\n1,a,31/12/2020 23:59:00,00:10:00\n")
    assert times(made) == ["2020-12-31T23:59:00Z", "2021-01-01T00:10:00Z"]


def test_a_row_swallowed_by_a_quote_is_found_by_its_clock_time(map_text: MapText) -> None:
    """An unclosed quote must not hide rows just because their times have no day."""
    rows = '1,2021-03-01,"a,06:00:00,\n2,2021-03-01,b",06:00:00,06:10:00\n3,2021-03-01,c,06:00:00,\n'
    mapping = {**UNITS, "time": {**UNITS["time"], "earliest": "2021-01-01"}}
    made = map_text(mapping, HEADER + rows)
    assert made.tally.swallowed_lines == 1
    assert "line 3 looks like a row" in made.refused[0]


def test_repeating_rows_are_counted_within_one_file_only(map_text: MapText) -> None:
    """Rows of a later file correct earlier ones, including rows that wait for their day."""
    file = HEADER + "1,2020-03-01,a,06:00:00,06:10:00\n"
    assert map_text(UNITS, file, file.replace("06:10", "06:11")).tally.repeating_rows == 0
    assert map_text(UNITS, file + "1,2020-03-01,a,06:00:00,06:11:00\n").tally.repeating_rows == 1


def test_missing_times_are_counted_and_reported(map_text: MapText) -> None:
    """How many rows lack each time, and in how many of them the next step has one."""
    mapping = {**UNITS, "time": {**UNITS["time"], "report_missing": ["told", "on_scene", "clear"]}}
    rows = "1,2020-03-01,a,06:00:00,,\n1,2020-03-01,b,,06:10:00,06:30:00\n1,2020-03-01,c,06:00:00,,06:40:00\n"
    made = map_text(mapping, HEADER.replace("\n", ",clear\n") + rows)
    assert missing_times(made.tally) == "told 1 (1 with on_scene), on_scene 2 (1 with clear), clear 1"


@pytest.mark.parametrize(
    ("time", "says"),
    [
        ({"formats": "%H:%M:%S"}, "time.formats: found '%H:%M:%S'; write iso, epoch_s, epoch_ms, or a pattern"),
        ({"formats": "%H:%M:%S"}, "for clock times without a day, add `day_from` to [time]"),
        ({"formats": "%I:%M", "day_from": "at"}, "time.formats: found '%I:%M'; write a clock time with the hour"),
        ({"formats": "%H:%M:%SZ", "day_from": "at"}, "write a clock time without a zone: it is read in time.zone"),
        ({"formats": "%H:%M:%S EST", "day_from": "at"}, "write a clock time without a zone: it is read in time.zone"),
        ({"formats": ["%H:%M", "%M:%H"], "day_from": "at"}, "found '%H:%M' and '%M:%H', which read '11:15' as"),
        (
            {"formats": "iso", "day_from": "at"},
            "time.day_from: found only formats that include the day; write a clock time in",
        ),
        (
            {"formats": "%H:%M", "day_from": {"column": "at", "formats": "%H:%M"}},
            "time.day_from.formats: found '%H:%M'; write a format that includes the day: `join` the date and the time",
        ),
        (
            {"formats": "%H:%M", "day_from": {"column": "at", "pick": "min"}},
            "time.day_from.pick: found 'min'; write the value without `pick`",
        ),
        ({"formats": "%H:%M", "day_from": {"column": "at", "map": "m"}}, "time.day_from.map: found 'm'; write a map"),
        ({"formats": "%H:%M", "day_from": {"column": "at", "constant": "x"}}, "time.day_from: found"),
    ],
)
def test_a_mapping_whose_clock_times_have_no_day_is_refused(time: dict[str, Any], says: str) -> None:
    """Before anything is sent, and with what to write instead."""
    with pytest.raises(ConfigurationInvalid) as caught:
        check_mapping({**UNITS, "time": {"zone": "UTC", **time}}, "m.toml")
    assert says in str(caught.value)
    assert len(caught.value.faults) == 1
