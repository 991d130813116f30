"""Rows of an extract become events: pure, rows in and events out.

Rows that stand apart are converted one by one, however large the file. Rows that belong together are
gathered from all files first: an incident's end may be in the next file. A row that cannot be used is
reported and left out; the others go on, and the tally counts both.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from watchroom.admission.parse import parse
from watchroom.errors import EventRefused, RowRefused
from watchroom.events.record import Event
from watchroom.events.tokeniser import Tokeniser
from watchroom.importer.event_fields import TRUTH_FIELDS
from watchroom.importer.field_sources import Draft, Drafts, RowReader, ValueUnusable, key_text, pick
from watchroom.importer.listed import Labels, unlisted
from watchroom.importer.mapped import Mapped, id_of, otherwise_subject, subject_beside_otherwise, subject_of
from watchroom.importer.mapping_model import LINE, EventConfig, MappingConfig
from watchroom.importer.rows import Row

_COUNT = re.compile(r"0*(\d+)(?:\.0+)?", re.ASCII)
TRUTHS = {"true": True, "false": False}  # any other text stays one, and counts as absent where it arrives


class _Said(NamedTuple):
    """What a row says, and what is counted of it once it is used."""

    drafts: Drafts
    by_order: bool
    missing: frozenset[str]  # columns of times that are empty


WITHOUT_EVENT = "gives no event: no `when` holds, or its times are empty"


@dataclass(slots=True)
class Tally:
    """What became of the rows; rows = used + skipped + refused."""

    rows: int = 0
    refused: int = 0
    swallowed_lines: int = 0  # by quotes that are not closed: lost, and no rows
    unclosed_files: int = 0  # that end within quotes
    skipped: Counter[str] = field(default_factory=Counter)
    entities: int = 0  # different ones
    events: int = 0
    repeated: int = 0  # events that an earlier row or file already gave; each counts once
    repeating_rows: int = 0  # with an event of a key that an earlier row of the file gave otherwise
    missing: Counter[str] = field(default_factory=Counter)  # rows by column of times that is empty
    passed_over: Counter[tuple[str, str]] = field(default_factory=Counter)  # of these, rows that have the next one
    by_order: int = 0  # rows with times in the hour that happens twice, read so that they stay in order
    others: Counter[tuple[str, str]] = field(default_factory=Counter)  # rows by label and text that became `other`
    ignored: Counter[tuple[str, str]] = field(default_factory=Counter)  # events by field and text of a wrong form
    unlisted: Counter[tuple[str, str]] = field(default_factory=Counter)  # events by listed field and another text

    @property
    def used(self) -> int:
        """Rows that became events, or belong to an entity that did."""
        return self.rows - self.refused - self.skipped.total()

    @property
    def has_open_quotes(self) -> bool:
        """Whether rows may be lost by quotes that are not closed: the command then ends with 1."""
        return bool(self.swallowed_lines or self.unclosed_files)


class Conversion:
    """One conversion under one mapping.

    Args:
        mapping: The checked mapping.
        refused: Called with each row that cannot be used.
        check: Called with each event's JSON; raises EventRefused where our own intake would refuse it.
        tokens: Makes the mapping's tokens, if it has any.
        now_ms: This machine's clock: a row with an event later than it is refused; None: any time may come.
        labels: The labels that texts become, to tell which became `other`.
    """

    def __init__(
        self,
        mapping: MappingConfig,
        refused: Callable[[RowRefused], None],
        check: Callable[[bytes], object] = parse,
        *,
        tokens: Tokeniser | None = None,
        now_ms: int | None = None,
        labels: Labels | None = None,
    ) -> None:
        self._mapping = mapping
        self._reader = RowReader.of(mapping, tokens, now_ms, labels or {})
        self._tokens = tokens
        self._token_columns = mapping.token_columns()
        self._refused = refused
        self._check = check
        self._file_number = -1
        self._numbered_to: Counter[str] = Counter()  # by key, in the file that is being read
        self._equal_rows: Counter[str] = Counter()  # by content, in that file
        self._given_in = -1  # the number of a file
        self._given: dict[int, int] = {}  # hashes in it: type and keys -> time and data
        self._known_subjects: set[int] = set()  # hashes: only their number is wanted
        self._known_ids: set[int] = set()
        self.tally = Tally()

    def events(self, rows: Iterable[Row | RowRefused]) -> Iterator[Mapped]:
        """The events of all rows: in arrival order where rows belong together, else row by row."""
        if self._mapping.entity.rows == "apart":
            for row, subject, said in self._read(rows):
                yield from self._apart(row, subject, said)
            return
        gathered: dict[str, list[_Said]] = {}
        for row, subject, said in self._read(rows):
            self._count_repeating(row, subject, said.drafts)
            gathered.setdefault(subject, []).append(said)
        events = [event for subject, group in gathered.items() for event in self._together(subject, group)]
        yield from sorted(events, key=lambda event: (event.arrival_ms, event.time_ms))

    def _read(self, rows: Iterable[Row | RowRefused]) -> Iterator[tuple[Row, str, _Said]]:
        for row, subject, day_ms in self._with_days(self._named(rows)):
            reader = self._reader if day_ms is None else self._reader.near_to(day_ms)
            try:
                drafts, by_order = reader.drafts(self._mapping.event, row.where, row.cells)
            except ValueUnusable as error:
                self._refuse(RowRefused(row.where, str(error)))
            else:
                empty = frozenset(column for column in self._mapping.time.report_missing if not row.cells[column])
                yield row, subject, _Said(drafts, by_order, empty)

    def _with_days(self, rows: Iterable[tuple[Row, str]]) -> Iterator[tuple[Row, str, int | None]]:
        """Each row with the time that its clock times lie near to: its own, or the first of the rows that belong to it.

        That may be in a later row, so rows that belong together are gathered where the mapping has `day_from`.
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
                if row.file_number != self._file_number:
                    self._begin_file(row)
                try:
                    subject = self._subject(row)
                except ValueUnusable as error:
                    self._refuse(RowRefused(row.where, str(error)))
                else:
                    yield row, subject

    def _count_said(self, said: _Said) -> None:
        """What a row that is used says besides its events; refused and skipped rows are in none of these counts."""
        self.tally.by_order += said.by_order
        self.tally.others.update({found for draft in said.drafts if draft for found in draft.others})
        columns = self._mapping.time.report_missing
        for column in columns:
            self.tally.missing[column] += column in said.missing
        for before, after in pairwise(columns):
            self.tally.passed_over[before, after] += before in said.missing and after not in said.missing

    def _skip_reason(self, row: Row) -> str:
        return next((skip.reason for skip in self._mapping.skip if skip.holds(row.cells[skip.column])), "")

    def _subject(self, row: Row) -> str:
        entity = self._mapping.entity
        parts = self._key_parts(entity.key, row)
        if not entity.otherwise_key:
            return subject_of(_filled(parts, entity.key))
        if all(parts):
            return subject_beside_otherwise(parts)
        return otherwise_subject(_filled(self._key_parts(entity.otherwise_key, row), entity.otherwise_key))

    def _key_parts(self, columns: Sequence[str], row: Row) -> list[str]:
        return [self._row_name(row) if column == LINE else key_text(row.cells[column], column) for column in columns]

    def _row_name(self, row: Row) -> str:
        """What stands for a row that has no key: its content, and which of the equal rows of its file it is.

        Not its file and line: every month's extract has the same name, and an overlapping one other lines. Of what
        becomes a token, a token: from a digest of the row somebody could find a number that he has all the rest of.
        """
        cells = row.cells
        if self._tokens and self._token_columns:
            cells = cells | {column: self._tokens.token("person", cells[column]) for column in self._token_columns}
        content = json.dumps(sorted(cells.items())).encode()
        digest = hashlib.sha256(content).hexdigest()[:20]  # 80 bits: no two of any number of rows that is real
        self._equal_rows[digest] += 1
        return f"{digest}-{self._equal_rows[digest]}"

    def _begin_file(self, row: Row) -> None:
        """Numbers go on within a file only, so that an overlapping one gives the same names again."""
        self._file_number = row.file_number
        self._numbered_to.clear()
        self._equal_rows.clear()

    def _apart(self, row: Row, subject: str, said: _Said) -> Iterator[Mapped]:
        if self._mapping.entity.count:
            yield from self._numbered(row, subject, said)
            return
        try:
            events = self._finish(subject, self._row_events(subject, said.drafts))
        except ValueUnusable as error:
            self._refuse(RowRefused(row.where, str(error)))
            return
        self._count_repeating(row, subject, said.drafts)
        if not events:
            self.tally.skipped[WITHOUT_EVENT] += 1
            return
        self._count_said(said)
        self._count([subject], events)
        yield from events

    def _numbered(self, row: Row, subject: str, said: _Said) -> Iterator[Mapped]:
        """The events of as many entities as a row's count column says.

        Rows of one key add up, so their numbers go on within a file; an overlapping file begins at 1 again.
        """
        drafts = said.drafts
        first = self._numbered_to[subject] + 1
        try:
            last = first - 1 + self._number(row)
            if last >= first:  # its name is the longest: what intake takes of it, it takes of all
                self._finish(f"{subject}:{last}", self._row_events(f"{subject}:{last}", drafts), last - first + 1)
        except ValueUnusable as error:
            self._refuse(RowRefused(row.where, str(error)))
            return
        if last < first:
            self.tally.skipped[f"{self._mapping.entity.count} is 0"] += 1
            return
        self._numbered_to[subject] = last
        if not self._row_events(subject, drafts):
            self.tally.skipped[WITHOUT_EVENT] += 1
            return
        self._count_said(said)
        for number in range(first, last + 1):
            name = f"{subject}:{number}"
            events = list({event.id: event for event in self._row_events(name, drafts)}.values())
            self._count([name], events)
            yield from events

    def _number(self, row: Row) -> int:
        column, most = self._mapping.entity.count, self._mapping.entity.most
        text = row.cells[column]
        found = _COUNT.fullmatch(text)
        if found is None:
            raise ValueUnusable(f"{column}: {text!r} is no whole number of 0 or more")
        if len(found[1]) > len(str(most)) or int(found[1]) > most:
            shown = text if len(text) <= 20 else f"{text[:20]}..."
            raise ValueUnusable(
                f"{column}: {shown!r} is more than {most:,}; check the column, or write entity.most in the mapping"
            )
        return int(found[1])

    def _count_repeating(self, row: Row, subject: str, drafts: Drafts) -> None:
        """Whether a row gives an event of a key again, but not as an earlier row of its file did."""
        if row.file_number != self._given_in:
            self._given_in = row.file_number
            self._given.clear()
        if LINE in self._mapping.entity.key:
            return
        is_repeating = False
        for event, draft in zip(self._mapping.event, drafts, strict=True):
            if event.per == "row" and draft is not None and draft.time is not None:
                said = hash((draft.time.value, tuple((name, value.value) for name, value in draft.data.items())))
                known = self._given.setdefault(hash((draft.type.value, subject, draft.extra_key)), said)
                is_repeating = is_repeating or known != said
        self.tally.repeating_rows += is_repeating

    def _together(self, subject: str, said: list[_Said]) -> list[Mapped]:
        group = [row.drafts for row in said]
        drafted = []
        try:
            for number, event in enumerate(self._mapping.event):
                drafts = [row[number] for row in group if row[number] is not None]
                if event.per == "entity":
                    drafted += self._entity_event(subject, event, [draft for draft in drafts if draft])
            for row in group:
                drafted += self._row_events(subject, row)
            events = self._finish(subject, drafted)
        except ValueUnusable as error:
            self._refuse_group(subject, group, str(error))
            return []
        if not events:
            self.tally.skipped[WITHOUT_EVENT] += len(group)
            return []
        for row_said in said:
            self._count_said(row_said)
        self._count([subject], events)
        return events

    def _row_events(self, subject: str, drafts: Drafts) -> list[Mapped]:
        made = []
        for event, draft in zip(self._mapping.event, drafts, strict=True):
            if event.per == "row" and draft is not None and draft.time is not None:
                data = {name: str(candidate.value) for name, candidate in draft.data.items()}
                arrival = draft.arrival.value if draft.arrival else draft.time.value
                times_ms = (int(draft.time.value), int(arrival))
                made.append(_mapped(subject, draft.extra_key, str(draft.type.value), times_ms, data))
        return made

    @staticmethod
    def _entity_event(subject: str, event: EventConfig, drafts: list[Draft]) -> list[Mapped]:
        """The one event that all rows of an entity make together, or none."""
        if not drafts:
            return []
        time = pick([draft.time for draft in drafts if draft.time], event.time, "time")
        if time is None:
            if event.optional:
                return []
            raise ValueUnusable(f"{drafts[0].type.value} has no time in any row of {subject}")
        types = {str(draft.type.value) for draft in drafts}
        if len(types) > 1:
            raise ValueUnusable(f"type: rows of one entity differ ({', '.join(sorted(types))})")
        arrival = None
        if event.arrival:
            arrival = pick([draft.arrival for draft in drafts if draft.arrival], event.arrival, "arrival")
        data = {}
        for name, source in event.data.items():
            value = pick([draft.data[name] for draft in drafts if name in draft.data], source, f"data.{name}")
            if value is not None:
                data[name] = str(value)
        times_ms = (int(time), int(time if arrival is None else arrival))
        return [_mapped(subject, (), types.pop(), times_ms, data)]

    def _finish(self, subject: str, events: list[Mapped], times: int = 1) -> list[Mapped]:
        """Each event once, and each as our own intake takes it; `times`: how many entities have such events."""
        by_id: dict[str, Mapped] = {}
        for event in events:
            known = by_id.setdefault(event.id, event)
            if known != event:
                raise ValueUnusable(
                    f"two different events {event.id}; name a column in event.key that tells them apart"
                )
        ignored: list[tuple[str, str]] = []
        for event in by_id.values():
            try:
                taken = self._check(event.value(self._mapping.source))
            except EventRefused as error:
                raise ValueUnusable(f"{event.type} of {subject}: {error.detail}") from error
            ignored += [(name, str(event.data[name])) for name in taken.ignored] if isinstance(taken, Event) else []
        for found in ignored:
            self.tally.ignored[found] += times
        for found in (found for event in by_id.values() for found in unlisted(event.type, event.data)):
            self.tally.unlisted[found] += times
        self.tally.repeated += len(events) - len(by_id)
        return list(by_id.values())

    def _count(self, subjects: list[str], events: list[Mapped]) -> None:
        self._known_subjects.update(map(hash, subjects))
        before = len(self._known_ids)
        self._known_ids.update(hash(event.id) for event in events)
        self.tally.entities = len(self._known_subjects)
        self.tally.events += len(events)
        self.tally.repeated += len(events) - (len(self._known_ids) - before)

    def _refuse(self, refused: RowRefused) -> None:
        self.tally.refused += 1
        self.tally.swallowed_lines += refused.swallowed_lines
        self.tally.unclosed_files += refused.is_unclosed
        self._refused(refused)

    def _refuse_group(self, subject: str, group: list[Drafts], why: str) -> None:
        places = list(dict.fromkeys(draft.where for row in group for draft in row if draft))
        others = f"; refused with it: {', '.join(places[1:4])}{' ...' if len(places) > 4 else ''}" if places[1:] else ""
        self.tally.refused += len(group)
        self._refused(RowRefused(places[0] if places else subject, f"{subject}: {why}{others}"))


def _filled(parts: list[str], columns: Sequence[str]) -> list[str]:
    """The texts of key columns; raises ValueUnusable where one is empty."""
    for column, part in zip(columns, parts, strict=True):
        if not part:
            raise ValueUnusable(f"the key column {column!r} is empty")
    return parts


def _mapped(
    subject: str, extra_key: tuple[str, ...], kind: str, times_ms: tuple[int, int], data: dict[str, str]
) -> Mapped:
    time_ms, arrival_ms = times_ms
    typed = {
        name: TRUTHS.get(text.lower(), text) if name in TRUTH_FIELDS[kind] else text for name, text in data.items()
    }
    return Mapped(kind, id_of(subject, extra_key, kind, time_ms), subject, time_ms, arrival_ms, typed)
