"""From rows to events: what each part of an analyst's mapping means."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.importer.extracts import MapText
from tests.parts import ROOT
from watchroom.admission.parse import parse
from watchroom.catalogue.load import load_catalogue
from watchroom.errors import RowRefused
from watchroom.events.record import Event
from watchroom.importer.convert import Conversion
from watchroom.importer.event_fields import DATA_FIELDS, REQUIRED_FIELDS, STREAM_OF, TRUTH_FIELDS
from watchroom.importer.listed import labels_of
from watchroom.importer.local_time import rfc3339
from watchroom.importer.mapped import Mapped, id_of
from watchroom.importer.mapping import check_mapping
from watchroom.importer.row import Row
from watchroom.importer.subjects import subject_of
from watchroom.importer.summary import misread, others, row_lines
from watchroom.importer.tally import WITHOUT_EVENT, Tally
from watchroom.kinds.measure import resolved
from watchroom.settings import Settings
from watchroom.streams import STREAMS

CATALOGUE = load_catalogue(ROOT / "schemas" / "measures", Settings().areas)
LABELS = labels_of(CATALOGUE)
LABEL_VALUES = {(measure.stream, label.value_of) for measure in CATALOGUE.measures.values() for label in measure.labels}
UNITS = "call,unit,created,sent,free,grade,seq\n"
JOB: dict[str, Any] = {
    "source": "cad", "about": "Units of incidents.", "time": {"zone": "UTC"},
    "entity": {"key": "call", "rows": "together"},
    "map": {"grade": {"values": {"A": "1", "B": "2"}}},
    "event": [
        {"type": "incident.created", "per": "entity", "time": {"column": "created", "pick": "min"},
         "data": {"grade": {"column": "grade", "map": "grade",
                            "pick": "first", "order_by": "seq", "order_as": "number"}}},
        {"type": "incident.resource_assigned", "time": "sent", "optional": True, "key": "unit",
         "data": {"unit": "unit"}},
        {"type": "incident.closed", "per": "entity", "time": {"column": "free", "pick": "max"}, "optional": True},
    ],
}  # fmt: skip
LOG: dict[str, Any] = {
    "source": "log", "about": "One row a call.", "time": {"zone": "UTC"}, "entity": {"key": "id"},
    "event": [{"type": "call.queued", "time": "at"}],
}  # fmt: skip


def at(clock: str) -> str:
    """A time on one fixed day."""
    return f"2021-11-30 {clock}"


def short(events: list[Mapped]) -> list[tuple[str, str, str, dict[str, str | bool]]]:
    """Type, subject, time of day and data of events."""
    return [(e.type, e.subject, rfc3339(e.time_ms)[11:19], dict(e.data)) for e in events]


def unit(call: str, name: str, created: str, sent: str = "", free: str = "", *, grade: str = "A", seq: int = 1) -> str:
    """A row of the unit file."""
    times = ",".join(at(clock) if clock else "" for clock in (created, sent, free))
    return f"{call},{name},{times},{grade},{seq}\n"


def test_rows_that_belong_together_become_one_incident(map_text: MapText) -> None:
    """Created at the earliest time, closed at the latest, graded by the first row in the named order."""
    made = map_text(
        JOB,
        UNITS
        + unit("7", "U2", "09:00:02", "09:02:00", "09:40:00", grade="B", seq=10)
        + unit("8", "U9", "09:00:30", "09:01:00")
        + unit("7", "U1", "09:00:01", "09:01:30", "09:50:00", grade="A", seq=9),
    )
    assert short(made.events) == [
        ("incident.created", "7", "09:00:01", {"grade": "1"}),
        ("incident.created", "8", "09:00:30", {"grade": "1"}),
        ("incident.resource_assigned", "8", "09:01:00", {"unit": "U9"}),
        ("incident.resource_assigned", "7", "09:01:30", {"unit": "U1"}),
        ("incident.resource_assigned", "7", "09:02:00", {"unit": "U2"}),
        ("incident.closed", "7", "09:50:00", {}),
    ]
    assert (made.tally.rows, made.tally.used, made.tally.entities, made.tally.events) == (3, 3, 2, 6)


def test_rows_of_one_incident_may_be_in_several_files_in_any_order(map_text: MapText) -> None:
    """An incident at midnight is in two daily extracts; rows in both of them make each event only once."""
    one, two = unit("7", "U1", "09:00:00", "09:01:00", "09:30:00"), unit("7", "U2", "09:00:00", "09:02:00", "09:40:00")
    there = map_text(JOB, UNITS + one, UNITS + one + two)
    back = map_text(JOB, UNITS + two + one, UNITS + one)
    assert there.events == back.events
    assert len(there.events) == 4
    assert there.tally.repeated == 1


def test_units_sent_in_the_same_second_are_two_events(map_text: MapText) -> None:
    """Their ids differ in the event's own key column."""
    made = map_text(JOB, UNITS + unit("7", "U1", "09:00:00", "09:01:00") + unit("7", "U2", "09:00:00", "09:01:00"))
    assert len({event.id for event in made.events}) == 3


def test_two_different_events_with_the_same_id_are_refused(map_text: MapText) -> None:
    """Without that key column, one of the units would be lost silently."""
    job = {**JOB, "event": [JOB["event"][0], {k: v for k, v in JOB["event"][1].items() if k != "key"}]}
    made = map_text(job, UNITS + unit("7", "U1", "09:00:00", "09:01:00") + unit("7", "U2", "09:00:00", "09:01:00"))
    assert made.events == []
    (refusal,) = made.refused
    assert (
        "two different events with the id 7:incident.resource_assigned:2021-11-30T09:01:00Z; name a column in event.key"
        in refusal
    )
    assert (made.tally.rows, made.tally.refused, made.tally.used) == (2, 2, 0)


def test_rows_of_one_incident_that_differ_are_refused_unless_the_mapping_says_which_counts(map_text: MapText) -> None:
    """Choosing between two grades silently would give a wrong figure."""
    job = {**JOB, "event": [JOB["event"][0] | {"data": {"grade": {"column": "grade", "map": "grade"}}}]}
    made = map_text(job, UNITS + unit("7", "U1", "09:00:00", grade="B") + unit("7", "U2", "09:00:00", grade="A"))
    (refusal,) = made.refused
    assert refusal == (
        "f0.csv:2: 7: data.grade: the rows of one entity have different values (1, 2); "
        "set `pick` to min, max, first or last; also refused: f0.csv:3"
    )


