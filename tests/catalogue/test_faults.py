"""Each kind of fault that one entry can have: it is reported once, with its position and what to write."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.catalogue.folder import COUNT, DURATION, LABELS, OF_KIND, OPEN, SHARE, faults, load, the_fault
from tests.docs.test_pages import dead_references
from tests.parts import ROOT

PART = '{ left_by = ["abandoned"] }'
# fault: entry, what is replaced in it, by what; then key, part of what was found, part of what to write
ONE_FAULT = {
    "unknown key": (
        COUNT,
        "[calls_in]",
        "[calls_in]\ncolour = 1",
        "colour",
        "an unknown key",
        "one of alerts, area_windows, at, baseline",
    ),
    "unknown kind": (COUNT, '"count"', '"ratio"', "kind", "'ratio'", "one of 'count', 'share'"),
    "unknown stream": (COUNT, '"calls"', '"parcels"', "stream", "'parcels'", "'calls', 'contacts'"),
    "unknown moment": (COUNT, "offered", "rung", "at", "'rung'", "offered, presented, queued"),
    "unknown start": (DURATION, '"queued"', '"rung"', "start", "'rung'", "a moment of calls"),
    "unknown state": (OPEN, "waiting", "idle", "state", "'idle'", "waiting, in_progress"),
    "unknown window": (COUNT, "5m", "5min", "windows", "'5min'", "5m, 15m"),
    "unknown label": (OPEN, "{ line", "{ queue", "by.queue", "'queue'", "a label defined in labels.toml: line"),
    "unknown value": (OPEN, '= "line"', '= "lane"', "by.line", "'lane'", "a value of calls: line, left_by"),
    "unknown word in a part": (SHARE, "left_by", "left", "part.left", "'left'", "line, left_by"),
    "unknown moment in an interval": (
        *(SHARE, PART, '{ from = "rung", to = "abandoned", within_s = 60 }'),
        *("part", "'rung'", "a moment of the stream: offered"),
    ),
    "value that never is": (
        SHARE,
        '["abandoned"]',
        '["abandonned"]',
        "part.left_by",
        "abandonned",
        "answered, abandoned",
    ),
    "duration of nothing": (DURATION, '"queued"', '"answered"', "start", "'answered'", "a moment other than `at`"),
    "half an interval": (SHARE, PART, '{ from = "queued" }', "part", "'queued'", "all three of from, to and within_s"),
    "value that is no list": (SHARE, '["abandoned"]', '"abandoned"', "part", "'abandoned'", "a list of accepted"),
    "accepted list of nothing": (SHARE, '["abandoned"]', "[]", "part", "[]", "a list of accepted"),
    "interval without end": (
        *(SHARE, PART, '{ from = "queued", to = "abandoned", within_s = inf }'),
        *("part", "inf", "a number of seconds above 0 for within_s"),
    ),
    "interval of nothing": (
        *(SHARE, PART, '{ from = "queued", to = "abandoned", within_s = 0 }'),
        *("part", "0", "a number of seconds above 0 for within_s"),
    ),
    "target on an unlisted value": (DURATION, '"999" }', '"112" }', "targets", "line = '112'", "999, 101"),
    "target on another label": (DURATION, '{ line = "999" }', '{ area = "a" }', "targets", "where area", "`by`: line"),
    "target with two limits": (DURATION, "below_s", "within_s = 9, below_s", "targets.0", "within_s", "exactly one of"),
    "target without limit": (DURATION, ", below_s = 10", "", "targets.0", "where", "exactly one of"),
    "target of nothing": (DURATION, "= 10", "= 0", "targets.0.below_s", "0", "a number above 0"),
    "target without end": (DURATION, "= 10", "= inf", "targets.0.below_s", "inf", "finite"),
    "edge that is no number": (DURATION, "[60]", "[nan]", "edges_s.0", "nan", "a number above 0"),
    "edge before zero": (DURATION, "[60]", "[-60]", "edges_s.0", "-60", "a number above 0"),
    "share without part": (SHARE, f"part = {PART}", "", "part", "nothing", "kind share needs it"),
    "duration without start": (DURATION, 'start = "queued"', "", "start", "nothing", "kind duration needs it"),
    "open measure without state": (OPEN, 'state = "waiting"', "", "state", "nothing", "needs it"),
    "open measure that never gives up": (OPEN, "give_up_s = 3600", "", "give_up_s", "nothing", "needs it"),
    "count with a start": (COUNT, "at =", 'start = "queued"\nat =', "start", "'queued'", "kind count does not have it"),
    "open measure with windows": (OPEN, "at =", 'windows = ["5m"]\nat =', "windows", "['5m']", "open does not have it"),
    "share with a target": (
        SHARE,
        "at =",
        "targets = [{ below_s = 1 }]\nat =",
        "targets",
        "below_s",
        "does not have it",
    ),
    "count without windows": (COUNT, 'windows = ["5m"]', "", "windows", "nothing", "kind count needs it"),
    "missing text": (COUNT, 'source = "Some source"', "", "source", "nothing", "`source = ...`"),
    "text of one letter": (COUNT, "Some source", "x", "source", "'x'", "at least 3 characters"),
    "text for a number": (DURATION, "[60]", '["60"]', "edges_s.0", "'60'", "a number"),
    "word for a list": (COUNT, '["5m"]', '"5m"', "windows", "'5m'", 'a list, for example ["name"]'),
    "table for a list": (SHARE, '["abandoned"]', "{ a = 1 }", "part.left_by", "{'a': 1}", "a list of accepted values"),
    "windows by area without areas": (
        *(COUNT, "at =", 'area_windows = ["5m"]\nat =', "area_windows"),
        *("['5m']", "not split by area"),
    ),
    "number for a text": (COUNT, '"Some source"', "27", "source", "27", "a string in quotes"),
}


@pytest.mark.parametrize("kind", OF_KIND)
def test_an_entry_of_each_kind_is_accepted(kind: str, tmp_path: Path) -> None:
    """The faults below are planted in these entries, which must be valid themselves."""
    assert load(tmp_path, measures=OF_KIND[kind]).measures


@pytest.mark.parametrize("case", ONE_FAULT)
def test_a_fault_is_reported_once_with_its_position_and_what_to_write(case: str, tmp_path: Path) -> None:
    """Whoever edits the catalogue reads file, entry and key, what was found, and what to write instead."""
    entry, old, new, key, found, write = ONE_FAULT[case]
    name = entry[1 : entry.index("]")]
    fault = the_fault(tmp_path, entry.replace(old, new, 1))
    assert fault.where == str(tmp_path / "measures.toml")
    assert fault.key == f"{name}.{key}"
    assert found in fault.found
    assert write in fault.write
    said = f"{fault.where}: {name}.{key}: found {fault.found}; write {fault.write}"
    assert str(fault) == f"{said} (see {fault.page})"
    assert fault.page.startswith("docs/reference/catalogue.md")
    assert list(dead_references(fault.page, ROOT)) == []


def test_a_value_instead_of_a_table_is_a_fault(tmp_path: Path) -> None:
    """A key above the first entry belongs to no entry."""
    fault = the_fault(tmp_path, f'owner = "me"\n{COUNT}')
    assert (fault.key, fault.found) == ("owner", "'me'")


@pytest.mark.parametrize(
    "name",
    [
        *("Calls", "9calls", '"calls in"', "calls_time_within", "calls_count", "calls_sum", "calls_bucket"),
        *("redis_up", "dead_letters", "stream_withheld", "applied_timestamp_seconds"),
    ],
)
def test_an_id_must_be_fit_for_fields_and_metrics(name: str, tmp_path: Path) -> None:
    """Whoever reads a metric that two measures share would add them up."""
    found = faults(tmp_path, measures=DURATION + COUNT.replace("[calls_in]", f"[{name}]", 1))
    assert [fault.key for fault in found] == [name.strip('"')]


def test_orphans_are_refused_as_a_measure(tmp_path: Path) -> None:
    """Every worker counts them already, under a metric of the platform."""
    found = faults(tmp_path, measures=COUNT.replace("[calls_in]", "[orphans]", 1))
    assert {fault.key for fault in found} == {"orphans"}


@pytest.mark.parametrize("name", ["window", "count", "period", "measure"])
def test_a_label_must_not_have_a_reserved_name(name: str, tmp_path: Path) -> None:
    """A measure split by `window` would have two labels for its window; `count` would appear twice as well."""
    labels = LABELS.replace("[area]", f"[{name}]", 1)
    (fault,) = faults(tmp_path, labels, measures=COUNT)
    assert (fault.key, fault.found) == (name, f"'{name}'")


@pytest.mark.parametrize("aliases", ['{ emergency = "112" }', '{ 101 = "999" }', '{ "999 call" = "999" }'])
def test_an_alias_refers_to_a_listed_value_and_is_not_listed_itself(aliases: str, tmp_path: Path) -> None:
    """One for an unlisted value would count its calls as `other`; a listed one would empty a series."""
    labels = LABELS.replace("[area]", f"aliases = {aliases}\n\n[area]", 1)
    found = faults(tmp_path, labels, measures=COUNT)
    assert all(fault.key.startswith("line") for fault in found)


def test_a_title_must_be_for_a_listed_value(tmp_path: Path) -> None:
    """A title for a misspelt value would never be shown."""
    found = faults(tmp_path, LABELS.replace("[area]", 'titles = { 998 = "emergency" }\n\n[area]', 1), measures=COUNT)
    assert found
    assert all(fault.key.startswith("line") for fault in found)
