"""Contributions: what a state adds, for any measures; labels stay closed lists."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fold.pipeline import catalogue
from tests.fold.said import CONTRIBUTORS, at, contribution, said, state_of
from tests.parts import ROOT
from watchroom.admission.models import STREAM_OF
from watchroom.events.record import Event
from watchroom.fold import contributions
from watchroom.fold.contributions import NOTHING, Contributor
from watchroom.kinds.kind import Contribution
from watchroom.kinds.measure import Condition, Label, Measure, Target, resolved
from watchroom.streams import STREAMS

LINE = Label("line", "line", ("999", "101"), "unknown")
QUEUED = said("call.queued", "09:00:00", line="999")
ANSWERED = said("call.answered", "09:00:08")


def measure(kind: str, **more: object) -> Measure:
    """A measure of calls, as the loader would create it."""
    plain: dict[str, object] = {
        "id": "m", "kind": kind, "stream": "calls", "at": "answered", "labels": (), "windows": ("5m",),
        "brief": "b", "definition": "d", "source": "s",
    }  # fmt: skip
    return Measure(**{**plain, **more})  # type: ignore[arg-type]  # a test's own table


def of(said_by: Measure, *events: Event) -> Contribution:
    """What these events contribute to this measure alone."""
    return Contributor(STREAMS["calls"], "t", [said_by]).of(state_of(*events))


def test_the_worked_example_of_the_design_has_these_contributions() -> None:
    """Call 17, line 999, queued 09:00:00, answered 09:00:08: every increment before and after the answer."""
    s, nine = "line=999", at("09:00:00")
    counts = (f"call_volume|{s}", "call_volume_by_class|class=unknown", "call_volume_by_cli_type|cli_type=unknown")
    before = {f"{series}|count": (nine, 1) for series in counts}
    assert contribution(QUEUED) == (before, {f"calls_waiting|{s}": at("09:00:00")}, {})
    assert contribution(QUEUED, ANSWERED) == (
        {
            **before,
            f"call_answer_time|{s}|observations": (nine, 1),
            f"call_answer_time|{s}|sum_ms": (nine, 8_000),
            f"call_answer_time|{s}|within": (nine, 1),
            f"call_answer_time|{s}|bin:7962": (nine, 1),
            f"call_answer_time_presented|{s}|missing_start": (nine, 1),
            f"call_abandonment|{s}|whole": (nine, 1),
            f"call_abandonment_less_short|{s}|whole": (nine, 1),
            f"call_abandonment_without_short|{s}|whole": (nine, 1),
        },
        {f"calls_in_progress|{s}": at("09:00:08")},
        {},
    )


def test_an_unknown_entity_contributes_nothing() -> None:
    """So the difference of a first event is everything that its state adds."""
    assert CONTRIBUTORS["calls"].of(None) == NOTHING == ({}, {}, {})


def test_contributions_are_not_shared_between_entities() -> None:
    """Names are created once for each label set; amounts never are."""
    first, second = contribution(QUEUED), contribution(QUEUED)
    first.increments.clear()
    first.open_sets.clear()
    assert second == contribution(QUEUED)
    assert NOTHING == ({}, {}, {})


@pytest.mark.parametrize(
    ("value", "counted"),
    [
        ("999", "999"), (" 999 ", "999"), ("112", "other"), (None, "unknown"), ("", "unknown"), ("!?", "other"),
        ("unknown", "unknown"), ("other", "other"), (999, "999"), (True, "other"), ("99\u0669", "other"),
    ],
)  # fmt: skip
def test_a_value_is_listed_other_or_absent(value: object, counted: str) -> None:
    """A feed that sends `unknown` itself means the same as one that sends nothing."""
    assert resolved(LINE, value) == counted


@given(st.one_of(st.none(), st.text(max_size=20)))
def test_no_text_of_a_feed_creates_a_new_series(value: str | None) -> None:
    """Cardinality is fixed by the catalogue."""
    assert resolved(LINE, value) in LINE.all_values()


def test_a_feed_of_always_new_texts_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cached values are dropped rather than kept for ever, and come out the same again."""
    monkeypatch.setattr(contributions, "VALUES_HELD", 3)
    contributor = Contributor(STREAMS["calls"], "t", [measure("count", at="queued", labels=(LINE,))])
    for number in range(20):
        state = state_of(said("call.queued", "09:00:00", line=str(number)))
        assert list(contributor.of(state).increments) == ["m|line=other|count"]
    assert list(contributor.of(state_of(QUEUED)).increments) == ["m|line=999|count"]
    assert max(len(contributor._cached), len(contributor._measures[0]._cached)) <= 5


@pytest.mark.parametrize(("accepted", "counted"), [(("answered",), 1), (("abandoned", "answered"), 1), (("x",), 0)])
def test_the_where_of_a_measure_decides_which_entities_are_counted(accepted: tuple[str, ...], counted: int) -> None:
    """An entity that does not match contributes nothing to the measure."""
    found = of(measure("count", where=Condition({"left_by": accepted})), QUEUED, ANSWERED)
    assert sum(amount for _, amount in found.increments.values()) == counted