@pytest.mark.parametrize(("pick", "grade"), [("min", "1"), ("max", "2")])
def test_the_lowest_or_highest_value_can_be_chosen(map_text: MapText, pick: str, grade: str) -> None:
    """For values as well as for times."""
    data = {"grade": {"column": "grade", "map": "grade", "pick": pick}}
    job = {**JOB, "event": [JOB["event"][0] | {"data": data}]}
    made = map_text(job, UNITS + unit("7", "U1", "09:00:00", grade="B") + unit("7", "U2", "09:00:00", grade="A"))
    assert made.events[0].data == {"grade": grade}


def test_ties_in_the_order_are_broken_by_the_lowest_value(map_text: MapText) -> None:
    """So that the order of rows and files never decides."""
    rows = [unit("7", "U1", "09:00:00", grade="B", seq=1), unit("7", "U2", "09:00:00", grade="A", seq=1)]
    grades = [map_text(JOB, UNITS + "".join(order)).events[0].data["grade"] for order in (rows, rows[::-1])]
    assert grades == ["1", "1"]


def test_a_bad_row_is_reported_with_file_and_line_and_the_others_are_used(map_text: MapText) -> None:
    """The summary counts both."""
    made = map_text(LOG, f"id,at\n1,{at('09:00:00')}\n2,soon\n,{at('09:00:00')}\n4,\n5,{at('09:05:00')}\n")
    assert [event.subject for event in made.events] == ["1", "5"]
    assert made.refused == [
        "f0.csv:3: time: 'soon' does not match the time format iso",
        "f0.csv:4: the key column 'id' is empty",
        "f0.csv:5: call.queued has no time: at is empty",
    ]
    assert (made.tally.rows, made.tally.used, made.tally.refused) == (5, 2, 3)


def test_an_event_that_admission_would_refuse_is_refused_with_its_row(map_text: MapText) -> None:
    """A dead letter names an offset, but an analyst needs the line."""
    made = map_text(LOG, f"id,at\n{'x' * 300},{at('09:00:00')}\n2,1989-12-31 23:59:59\n3,{at('09:00:00')}\n")
    assert [event.subject for event in made.events] == ["3"]
    assert made.refused[0].startswith("f0.csv:2: call.queued of xxx")
    assert made.refused[1].startswith("f0.csv:3: time: '1989-12-31 23:59:59' is 1989-12-31T23:59:59.000Z, before 1990")


def test_an_unknown_value_is_refused_or_replaced_by_otherwise(map_text: MapText) -> None:
    """A grade that is not in the map is not one of the force's grades."""
    rows = UNITS + unit("7", "U1", "09:00:00", grade="Z")
    assert (
        "data.grade: 'Z' is not in [map.grade]; add it there, or set its `otherwise`" in map_text(JOB, rows).refused[0]
    )
    other = {**JOB, "map": {"grade": {**JOB["map"]["grade"], "otherwise": "ungraded"}}}
    assert map_text(other, rows).events[0].data == {"grade": "ungraded"}


def test_an_empty_value_is_left_out_replaced_or_refused(map_text: MapText) -> None:
    """An absent value is not the same as any value, so the mapping says what it means."""

    def line(cell: dict[str, Any]) -> Any:
        log = {**LOG, "event": [{"type": "call.queued", "time": "at", "data": {"line": {"column": "line"} | cell}}]}
        return map_text(log, f"id,at,line\n1,{at('09:00:00')},\n")

    assert line({}).events[0].data == {}
    assert line({"empty": "101"}).events[0].data == {"line": "101"}
    assert "data.line: line is empty, but the mapping requires it" in line({"required": True}).refused[0]


def test_a_value_comes_from_the_first_non_empty_column_or_from_several_joined(map_text: MapText) -> None:
    """Exports write a time into one of two columns, or a date and a time into two."""
    event = {
        "type": "call.queued",
        "time": {"first_of": ["a", "b"]},
        "data": {"queue": {"join": ["x", "y"], "separator": "/"}},
    }
    made = map_text(
        {**LOG, "event": [event]}, f"id,a,b,x,y\n1,,{at('09:00:00')},p,q\n2,{at('10:00:00')},{at('09:00:00')},p,\n"
    )
    assert short(made.events) == [
        ("call.queued", "1", "09:00:00", {"queue": "p/q"}),
        ("call.queued", "2", "10:00:00", {}),
    ]


def test_the_message_names_only_the_cells_that_are_empty(map_text: MapText) -> None:
    """If only the clock time is missing, naming both columns would send people to the day first."""
    plus = {"column": "day", "plus_seconds": "wait"}
    time = {"join": ["day", "clock"], "append": ""}
    for cell, rows, said in (
        (time, "1,2021-11-30,,\n", "clock is empty"),
        (time, "1,,,\n", "day and clock are empty"),
        ({"first_of": ["day", "clock"]}, "1,,,\n", "day and clock are empty"),
        (plus, f"1,{at('09:00:00')},,\n", "wait is empty"),
    ):
        made = map_text({**LOG, "event": [{"type": "call.queued", "time": cell}]}, "id,day,clock,wait\n" + rows)
        assert made.refused == [f"f0.csv:2: call.queued has no time: {said}"]


def test_a_time_may_be_another_time_plus_seconds(map_text: MapText) -> None:
    """Call logs give a start and a waiting time."""
    event = {"type": "call.answered", "time": {"column": "at", "plus_seconds": "wait"}, "optional": True}
    made = map_text(
        {**LOG, "event": [event]}, f"id,at,wait\n1,{at('09:00:00')},7.5\n2,{at('09:00:00')},\n3,{at('09:00:00')},x\n"
    )
    assert [rfc3339(event.time_ms) for event in made.events] == ["2021-11-30T09:00:07.500Z"]
    assert made.refused == ["f0.csv:4: wait: 'x' is not a number"]


SWITCH: dict[str, Any] = {
    "source": "cucm", "about": "Call detail records.", "time": {"zone": "UTC", "formats": ["epoch_s"]},
    "entity": {"key": "id"},
    "event": [
        {"type": "call.queued", "time": "origination"},
        {"type": "call.answered", "time": "connect", "optional": True},
        {"type": "call.abandoned", "time": "disconnect", "when": [{"column": "duration", "is": ["0"]}]},
    ],
}  # fmt: skip


