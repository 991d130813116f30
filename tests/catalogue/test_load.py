"""The loader: what an entry becomes, and the faults that concern whole files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.catalogue.folder import COUNT, DURATION, LABELS, OPEN, SHARE, TEXTS, faults, load, the_fault
from watchroom.errors import ConfigurationInvalid
from watchroom.kinds.measure import Condition, Label, Target
from watchroom.streams import STREAMS


def test_an_entry_is_converted_into_a_measure(tmp_path: Path) -> None:
    """Seconds become milliseconds and labels get their lists of values, so that no other code converts them."""
    measure = load(tmp_path, measures=DURATION).measures["calls_time"]
    assert measure.kind == "duration"
    assert (measure.start, measure.at) == ("queued", "answered")
    assert measure.labels == (Label("line", "line", ("999", "101"), "unknown"),)
    assert measure.targets == (Target({"line": "999"}, 10_000, inclusive=False),)
    assert measure.edges_ms == (60_000,)
    assert measure.unit == "s"


def test_the_values_of_an_area_label_come_from_the_setting(tmp_path: Path) -> None:
    """A force lists its areas in one setting, not in the shared catalogue."""
    text = COUNT.replace('"calls"', '"incidents"').replace("offered", "created") + 'by = { area = "area" }\n'
    assert load(tmp_path, measures=text).measures["calls_in"].labels[0].values == ("stoke", "county")


def test_below_and_within_differ_at_the_limit() -> None:
    """Exactly 10 s misses `below 10 s` and meets `within 10 s`; the bin edge is where missing begins."""
    assert Target({}, 10_000, inclusive=False).edge_ms == 10_000
    assert Target({}, 10_000, inclusive=True).edge_ms == 10_001


def test_conditions_are_terms_with_accepted_values_or_an_interval(tmp_path: Path) -> None:
    """`where` and `part` are the only conditions; both reach the measure."""
    text = SHARE.replace('{ left_by = ["abandoned"] }', '{ from = "queued", to = "abandoned", within_s = 60 }')
    measure = load(tmp_path, measures=text + 'where = { left_by = ["abandoned"] }\n').measures["calls_lost"]
    assert measure.part == Condition({}, "queued", "abandoned", 60_000)
    assert measure.where == Condition({"left_by": ("abandoned",)})


def test_a_state_of_a_stream_without_open_states_is_refused_with_that_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty list of states would help nobody."""
    monkeypatch.setitem(STREAMS, "crimes", replace(STREAMS["crimes"], states={}))
    text = OPEN.replace('"calls"', '"crimes"').replace("queued", "recorded").replace('by = { line = "line" }\n', "")
    assert "it has none" in the_fault(tmp_path, text).write


def test_all_faults_of_all_files_are_listed_at_once(tmp_path: Path) -> None:
    """One start of the process is enough to see everything that must be changed."""
    found = faults(
        tmp_path,
        LABELS + '\n[bad]\nbrief = "Bad label"\ncolour = 1\n',
        a=COUNT.replace("offered", "rung").replace("5m", "5min") + "colour = 1\n" + SHARE.replace("left_by", "left"),
        b=DURATION.replace("queued", "rung"),
        c="not TOML at all",
    )
    assert [(Path(fault.where).name, fault.key) for fault in found] == [
        ("labels.toml", "bad.colour"),
        ("a.toml", "calls_in.colour"),
        ("a.toml", "calls_in.windows"),
        ("a.toml", "calls_in.at"),
        ("a.toml", "calls_lost.part.left"),
        ("b.toml", "calls_time.start"),
        ("c.toml", ""),
    ]


def keys(folder: Path, text: str) -> set[str]:
    """The positions of all faults in one file of measures; none may be reported twice."""
    found = [fault.key for fault in faults(folder, measures=text)]
    assert len(found) == len(set(found))
    return set(found)


def test_several_wrong_terms_in_one_entry_are_separate_faults(tmp_path: Path) -> None:
    """Nobody wants to correct a file fault by fault."""
    assert keys(tmp_path, COUNT.replace("offered", "rung").replace("5m", "5min")) == {"calls_in.at", "calls_in.windows"}


