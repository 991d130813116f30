"""The catalogue that is shipped, and the words it may use."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.parts import ROOT
from watchroom.catalogue import names, vocabulary
from watchroom.catalogue.load import load_catalogue
from watchroom.catalogue.model import Catalogue
from watchroom.events.models import STREAM_OF
from watchroom.events.record import Event
from watchroom.fold.streams import STREAMS
from watchroom.rolling import windows
from watchroom.settings import STREAMS as STREAM_NAMES

MEASURES = {
    "call_volume": "count", "call_answer_time": "duration", "call_answer_time_presented": "duration",
    "call_abandonment": "share", "call_abandoned_within_60s": "share", "calls_waiting": "open",
    "calls_in_progress": "open", "incident_volume": "count", "incident_attendance_time": "duration",
    "incident_assignment_time": "duration", "incident_resourced": "share", "incidents_unresourced": "open",
    "incidents_unattended": "open", "crime_recorded": "count", "crime_recorded_by_category": "count",
    "crime_resolved": "share",
}  # fmt: skip


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    """The shipped one, with the default areas."""
    return load_catalogue(ROOT / "schemas" / "measures", ("stoke", "county"))


def test_the_shipped_catalogue_holds_the_first_measures(catalogue: Catalogue) -> None:
    """Their ids and kinds are names that boards, alerts and other services rely on."""
    assert MEASURES.items() <= {measure.id: measure.kind for measure in catalogue.measures.values()}.items()


def test_each_stream_has_its_measures(catalogue: Catalogue) -> None:
    """A worker of one stream asks for that stream's measures and gets all and only those."""
    of_streams = [measure.id for stream in STREAM_NAMES for measure in catalogue.of_stream(stream)]
    assert sorted(of_streams) == sorted(catalogue.measures)
    assert all(measure.id.startswith("call") for measure in catalogue.of_stream("calls"))


def test_label_values_are_slugs_and_each_occurs_once(catalogue: Catalogue) -> None:
    """What is listed is compared with the slug of what events say."""
    for measure in catalogue.measures.values():
        for label in measure.labels:
            assert [names.slug(value) for value in label.all_values()] == list(dict.fromkeys(label.all_values()))


def test_every_combination_of_label_values_is_listed_once(catalogue: Catalogue) -> None:
    """Zeros are published for exactly these: 5 grades times 4 areas."""
    sets = [tuple(by.items()) for by in catalogue.measures["incident_volume"].label_sets()]
    assert len(sets) == len(set(sets)) == 20
    assert (("grade", "ungraded"), ("area", "unknown")) in sets


def test_the_first_matching_target_is_the_one(catalogue: Catalogue) -> None:
    """Grades 1, 2, 3 have 15 min, 60 min and 24 h; others have none."""
    measure = catalogue.measures["incident_attendance_time"]
    limits = {grade: measure.target_for({"grade": grade, "area": "stoke"}) for grade in ("1", "2", "3", "other")}
    assert {grade: limit and limit.limit_ms for grade, limit in limits.items()} == {
        "1": 900_000, "2": 3_600_000, "3": 86_400_000, "other": None,
    }  # fmt: skip


def test_the_windows_of_the_vocabulary_are_those_that_can_be_computed() -> None:
    """A window that the catalogue allows and the exporter cannot compute would be absent for ever."""
    assert list(vocabulary.WINDOWS) == list(windows.WINDOWS)


def test_streams_have_one_list() -> None:
    """Settings, vocabulary, events and fold speak of the same streams."""
    assert set(STREAM_NAMES) == set(vocabulary.STREAMS) == set(STREAMS) == set(STREAM_OF.values())


@st.composite
def events(draw: st.DrawFn, stream: str) -> Event:
    """Any event of a stream, with every field that one can have."""
    kind = draw(st.sampled_from(sorted(kind for kind, of in STREAM_OF.items() if of == stream)))
    text = st.sampled_from(["1", "2", "999", "stoke", "drugs", "x"])
    keys = ("line", "grade", "area", "unit", "parent", "group", "category", "offence_code", "outcome")
    at_ms = draw(st.integers(0, 10**6))
    return Event(kind, draw(st.text("ab", min_size=1)), "s", "e", at_ms, None, {key: draw(text) for key in keys})


@pytest.mark.parametrize("stream", STREAM_NAMES)
@given(data=st.data())
def test_facts_are_exactly_the_words_of_the_vocabulary(stream: str, data: st.DataObject) -> None:
    """The loader accepts a word because the fold computes it: moments are ms or None, states truths."""
    words, fold = vocabulary.STREAMS[stream], STREAMS[stream]
    state = None
    for number, event in enumerate(data.draw(st.lists(events(stream), min_size=1, max_size=6))):
        state = fold.fold(state, event, number)
    facts: Mapping[str, object] = fold.facts(state)
    assert set(facts) == {*words.moments, *words.values, *words.states}
    assert all(facts[word] is None or type(facts[word]) is int for word in words.moments)
    assert all(facts[word] is None or isinstance(facts[word], str | bool) for word in words.values)
    assert all(type(facts[word]) is bool for word in words.states)