def test_a_zero_is_an_empty_time_in_the_epoch_formats(map_text: MapText) -> None:
    """A switch writes 0 for a call that was never connected; as a time it made an answer in 1970."""
    head = "id,origination,connect,disconnect,duration\n"
    rows = "1,1638294300,1638294320,1638294500,180\n2,1638294400,0,1638294460,0\n3,0,0,1638294730,0\n"
    made = map_text(SWITCH, head + rows)
    assert [(event.subject, event.type) for event in made.events] == [
        ("1", "call.queued"),
        ("1", "call.answered"),
        ("2", "call.queued"),
        ("2", "call.abandoned"),
    ]
    assert made.refused == ["f0.csv:4: call.queued has no time: origination is empty"]
    assert made.tally.used + made.tally.refused == made.tally.rows == 3


@pytest.mark.parametrize("zero", ["0", "00", "0.0", "0000"])
def test_first_of_passes_over_a_zero(map_text: MapText, zero: str) -> None:
    """0 counts as empty wherever empty cells are looked for."""
    event = {"type": "call.ended", "time": {"first_of": ["a", "b"]}}
    made = map_text({**SWITCH, "event": [event]}, f"id,a,b\n1,{zero},1638294300\n")
    assert [rfc3339(event.time_ms) for event in made.events] == ["2021-11-30T17:45:00Z"]


ZEROS = ["0000-00-00 00:00:00", "0", "0000-00-00T00:00:00Z", "1970-01-01T00:00:00Z", "1970-01-01 01:00:00"]


@pytest.mark.parametrize("zero", ZEROS)
def test_zeros_in_other_formats_are_empty_if_the_mapping_says_so(map_text: MapText, zero: str) -> None:
    """Databases write 0000-00-00 or a local 1970; without `zero_means_never` the row is refused, never used."""
    text = f"id,at,answer\n1,{at('09:00:00')},{zero}\n"
    events = [*LOG["event"][:1], {"type": "call.answered", "time": {"column": "answer"}, "optional": True}]
    london = {**LOG, "time": {"zone": "Europe/London", "ambiguous_hour": "refuse"}, "event": events}
    refused = map_text(london, text)
    assert (refused.tally.refused, refused.events) == (1, [])
    events[1]["time"]["zero_means_never"] = True
    made = map_text(london, text)
    assert ([event.type for event in made.events], made.refused) == (["call.queued"], [])
    twice = map_text(london, f"id,at,answer\n1,{at('09:00:00')},2021-10-31 01:30:00\n")
    assert "happens twice" in twice.refused[0]


@given(st.integers(-(10**12), 10**15))
def test_no_number_becomes_an_impossible_time(number: int) -> None:
    """Whatever column is read as seconds: a possible time, no event for 0, or a refused row; no traceback."""
    refused: list[RowRefused] = []
    conversion = Conversion(check_mapping(SWITCH, "m.toml"), refused.append, now_ms=1_700_000_000_000)
    cells = {"id": "1", "origination": "1638294300", "connect": str(number), "disconnect": "", "duration": "1"}
    made = list(conversion.events([Row("f.csv", 2, cells)]))
    if 631_152_000 <= number <= 1_700_000_300:
        assert [event.time_ms for event in made][1:] == [number * 1000]
    elif number == 0:
        assert [event.type for event in made] == ["call.queued"]
    else:
        assert (made, len(refused)) == ([], 1)


def test_a_time_in_the_future_refuses_only_its_row(map_text: MapText) -> None:
    """A 2121 typed for 2021 in one cell closed the month and hid every open incident."""
    events = [{"type": "incident.created", "time": "at"}, {"type": "incident.closed", "time": "end", "optional": True}]
    text = f"id,at,end\n1,{at('09:00:00')},\n2,{at('09:00:00')},2121-11-30T11:45:00\n"
    made = map_text({**LOG, "event": events}, text, now_ms=1_700_000_000_000)
    assert [event.subject for event in made.events] == ["1"]
    assert made.refused[0].startswith("f0.csv:3: time: '2121-11-30T11:45:00' is 2121-11-30T11:45:00.000Z, later than")


@pytest.mark.parametrize("seconds", ["400000000000", "9" * 99, "34560001", "-34560001", "34560000.001"])
def test_an_absurd_number_of_seconds_refuses_only_its_row(map_text: MapText, seconds: str) -> None:
    """A telephone number in a column of waiting times left the calendar and ended the replay."""
    event = {"type": "call.answered", "time": {"column": "at", "plus_seconds": "wait"}}
    rows = "".join(f"{key},{at('09:00:00')},{wait}\n" for key, wait in (("1", "5"), ("2", seconds), ("3", "7")))
    made = map_text({**LOG, "event": [event]}, "id,at,wait\n" + rows)
    assert [event.subject for event in made.events] == ["1", "3"]
    assert made.refused == [
        f"f0.csv:3: wait: {seconds!r} seconds is more than 400 days; check that this column holds seconds"
    ]


@given(st.text("0123456789-+.eE", max_size=20))
def test_no_text_in_a_column_of_seconds_ends_a_replay(text: str) -> None:
    """It is added or refused; an empty text makes no event."""
    event = {"type": "call.answered", "time": {"column": "at", "plus_seconds": "wait"}, "optional": True}
    conversion = Conversion(check_mapping({**LOG, "event": [event]}, "m.toml"), lambda _: None)
    rows = [Row("f.csv", 2, {"id": "1", "at": at("09:00:00"), "wait": text})]
    made = list(conversion.events(rows))
    assert len(made) + conversion.tally.refused == bool(text)
    assert all(event.time_ms - 1_638_262_800_000 == round(float(text) * 1000) for event in made)


def test_skipped_rows_are_counted_by_reason(map_text: MapText) -> None:
    """Rows that are left out on purpose are not faults."""
    log = {**LOG, "skip": [{"column": "id", "is": ["Total"], "reason": "the total line"},
                           {"column": "test", "is_not": ["", "no"], "reason": "a test call"}]}  # fmt: skip
    made = map_text(log, f"id,at,test\nTotal,,\n1,{at('09:00:00')},yes\n2,{at('09:00:00')},no\n3,{at('09:00:00')},\n")
    assert [event.subject for event in made.events] == ["2", "3"]
    assert made.tally.skipped == {"the total line": 1, "a test call": 1}
    assert (made.refused, made.tally.used) == ([], 2)


