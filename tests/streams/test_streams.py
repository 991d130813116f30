"""Every stream of the registry: its vocabulary, and what else the other packages rely on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchroom.admission.models import STREAM_OF
from watchroom.events.record import Event
from watchroom.importer.event_fields import DATA_FIELDS
from watchroom.streams import STREAMS

OF_OTHER_FORM: Mapping[str, st.SearchStrategy[object]] = {  # fields that are not plain texts
    "reported_at": st.sampled_from(["2021-11-27T09:00:00Z", "2021-11-28T09:00:00.500+01:00"]),
    "self_initiated": st.booleans(),
    "flags": st.lists(st.sampled_from(["knife", "online", "x"]), max_size=3),
}
SUBJECT = "m|area=stoke|2021-11"  # that of a figure; others may have any subject
# Values of fields whose form admission has checked.
FORMS = {"period": "2021-11", "as_at": "2021-12-01", "from": "2021-11", "numerator": 1.5, "denominator": 2.0}


@st.composite
def events(draw: st.DrawFn, stream: str) -> Event:
    """Any event of a stream, with every field that one can have."""
    kind = draw(st.sampled_from(sorted(kind for kind, of in STREAM_OF.items() if of == stream)))
    text = st.sampled_from(["1", "2", "999", "stoke", "drugs", "x"])
    at_ms = draw(st.integers(0, 10**6))
    data = {key: FORMS.get(key) or draw(OF_OTHER_FORM.get(key, text)) for key in DATA_FIELDS[kind]}
    return Event(kind, draw(st.text("ab", min_size=1)), "s", SUBJECT, at_ms, None, data)


def each_of(fact: object) -> Iterable[object]:
    """The values of a fact that has several, or the one of any other."""
    return fact if isinstance(fact, tuple | frozenset) else (fact,)


@pytest.mark.parametrize("stream", STREAMS)
@given(data=st.data())
def test_each_term_is_read_with_its_own_type(stream: str, data: st.DataObject) -> None:
    """The loader accepts a term because the fold computes it: moments are ms or None, states are booleans."""
    of = STREAMS[stream]
    state = None
    for number, event in enumerate(data.draw(st.lists(events(stream), min_size=1, max_size=6))):
        state = of.fold(state, event, number)
    facts: Mapping[str, object] = {name: word.read(state) for name, word in of.vocabulary.items()}
    assert list(facts) == [*of.moments, *of.values, *of.states]
    assert all(facts[word] is None or type(facts[word]) is int for word in of.moments)
    assert all(facts[word] is None or isinstance(facts[word], str | bool | tuple | frozenset) for word in of.values)
    assert all(type(facts[word]) is bool for word in of.states)
    closed = {word: found.can_be for word, found in of.values.items() if found.can_be}
    assert all(value in (None, *can_be) for word, can_be in closed.items() for value in each_of(facts[word]))


@pytest.mark.parametrize("stream", STREAMS)
def test_a_term_has_one_meaning_in_its_stream(stream: str) -> None:
    """A moment and a value with the same name would be read as whichever came last."""
    of = STREAMS[stream]
    assert len(of.vocabulary) == len(of.moments) + len(of.values) + len(of.states)


@pytest.mark.parametrize("stream", STREAMS)
def test_an_entity_is_known_while_its_events_are_admitted(stream: str) -> None:
    """Otherwise an event that is sent again at the last moment would count twice."""
    assert STREAMS[stream].keeping_days > STREAMS[stream].lateness_days
