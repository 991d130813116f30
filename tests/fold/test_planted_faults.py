"""The order property can fail: it finds each fault that is planted into the fold.

A property that passes proves little until it has failed for the right reasons. Every fault below is one
that a reader of docs/architecture.md could make; the histories and the oracle are those of `test_order.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fold.pipeline import run
from tests.oracle.histories import batches, deliveries, histories, moments
from tests.oracle.recompute import differences, in_partition_order, recompute
from watchroom.events.record import Event
from watchroom.fold import batch
from watchroom.fold.contributions import Contributor
from watchroom.kinds import duration
from watchroom.kinds.kind import Contribution, Increments
from watchroom.rolling import buckets
from watchroom.rolling.calendar import Calendar
from watchroom.streams import STREAMS, crimes, incidents, offences, returns, stamps

pytestmark = pytest.mark.timeout(300)
Plant = Callable[[pytest.MonkeyPatch], None]
EXAMPLES = 1500  # most faults are found within fifty


def found_by_the_property(examples: int = EXAMPLES) -> bool:
    """Whether some history differs from the oracle, in content or in the log."""

    @settings(
        max_examples=examples, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck), report_multiple_bugs=False,
    )  # fmt: skip
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        events = data.draw(histories())
        now_ms = data.draw(moments(events))
        placed = in_partition_order(data.draw(deliveries(events)), partitions=2)
        assert not differences(run(data.draw(batches(placed)), now_ms), recompute(placed, now_ms))

    try:
        holds()
    except AssertionError:
        return True
    return False


def in_stream(name: str, **changed: Any) -> Plant:
    """A stream with another part: fold, is_orphan, is_out or a vocabulary."""
    return lambda patch: patch.setitem(STREAMS, name, replace(STREAMS[name], **changed))


def instead_of(module: object, name: str, fault: object) -> Plant:
    """Another function in a module or class."""
    return lambda patch: patch.setattr(module, name, fault)


def in_word(name: str, word: str, fault: Callable[[Any, Any], object]) -> Plant:
    """A stream that reads one term wrongly; the fault gets the state and the right value."""
    stream = STREAMS[name]
    right = stream.vocabulary[word]
    wrong = right._replace(read=lambda state: fault(state, right.read(state)))
    (part,) = (each for each in ("moments", "values", "states") if word in getattr(stream, each))
    return in_stream(name, **{part: {**getattr(stream, part), word: wrong}})


def no_retraction(old: Increments, new: Increments) -> list[tuple[str, tuple[int, int]]]:
    """What was added is never taken back."""
    return [change for change in batch_difference(old, new) if change[1][1] > 0]


def count_every_event(old: Increments, new: Increments) -> list[tuple[str, tuple[int, int]]]:
    """Everything an entity contributes is added with each event that changes it."""
    return list(new.items()) if old != new else []


def last_on_scene(state: incidents.Incident | None, event: Event, arrival_ms: int) -> incidents.Incident:
    """The latest arrival instead of the first."""
    after = incidents.fold(state, event, arrival_ms)
    if event.type == "incident.resource_on_scene" and state is not None and state.first_on_scene_ms is not None:
        return after._replace(first_on_scene_ms=max(state.first_on_scene_ms, event.time_ms))
    return after


def last_to_arrive_wins_ties(known: Any, stamp: Any) -> Any:
    """Of two events at one moment the later arrival wins, not the higher id."""
    return stamp if known is None or stamp[0] >= known[0] else known


def latest_grade(state: incidents.Incident) -> str | None:
    """The grade that the incident ended with."""
    return state.grades[-1][2] if state.grades else None


def first_category(state: incidents.Incident | None, event: Event, arrival_ms: int) -> incidents.Incident:
    """The category that the incident was opened with stays."""
    after = incidents.fold(state, event, arrival_ms)
    return after if state is None or state.category is None else after._replace(category=state.category)


def orphan_plus_measures(self: Contributor, state: Any) -> Contribution:
    """An orphan contributes to its measures as well."""
    right = contributor_of(self, state)
    if state is None or self._stream.is_out(state) or not self._stream.is_orphan(state):
        return right
    facts = {name: word.read(state) for name, word in self._stream.vocabulary.items()}
    into = Contribution(dict(right.increments), dict(right.open_sets), dict(right.tokens))
    for add in self._functions(facts):
        add(facts, into)
    return into


def utc_day(_: Calendar, at_ms: int) -> str:
    """Days and months in UTC."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%d")


def closed_at_its_end(self: batch.Folder, closing_ms: int) -> int:
    """A month closes when it ends."""
    return self._calendar.month_start_ms(self._calendar.month_of(closing_ms - 1))


def flags_are_never_cleared(state: crimes.Crime | None, event: Event, arrival_ms: int) -> crimes.Crime:
    """An empty list of flags is ignored."""
    after: crimes.Crime = crimes.fold(state, event, arrival_ms)
    if event.data.get("flags") == [] and after.flags is not None and not after.flags[2]:
        return after._replace(flags=None if state is None else state.flags)
    return after


def slash_lists_codes(text: str) -> offences.Offence | None:
    """`4/1` is read as 4 and 1, and only the first is looked up."""
    return offence_of(text.partition("/")[0])


def whole_text_only(text: str) -> offences.Offence | None:
    """A composite row is matched as a whole only, and not by its codes."""
    found = offence_of(text)
    return None if found and found.subgroup == "homicide" and len(found.codes) == 1 else found


def earliest_grade_wins(known: tuple[Any, ...], stamp: Any) -> tuple[Any, ...]:
    """The first grade to arrive stays."""
    return known or (stamp,)


