"""The keys of a mapping file, and the messages about its faults."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest

from tests.parts import ROOT
from watchroom.errors import ConfigurationInvalid
from watchroom.importer.event_fields import DATA_FIELDS, REQUIRED_FIELDS, STREAM_OF
from watchroom.importer.mapping import check_mapping, load_mapping, streams_of
from watchroom.importer.toml_path import page_of, shown

SHIPPED = sorted((ROOT / "schemas" / "mappings").glob("*.toml"))
LEAST: dict[str, Any] = {
    "source": "log",
    "about": "A log.",
    "time": {"zone": "Europe/London"},
    "entity": {"key": "id"},
    "event": [{"type": "call.queued", "time": "queued_at"}],
}


def faults_of(change: dict[str, Any]) -> list[str]:
    """The faults of the smallest valid mapping with some of its tables replaced."""
    with pytest.raises(ConfigurationInvalid) as caught:
        check_mapping({**copy.deepcopy(LEAST), **change}, "m.toml")
    assert caught.value.exit_code == 2
    return [str(fault) for fault in caught.value.faults]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_mapping_is_usable(path: Path) -> None:
    """The mappings that come with Watchroom can be loaded."""
    assert streams_of(load_mapping(path))


def test_a_mapping_may_be_short() -> None:
    """A source, a description, a time zone, a key and one event are enough."""
    mapping = check_mapping(LEAST, "m.toml")
    assert streams_of(mapping) == ("calls",)
    assert (mapping.time.ambiguous_hour, mapping.time.missing_hour) == ("refuse", "refuse")


EVENT: dict[str, Any] = {"type": "incident.created", "time": "t"}
TOGETHER: dict[str, Any] = {"key": "id", "rows": "together"}


EVENT_FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"type": "incident.made"}, "1st [[event]].type: found 'incident.made'; write one of call.presented"),
    ({"type": 3}, "1st [[event]].type: found 3; write a table, for example { column"),
    ({"type": "incident.graded"}, "1st [[event]].data: found no 'grade', which incident.graded requires; write"),
    ({"type": {"column": "kind"}}, "1st [[event]].type: found a column without a map; write a `map`"),
    ({"per": "entity"}, "1st [[event]].per: found 'entity', although entity.rows is"),
    (
        {"time": {"column": "a", "join": ["b"]}},
        "found {'column': 'a', 'join': ['b']}; write exactly one of",
    ),
    ({"time": {"column": "a", "pick": "min"}}, "1st [[event]].time.pick: found 'min'; write the value without `pick`"),
    ({"data": {"colour": "c"}}, "1st [[event]].data.colour: found a field that incident.created does not have"),
    ({"data": {"grade": {"column": "g", "map": "x"}}}, "1st [[event]].data.grade.map: found 'x'; write a map"),
    ({"data": "grade"}, "1st [[event]].data: found 'grade'; write a table"),
    ({"when": [{"column": "x", "is": ["1"], "empty": True}]}, "write exactly one of `is = [...]`"),
]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"sauce": "log"}, "m.toml: sauce: found the unknown key `sauce`; write one of the keys of this table"),
        ({"source": "Our Log"}, "m.toml: source: found 'Our Log'; write lower-case letters, digits,"),
        ({"time": {"zone": "London"}}, "time.zone: found 'London'; write a time zone from the IANA database"),
        ({"time": {"zone": "../zone"}}, "time.zone: found '../zone'; write a time zone from the IANA"),
        ({"time": {"zone": "UTC", "formats": "dd/mm/yyyy"}}, "time.formats: found 'dd/mm/yyyy'; write iso, epoch_s"),
        ({"time": {"zone": "UTC", "formats": "%H:%M"}}, "time.formats: found '%H:%M'; write iso, epoch_s"),
        ({"time": {"zone": "UTC", "formats": "%m/%d/%Y %H:%M:%S %p"}}, "S %p'; write %I instead of %H: with %H, AM"),
        ({"time": {"zone": "UTC", "formats": "%m/%d/%Y %I:%M:%S"}}, "write %H instead of %I, or %p after it"),
        ({"time": {"zone": "UTC", "formats": "%d/%m/%Y"}}, "if the file has dates only, `append` a time"),
        (
            {"time": {"zone": "UTC", "formats": ["%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M"]}},
            "time.formats: found '%d/%m/%Y %H:%M' and '%m/%d/%Y %H:%M', which read '08/04/1990 05:37' as",
        ),
        (
            {"time": {"zone": "UTC", "latest": "end"}},
            "time.latest: found 'end'; write a date from 1990 to 2199, for example",
        ),
        (
            {"time": {"zone": "UTC", "latest": 2026}},
            "time.latest: found 2026; write a date from 1990 to 2199, for example",
        ),
        (
            {"time": {"zone": "UTC", "earliest": "1970-01-01"}},
            "time.earliest: found '1970-01-01'; write a date from 1990",
        ),
        ({"time": {"zone": "UTC", "ambiguous_hour": "first"}}, "time.ambiguous_hour: found 'first'; write"),
        ({"force": {"zone": "York"}}, "force.zone: found 'York'; write a time zone from the IANA database"),
        ({"force": {"areas": ["North Side"]}}, "force.1st areas: found 'North Side'; write lower-case"),
        ({"entity": {"key": []}}, "entity.key: found"),
        (
            {"entity": {"key": "#line", "otherwise_key": "id"}},
            "entity.otherwise_key: found 'id' with the key '#line', which is never empty; write a column in",
        ),
        ({"entity": TOGETHER | {"count": "n"}}, "entity.count: found 'n' with rows = "),
        ({"event": []}, "event: found []; write at least one [[event]]"),
        ({"source": "x" * 101}, "write at most 100 characters"),
        ({"about": ""}, "about: found ''; write a non-empty string"),
        ({"about": 3}, "about: found 3; write a string in quotes"),
        ({"time": {"zone": "UTC", "missing_hour": 1}}, "found 1; write one of 'earlier', 'later' or 'refuse'"),
        ({"map": {"m": {"values": ["a"]}}}, "map.m.values: found ['a']; write a table, for example"),
        ({"event": [EVENT | {"optional": "maybe"}]}, "1st [[event]].optional: found 'maybe'; write true or false"),
        ({"event": [EVENT | {"optional": []}]}, "1st [[event]].optional: found []; write true or false"),
        *[({"event": [EVENT | event]}, says) for event, says in EVENT_FAULTS],
        (
            {"file": {"empty": "-"}, "skip": [{"column": "a", "is": ["-"], "reason": "x"}]},
            "1st [[skip]]: found '-', which file.empty turns into an empty cell; write `empty = true`",
        ),
        ({"file": {"empty": "-"}, "map": {"m": {"values": {"-": "1"}}}}, "map.m.values: found '-', which file.empty"),
        (
            {"file": {"empty": ["-"]}, "event": [EVENT | {"when": [{"column": "x", "is_not": ["-"]}]}]},
            "1st [[event]].when: found '-', which file.empty turns",
        ),
        ({"file": {"short_rows": "cut"}}, "file.short_rows: found 'cut'; write one of 'refuse' or 'fill'"),
        ({"file": {"quote": "\n"}}, "file.quote: found '\\n'; write one character other than a line break"),
        ({"file": {"quote": "\r"}}, "file.quote: found '\\r'; write one character other than a line break"),
        ({"file": {"delimiter": "\n"}}, "file.delimiter: found '\\n'; write one character other than a line break"),
        ({"file": {"delimiter": "\r"}}, "file.delimiter: found '\\r'; write one character other than a line break"),
        ({"file": {"delimiter": '"'}}, "write `quote` and `delimiter` as two different characters"),
        ({"file": {"delimiter": ";", "quote": ";"}}, "write `quote` and `delimiter` as two different characters"),
        ({"file": {"encoding": "latin-0"}}, "file.encoding: found 'latin-0'; write the name of a text encoding"),
        (
            {"entity": TOGETHER, "event": [EVENT | {"per": "entity", "key": "unit"}]},
            "1st [[event]].key: found 'unit'; write per = ",
        ),
        (
            {"entity": TOGETHER, "event": [EVENT | {"per": "entity", "time": {"column": "t", "pick": "first"}}]},
            'write `order_by = "a column"` if `pick`',
        ),
    ],
)
def test_a_fault_names_the_location_what_was_found_and_what_to_write(change: dict[str, Any], says: str) -> None:
    """An analyst must be able to fix it without reading our code."""
    (fault,) = faults_of(change)
    assert says in fault
    assert fault.startswith("m.toml: ")


def test_all_faults_are_listed_at_once() -> None:
    """One run gives one complete list, so that a file can be repaired in one go."""
    event = {"type": "incident.graded", "time": {"column": "t", "pick": "max", "map": "no"}, "data": {"grad": "g"}}
    assert len(faults_of({"event": [event], "time": {"zone": "UTC", "formats": ["iso", "nothing"]}})) == 5
    assert len(faults_of({"source": "", "time": {"zone": "Nowhere/At_All"}, "entity": {"kye": "id"}})) == 4


def test_a_misspelt_key_does_not_hide_other_faults() -> None:
    """Parts that refer to each other are checked even if one of them is unusable."""
    events: list[Any] = [
        EVENT | {"pre": "row", "data": {"grade": {"column": "g", "map": "x"}, "colour": "c", "area": 5}},
        {"type": "incident.made", "when": 3, "time": {"column": "t", "formats": "%H:%M"}},
        {"type": "incident.graded", "data": {"grade": {"colum": "g"}}},
        {"time": "t"},
        7,
        EVENT | {"per": "entity", "arrival": {"column": "a", "formats": "%d/%m"}},
    ]
    change = {"event": events, "time": {"zone": "London", "formats": "%d/%m"}, "entity": {"key": "id", "rows": "a"}}
    found = sorted(fault.removeprefix("m.toml: ").partition(": found")[0] for fault in faults_of(change))
    assert found == sorted(
        ["entity.rows", "time.zone", "time.formats", "1st [[event]].pre", "1st [[event]].data.grade.map",
         "1st [[event]].data.colour", "1st [[event]].data.area", "2nd [[event]].type", "2nd [[event]].when",
         "2nd [[event]].time.formats", "3rd [[event]].time", "3rd [[event]].data.grade.colum", "4th [[event]].type",
         "5th [[event]]", "6th [[event]].arrival.formats"]
    )  # fmt: skip


def test_a_wrong_part_is_reported_only_once() -> None:
    """It is not reported again wherever it is used."""
    event = EVENT | {"type": {"column": "k", "map": "kind"}}
    (fault,) = faults_of({"map": {"kind": {"values": {}}}, "event": [event]})
    assert fault.startswith("m.toml: map.kind.values")
    (fault,) = faults_of({"entity": 3, "event": [EVENT | {"per": "entity"}]})
    assert fault.startswith("m.toml: entity: found 3; write a table")


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (("event", 0), "1st [[event]]"),
        (("event", 2, "time", "pick"), "3rd [[event]].time.pick"),
        (("skip", 1, "column"), "2nd [[skip]].column"),
        (("event", 10, "when", 0, "is"), "11th [[event]].1st when.is"),
        (("event", 21), "22nd [[event]]"),
        (("map", "kind", "values"), "map.kind.values"),
    ],
)
def test_list_items_are_numbered_from_1(parts: tuple[int | str, ...], said: str) -> None:
    """Nobody looks for the 0th [[event]]."""
    assert shown(parts) == said


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"source = ", "found not readable as TOML .*at end of document"),
        (b"source = '\xff'", "found not readable as TOML .*0xff"),
        (None, "found No such file"),
    ],
)
def test_a_mapping_that_cannot_be_read_as_toml_is_reported(tmp_path: Path, content: bytes | None, says: str) -> None:
    """A typing mistake must not produce a traceback."""
    path = tmp_path / "m.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationInvalid, match=says):
        load_mapping(path)


def test_an_event_type_read_from_a_column_also_determines_the_stream() -> None:
    """A log of everything, with one event per row, feeds several topics."""
    kinds = {"values": {"Q": "call.queued", "I": "incident.created"}, "otherwise": "crime.recorded"}
    mapping = check_mapping(
        {**LEAST, "map": {"kind": kinds}, "event": [{"type": {"column": "k", "map": "kind"}, "time": "t"}]}, "m.toml"
    )
    assert streams_of(mapping) == ("calls", "incidents", "crimes")
    bad = {"kind": {"values": {"Q": "call.queed"}}}
    assert (
        "found 'call.queed'"
        in faults_of({"map": bad, "event": [{"type": {"column": "k", "map": "kind"}, "time": "t"}]})[0]
    )


def test_the_fields_of_a_mapping_come_from_the_event_models() -> None:
    """A mapping may fill the fields that admission understands; the heartbeat cannot be mapped."""
    assert "feed.heartbeat" not in STREAM_OF
    assert {"grade", "area", "call_id"} <= DATA_FIELDS["incident.created"]
    assert REQUIRED_FIELDS["incident.resource_assigned"] == {"unit"}
    assert not REQUIRED_FIELDS["incident.created"]


@pytest.mark.parametrize(
    ("path", "heading"),
    [
        (("source",), "the-file"),
        (("time", "formats"), "time"),
        (("time", "day_from", "map"), "a-value"),
        (("time", "day_from", "formats"), "a-time"),
        (("map", "kind", "values"), "mapname"),
        (("event", 0, "per"), "event"),
        (("event", 0, "time", "pick"), "a-value"),
        (("event", 0, "arrival", "plus_seconds"), "a-time"),
        (("event", 0, "data", "grade", "map"), "a-value"),
        (("event", 0, "data", "grade"), "event"),
        (("event", 0, "when", 1, "is"), "a-condition"),
        (("skip", 2, "reason"), "skip"),
    ],
)
def test_a_fault_links_to_the_heading_that_explains_its_key(path: tuple[int | str, ...], heading: str) -> None:
    """The reference has a table for each part of a mapping; a link to a missing heading would be useless."""
    assert page_of(path) == f"docs/reference/mapping.md#{heading}"
    titles = re.findall(r"^## (.*)$", (ROOT / "docs" / "reference" / "mapping.md").read_text(), re.MULTILINE)
    assert heading in {re.sub(r"[^a-z0-9 -]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def test_a_fault_names_the_page_that_documents_its_key() -> None:
    """An analyst who reads the fault learns where the allowed values are documented."""
    (fault,) = faults_of({"time": {"zone": "London"}})
    assert fault.endswith("(see docs/reference/mapping.md#time)")