def test_an_event_may_depend_on_another_column(map_text: MapText) -> None:
    """One column has the time, and another has a code for how the call ended."""

    def ended(kind: str, word: str) -> dict[str, Any]:
        return {"type": kind, "time": "at", "when": [{"column": "how", "is": [word]}]}

    made = map_text(
        {**LOG, "event": [ended("call.answered", "ANS"), ended("call.abandoned", "ABD")]},
        f"id,at,how\n1,{at('09:00:00')},ANS\n2,{at('09:00:00')},ABD\n3,{at('09:00:00')},?\n",
    )
    assert [(event.subject, event.type) for event in made.events] == [("1", "call.answered"), ("2", "call.abandoned")]


def test_the_event_type_and_stream_may_come_from_a_column(map_text: MapText) -> None:
    """A file of everything, with one event per row."""
    kinds = {"kind": {"values": {"Q": "call.queued", "C": "incident.created"}}}
    event = {"type": {"column": "kind", "map": "kind"}, "time": "at"}
    made = map_text(
        {**LOG, "map": kinds, "event": [event]},
        f"id,at,kind\n1,{at('09:00:00')},Q\n2,{at('09:00:00')},C\n3,{at('09:00:00')},X\n4,{at('09:00:00')},\n",
    )
    assert [(event.stream, event.type) for event in made.events] == [
        ("calls", "call.queued"),
        ("incidents", "incident.created"),
    ]
    assert len(made.refused) == 2


def test_a_count_column_makes_that_many_entities(map_text: MapText) -> None:
    """Tables hold numbers of crimes; each becomes a crime with the same id in every extract."""
    table = {
        "source": "table", "about": "Numbers.", "time": {"zone": "Europe/London"},
        "entity": {"key": ["quarter", "code"], "count": "n"},
        "event": [
            {
                "type": "crime.recorded",
                "time": {"column": "quarter", "append": "T12:00"},
                "data": {"group": "group"},
            }
        ],
    }  # fmt: skip
    counts = ["8,Robbery,3", "9,Arson,0", "10,Arson,-2", "11,Arson,1.5"]
    text = "quarter,code,group,n\n" + "".join(f"2017-04-01,{count}\n" for count in counts)
    made = map_text(table, text)
    assert [event.subject for event in made.events] == ["2017-04-01:8:1", "2017-04-01:8:2", "2017-04-01:8:3"]
    assert made.tally.skipped == {"n is 0": 1}
    assert made.refused == [
        "f0.csv:4: n: '-2' is not a whole number of 0 or more",
        "f0.csv:5: n: '1.5' is not a whole number of 0 or more",
    ]
    assert (made.tally.entities, made.tally.used) == (3, 1)
    assert map_text(table, text).events == made.events


@pytest.mark.parametrize("text", ["100001", "9" * 20, "9" * 5000, "0044" + "7" * 10])
def test_a_count_that_must_belong_to_another_column_is_refused(map_text: MapText, text: str) -> None:
    """A telephone number in a column of counts would make crimes until the memory is full."""
    made = map_text(TABLE, f"code,month,n\n1,2017-05,{text}\n2,2017-05,1\n")
    assert [event.subject for event in made.events] == ["2:1"]
    assert "is more than 100,000; check the column, or set entity.most" in made.refused[0]
    assert len(made.refused[0]) < 150


def test_a_mapping_may_set_the_most_that_a_row_can_stand_for(map_text: MapText) -> None:
    """`most` is the largest count of one row; `3.0` is a whole number."""
    table = {**TABLE, "entity": {**TABLE["entity"], "most": 3}}
    made = map_text(table, "code,month,n\n1,2017-05,4\n2,2017-05,3.0\n3,2017-05,003\n")
    assert [event.subject for event in made.events] == [f"{code}:{number}" for code in (2, 3) for number in (1, 2, 3)]
    assert made.tally.refused == 1


def test_the_entities_of_a_row_are_made_one_by_one() -> None:
    """A row of 100,000 crimes must not need memory for 100,000 events."""
    conversion = Conversion(check_mapping(TABLE, "m.toml"), lambda _: None)
    made = conversion.events([Row("f.csv", 2, {"code": "1", "month": "2017-05", "n": "100000"})])
    assert next(made).subject == "1:1"
    assert conversion.tally.events == 1


TABLE: dict[str, Any] = {
    "source": "table", "about": "Numbers.", "time": {"zone": "UTC", "formats": "%Y-%m-%d %H"},
    "entity": {"key": "code", "count": "n"},
    "event": [{"type": "crime.recorded", "time": {"column": "month", "append": "-15 00"}}],
}  # fmt: skip


def test_rows_with_the_same_key_add_up_in_a_file_and_match_in_the_next(map_text: MapText) -> None:
    """Two equal rows are twice as many crimes; the same two rows in an overlapping file are the same crimes."""
    text = "code,month,n\n1,2017-05,1\n1,2017-05,1\n8,2017-05,2\n1,2017-05,0\n1,2017-05,2\n"
    once = map_text(TABLE, text)
    assert [event.subject for event in once.events] == ["1:1", "1:2", "8:1", "8:2", "1:3", "1:4"]
    assert (once.tally.entities, once.tally.repeated) == (6, 0)
    twice = map_text(TABLE, text, text)
    assert {event.id for event in twice.events} == {event.id for event in once.events}
    assert (twice.tally.entities, twice.tally.repeated) == (6, 6)


def test_a_month_gets_the_day_that_the_mapping_appends(map_text: MapText) -> None:
    """Some tables give only the month; a text that is not a month is still refused."""
    made = map_text(TABLE, "code,month,n\n1,2017-05,1\n2,May,1\n")
    assert [rfc3339(event.time_ms) for event in made.events] == ["2017-05-15T00:00:00Z"]
    assert made.refused == ["f0.csv:3: time: 'May-15 00' does not match the time format %Y-%m-%d %H"]