def test_a_key_of_the_wrong_shape_hides_no_fault_elsewhere(tmp_path: Path) -> None:
    """Whatever needs that key is not checked, so no fault follows from another; all others are reported."""
    kind = DURATION.replace('"duration"', '"duratoin"').replace('"5m"', '"5m", "2m"').replace("answered", "anwsered")
    assert keys(tmp_path, kind) == {"calls_time.kind", "calls_time.windows", "calls_time.at"}
    of_another_kind = COUNT.replace('"count"', '"variance"') + "cap_s = 600\n"  # nobody knows which keys it has
    assert keys(tmp_path, of_another_kind) == {"calls_in.kind"}
    stream = SHARE.replace('"calls"', '"parcels"').replace('["abandoned"]', '"abandoned"') + 'by = { queue = "line" }\n'
    assert keys(tmp_path, stream) == {"calls_lost.stream", "calls_lost.part", "calls_lost.by.queue"}
    by = DURATION.replace('by = { line = "line" }', "by = 3").replace("[60]", "[60]\nstate = 7")
    assert keys(tmp_path, by) == {"calls_time.by", "calls_time.state"}
    at = DURATION.replace('at = "answered"', "at = 1").replace('start = "queued"\n', "")
    assert keys(tmp_path, at) == {"calls_time.at", "calls_time.start"}


TILE = '[[calls_in.tiles]]\nshow = "nothing"\ntitle = "Calls"\nplace = 1\nwindow = "5m"\n'


def test_a_display_is_checked_despite_other_faults(tmp_path: Path) -> None:
    """A typing error in a text must not hide that a tile shows something that does not exist."""
    assert keys(tmp_path, COUNT.replace('"Some brief"', "1") + TILE) == {"calls_in.brief", "calls_in.tiles.0.show"}
    assert keys(tmp_path, COUNT.replace('["5m"]', '["5min"]') + TILE) == {"calls_in.windows"}


def test_other_entries_may_still_refer_to_a_faulty_entry(tmp_path: Path) -> None:
    """The open measure's own fault says it all; a fault about the reference would only be a consequence."""
    text = DURATION + 'overdue_from = "calls_now"\n' + OPEN.replace("{ line", "{ lane").replace("waiting", "idle")
    assert keys(tmp_path, text) == {"calls_now.state", "calls_now.by.lane"}


@pytest.mark.parametrize("first", [COUNT, COUNT.replace("offered", "rung")], ids=["a right one", "a faulty one"])
def test_one_id_in_two_files_is_a_fault_even_if_there_are_others(first: str, tmp_path: Path) -> None:
    """Two entries with the same id would add to the same fields; a fault in the first must not hide this."""
    found = faults(tmp_path, a=first, b=COUNT)
    fault = found[-1]
    assert fault.where == str(tmp_path / "b.toml")
    assert (fault.key, fault.found, fault.write) == ("calls_in", "a second entry with this name", "another id")


def test_one_id_twice_in_a_file_is_a_fault(tmp_path: Path) -> None:
    """TOML itself refuses it, and the message still names the file."""
    fault = the_fault(tmp_path, COUNT + COUNT)
    assert fault.where == str(tmp_path / "measures.toml")
    assert "not readable as TOML" in fault.found


def test_a_folder_without_measures_is_a_fault(tmp_path: Path) -> None:
    """A worker with the wrong folder must not start and count nothing."""
    found = faults(tmp_path)
    assert [(fault.where, fault.found) for fault in found] == [(str(tmp_path), "no *.toml file")]


def test_a_missing_label_file_is_a_fault(tmp_path: Path) -> None:
    """Without its lists of values a label cannot be used."""
    found = faults(tmp_path, None, measures=COUNT)
    assert [Path(fault.where).name for fault in found] == ["labels.toml"]


@pytest.mark.parametrize("value", ["stoke-north", "Stoke", "stoke north", "stoke_", "a__b", ""])
def test_a_listed_value_that_no_event_can_have_is_a_fault(value: str, tmp_path: Path) -> None:
    """Values are slugs of what events say; one in another form never matches, so its events would count as `other`."""
    labels = LABELS.replace('["999", "101"]', f'["999", "{value}"]')
    found = faults(tmp_path, labels, measures=COUNT)
    assert [fault.key for fault in found] == ["line.values.1"]


def test_a_file_that_is_not_utf_8_is_a_fault(tmp_path: Path) -> None:
    """A different encoding is a fault to report, not a crash."""
    (tmp_path / "latin.toml").write_bytes(COUNT.replace("Some", "Caf\u00e9").encode("latin-1"))
    with pytest.raises(ConfigurationInvalid, match=r"latin\.toml: found not readable as TOML"):
        load(tmp_path)


def test_texts_are_required_because_boards_show_them(tmp_path: Path) -> None:
    """`brief`, `definition` and `source` are on every panel's card."""
    found = faults(tmp_path, measures=COUNT.replace(TEXTS, ""))
    assert [fault.key for fault in found] == ["calls_in.brief", "calls_in.definition", "calls_in.source"]
