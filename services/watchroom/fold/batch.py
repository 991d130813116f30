"""A batch of one partition's events, folded entity by entity, each entity's events in order.

The result is what one atomic step writes. It does not depend on how events are batched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import NamedTuple

from watchroom.events.record import Arrived
from watchroom.fold.contributions import NOTHING, Contributor
from watchroom.kinds import names
from watchroom.kinds.kind import Contribution, Increments
from watchroom.kinds.tokens import LATE
from watchroom.rolling.calendar import Calendar
from watchroom.streams.stream import State, Stream

Changes = list[tuple[str, tuple[int, int]]]  # (field, (start of its 10 s bucket in ms, delta))


class Known(NamedTuple):
    """An entity's state and what it contributes so far."""

    state: State | None
    contribution: Contribution


UNKNOWN = Known(None, NOTHING)


class Restatement(NamedTuple):
    """A change to a month that was closed when the event arrived: one event, one field."""

    topic: str
    partition: int
    offset: int
    arrival_ms: int
    event_type: str
    month: str
    measure: str
    by: Mapping[str, str]
    field: str
    delta: int

    @property
    def event(self) -> tuple[str, int, int]:
        """The event; the same after a rebuild. One event is one restatement, however many fields it changes."""
        return self.topic, self.partition, self.offset


@dataclass(slots=True)
class TokenChange:
    """What a batch changes in one hash of token counts."""

    day: str  # one of its days, from which its end follows
    deltas: dict[str, int] = field(default_factory=dict)  # field -> delta
    events: int = 0  # how many events changed it; if its month was closed, this does not depend on the batches


@dataclass(slots=True)
class Folded:
    """The changes of a batch, not written yet."""

    entities: dict[str, Known] = field(default_factory=dict)  # subject -> after the batch
    increments: dict[int, dict[str, int]] = field(default_factory=dict)  # 10 s start, ms -> field -> delta
    left: set[tuple[str, str]] = field(default_factory=set)  # (series, subject) no longer open
    tokens: dict[str, TokenChange] = field(default_factory=dict)  # by name of a token hash
    restatements: list[Restatement] = field(default_factory=list)

    def open_now(self) -> list[tuple[str, str, int]]:
        """(series, subject, since in ms) of every open set that an entity of the batch is in."""
        return [
            (series, subject, since_ms)
            for subject, known in self.entities.items()
            for series, since_ms in known.contribution.open_sets.items()
        ]


