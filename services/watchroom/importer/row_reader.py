"""Reads rows under a mapping: each row gives a draft of each event. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice, product
from typing import NamedTuple

from watchroom.events.tokeniser import NotNormalised, Tokeniser
from watchroom.importer.event_fields import STREAM_OF
from watchroom.importer.field_sources import (
    Candidate,
    DateText,
    ValueUnusable,
    key_text,
    order_of,
    origin,
    seconds_of,
    what_is_empty,
)
from watchroom.importer.listed import Labels, as_label, as_listed
from watchroom.importer.local_time import LocalTimes, TimeUnreadable
from watchroom.importer.mapping_model import EventConfig, MappingConfig
from watchroom.importer.mapping_values import FieldSource, TimeSource
from watchroom.importer.time_forms import EPOCHS
from watchroom.kinds.measure import resolved

MOST_WAYS = 4096  # to read the times of one row
_NEVER = re.compile(r"0+(\.0+)?", re.ASCII)
_ZERO_DATE = re.compile(r"[0\s:/.T-]*0[0\s:/.TZ+-]*", re.ASCII)


class Draft(NamedTuple):
    """One row's values for one event; None where it has none."""

    type: Candidate
    time: Candidate | None
    arrival: Candidate | None
    extra_key: tuple[str, ...]
    data: dict[str, Candidate]
    others: tuple[tuple[str, str], ...] = ()  # label and text of the file, where it became `other`


Drafts = tuple[Draft | None, ...]
"""Of one row, in the order of the mapping's events."""


