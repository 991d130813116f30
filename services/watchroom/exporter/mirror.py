"""The exporter's own copy of what Redis holds, brought up to date once a second.

Only what changed is read. The order of one refresh matters: each partition's `applied_until` is read
*before* the buckets, so it never promises more than the copy holds. A refresh that fails half-way, or finds at its
end that the keys were cleared meanwhile, changes nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, assert_never

from watchroom.catalogue.model import Catalogue
from watchroom.errors import StoreUnavailable
from watchroom.exporter.figures import FigureMonths
from watchroom.exporter.measures import OpenMeasure, WindowedMeasure
from watchroom.exporter.sums import WindowSums, by_area_of, windows_of
from watchroom.exporter.tokens import NO_TOKENS, TokenMeasure, TokenReading, TokenWindows
from watchroom.kinds import kind_of, open_now
from watchroom.kinds.kind import Reads
from watchroom.kinds.open_now import OpenTile
from watchroom.rolling.buckets import month_name
from watchroom.rolling.calendar import Calendar
from watchroom.rolling.windows import Window, windows_at
from watchroom.store.evictions import Process
from watchroom.store.meta import Meta
from watchroom.store.open_transactions import OpenTransaction
from watchroom.store.partition_counts import PartitionCounts
from watchroom.store.read import PartitionState, Reader, SourceState

Value = TypeVar("Value")
REREAD_EACH_REFRESH = 8  # buckets read again although unchanged: about 440 are held, so each once a minute


@dataclass(frozen=True, slots=True)
class Reading:
    """What one refresh found, apart from the buckets."""

    read_at_ms: int  # when the refresh began
    meta: Meta | None
    partitions: Mapping[tuple[str, int], PartitionState]
    sources: Mapping[tuple[str, str], SourceState]
    dead_letters: Mapping[tuple[str, str], int]
    tiles: Mapping[str, OpenTile]  # by series
    ignored_fields: Mapping[tuple[str, str], int] = field(default_factory=dict)
    raw_identifiers: Mapping[tuple[str, str], int] = field(default_factory=dict)
    tokens: TokenReading = NO_TOKENS
    process: Process | None = None
    partition_counts: Mapping[str, PartitionCounts] = field(default_factory=dict)  # by topic
    open_transactions: Mapping[tuple[str, int], OpenTransaction] = field(default_factory=dict)


class Mirror:
    """Window sums and the latest reading, shared by the refreshing loop and the scrapes.

    `lock` is held while sums are changed or read, never during I/O: a Redis that hangs stops the loop
    and not the scrapes, which then find the copy too old and withhold it.
    """

    def __init__(
        self,
        reader: Reader,
        catalogue: Catalogue,
        calendar: Calendar,
        topics: Collection[str] | None = None,
        tokens: TokenWindows | None = None,
    ) -> None:
        """Prepare a copy that is empty until the first refresh.

        Args:
            reader: Redis.
            catalogue: The measures.
            calendar: The reporting zone.
            topics: Topics of the streams that are fed; what Redis still holds for others is left out. None: all.
            tokens: What is read of token counts; None: nothing.
        """
        self.catalogue = catalogue
        self._topics = topics
        self._tokens = tokens
        self.lock = threading.Lock()
        self.reading: Reading | None = None
        self.redis_answers = False
        self.redis_fault = "no reading yet"
        self.windowed: list[WindowedMeasure] = []
        self.open: list[OpenMeasure] = []
        self.of_tokens: list[TokenMeasure] = []
        for measure in catalogue.measures.values():
            reads = kind_of(measure).reads
            match reads:
                case Reads.BUCKETS:
                    self.windowed.append(WindowedMeasure(measure, catalogue.witnesses(measure)))
                case Reads.OPEN_SET:
                    self.open.append(OpenMeasure(measure))
                case Reads.TOKENS:
                    self.of_tokens.append(TokenMeasure(measure))
                case Reads.FIGURES | Reads.NOTHING:
                    pass  # `figures` has them; a note has nothing
                case _:
                    assert_never(reads)
        self.figures = FigureMonths(catalogue.measures.values())
        self._questions = [
            open_now.question(each.measure, series.name, series.by) for each in self.open for series in each.series
        ]
        self._reader = reader
        self._calendar = calendar
        by_measure = windows_of(catalogue)
        self._wanted = sorted(frozenset().union(*by_measure.values()))
        self.sums = WindowSums(by_measure, by_area_of(catalogue.measures.values()))
        self._seq: int | None = None
        self._generation = ("", "")  # of the Redis process, and of the keys in it
        self._read_order: dict[str, None] = {}  # held buckets, the longest unread first

    def refresh(self, now_ms: int) -> None:
        """Bring everything up to date; an unreachable Redis is noted and changes nothing else."""
        try:
            self._refresh(now_ms)
        except StoreUnavailable as error:
            self.redis_answers, self.redis_fault = False, str(error)
        else:
            self.redis_answers, self.redis_fault = True, ""

    def up(self, now_ms: int, limit_ms: int) -> bool:
        """Redis answered the last refresh recently: a refresh that hangs counts as no answer."""
        recent = self.reading is not None and now_ms - self.reading.read_at_ms <= limit_ms
        return self.redis_answers and recent

    def _refresh(self, now_ms: int) -> None:
        process = self._reader.process()
        connections = self._reader.connections
        generation = process.run_id, self._reader.generation()
        partitions = self._of_fed(self._reader.partitions())  # before the buckets: see the module's docstring
        sources = self._of_fed(self._reader.sources())
        meta = self._reader.meta()
        members = windows_at(now_ms, self._wanted, self._calendar)
        seq, to_read, is_everything = self._to_read(members, everything=generation != self._generation)
        contents = self._reader.buckets(to_read)
        reading = Reading(
            now_ms,
            meta,
            partitions,
            sources,
            tiles=self._tiles(now_ms),
            dead_letters=self._of_fed(self._reader.dead_letters()),
            ignored_fields=self._of_fed(self._reader.ignored_fields()),
            raw_identifiers=self._of_fed(self._reader.raw_identifiers()),
            tokens=self._tokens.reading if self._tokens else NO_TOKENS,
            process=process,
            partition_counts=self._reader.partition_counts(),
            open_transactions=self._of_fed(self._reader.open_transactions()),
        )
        if self._reader.generation() != generation[1]:
            return  # cleared while it was read: an earlier `applied_until` would vouch for later buckets
        if self._reader.connections != connections:
            return  # read from two servers, of which one may hold less than the other's `applied_until` promises
        with self.lock:
            self.sums.move(members)
            if is_everything:
                self.figures.forget_all()
            for name, fields in zip(to_read, contents, strict=True):
                self.sums.replace(name, fields)
                self.figures.replace(name, fields)
            self.reading = reading
        self._seq, self._generation = seq, generation
        self._remember_order(to_read)

    def _of_fed(self, found: Mapping[tuple[str, Any], Value]) -> dict[tuple[str, Any], Value]:
        """Only the entries of topics that are fed; keys begin with the topic."""
        return {key: value for key, value in found.items() if self._topics is None or key[0] in self._topics}

    def _to_read(self, members: Mapping[Window, frozenset[str]], *, everything: bool) -> tuple[int, list[str], bool]:
        """The latest step, the buckets to read, and whether these are all.

        All when Redis is another one, was cleared or has gone back; every month that there is among them, for a
        figure may be of any.
        """
        wanted = frozenset[str]().union(*members.values())
        seq, changed = self._reader.changed_since(self._seq or 0)
        if everything or changed is None or self._seq is None or seq < self._seq:
            months = map(month_name, self._reader.months()) if self.figures.measures else ()
            return seq, sorted(wanted.union(months)), True
        again = [name for name in self._read_order if name in wanted][:REREAD_EACH_REFRESH]
        of_figures = filter(self.figures.wants, changed)
        due = self.sums.missing(members).union(wanted.intersection(changed), of_figures, again)
        return seq, sorted(due), False

    def _remember_order(self, just_read: Sequence[str]) -> None:
        for name in just_read:
            self._read_order.pop(name, None)
            self._read_order[name] = None
        for name in self._read_order.keys() - self.sums.members():
            del self._read_order[name]

    def _tiles(self, now_ms: int) -> dict[str, OpenTile]:
        answers = self._reader.open_tiles(self._questions, now_ms)
        return {question.series: tile for question, tile in zip(self._questions, answers, strict=True)}