class Folder:
    """Folds batches of one partition.

    Args:
        stream: What the events are about.
        contributor: Computes what states contribute.
        keeping_ms: An entity is forgotten after this long without an arrival.
        closes_after_ms: A month closes this long after its end.
        calendar: The reporting zone.
        topic, partition: For restatements.
    """

    def __init__(
        self,
        stream: Stream,
        contributor: Contributor,
        *,
        keeping_ms: int,
        closes_after_ms: int,
        calendar: Calendar,
        topic: str,
        partition: int,
    ) -> None:
        self.stream = stream
        self._contributor = contributor
        self._keeping_ms = keeping_ms
        self._closes_after_ms = closes_after_ms
        self._calendar = calendar
        self._topic = topic
        self._partition = partition
        self._month_ms = (0, 0)  # start and end of the month asked for last

    def known(self, state: State) -> Known:
        """A state from the store, with what it contributes."""
        return Known(state, self._contributor.of(state))

    def fold(self, events: Iterable[Arrived], known: Mapping[str, Known]) -> Folded:
        """Fold all events onto what is known; `known` is not changed."""
        by_subject: dict[str, list[Arrived]] = {}
        for arrived in events:
            by_subject.setdefault(arrived.event.subject, []).append(arrived)
        return self.fold_entities(by_subject, known)

    def fold_entities(self, by_subject: Mapping[str, Sequence[Arrived]], known: Mapping[str, Known]) -> Folded:
        """The same for events that are grouped by entity, in order."""
        folded = Folded()
        for subject, of_entity in by_subject.items():
            before = known.get(subject, UNKNOWN)
            if not self._fold_at_once(folded, before, of_entity):
                for arrived in of_entity:
                    self._fold_one(folded, folded.entities.get(subject, before), arrived)
        folded.restatements.sort(key=attrgetter("offset"))
        return folded

    def _fold_at_once(self, folded: Folded, before: Known, events: Sequence[Arrived]) -> bool:
        """Fold all events of an entity and take one difference, which gives the same sum at less cost.

        Return False, and do nothing, if each event needs its own difference: the entity was forgotten in between, or
        it reaches back to a closed month, for which the log needs an entry per event.
        """
        state, latest_ms, fold = before.state, 0, self.stream.fold
        for event, arrival_ms, closing_ms, _ in events:
            if state is not None and arrival_ms - state.last_arrival_ms > self._keeping_ms:
                return False
            state = fold(state, event, arrival_ms)
            latest_ms = max(latest_ms, closing_ms)
        closed_before_ms = self._closed_before_ms(latest_ms)
        if state is None or state.first_ms < closed_before_ms:
            return False
        after = Known(state, self._contributor.of(state))
        self._change(folded, before.contribution, after, arrived=events[-1], closed_before_ms=closed_before_ms)
        return True

    def _fold_one(self, folded: Folded, before: Known, arrived: Arrived) -> None:
        state, contribution = before
        if state is not None and arrived.arrival_ms - state.last_arrival_ms > self._keeping_ms:
            # Its earlier contributions stay, but it is not open now.
            state, contribution = None, Contribution({}, contribution.open_sets, {})
        state = self.stream.fold(state, arrived.event, arrived.arrival_ms)
        closed_before_ms = self._closed_before_ms(arrived.closing_ms)
        after = Known(state, self._contributor.of(state))
        self._change(folded, contribution, after, arrived=arrived, closed_before_ms=closed_before_ms)

    def _change(
        self, folded: Folded, old: Contribution, after: Known, *, arrived: Arrived, closed_before_ms: int
    ) -> None:
        subject = arrived.event.subject
        folded.entities[subject] = after
        new = after.contribution
        if old.increments != new.increments:
            self._add_increments(folded, difference(old.increments, new.increments), arrived, closed_before_ms)
        if old.open_sets != new.open_sets:
            _leave(folded, subject, old.open_sets, new.open_sets)
        if old.tokens != new.tokens:
            self._add_tokens(folded, old, new, closed_before_ms)

    def _add_increments(self, folded: Folded, changes: Changes, arrived: Arrived, closed_before_ms: int) -> None:
        increments = folded.increments
        restated: dict[tuple[str, str], int] = {}  # (month, field) -> amount
        for name, (start_ms, amount) in changes:
            deltas = increments.get(start_ms)
            if deltas is None:
                deltas = increments[start_ms] = {}
            deltas[name] = deltas.get(name, 0) + amount
            if start_ms < closed_before_ms:
                cell = self._calendar.month_of(start_ms), name
                restated[cell] = restated.get(cell, 0) + amount
        if restated:
            folded.restatements.extend(
                self._restatement(arrived, month, name, amount) for (month, name), amount in restated.items() if amount
            )

    def _add_tokens(self, folded: Folded, old: Contribution, new: Contribution, closed_before_ms: int) -> None:
        """Add differences of token counts; what a month gains or loses after closing has separate fields."""
        changes: dict[str, TokenChange] = {}
        for sign, added, other in ((-1, old.tokens, new.tokens), (1, new.tokens, old.tokens)):
            for measure, (at_ms, fields) in added.items():
                if other.get(measure) != (at_ms, fields):
                    day, mark = self._calendar.day_of(at_ms), LATE if at_ms < closed_before_ms else ""
                    _count(changes, names.token_day(measure, day), day, fields, sign)
                    _count(changes, names.token_month(measure, day[:7]), day, [mark + each for each in fields], sign)
        for name, change in changes.items():
            if any(change.deltas.values()):
                into = folded.tokens.setdefault(name, TokenChange(change.day))
                into.events += 1
                for field_name, delta in change.deltas.items():
                    into.deltas[field_name] = into.deltas.get(field_name, 0) + delta

    def _closed_before_ms(self, closing_ms: int) -> int:
        """Start of the oldest month that was still open when the event arrived.

        A month is closed if its end + `closes_after_ms` < arrival.
        """
        at_ms = closing_ms - self._closes_after_ms - 1
        begin_ms, end_ms = self._month_ms
        if not begin_ms <= at_ms < end_ms:
            month = self._calendar.month_of(at_ms)
            begin_ms, end_ms = self._calendar.month_start_ms(month), self._calendar.month_end_ms(month)
            self._month_ms = begin_ms, end_ms
        return begin_ms

    def _restatement(self, arrived: Arrived, month: str, name: str, amount: int) -> Restatement:
        cell = names.parse_field(name)
        return Restatement(
            topic=self._topic,
            partition=self._partition,
            offset=arrived.offset,
            arrival_ms=arrived.closing_ms,
            event_type=arrived.event.type,
            month=month,
            measure=cell.measure,
            by=cell.by,
            field=cell.field,
            delta=amount,
        )


def difference(old: Increments, new: Increments) -> Changes:
    """New contributions minus old ones, field by field: (field, (10 s start, delta))."""
    if not old:
        return list(new.items())
    changes = []
    for name, cell in new.items():
        before = old.get(name)
        if before is None:
            changes.append((name, cell))
        elif before != cell:
            if before[0] == cell[0]:
                changes.append((name, (cell[0], cell[1] - before[1])))
            else:
                changes.append((name, (before[0], -before[1])))
                changes.append((name, cell))
    changes.extend((name, (cell[0], -cell[1])) for name, cell in old.items() if name not in new)
    return changes


def _count(changes: dict[str, TokenChange], name: str, day: str, fields: Iterable[str], sign: int) -> None:
    change = changes.setdefault(name, TokenChange(day))
    for each in fields:
        change.deltas[each] = change.deltas.get(each, 0) + sign


def _leave(folded: Folded, subject: str, old: Mapping[str, int], new: Mapping[str, int]) -> None:
    for series in old:
        if series not in new:
            folded.left.add((series, subject))
    for series in new:
        folded.left.discard((series, subject))