@pytest.mark.parametrize("key", ["2.02111E+11", "2,02111E+11", "1.5e+10"])
@pytest.mark.parametrize("rows", ["apart", "together"])
def test_a_row_with_a_rounded_key_is_refused(map_text: MapText, rows: str, key: str) -> None:
    """A spreadsheet makes one key of many ids; the digits that distinguished them are lost."""
    log = {**LOG, "entity": {"key": "id", "rows": rows}}
    made = map_text(log, f'id,at\n"{key}",{at("09:00:00")}\n7e12,{at("09:00:00")}\n')
    assert [event.subject for event in made.events] == ["7e12"]
    assert made.refused == [f"f0.csv:2: id: {key!r} is a rounded number, not a key; export this column as text"]
    units = {**LOG, "event": [LOG["event"][0] | {"key": "unit"}]}
    assert "unit: '2.5E+10' is a rounded" in map_text(units, f"id,at,unit\n1,{at('09:00:00')},2.5E+10\n").refused[0]


SAID = st.tuples(st.sampled_from("abc"), st.sampled_from(["09:00:00", "09:00:01"]), st.sampled_from(["999", "101"]))


@given(st.lists(st.lists(SAID, max_size=8), min_size=1, max_size=3), st.sampled_from(["apart", "together"]))
def test_rows_that_repeat_a_key_are_counted_within_their_file(files: list[list[Any]], kind: str) -> None:
    """If time or data differ; the same row again, and a later file's corrections, are not faults."""
    event = {"type": "call.queued", "time": "at", "data": {"line": "line"}}
    conversion = Conversion(
        check_mapping({**LOG, "entity": {"key": "id", "rows": kind}, "event": [event]}, "m.toml"), lambda _: None
    )
    rows = [
        Row("f.csv", line, {"id": key, "at": at(clock), "line": number}, file)
        for file, said in enumerate(files)
        for line, (key, clock, number) in enumerate(said, 2)
    ]
    list(conversion.events(rows))
    expected = 0
    for said in files:
        first = {key: rest for key, *rest in reversed(said)}
        expected += sum(rest != first[key] for key, *rest in said)
    assert conversion.tally.repeating_rows == expected


def test_tables_of_counts_and_rows_without_a_key_never_count_as_repeating(map_text: MapText) -> None:
    """Their rows are distinguished by number or by content."""
    assert map_text(TABLE, "code,month,n\n1,2017-05,1\n1,2017-06,1\n").tally.repeating_rows == 0
    for words in ({"key": "#line"}, {"key": "id", "otherwise_key": "#line"}):
        rows = f"id,at\n,{at('09:00:00')}\n,{at('09:00:01')}\n"
        assert map_text({**LOG, "entity": words}, rows).tally.repeating_rows == 0


LINES: dict[str, Any] = {"line": {"values": {"999": "999", "112": "999", "101": "101"}, "otherwise": "other"}}


@pytest.mark.parametrize("mapped", [True, False])
def test_a_number_with_a_zero_fraction_is_read_as_the_whole_number(map_text: MapText, mapped: bool) -> None:
    """Programs that took the column for numbers write `999.0`, which used to become `other`."""
    cell = {"column": "line", "map": "line"} if mapped else {"column": "line"}
    events = [{"type": kind, "time": "at", "data": {"line": cell}} for kind in ("call.queued", "call.answered")]
    skip = [{"column": "line", "is": ["0"], "reason": "no line"}]
    rows = "".join(
        f"{n},{at('09:00:00')},{line}\n" for n, line in enumerate(["999.0", "101.00", "7.0", "999.5", "0.0"])
    )
    made = map_text({**LOG, "map": LINES, "event": events, "skip": skip}, "id,at,line\n" + rows, labels=LABELS)
    said = [resolved(LABELS["calls", "line"], event.data["line"]) for event in made.events]
    assert said == ["999"] * 2 + ["101"] * 2 + ["other"] * 4
    assert made.tally.others == {("line", "7.0"): 1, ("line", "999.5"): 1}
    assert made.tally.skipped == {"no line": 1}


@given(
    st.lists(st.tuples(st.sampled_from(["QUEUED", "Queued", ""]), st.sampled_from(["", at("09:00:00")])), max_size=8),
    st.sampled_from(["apart", "together", "count"]),
)
def test_rows_without_an_event_do_not_count_as_used(said: list[tuple[str, str]], kind: str) -> None:
    """`3 read, 3 used, 2 entities`, but nothing was sent: a misspelt `when`, or times in another column."""
    entity = {"key": "id", "rows": "together"} if kind == "together" else {"key": "id"}
    if kind == "count":
        entity["count"] = "n"
    event = {"type": "call.queued", "time": "at", "optional": True, "when": [{"column": "e", "is": ["QUEUED"]}]}
    conversion = Conversion(check_mapping({**LOG, "entity": entity, "event": [event]}, "m.toml"), lambda _: None)
    rows = [Row("f.csv", line, {"id": str(line), "e": e, "at": time, "n": "2"}) for line, (e, time) in enumerate(said)]
    events = list(conversion.events(rows))
    tally, giving = conversion.tally, sum(e == "QUEUED" and bool(time) for e, time in said)
    each = 2 if kind == "count" else 1
    assert (tally.used, tally.skipped[WITHOUT_EVENT], tally.refused) == (giving, len(said) - giving, 0)
    assert (len(events), tally.entities) == (giving * each, giving * each)


def test_the_summary_gives_each_number_after_what_it_counts() -> None:
    """`1 lines` reads like a mistake, and casts doubt on the number."""
    said = list(row_lines(Tally(swallowed_lines=1, unclosed_files=1, repeated=1, repeating_rows=1, by_order=1)))[1:]
    assert [line.strip().partition(" ")[0] for line in said] == ["lines", "files", "events", "rows", "rows"]
    assert all(re.search(r": 1(;|$)", line) for line in said)