@dataclass(frozen=True, slots=True)
class RowReader:
    """Reads rows under one mapping."""

    mapping: MappingConfig
    times: LocalTimes
    tokens: Tokeniser | None
    labels: Labels
    day_from: TimeSource | None  # a value with date and time, for times without a day

    @classmethod
    def of(cls, mapping: MappingConfig, tokens: Tokeniser | None, now_ms: int | None, labels: Labels) -> RowReader:
        """The reader for a mapping.

        Args:
            mapping: The mapping.
            tokens: Makes its tokens; None only for a mapping without tokens.
            now_ms: This machine's clock; no event may be later. None: any time is accepted.
            labels: The labels that texts become.
        """
        if tokens is None and mapping.token_columns():
            raise TypeError("this mapping makes tokens, so it needs a tokeniser")
        return cls(mapping, LocalTimes.of(mapping.time, now_ms), tokens, labels, mapping.time.whole_day_from())

    def near_to(self, ms: int) -> RowReader:
        """The same, but clock times without a day lie within 12 h of a time."""
        return replace(self, times=self.times.near_to(ms))

    def day_ms(self, cells: Mapping[str, str]) -> int | None:
        """The time of a row for `day_from`; None if it is empty.

        Raises:
            ValueUnusable: It is not a time.
        """
        found = self._time(self.day_from, cells, "time.day_from") if self.day_from else None
        return None if found is None else int(found.value)

    def ordered_drafts(self, cells: Mapping[str, str]) -> tuple[Drafts, bool]:
        """A row's draft of each event, and whether its times can be read in two ways, of which one keeps them in order.

        Raises:
            ValueUnusable: A value the row has cannot be used, or one it must have is missing.
        """
        first = self.drafts(cells)
        if self.mapping.time.ambiguous_hour != "in_order":
            return first, False
        try:
            second = replace(self, times=self.times.later()).drafts(cells)
        except ValueUnusable:  # later than the clock: only one is possible
            return first, True
        twice = [(a,) if a == b else (a, b) for a, b in zip(first, second, strict=True)]
        if all(len(ways) == 1 for ways in twice):
            return first, False
        return min(islice(product(*twice), MOST_WAYS), key=_disorder), True

    def drafts(self, cells: Mapping[str, str]) -> Drafts:
        """A row's draft of each event; raises as `ordered_drafts`."""
        return tuple(self._draft(event, cells) for event in self.mapping.event)

    def _draft(self, event: EventConfig, cells: Mapping[str, str]) -> Draft | None:
        """A row's draft of an event; None if the event's `when` does not hold for the row."""
        if event.when and not all(condition.holds(cells[condition.column]) for condition in event.when):
            return None
        kind = self._candidate(event.type, cells, "type")
        if kind is None:
            raise ValueUnusable(f"there is no event type: {what_is_empty(event.type, cells)}")
        time = self._time(event.time, cells, "time")
        if time is None and event.per == "row" and not event.optional:
            raise ValueUnusable(
                f"{kind.value} has no time: {what_is_empty(event.time, self._without_zeros(event.time, cells))}"
            )
        data = {}
        others = []
        for name, source in event.data.items():
            if (candidate := self._candidate(source, cells, f"data.{name}")) is None:
                continue
            if label := self.labels.get((STREAM_OF.get(str(kind.value), ""), name)):
                candidate = candidate._replace(value=as_label(str(candidate.value), label))
                if resolved(label, candidate.value) == label.other and not source.constant:
                    others.append((label.name, origin(source, cells)))
            data[name] = candidate
        return Draft(
            type=kind,
            time=time,
            arrival=self._time(event.arrival, cells, "arrival") if event.arrival else None,
            extra_key=tuple(key_text(cells[column], column) for column in event.key),
            data=data,
            others=tuple(others),
        )

    def _candidate(self, source: FieldSource, cells: Mapping[str, str], key: str) -> Candidate | None:
        text = self._text(source, cells, key)
        if source.token and self.tokens and text:
            try:
                text = self.tokens.token(source.token, text)
            except NotNormalised as error:
                raise ValueUnusable(
                    f"{key}: cannot make the {source.token} token from {' and '.join(source.source_columns())}: {error}"
                ) from None
        return Candidate(text, order_of(source, cells)) if text else None

    def _time(self, source: TimeSource, cells: Mapping[str, str], key: str) -> Candidate | None:
        text = self._text(source, self._without_zeros(source, cells), key)
        if not text:
            return None
        try:
            forms = source.formats or self.times.formats
            if isinstance(text, DateText) and "iso" not in forms:
                forms = (*forms, "iso")
            ms = self.times.ms(text + source.append, forms)
            if source.plus_seconds:
                if not cells[source.plus_seconds]:
                    return None
                ms += round(seconds_of(cells[source.plus_seconds], source.plus_seconds) * 1000)
                self.times.check(ms, f"{text} plus {cells[source.plus_seconds]} s")
        except TimeUnreadable as error:
            raise ValueUnusable(f"{key}: {error}") from error
        return Candidate(ms, order_of(source, cells))

    def _without_zeros(self, source: TimeSource, cells: Mapping[str, str]) -> Mapping[str, str]:
        """A row in which the zeros of a time that mean `never` are empty cells."""
        if source.zero_means_never:
            zeros = [name for name in source.source_columns() if self._is_never(cells[name], source)]
        elif any(form in EPOCHS for form in source.formats or self.times.formats):
            zeros = [name for name in source.source_columns() if _NEVER.fullmatch(cells[name])]
        else:
            return cells
        return {**cells, **dict.fromkeys(zeros, "")} if zeros else cells

    def _is_never(self, text: str, source: TimeSource) -> bool:
        return bool(_ZERO_DATE.fullmatch(text)) or self.times.is_epoch(text, source.formats)

    def _text(self, source: FieldSource, cells: Mapping[str, str], key: str) -> str:
        text = origin(source, cells)
        if not text:
            if source.required:
                raise ValueUnusable(f"{key}: {what_is_empty(source, cells)}, but the mapping requires it")
            return ""
        if not source.map:
            return text
        named = self.mapping.map[source.map]
        known = named.values.get(as_listed(text, named.values), named.otherwise)
        if known is None:
            raise ValueUnusable(f"{key}: {text!r} is not in [map.{source.map}]; add it there, or set its `otherwise`")
        return known


def _disorder(drafts: Drafts) -> tuple[bool, int]:
    """Lowest for times in order and closest together; equal if no reading is in order, so that the first counts."""
    times = [int(draft.time.value) for draft in drafts if draft and draft.time]
    known = [draft.arrival.value if draft.arrival else draft.time.value for draft in drafts if draft and draft.time]
    is_ordered = times == sorted(times) and all(int(at) >= time for at, time in zip(known, times, strict=True))
    return not is_ordered, max(times) - min(times) if is_ordered and times else 0
