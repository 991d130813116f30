"""`watchroom open`: the ids behind a tile, oldest first, and nothing else about them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.exporter.store import NOON, ExporterStore, value
from watchroom.catalogue.model import Catalogue
from watchroom.errors import ConfigurationInvalid, OtherDefinitions, RebuildNeeded, WorkFailed
from watchroom.exporter.open_list import open_list
from watchroom.settings import SourceRule

MINUTE = 60_000


def test_members_are_listed_oldest_first_with_their_deadline(store: ExporterStore) -> None:
    """A supervisor reads from the top: who has waited longest, and whose target has passed."""
    store.waiting("incidents_unattended|grade=1,area=stoke", {"INC-2": NOON - 14 * MINUTE})
    store.waiting("incidents_unattended|grade=2,area=tamworth", {"INC-1": NOON - 65 * MINUTE})
    store.waiting("incidents_unattended|grade=ungraded,area=stoke", {"INC-3": NOON - 1_000})
    lines = open_list(store.settings, "incidents_unattended", NOON).splitlines()
    assert lines[1].split() == ["id", "grade", "area", "since", "age", "deadline"]
    assert [line.split()[0] for line in lines[2:]] == ["INC-1", "INC-2", "INC-3"]
    assert "2021-11-26 22:55:00" in lines[2]
    assert "1 h 05 min" in lines[2]
    assert "overdue by 5 min 00 s" in lines[2]
    assert "in 60 s" in lines[3]
    assert lines[4].endswith("none")


def test_the_list_has_as_many_lines_as_its_tile_counts(store: ExporterStore) -> None:
    """Entities that were given up are in neither; their number is shown below the list."""
    store.waiting("calls_waiting|line=999", {"a": NOON - 3_600_000, "b": NOON - 3_600_001, "c": NOON})
    text = open_list(store.settings, "calls_waiting", NOON)
    assert value(store.scrape(NOON), "calls_waiting", line="999") == 2
    assert text.startswith("Calls waiting: 2 open\n")
    assert "1 more are older than 1 h. The feed never closed them" in text


def test_an_old_list_says_that_it_is_old(store: ExporterStore) -> None:
    """The command reads Redis whether or not it is fresh, and says which."""
    assert "Out of date:" not in open_list(store.settings, "calls_waiting", NOON)
    assert "only up to 2021-11-27 00:00:00, 60 s ago" in open_list(store.settings, "calls_waiting", NOON + MINUTE)


def test_a_dead_feed_is_named(store: ExporterStore) -> None:
    """Partitions stay fresh when telephony dies; the list must not then say that nobody is waiting."""
    store.fresh(NOON + 91_000)
    text = open_list(store.settings, "calls_waiting", NOON + 91_000)
    assert text.startswith("Calls waiting: none\n")
    assert "FEED SILENT: acd was last seen 2021-11-27 00:00:00, 91 s ago" in text
    assert "FEED SILENT" not in open_list(store.settings, "calls_waiting", NOON + 90_000)


def test_a_feed_without_heartbeats_is_silent_once_its_events_stop(store: ExporterStore) -> None:
    """As on the boards; a declared source that was never seen is named too."""
    store.source_seen(NOON - 31_000, "calls", what="event")
    rules = {
        "acd": SourceRule(heartbeats=False, silence_s=30),
        "ivr": SourceRule(),
        "import": SourceRule(heartbeats=False),
    }
    text = open_list(store.settings.model_copy(update={"sources": {"calls": rules}}), "calls_waiting", NOON)
    assert "FEED SILENT: acd was last seen 2021-11-26 23:59:29, 31 s ago" in text
    assert "FEED SILENT: ivr has never sent anything" in text
    assert "import" not in text


def test_times_in_the_future_do_not_show_that_a_source_is_alive(store: ExporterStore) -> None:
    """A clock that is ahead would make a frozen list look live for ever."""
    store.fresh(NOON + MINUTE)
    store.source_seen(NOON + MINUTE)
    text = open_list(store.settings, "calls_waiting", NOON)
    assert "Not live: watchroom.calls: partition 0 is 60.0 s in the future (check the clocks)" in text
    assert "FEED SILENT: acd was last seen 2021-11-27 00:01:00, in the future: check the clocks" in text


def test_json_and_csv_say_why_a_list_is_not_live(store: ExporterStore) -> None:
    """In each row and outside the rows too, because an empty list has no row."""
    said: list[str] = []
    late = NOON + 100_000
    store.fresh(late)
    assert open_list(store.settings, "calls_waiting", late, "json", warn=said.append) == "[]\n"
    assert said == ["not live: source acd is 1 min 40 s old (limit 90 s)"]
    store.waiting("calls_waiting|line=999", {"a": NOON})
    store.fresh(NOON, "calls")
    (member,) = json.loads(open_list(store.settings, "calls_waiting", late, "json"))
    reasons = [f"watchroom.calls: partition {n} is 1 min 40 s old (limit 10 s)" for n in (0, 1)]
    assert member["stale"] == [*reasons, "source acd is 1 min 40 s old (limit 90 s)"]
    assert open_list(store.settings, "calls_waiting", late, "csv").splitlines()[1].endswith("; ".join(member["stale"]))


def test_control_characters_in_an_id_do_not_reach_the_terminal(store: ExporterStore) -> None:
    """Ids come from a feed; an escape sequence in one could repaint the reader's screen."""
    store.waiting("calls_waiting|line=999", {"a\x1b[2J\nb": NOON})
    assert "a\\x1b[2J\\nb" in open_list(store.settings, "calls_waiting", NOON)