@pytest.mark.parametrize("rows", ["apart", "together"])
def test_refused_and_skipped_rows_are_excluded_from_all_other_counts(map_text: MapText, rows: str) -> None:
    """`line is other in 13 of 4 rows`: only used rows count, whatever the reason for refusing the others."""
    words = {
        **LOG, "entity": {"key": "id", "rows": rows, **({"count": "n"} if rows == "apart" else {})},
        "time": {"zone": "UTC", "report_missing": ["told", "at"]},
        "skip": [{"column": "line", "is": ["none"], "reason": "no line"}],
        "event": [{"type": "call.queued", "time": "at", "data": {"line": "line"}}],
    }  # fmt: skip
    used = f"1,{at('09:00:00')},q1,1,\n2,{at('09:00:00')},q1,2,\n"
    clock = at("09:00:00")
    long = "7" * 2000
    lost = [f"{long}{n},{clock},q2,1,\n" for n in range(3)] + [f"4,{clock},none,1,\n", "5,never,q3,1,\n"]
    lost += [f"{long},{at('09:00:00')},q2,1,\n", f"{long},{at('09:00:01')},q4,1,x\n"]
    lost += [f"6,{clock},q5,0,\n", f"7,{clock},q5,x,\n"] if rows == "apart" else []
    made = map_text(words, "id,at,line,n,told\n" + used + "".join(lost), labels=LABELS)
    tally = made.tally
    assert tally.used == 2
    assert (tally.others, tally.missing, tally.passed_over) == (
        {("line", "q1"): 2},
        {"told": 2, "at": 0},
        {("told", "at"): 2},
    )
    assert (tally.repeated, tally.by_order) == (0, 0)


def test_the_summary_names_texts_that_became_other(map_text: MapText) -> None:
    """At most ten, with the number of rows of each; if most rows are affected, also what to set."""
    rows = "".join(f"{n},{at('09:00:00')},q{n % 12}\n" for n in range(24)) + f"99,{at('09:00:00')},999\n"
    event = {"type": "call.queued", "time": "at", "data": {"line": "line"}}
    tally = map_text({**LOG, "event": [event]}, "id,at,line\n" + rows, labels=LABELS).tally
    said = list(others(tally))
    assert said[0] == "  line: 'q0' counts as `other` in 2 rows"
    assert said[10:] == [
        "  2 further values count as `other`",
        "  line is `other` in 24 of 25 rows: list its values in a map in the mapping, or under line in labels.toml",
    ]


def test_every_field_that_a_label_reads_is_found_under_the_fields_own_name() -> None:
    """Texts of `class` and an incident's `category` became `other` unreported: their terms have other names."""
    text = "a_text_of_no_list"
    read = set()
    for kind, stream in STREAM_OF.items():
        values = STREAMS[stream].values
        for name in DATA_FIELDS[kind] - TRUTH_FIELDS[kind]:
            required = dict.fromkeys(REQUIRED_FIELDS[kind], "x")
            event = Event(kind, "1", "s", "1", 0, None, {**required, name: text})
            with suppress(KeyError, TypeError, ValueError):  # it needs other data, or a list
                state = STREAMS[stream].fold(None, event, 0)
                words = {word for word in values if values[word].read(state) == text}
                read |= {(stream, name) for word in words if (stream, word) in LABEL_VALUES}
    assert {("calls", "class"), ("contacts", "class"), ("incidents", "category"), ("crimes", "group")} <= read
    assert read <= LABELS.keys()


def test_the_summary_names_texts_of_class_and_category_that_became_other(map_text: MapText) -> None:
    """Under the name of the label, where their values are listed."""
    for kind, field, label in (
        ("call.queued", "class", "class"),
        ("incident.created", "category", "incident_category"),
    ):
        event = {"type": kind, "time": "at", "data": {field: "x"}}
        tally = map_text({**LOG, "event": [event]}, f"id,at,x\n1,{at('09:00:00')},drone\n", labels=LABELS).tally
        assert list(others(tally)) == [
            f"  {label}: 'drone' counts as `other` in 1 rows",
            (
                f"  {label} is `other` in 1 of 1 rows: list its values in a map in the mapping,"
                f" or under {label} in labels.toml"
            ),
        ]


def test_values_that_are_ignored_are_in_the_summary(map_text: MapText) -> None:
    """`Y` counted as not self-initiated and `OUT` as inbound, without a warning."""
    created = {"type": "incident.created", "time": "at", "data": {"self_initiated": "x"}}
    rows = "".join(f"{n},{at('09:00:00')},{x}\n" for n, x in enumerate(["Y", "true", "Y", "yes", "FALSE", ""]))
    tally = map_text({**LOG, "event": [created]}, "id,at,x\n" + rows).tally
    (line,) = misread(tally)
    assert line == (
        "  self_initiated has the wrong format in 3 events and is ignored there: 'Y' 2, 'yes' 1; "
        "see docs/reference/events.md"
    )
    presented = {"type": "call.presented", "time": "at", "data": {"direction": "x"}}
    rows = "".join(f"{n},{at('09:00:00')},{x}\n" for n, x in enumerate(["OUT", "Outbound", "inbound", ""]))
    tally = map_text({**LOG, "event": [presented]}, "id,at,x\n" + rows).tally
    assert list(misread(tally)) == [
        "  direction has an unlisted value in 1 event, counted as inbound: 'OUT' 1; map them to inbound or outbound"
    ]


@pytest.mark.parametrize("count", ["", "n"])
def test_unknown_offence_codes_are_in_the_summary(map_text: MapText, count: str) -> None:
    """At most ten texts; for rows that stand for several crimes, each crime counts. Refused rows are excluded."""
    recorded = {"type": "crime.recorded", "time": "at", "data": {"offence_code": "x"}}
    codes = ["1", "8N", *(f"999/{n}" for n in range(12)), "999/0"]
    rows = (
        "".join(f"{n},{at('09:00:00')},{x},2\n" for n, x in enumerate(codes)) + f"99,{at('09:00:00')},{'9' * 300},2\n"
    )
    entity = {"key": "id", **({"count": count} if count else {})}
    made = map_text({**LOG, "entity": entity, "event": [recorded]}, "id,at,x,n\n" + rows)
    assert made.tally.refused == 1
    each = 2 if count else 1
    (line,) = misread(made.tally)
    assert line.startswith(
        f"  offence_code has an unlisted value in {13 * each} events, counted as not stated if they give no group"
        f" or category: '999/0' {2 * each}, '999/1' {each}, "
    )
    assert line.endswith(" and 2 further values; compare them with schemas/reference/offence_codes.csv")


KEYLESS: dict[str, Any] = {**LOG, "entity": {"key": "#line"}}


def test_rows_without_a_key_are_kept_apart_in_files_with_the_same_name(map_text: MapText) -> None:
    """Every month's export is called `calls.csv`; the calls of one must not be merged with those of another."""
    names = ("oct/calls.csv", "nov/calls.csv")
    october, november = (f"id,at\n,{day} 10:00:00\n,{day} 11:00:00\n" for day in ("2021-10-31", "2021-11-01"))
    made = map_text(KEYLESS, october, november, names=names)
    assert len({event.subject for event in made.events}) == 4
    assert (made.tally.used, made.tally.entities, made.tally.repeated) == (4, 4, 0)