def test_all_conditions_of_a_where_must_hold() -> None:
    """Both the values and the interval."""
    both = Condition({"left_by": ("answered",)}, "queued", "answered", 8_000)
    tighter = Condition({"left_by": ("answered",)}, "queued", "answered", 7_999)
    other = Condition({"left_by": ("abandoned",)}, "queued", "answered", 8_000)
    assert [
        bool(of(measure("count", where=said_so), QUEUED, ANSWERED).increments) for said_so in (both, tighter, other)
    ] == [
        True,
        False,
        False,
    ]


def test_an_interval_that_is_incomplete_or_negative_does_not_hold() -> None:
    """Within 60 s means between two known moments, the second not before the first."""
    within = measure("share", at="ended", part=Condition({}, "queued", "ended", 60_000))
    ended, early = said("call.ended", "09:00:30"), said("call.ended", "08:59:00")
    presented = said("call.presented", "09:00:00")
    assert of(within, QUEUED, ended).increments["m||part"] == (at("09:00:30"), 1)
    assert "m||part" not in of(within, QUEUED, early).increments
    assert "m||part" not in of(within, presented, ended).increments


def test_the_first_target_that_matches_the_labels_counts() -> None:
    """Targets are tried in the order of the catalogue."""
    targets = (Target({"line": "999"}, 8_000, inclusive=False), Target({}, 8_000, inclusive=True))
    timed = measure("duration", start="queued", labels=(LINE,), targets=targets)
    assert "m|line=999|within" not in of(timed, QUEUED, ANSWERED).increments
    on_101 = said("call.queued", "09:00:00", line="101")
    assert of(timed, on_101, ANSWERED).increments["m|line=101|within"] == (at("09:00:00"), 1)


def test_a_target_of_an_open_measure_adds_no_count() -> None:
    """The reader evaluates its deadline at its own `now`."""
    waiting = measure("open", at="queued", state="waiting", labels=(LINE,), targets=(Target({}, 1, inclusive=True),))
    assert of(waiting, QUEUED) == ({}, {"m|line=999": at("09:00:00")}, {})


@pytest.mark.parametrize(("begun", "took_ms"), [("09:00:08", 0), ("09:00:07.999", 1), ("-1 09:00:08", 86_400_000)])
def test_a_duration_counts_at_its_end(begun: str, took_ms: int) -> None:
    """Whatever day it began on."""
    found = of(measure("duration", start="queued"), said("call.queued", begun), ANSWERED)
    assert found.increments.get("m||sum_ms", (at("09:00:00"), 0)) == (at("09:00:00"), took_ms)
    assert found.increments["m||observations"] == (at("09:00:00"), 1)


def test_the_part_of_a_share_is_in_the_same_bucket_as_its_whole() -> None:
    """So part <= whole in every bucket, also in one of 10 s."""
    found = of(measure("share", part=Condition({"left_by": ("answered",)})), QUEUED, ANSWERED)
    assert found.increments == {"m||whole": (at("09:00:00"), 1), "m||part": (at("09:00:00"), 1)}


KINDS = ("call.presented", "call.queued", "call.answered", "call.abandoned", "call.ended", "call.transferred")
CALLS = st.lists(
    st.builds(
        Event, st.sampled_from(KINDS), st.sampled_from("abc"), st.just("s"), st.just("17"),
        st.integers(-70_000, 70_000).map(lambda ms: at("09:00:00") + ms), st.none(),
        st.dictionaries(st.just("line"), st.sampled_from(["999", "101", "112", ""])),
    ),
    min_size=1, max_size=6,
)  # fmt: skip


@given(CALLS)
def test_the_figures_of_a_call_stay_consistent_whatever_its_events(events: list[Event]) -> None:
    """Counts are 1, no part without whole, a duration has one bin or is excluded, and at most one set is open."""
    found = contribution(*events)
    increments: Mapping[str, tuple[int, int]] = found.increments
    assert all(amount == 1 for name, (_, amount) in increments.items() if not name.endswith("sum_ms"))
    assert all(start_ms % 10_000 == 0 for start_ms, _ in increments.values())
    for name in increments:
        head, _, what = name.rpartition("|")
        if what == "part":
            assert increments[f"{head}|whole"] == increments[name]
        if what == "observations":
            assert sum(other.startswith(f"{head}|bin:") for other in increments) == 1
            assert not {f"{head}|missing_start", f"{head}|negative"} & increments.keys()
    assert len(found.open_sets) <= 1


@given(st.text())
def test_one_of_the_listed_values_is_counted_whatever_a_feed_sends(text: str) -> None:
    """No text of a feed can break a field apart, smuggle in a label or create a new series."""
    assert resolved(LINE, text) in LINE.all_values()


def test_another_spelling_of_a_listed_value_is_counted_as_that_value() -> None:
    """The police.uk API writes `violent-crime`; as `other`, the largest category would be on no board."""
    label = replace(LINE, aliases={"emergency_line": "999"})
    assert [resolved(label, text) for text in ("999", "Emergency line", "112", " ")] == [
        "999",
        "999",
        "other",
        "unknown",
    ]


@pytest.mark.parametrize("name", STREAM_OF)
def test_the_values_in_the_shipped_examples_are_listed(name: str) -> None:
    """Producers begin by copying an example; with unlisted values their events would all count as `other`."""
    example = json.loads((ROOT / "schemas" / "events" / "examples" / f"{name}.json").read_text())
    stream = STREAM_OF[name]
    said_labels = example.get("data", {})
    for one in catalogue().of_stream(stream):
        for label in one.labels:
            if label.name in said_labels:
                assert resolved(label, said_labels[label.name]) in label.values