def test_json_and_csv_have_the_same_members(store: ExporterStore) -> None:
    """Times are UTC with milliseconds; a member without a target has no deadline."""
    store.waiting("incidents_unattended|grade=1,area=stoke", {"INC-2": NOON - 14 * MINUTE})
    store.waiting("incidents_unattended|grade=ungraded,area=stoke", {"INC-3": NOON - 1_500})
    first, second = json.loads(open_list(store.settings, "incidents_unattended", NOON, "json"))
    assert first == {
        "measure": "incidents_unattended",
        "id": "INC-2",
        "by": {"grade": "1", "area": "stoke"},
        "since": "2021-11-26T23:46:00.000Z",
        "age_s": 840.0,
        "deadline": "2021-11-27T00:01:00.000Z",
        "as_of": "2021-11-27T00:00:00.000Z",
        "stale": [],
    }
    assert (second["since"], second["deadline"]) == ("2021-11-26T23:59:58.500Z", None)
    lines = open_list(store.settings, "incidents_unattended", NOON, "csv").splitlines()
    assert lines[0] == "measure,id,grade,area,since,age_s,deadline,as_of,stale"
    assert lines[2] == (
        "incidents_unattended,INC-3,ungraded,stoke,2021-11-26T23:59:58.500Z,1.5,,2021-11-27T00:00:00.000Z,"
    )


def test_a_list_under_other_definitions_is_refused(store: ExporterStore) -> None:
    """If an area is missing from the definition, those waiting there would be left out silently."""
    store.waiting("incidents_unattended|grade=1,area=tamworth", {"INC-1": NOON})
    assert "INC-1" in open_list(store.settings, "incidents_unattended", NOON)
    other = store.settings.model_copy(update={"areas": ("stoke",)})
    with pytest.raises(RebuildNeeded, match=r"with a different catalogue or different settings.*incidents_unattended"):
        open_list(other, "incidents_unattended", NOON)


def test_a_changed_definition_of_a_stream_refuses_only_its_own_lists(store: ExporterStore) -> None:
    """A changed definition of crimes must not hide anybody who is waiting for an answer."""
    measures = store.catalogue.measures
    for name, waits in (("crime_recorded", True), ("call_volume", False)):
        store.bind("crimes", store.catalogue)
        store.bind(measures[name].stream, Catalogue({**measures, name: replace(measures[name], at="another")}))
        store.waiting("calls_waiting|line=999", {"a": NOON})
        if waits:
            assert "1 open" in open_list(store.settings, "calls_waiting", NOON)
        else:
            with pytest.raises(OtherDefinitions, match="calls: measure call_volume changed"):
                open_list(store.settings, "calls_waiting", NOON)


def test_a_force_that_redis_does_not_know_is_refused_rather_than_shown_as_empty(store: ExporterStore) -> None:
    """A mistyped WATCHROOM_FORCE must not read as an empty queue."""
    store.waiting("calls_waiting|line=999", {"a": NOON})
    with pytest.raises(WorkFailed, match="holds no data for force 'stafs'"):
        open_list(store.settings.model_copy(update={"force": "stafs"}), "calls_waiting", NOON)


def test_no_age_is_below_zero(store: ExporterStore) -> None:
    """An event may arrive minutes before its event time; a negative age would break the order."""
    store.waiting("calls_waiting|line=999", {"a": NOON + MINUTE})
    (member,) = json.loads(open_list(store.settings, "calls_waiting", NOON, "json"))
    assert (member["age_s"], member["since"]) == (0, "2021-11-27T00:01:00.000Z")


@pytest.mark.parametrize("measure", ["call_volume", "nonsense"])
def test_an_id_that_is_not_an_open_measure_is_refused_with_the_ids_that_are(store: ExporterStore, measure: str) -> None:
    """Wrong usage: the message says what was found and what to write."""
    with pytest.raises(ConfigurationInvalid, match=rf"'{measure}'.*calls_waiting, calls_in_progress"):
        open_list(store.settings, measure, NOON)