def test_equal_rows_without_a_key_count_as_often_as_a_file_contains_them(map_text: MapText) -> None:
    """Two calls can look the same; the same file again, or a longer extract of the same days, adds no calls."""
    row, other = f",{at('09:00:00')}\n", f",{at('09:00:01')}\n"
    once = map_text(KEYLESS, "id,at\n" + row + row)
    assert (once.tally.entities, once.tally.repeated) == (2, 0)
    twice = map_text(KEYLESS, "id,at\n" + row + row, "id,at\n" + row + row)
    assert {event.id for event in twice.events} == {event.id for event in once.events}
    assert (twice.tally.entities, twice.tally.repeated) == (2, 2)
    longer = map_text(
        KEYLESS, "id,at\n" + row, "at,id\n" + "".join(f"{at(clock)},\n" for clock in ("08:00", "09:00:00"))
    )
    assert (longer.tally.entities, longer.tally.repeated) == (2, 1)
    more = map_text(KEYLESS, "id,at\n" + row, "id,at\n" + other + row + row)
    assert (more.tally.entities, more.tally.repeated) == (3, 1)


def test_a_row_without_a_key_is_identified_by_its_entire_content(map_text: MapText) -> None:
    """Two calls in the same second that differ only in an unmapped column are two calls."""
    files = [f"at,operator\n{at('09:00:00')},{name}\n" for name in ("Ann", "Bob")]
    assert map_text(KEYLESS, *files).tally.entities == 2


def test_only_rows_with_an_empty_key_are_identified_by_their_content(map_text: MapText) -> None:
    """A crime with an id is one in every file; crimes without one must be neither refused nor merged."""
    words = {**LOG, "entity": {"key": "id", "otherwise_key": "#line"}}
    row = f",{at('09:00:00')}\n"
    made = map_text(words, "id,at\n" + row + row + f"1,{at('09:00:00')}\n", f"id,at\n1,{at('10:00:00')}\n")
    assert (made.tally.used, made.tally.entities) == (4, 3)
    assert [event.subject for event in made.events if event.subject == "1"] == ["1", "1"]
    refused = map_text(LOG, "id,at\n" + row)
    assert refused.refused == ["f0.csv:2: the key column 'id' is empty"]


def test_a_row_without_a_key_never_matches_a_row_with_one(map_text: MapText) -> None:
    """Somebody's id may equal the generated subject of another row, or begin like one."""
    words = {**LOG, "entity": {"key": "id", "otherwise_key": "#line"}}
    row = f",{at('09:00:00')}\n"
    (made,) = map_text(words, "id,at\n" + row).events
    ids = [made.subject, made.subject.removeprefix("#"), made.subject.replace("#", "%23", 1), made.subject * 2]
    again = map_text(words, "id,at\n" + row + "".join(f"{name},{at('09:00:00')}\n" for name in ids))
    assert again.refused == []
    assert again.tally.entities == len({event.subject for event in again.events}) == 5


@given(st.lists(st.tuples(st.text("#%2:a", max_size=4), st.text("#%2:a", max_size=4)), min_size=2, max_size=8))
def test_rows_are_the_same_entity_only_if_their_key_comes_from_the_same_column(rows: list[tuple[str, str]]) -> None:
    """Whatever the texts are: `id` is the key of a row, or `ref` if `id` is empty."""
    entity = {"key": "id", "otherwise_key": "ref"}
    words = check_mapping({**LOG, "entity": entity}, "m.toml")
    conversion = Conversion(words, lambda _: None)
    named = {("id", key) if key else ("ref", ref) for key, ref in rows if key or ref}
    cells = [Row("f", n, {"id": key, "ref": ref, "at": at("09:00:00")}) for n, (key, ref) in enumerate(rows)]
    assert len({event.subject for event in conversion.events(cells)}) == conversion.tally.entities == len(named)
    assert conversion.tally.refused == sum(not key and not ref for key, ref in rows)


def test_a_row_without_either_key_is_refused(map_text: MapText) -> None:
    """Nothing identifies it; the message names the column that was tried last."""
    words = {**LOG, "entity": {"key": "id", "otherwise_key": ["station", "number"]}}
    made = map_text(words, f"id,station,number,at\n,A,7,{at('09:00:00')}\n,A,,{at('09:00:00')}\n")
    assert [event.subject for event in made.events] == ["#A:7"]
    assert made.refused == ["f0.csv:3: the key column 'number' is empty"]


def test_entities_are_counted_once_however_many_rows_they_have(map_text: MapText) -> None:
    """The first figure an analyst compares with the file."""
    row = f"1,{at('09:00:00')}\n"
    made = map_text(LOG, "id,at\n" + row + row, "id,at\n" + row + f"2,{at('09:00:00')}\n")
    assert (made.tally.rows, made.tally.entities, made.tally.repeated) == (4, 2, 2)


def test_the_arrival_is_the_event_time_unless_a_column_is_named(map_text: MapText) -> None:
    """It decides `--as-of` and lateness."""
    rows = f"id,at,seen\n1,{at('09:00:00')},{at('09:10:00')}\n2,{at('09:00:00')},\n"
    plain = map_text(LOG, rows).events
    assert [event.arrival_ms - event.time_ms for event in plain] == [0, 0]
    named = map_text({**LOG, "event": [LOG["event"][0] | {"arrival": "seen"}]}, rows).events
    assert [event.arrival_ms - event.time_ms for event in named] == [600_000, 0]


def test_rows_apart_are_streamed() -> None:
    """A file of any size needs no more memory than a row: the first event comes before the second row is read."""
    words = check_mapping(LOG, "m.toml")

    def rows() -> Any:
        yield Row("f.csv", 2, {"id": "1", "at": at("09:00:00")})
        pytest.fail("read on before the first event was taken")

    assert next(Conversion(words, lambda _: None).events(rows())).subject == "1"


def test_every_event_is_one_that_admission_accepts(map_text: MapText) -> None:
    """Id, source, subject, both times and data arrive as the mapping intended."""
    event = map_text(JOB, UNITS + unit("7 é", "U1", "09:00:00", "09:01:00")).events[1]
    known = parse(event.value("cad"))
    assert (known.type, known.id, known.source) == ("incident.resource_assigned", event.id, "cad")
    assert (known.subject, known.time_ms, known.recorded_ms) == ("7 é", event.time_ms, event.arrival_ms)
    assert known.data == {"unit": "U1"}