def tokens_only_gained(changes: Any, name: str, day: str, fields: Any, sign: int) -> None:
    """A token that an entity no longer has stays counted."""
    if sign > 0:
        count_tokens(changes, name, day, fields, sign)


def as_at_is_additive(old: Increments, new: Increments) -> list[tuple[str, tuple[int, int]]]:
    """The as-at of a later version is added to that of the previous one."""
    changed = batch_difference(old, new)
    return [each for each in changed if not each[0].endswith("|as_at_ms")] + [
        (name, cell) for name, cell in new.items() if name.endswith("|as_at_ms") and old.get(name) != cell
    ]


def never_withdrawn(state: returns.Return | None, event: Event, arrival_ms: int) -> returns.Return:
    """A withdrawal is ignored."""
    after = returns.fold(state, event, arrival_ms)
    if event.type == returns.WITHDRAWN:
        return after._replace(figure=None if state is None else state.figure)
    return after


def withdrawn_for_good(state: returns.Return | None, event: Event, arrival_ms: int) -> returns.Return:
    """A return that was once withdrawn never counts again, whatever the order."""
    after = returns.fold(state, event, arrival_ms)
    was = state is not None and state.figure is not None and not state.figure[3]
    return after._replace(figure=state.figure) if was and state is not None else after


batch_difference, contributor_of, count_tokens = batch.difference, Contributor.of, batch._count
offence_of = offences.offence
FAULTS: dict[str, Plant] = {
    "no retraction": instead_of(batch, "difference", no_retraction),
    "counted because an event arrived": instead_of(batch, "difference", count_every_event),
    "last instead of first on scene": in_stream("incidents", fold=last_on_scene),
    "arrival order for ties, crimes": instead_of(crimes, "last", last_to_arrive_wins_ties),
    "line of the latest event": instead_of(stamps, "first", stamps.last),
    "grade latest instead of at attendance": in_word(
        "incidents", "grade_at_attendance", lambda state, _: latest_grade(state)
    ),
    "regrade ignored": instead_of(incidents, "with_member", earliest_grade_wins),
    "cancelled incident dropped from volume": in_stream(
        "incidents", is_out=lambda s: s.linked or (s.disposition is not None and s.disposition[2] == "cancelled")
    ),
    "linked child kept": in_stream("incidents", is_out=lambda _: False),
    "cancelled crime kept": in_stream("crimes", is_out=lambda _: False),
    "flags are never cleared": in_stream("crimes", fold=flags_are_never_cleared),
    "4/1 is 4 and 1": instead_of(offences, "offence", slash_lists_codes),
    "a composite row by its whole text only": instead_of(offences, "offence", whole_text_only),
    "a suspect's link never ends": in_word(
        "crimes", "suspects", lambda state, _: tuple(suspect[0] for suspect in state.suspects)
    ),
    "weekends are working days": in_word("crimes", "transferred_working", lambda state, _: state.transferred_ms),
    "orphan and its measures": instead_of(Contributor, "of", orphan_plus_measures),
    "orphans not shown": in_stream("calls", is_orphan=lambda _: False),
    "10 s is below 10 s": instead_of(duration, "is_within", lambda ms, edge: edge is not None and ms <= edge),
    "UTC days and months": instead_of(Calendar, "day_of", utc_day),
    "missing start is 0 s": in_word(
        "calls", "queued", lambda state, queued_ms: state.answered_ms if queued_ms is None else queued_ms
    ),
    "answered and abandoned is abandoned": in_word(
        "calls", "left_by", lambda state, left_by: "abandoned" if state.abandoned_ms else left_by
    ),
    "answered after a call-back": in_word("calls", "answered_without_callback", lambda state, _: state.answered_ms),
    "a call-back ends with its call": in_word(
        "calls", "callback_due", lambda state, is_due: is_due and state.ended_ms is None
    ),
    "outgoing calls kept": in_word("calls", "outgoing", lambda *_: False),
    "once assigned, never unresourced": in_word(
        "incidents", "unresourced", lambda state, is_so: is_so and state.first_assigned_ms is None
    ),
    "reopened stays closed": in_word(
        "incidents", "unattended", lambda state, is_so: is_so and state.disposition is None
    ),
    "self-initiated timed": in_word("incidents", "self_initiated", lambda *_: False),
    "opening category instead of closing": in_stream("incidents", fold=first_category),
    "first grade is the last": in_word("incidents", "first_grade", lambda state, _: latest_grade(state)),
    "month closed without the lateness bound": instead_of(batch.Folder, "_closed_before_ms", closed_at_its_end),
    "a token that is not retracted": instead_of(batch, "_count", tokens_only_gained),
    "tokens that came after the closing among the others": instead_of(batch, "LATE", ""),
    "an as-at that adds up": instead_of(batch, "difference", as_at_is_additive),
    "arrival order for ties, figures": instead_of(returns, "last", last_to_arrive_wins_ties),
    "a withdrawal that is ignored": in_stream("returns", fold=never_withdrawn),
    "a withdrawal that stands for good": in_stream("returns", fold=withdrawn_for_good),
    "a figure in the month of its event": in_word("returns", "held_at", lambda state, at: at and state.figure[1]),
    "buckets kept for ever": instead_of(buckets, "keep_until", lambda *_: None),
}


def test_the_property_finds_nothing_without_a_fault() -> None:
    """Otherwise the tests below would prove nothing."""
    assert not found_by_the_property(100)


@pytest.mark.parametrize("fault", FAULTS)
def test_the_property_finds_a_planted_fault(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each fault would give a wrong figure on a board."""
    FAULTS[fault](monkeypatch)
    assert found_by_the_property()
