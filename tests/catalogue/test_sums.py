"""Counts that add up others: what they may contain, how they are split, and that no stream's definition has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.catalogue.folder import COUNT, LABELS, SHARE, TEXTS, faults, load, the_fault
from watchroom.exporter.sums import series_behind
from watchroom.kinds import kind_of, names
from watchroom.settings import read_settings
from watchroom.store.definition import as_json, definition_of

BY_LINE = '[calls_by_line]\nkind = "count"\nstream = "calls"\nat = "offered"\nby = { line = "line" }\n'
BY_LINE += f'windows = ["5m", "month"]\n{TEXTS}'
BY_BOTH = BY_LINE.replace("calls_by_line", "contacts_by_line").replace('"calls"', '"contacts"')
BY_BOTH = BY_BOTH.replace('"offered"', '"received"').replace(
    'line = "line"', 'area = "channel", line = "contact_class"'
)
PARTS = COUNT + SHARE + BY_LINE + BY_BOTH
SUM = (
    '[both]\nkind = "count"\nstream = "contacts"\nwindows = ["5m"]\n'
    'sum_of = [{ measure = "calls_by_line", where = { line = ["101"] } }, { measure = "contacts_by_line" }]\n'
    f"{TEXTS}"
)
FAULTS = {
    "of what is not there": ('"calls_by_line"', '"calls_out"', "sum_of.0.measure", "'calls_out'", "a count that is"),
    "of a share": ('"contacts_by_line"', '"calls_lost"', "sum_of.1.measure", "'calls_lost'", "calls_in, calls_by_line"),
    "of itself": ('"contacts_by_line"', '"both"', "sum_of.1.measure", "'both'", "a count that is not itself"),
    "of one twice": ('"contacts_by_line"', '"calls_by_line"', "sum_of", "'calls_by_line' twice", "each measure once"),
    "by another label": ("{ line =", "{ area =", "sum_of.0.where.area", "'area'", "a label of calls_by_line: line"),
    "of no such value": ('["101"]', '["101", "112"]', "sum_of.0.where.line", "['112']", "999, 101, unknown, other"),
    "of no value": ('["101"]', "[]", "sum_of.0.where.line", "[]", "at least one"),
    "over a window that one has not": ('"5m"', '"5m", "month", "1h"', "windows", "'1h'", "5m, month"),
    "of other streams": ('stream = "contacts"', 'stream = "crimes"', "stream", "'crimes'", "calls, contacts"),
    "placed itself": ("sum_of", 'at = "received"\nsum_of', "at", "'received'", "an entry without at: a sum uses"),
    "split itself": (
        "sum_of",
        'by = { line = "channel" }\nsum_of',
        "by",
        "channel",
        "an entry without by: a sum cannot have it",
    ),
    "with a condition": ("sum_of", "where = { outgoing = [false] }\nsum_of", "where", "outgoing", "without where"),
    "with past weeks": ("sum_of", "baseline = true\nsum_of", "baseline", "True", "an entry without baseline"),
}


def test_it_is_split_by_the_labels_that_all_its_parts_have(tmp_path: Path) -> None:
    """A label that only one part has would have no value in the others."""
    both = load(tmp_path, measures=SUM + PARTS).measures["both"]
    assert [label.name for label in both.labels] == ["line"]
    assert both.streams == ("calls", "contacts")
    assert names.series_behind(both, {"line": "101"}) == (
        "calls_by_line|line=101",
        *(f"contacts_by_line|area={area},line=101" for area in ("stoke", "county", "unknown", "other")),
    )
    assert names.series_behind(both, {"line": "999"}) == tuple(
        f"contacts_by_line|area={area},line=999" for area in ("stoke", "county", "unknown", "other")
    )


IN_SAME_WINDOWS = '["1h", "28d"]'


def by_area(crimes: str = IN_SAME_WINDOWS) -> str:
    """Two measures by area; the second is so in these windows."""
    return (
        f'[incidents_in]\nkind = "count"\nstream = "incidents"\nat = "created"\nby = {{ area = "area" }}\n'
        f'windows = ["1h", "28d", "month"]\narea_windows = {IN_SAME_WINDOWS}\n{TEXTS}'
        f'[crimes_in]\nkind = "count"\nstream = "crimes"\nat = "recorded"\n'
        f'by = {{ line = "group", area = "area" }}\n'
        f'windows = ["1h", "28d", "month"]\narea_windows = {crimes}\n{TEXTS}'
    )


OF_AREAS = (
    '[both]\nkind = "count"\nstream = "crimes"\nwindows = ["1h", "28d", "month"]\n'
    f'sum_of = [{{ measure = "incidents_in" }}, {{ measure = "crimes_in" }}]\n{TEXTS}'
)


def test_it_is_split_by_area_in_the_same_windows_as_its_parts(tmp_path: Path) -> None:
    """In other windows the parts have nothing by area, so their totals over all areas are added."""
    both = load(tmp_path, measures=OF_AREAS + by_area()).measures["both"]
    assert (both.area_label, both.area_windows) == ("area", ("1h", "28d"))
    lines = ("999", "101", "unknown", "other")
    assert series_behind(both, {"area": "all"}) == (
        "incidents_in|area=all", *(f"crimes_in|line={line},area=all" for line in lines),
    )  # fmt: skip
    assert series_behind(both, {"area": "stoke"}) == (
        "incidents_in|area=stoke", *(f"crimes_in|line={line},area=stoke" for line in lines),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("area_windows", "found"),
    [('["28d", "month"]', "crimes_in split by area in 28d, month"), ("[]", "crimes_in split by area in no window")],
)
def test_parts_that_are_split_by_area_in_different_windows_are_refused(
    area_windows: str, found: str, tmp_path: Path
) -> None:
    """Nothing would be found for an area over 1h, although one of the parts has it."""
    fault = the_fault(tmp_path, OF_AREAS + by_area(area_windows))
    assert (fault.key, fault.found) == ("both.sum_of", f"incidents_in split by area in 1h, 28d; {found}")
    assert fault.write.startswith("measures that are split by area in the same windows")


def test_parts_may_differ_in_windows_that_the_sum_does_not_have(tmp_path: Path) -> None:
    """Only the windows that are added up must agree."""
    sum_ = OF_AREAS.replace('["1h", "28d", "month"]', '["28d"]')
    both = load(tmp_path, measures=sum_ + by_area('["28d", "month"]')).measures["both"]
    assert both.area_windows == ("28d",)


def test_an_area_label_and_another_label_of_the_same_name_are_not_added_up(tmp_path: Path) -> None:
    """The total over all areas would be added to a single channel, and the rest would be lost."""
    sum_ = OF_AREAS.replace("crimes_in", "contacts_by_line").replace('"crimes"', '"contacts"')
    sum_ = sum_.replace('["1h", "28d", "month"]', '["month"]')
    fault = the_fault(tmp_path, sum_ + by_area() + BY_BOTH)
    assert (fault.key, fault.found) == ("both.sum_of", "contacts_by_line whose label 'area' is not the area")


def test_areas_cannot_be_a_condition_of_a_sum(tmp_path: Path) -> None:
    """In most windows no figures by area exist that could be left out."""
    where = '{ measure = "incidents_in", where = { area = ["stoke"] } }'
    fault = the_fault(tmp_path, OF_AREAS.replace('{ measure = "incidents_in" }', where) + by_area())
    assert fault.key == "both.sum_of.0.where.area"
    assert "another label" in fault.write


def test_a_measure_that_is_not_a_sum_has_its_own_series(tmp_path: Path) -> None:
    """One stream, one series."""
    measure = load(tmp_path, measures=PARTS).measures["calls_by_line"]
    assert measure.streams == ("calls",)
    assert names.series_behind(measure, {"line": "101"}) == ("calls_by_line|line=101",)


def test_it_says_what_it_adds_up(tmp_path: Path) -> None:
    """Every card says so, instead of naming the moment at which other measures are counted."""
    both = load(tmp_path, measures=SUM + PARTS).measures["both"]
    assert kind_of(both).clock(both, str) == "the sum of calls_by_line with line 101; contacts_by_line"


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_of_a_sum_is_reported_with_its_position_and_what_to_write(case: str, tmp_path: Path) -> None:
    """A sum of the wrong parts would be read as the figure that its name promises."""
    old, new, key, found, write = FAULTS[case]
    assert old in SUM
    fault = the_fault(tmp_path, SUM.replace(old, new, 1) + PARTS)
    assert fault.key == f"both.{key}"
    assert found in fault.found
    assert write in fault.write


def test_a_sum_has_no_alerts(tmp_path: Path) -> None:
    """Alerts belong to its parts, where somebody can act."""
    alert = (
        '[[both.alerts]]\nname = "Some"\nseverity = "ticket"\nshow = "number"\nwindow = "5m"\nabove = 1\n'
        'meaning = "Some meaning"\nimpact = "Some impact"\naction = ["Do it"]\n'
    )
    fault = the_fault(tmp_path, SUM + alert + PARTS)
    assert (fault.key, fault.write) == ("both.alerts", "an entry without alerts: a sum cannot have it")


def test_a_count_without_moment_and_parts_is_a_fault(tmp_path: Path) -> None:
    """Such a measure would count nothing."""
    fault = the_fault(tmp_path, COUNT.replace('at = "offered"\n', ""))
    assert (fault.key, fault.write) == (
        "calls_in.at",
        "a value for at: kind count needs it, unless the entry has sum_of",
    )


def test_no_other_kind_can_be_a_sum(tmp_path: Path) -> None:
    """Shares and percentiles cannot be added."""
    fault = the_fault(tmp_path, SHARE.replace("part =", 'sum_of = [{ measure = "calls_in" }]\npart =') + COUNT)
    assert fault.key == "calls_lost.sum_of"
    assert fault.write.startswith("an entry without sum_of: kind share does not have it")


def test_a_faulty_part_is_reported_once(tmp_path: Path) -> None:
    """The fault of the wrong entry itself says everything."""
    found = faults(tmp_path, measures=SUM + PARTS.replace('by = { line = "line" }', 'by = { lane = "line" }'))
    assert {fault.key.partition(".")[0] for fault in found} == {"calls_by_line"}


@pytest.mark.parametrize("stream", ["calls", "contacts"])
def test_a_sum_changes_no_streams_definition(stream: str, tmp_path: Path) -> None:
    """No event contributes to it, so a new sum needs no rebuild."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with_sum, without = load(tmp_path / "a", LABELS, measures=SUM + PARTS), load(tmp_path / "b", LABELS, measures=PARTS)
    settings = read_settings()
    texts = {as_json(definition_of(settings, catalogue, stream, 4)) for catalogue in (with_sum, without)}
    assert len(texts) == 1
    assert "both" not in [measure.id for measure in with_sum.of_stream(stream)]