def test_a_line_that_could_not_be_read_is_counted_as_a_refused_row() -> None:
    """So that the numbers of rows add up."""
    refused: list[RowRefused] = []
    conversion = Conversion(check_mapping(LOG, "m.toml"), refused.append)
    assert list(conversion.events([RowRefused("f.csv:2", "no CSV")])) == []
    assert (conversion.tally.rows, conversion.tally.refused, len(refused)) == (1, 1, 1)


def test_different_keys_never_make_the_same_subject_or_id() -> None:
    """`a:b` and `c` must differ from `a` and `b:c`."""
    assert subject_of(["a:b", "c"]) != subject_of(["a", "b:c"])
    assert subject_of(["a%3Ab", "c"]) != subject_of(["a:b", "c"])
    assert id_of("a", ["b:c"], "call.ended", 0) != id_of("a:b", ["c"], "call.ended", 0)
    assert subject_of(["a:b"]) == "a:b"


def test_a_shifted_event_has_an_id_of_its_own() -> None:
    """Moved to another time, it is another event and must never match the original."""
    event = Mapped("call.ended", "1:call.ended:x", "1", 1000, 2000, {})
    moved = event.shifted(5)
    assert (moved.time_ms, moved.arrival_ms) == (1005, 2005)
    assert moved.id != event.id
    assert event.shifted(0) is event


def test_a_boolean_field_is_read_from_the_texts_true_and_false(map_text: MapText) -> None:
    """A text there would count as absent, and a self-initiated incident as a reported one."""
    words = {
        **LOG, "map": {"own": {"values": {"Y": "true", "N": "false"}}},
        "event": [
            {"type": "incident.created", "time": "at", "data": {"self_initiated": {"column": "own", "map": "own"}}}
        ],
    }  # fmt: skip
    made = map_text(words, f"id,at,own\n1,{at('09:00:00')},Y\n2,{at('09:00:00')},N\n")
    assert [data for *_, data in short(made.events)] == [{"self_initiated": said} for said in (True, False)]
    plain = {**words, "event": [{"type": "incident.created", "time": "at", "data": {"self_initiated": "own"}}]}
    made = map_text(plain, f"id,at,own\n1,{at('09:00:00')},TRUE\n2,{at('09:00:00')},false\n")
    assert [data for *_, data in short(made.events)] == [{"self_initiated": said} for said in (True, False)]


NIGHT: dict[str, Any] = {
    **LOG, "time": {"zone": "Europe/London", "ambiguous_hour": "in_order"},
    "event": [
        {"type": "call.queued", "time": "at"},
        {"type": "call.answered", "time": "answered", "optional": True},
        {"type": "call.ended", "time": "ended", "optional": True},
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("clocks", "instants"),
    [
        (("01:59:50", "01:00:05", ""), ("00:59:50", "01:00:05")),  # 15 s over the change
        (("00:59:50", "01:00:05", "01:10:00"), ("23:59:50", "00:00:05", "00:10:00")),
        (("01:50:00", "01:55:00", "02:01:00"), ("01:50:00", "01:55:00", "02:01:00")),
        (("01:30:00", "", ""), ("00:30:00",)),  # nothing decides: the earlier one
        (("01:30:00", "01:20:00", "01:10:00"), ("00:30:00", "00:20:00", "00:10:00")),  # never in order
        (("01:50:00", "01:40:00", "01:45:00"), ("00:50:00", "01:40:00", "01:45:00")),
    ],
)
def test_times_in_an_ambiguous_hour_stay_in_order(
    map_text: MapText, clocks: tuple[str, ...], instants: tuple[str, ...]
) -> None:
    """A call answered 15 s later, across the change, must not be answered an hour before it came in."""
    cells = ",".join(f"2021-10-31 {clock}" if clock else "" for clock in clocks)
    made = map_text(NIGHT, f"id,at,answered,ended\n1,{cells}\n2,2021-10-31 03:00:00,,\n")
    assert tuple(rfc3339(event.time_ms)[11:19] for event in made.events[:-1]) == instants
    assert made.tally.by_order == 1


@given(st.lists(st.integers(0, 4 * 3600), min_size=1, max_size=3).map(sorted))
def test_the_order_of_any_rows_times_is_restored_in_that_night(seconds: list[int]) -> None:
    """Times that were in order are in order again, and never further apart than they were."""
    begins_ms = 1_635_634_800_000  # 30 October, 23:00 UTC
    given_ms = [begins_ms + second * 1000 for second in seconds]
    london = ZoneInfo("Europe/London")
    shown = [datetime.fromtimestamp(ms / 1000, london).replace(tzinfo=None).isoformat() for ms in given_ms]
    cells = dict(zip(("at", "answered", "ended"), [*shown, "", ""], strict=False)) | {"id": "1"}
    made = list(Conversion(check_mapping(NIGHT, "m.toml"), lambda _: None).events([Row("f.csv", 2, cells)]))
    times = [event.time_ms for event in made]
    assert times == sorted(times)
    assert times[-1] - times[0] <= given_ms[-1] - given_ms[0]
    assert all(ms in (was, was - 3_600_000, was + 3_600_000) for ms, was in zip(times, given_ms, strict=True))


def test_texts_that_mean_empty_are_read_as_empty(map_text: MapText) -> None:
    """Databases write NULL, people write -: as a time it refused the row, as a line it became `other`."""
    events = [
        {"type": "call.queued", "time": "at", "data": {"line": "line"}},
        {"type": "call.answered", "time": "answered", "optional": True},
    ]
    rows = "".join(f"{text or 1},{at('09:00:00')},{text},{text}\n" for text in ("NULL", "N/A", "-", " - ", ""))
    log = {
        **LOG,
        "event": events,
        "file": {"empty": ["NULL", "N/A", "-"]},
        "entity": {"key": "id", "otherwise_key": "#line"},
    }
    made = map_text(log, "id,at,answered,line\n" + rows)
    assert (made.refused, [(event.type, dict(event.data)) for event in made.events]) == ([], [("call.queued", {})] * 5)
    assert map_text({**log, "file": {}}, "id,at,answered,line\n" + rows).tally.refused == 4
