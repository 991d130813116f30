"""Rows become events. Pure: rows in, events out.

Independent rows are converted one by one, however large the file. Rows that belong together are first gathered
from all files, because an incident may end in the next file. A row that cannot be used is reported and left out; the
tally counts it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from watchroom.errors import RowRefused
from watchroom.events.messages import shown
from watchroom.events.tokeniser import Tokeniser
from watchroom.importer.drafted_events import DraftedEvents
from watchroom.importer.field_sources import ValueUnusable
from watchroom.importer.listed import Labels
from watchroom.importer.mapped import Mapped
from watchroom.importer.mapping_model import LINE, MappingConfig
from watchroom.importer.row import Row
from watchroom.importer.row_reader import Drafts, RowReader
from watchroom.importer.subjects import Subjects
from watchroom.importer.tally import WITHOUT_EVENT, Tally

_COUNT = re.compile(r"0*(\d+)(?:\.0+)?", re.ASCII)


class _Reading(NamedTuple):
    """A row as the mapping reads it, and what to count once it is used."""

    row: Row
    subject: str
    drafts: Drafts
    by_order: bool


class Conversion:
    """One conversion under one mapping.

    Args:
        mapping: The checked mapping.
        refused: Called with each row that cannot be used.
        tokens: Makes the mapping's tokens, if it has any.
        now_ms: This machine's clock: a row with a later event is refused; None: any time is accepted.
        labels: The labels that texts become, to tell which became `other`.
    """

    def __init__(
        self,
        mapping: MappingConfig,
        refused: Callable[[RowRefused], None],
        *,
        tokens: Tokeniser | None = None,
        now_ms: int | None = None,
        labels: Labels | None = None,
    ) -> None:
        self.tally = Tally()
        self._mapping = mapping
        self._reader = RowReader.of(mapping, tokens, now_ms, labels or {})
        self._subjects = Subjects(mapping, tokens)
        self._events = DraftedEvents(mapping, self.tally)
        self._refused = refused
        self._file_number = -1
        # Both of the file that is being read.
        self._numbered_to: Counter[str] = Counter()  # by key
        self._given: dict[int, int] = {}  # hashes: type and keys -> time and data

    def events(self, rows: Iterable[Row | RowRefused]) -> Iterator[Mapped]:
        """The events of all rows: in arrival order where rows belong together, else row by row."""
        if self._mapping.entity.rows == "apart":
            for reading in self._readings(rows):
                yield from self._numbered(reading) if self._mapping.entity.count else self._apart(reading)
            return
        gathered: dict[str, list[_Reading]] = {}
        for reading in self._readings(rows):
            self._count_repeating(reading)
            gathered.setdefault(reading.subject, []).append(reading)
        events = [event for subject, group in gathered.items() for event in self._together(subject, group)]
        yield from sorted(events, key=lambda event: (event.arrival_ms, event.time_ms))

    def _readings(self, rows: Iterable[Row | RowRefused]) -> Iterator[_Reading]:
        for row, subject, day_ms in self._with_days(self._named(rows)):
            if row.file_number != self._file_number:
                self._file_number = row.file_number
                self._numbered_to.clear()
                self._given.clear()
            reader = self._reader if day_ms is None else self._reader.near_to(day_ms)
            try:
                drafts, by_order = reader.ordered_drafts(row.cells)
            except ValueUnusable as error:
                self._refuse(RowRefused(row.where, str(error)))
            else:
                yield _Reading(row, subject, drafts, by_order)

    def _with_days(self, rows: Iterable[tuple[Row, str]]) -> Iterator[tuple[Row, str, int | None]]:
        """Each row with the time near which its clock times lie: its own, or the first one of its entity.

        That may be in a later row, so rows that belong together are gathered if the mapping has `day_from`.
        """
        if self._reader.day_from is None:
            yield from ((row, subject, None) for row, subject in rows)
            return
        columns = self._mapping.columns()
        gathered: list[tuple[Row, str]] = []
        days_ms: dict[str, int] = {}
        for row, subject in rows:
            try:
                day_ms = None if subject in days_ms else self._reader.day_ms(row.cells)
            except ValueUnusable as error:
                self._refuse(RowRefused(row.where, str(error)))
                continue
            if self._mapping.entity.rows == "apart":
                yield row, subject, day_ms
                continue
            if day_ms is not None:
                days_ms[subject] = day_ms
            gathered.append((row._replace(cells={column: row.cells[column] for column in columns}), subject))
        yield from ((row, subject, days_ms.get(subject)) for row, subject in gathered)

    def _named(self, rows: Iterable[Row | RowRefused]) -> Iterator[tuple[Row, str]]:
        """The rows that are not left out, each with its subject."""
        for row in rows:
            self.tally.rows += 1
            if isinstance(row, RowRefused):
                self._refuse(row)
            elif reason := self._skip_reason(row):
                self.tally.skipped[reason] += 1
            else:
                try:
                    subject = self._subjects.of(row)
                except ValueUnusable as error:
                    self._refuse(RowRefused(row.where, str(error)))
                else:
                    yield row, subject

    def _skip_reason(self, row: Row) -> str:
        return next((skip.reason for skip in self._mapping.skip if skip.holds(row.cells[skip.column])), "")

    def _apart(self, reading: _Reading) -> Iterator[Mapped]:
        row, subject = reading.row, reading.subject
        try:
            events = self._events.checked(subject, list(self._events.of_row(subject, reading.drafts)))
        except ValueUnusable as error:
            self._refuse(RowRefused(row.where, str(error)))
            return
        self._count_repeating(reading)
        if not events:
            self.tally.skipped[WITHOUT_EVENT] += 1
            return
        self._count_used(reading)
        self._events.count(subject, events)
        yield from events

    def _numbered(self, reading: _Reading) -> Iterator[Mapped]:
        """The events of as many entities as a row's count column says.

        Rows of one key add up, so their numbers go on within a file; an overlapping file begins at 1 again.
        """
        row, subject, drafts = reading.row, reading.subject, reading.drafts
        first = self._numbered_to[subject] + 1
        try:
            last = first - 1 + self._number(row)
            if last >= first:  # its name is the longest: if intake accepts its events, it accepts those of all
                longest = f"{subject}:{last}"
                self._events.checked(longest, list(self._events.of_row(longest, drafts)), last - first + 1)
        except ValueUnusable as error:
            self._refuse(RowRefused(row.where, str(error)))
            return
        if last < first:
            self.tally.skipped[f"{self._mapping.entity.count} is 0"] += 1
            return
        self._numbered_to[subject] = last
        if not any(self._events.of_row(subject, drafts)):
            self.tally.skipped[WITHOUT_EVENT] += 1
            return
        self._count_used(reading)
        for number in range(first, last + 1):
            name = f"{subject}:{number}"
            events = list({event.id: event for event in self._events.of_row(name, drafts)}.values())
            self._events.count(name, events)
            yield from events

    def _number(self, row: Row) -> int:
        column, most = self._mapping.entity.count, self._mapping.entity.most
        text = row.cells[column]
        found = _COUNT.fullmatch(text)
        if found is None:
            raise ValueUnusable(f"{column}: {text!r} is not a whole number of 0 or more")
        if len(found[1]) > len(str(most)) or int(found[1]) > most:
            raise ValueUnusable(
                f"{column}: {shown(text)} is more than {most:,}; check the column, or set entity.most in the mapping"
            )
        return int(found[1])

    def _together(self, subject: str, group: list[_Reading]) -> list[Mapped]:
        drafts = [reading.drafts for reading in group]
        try:
            events = self._events.checked(subject, list(self._events.of_group(subject, drafts)))
        except ValueUnusable as error:
            self._refuse_group(subject, group, str(error))
            return []
        if not events:
            self.tally.skipped[WITHOUT_EVENT] += len(group)
            return []
        for reading in group:
            self._count_used(reading)
        self._events.count(subject, events)
        return events

    def _count_used(self, reading: _Reading) -> None:
        """Refused and skipped rows are in none of these counts."""
        self.tally.by_order += reading.by_order
        self.tally.others.update({found for draft in reading.drafts if draft for found in draft.others})
        self.tally.count_missing(self._mapping.time.report_missing, reading.row.cells)

    def _count_repeating(self, reading: _Reading) -> None:
        """Whether a row gives an event of a key again, but not as an earlier row of its file did."""
        if LINE in self._mapping.entity.key:
            return
        is_repeating = False
        for event, draft in zip(self._mapping.event, reading.drafts, strict=True):
            if event.per == "row" and draft is not None and draft.time is not None:
                given = hash((draft.time.value, tuple((name, value.value) for name, value in draft.data.items())))
                known = self._given.setdefault(hash((draft.type.value, reading.subject, draft.extra_key)), given)
                is_repeating = is_repeating or known != given
        self.tally.repeating_rows += is_repeating

    def _refuse(self, refused: RowRefused) -> None:
        self.tally.refused += 1
        self.tally.swallowed_lines += refused.swallowed_lines
        self.tally.unclosed_files += refused.is_unclosed
        self._refused(refused)

    def _refuse_group(self, subject: str, group: list[_Reading], why: str) -> None:
        rows = [reading.row.where for reading in group]
        others = f"; also refused: {', '.join(rows[1:4])}{' ...' if len(rows) > 4 else ''}" if rows[1:] else ""
        self.tally.refused += len(group)
        self._refused(RowRefused(rows[0], f"{subject}: {why}{others}"))
