"""Reads figures from Redis for reports: as they are, even if they are old. Every row says up to when it is complete."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from watchroom.catalogue.load import load_catalogue
from watchroom.kinds import kind_of, names, open_now
from watchroom.kinds.kind import Reads
from watchroom.kinds.measure import Measure
from watchroom.kinds.open_now import OpenTile
from watchroom.reports.held import AsOf
from watchroom.reports.rows import Month, Row, month_rows, open_rows
from watchroom.rolling.calendar import Calendar
from watchroom.settings import Settings
from watchroom.store.compatibility import Compatibility, check_compatible
from watchroom.store.freshness import applied_until
from watchroom.store.read import Reader
from watchroom.streams import STREAMS


class Collector:
    """Figures of one force under one catalogue."""

    def __init__(self, settings: Settings) -> None:
        """Load the catalogue and prepare a reader; nothing is read yet.

        Raises:
            ConfigurationInvalid: The catalogue cannot be used.
        """
        self.settings = settings
        self.catalogue = load_catalogue(settings.schemas / "measures", settings.areas)
        self.reader = Reader(settings.redis, settings.force)

    def check(self, streams: Iterable[str] = ()) -> Compatibility:
        """Check that Redis holds figures of at least one stream, and of each of `streams`, under our definitions.

        Raises:
            WorkFailed: No worker has ever written to it.
            RebuildNeeded: Its figures were made under other definitions.
            StoreUnavailable: Redis did not answer.
        """
        found = check_compatible(self.reader, self.settings, self.catalogue)
        found.refuse(streams)
        return found

    def months(self, only: Collection[str] | None, as_of: AsOf, *, published: bool = False) -> list[Row]:
        """Rows of all months, or of those named in `only`; by month, then in catalogue order.

        `as_of` decides which months are closed: how far the partitions are applied, or, after a replay, the time of
        the replay.
        """
        held = self.reader.held_tokens()
        bands = {m.id: held.months(m.id) for m in self.catalogue.measures.values() if _has_bands(m)}
        known = sorted({*self.reader.months(), *(month for months in bands.values() for month in months)})
        wanted = [month for month in known if only is None or month in only]
        topics = {self.settings.topic(stream): stream for stream in STREAMS}
        rows: list[Row] = []
        for name in wanted:
            fields, log = self.reader.month(name)
            of_month = ((m, held.month(m, name, self.reader.token_hash)) for m in bands)
            reported_bands = {m: each for m, each in of_month if each is not None}
            month = Month(
                name,
                fields,
                log if published else (),
                self.closed(name, as_of),
                topics,
                self.settings.streams,
                reported_bands,
            )
            rows += month_rows(self.catalogue, month, as_of, published=published)
        return rows

    def open(self, streams: Iterable[str], seen: Sequence[Row], now_ms: int) -> list[Row]:
        """Rows of the open measures of some streams at `now_ms`.

        A label set has a row if it has members, or if a row of `seen` (months of the same streams) has the same
        labels. Its row then says 0.
        """
        rows: list[Row] = []
        for stream in streams:
            for measure in self.catalogue.of_stream(stream):
                if kind_of(measure).reads is Reads.OPEN_SET:
                    rows += open_rows(measure, self._tiles(measure, seen, now_ms), now_ms)
        return rows

    def as_of(self) -> dict[str, int | None]:
        """For each stream that is fed or held, until when all its partitions are applied; None if one never was."""
        applied: dict[str, int | None] = {}
        partitions = self.reader.partitions()
        for stream in STREAMS:
            topic = self.settings.topic(stream)
            if stream in self.settings.streams or topic in {of for of, _ in partitions}:
                applied[stream] = applied_until(partitions, [topic])
        return applied

    def closed(self, month: str, as_of: AsOf) -> dict[str, bool]:
        """By stream: whether everything that arrived before the month closed is applied.

        See docs/architecture.md#months-and-restatements.
        """
        end_ms = Calendar(self.settings.zone).month_end_ms(month)
        closes_ms = {stream: end_ms + self.settings.closes_after_ms(stream) for stream in STREAMS}
        return {stream: (as_of.get(stream) or 0) >= closes_ms[stream] for stream in STREAMS}

    def _tiles(
        self, measure: Measure, seen: Sequence[Row], now_ms: int
    ) -> Iterator[tuple[Mapping[str, str], OpenTile]]:
        sets = list(measure.label_sets())
        questions = [open_now.question(measure, names.series(measure.id, by), by) for by in sets]
        same_stream = {other.id for other in self.catalogue.of_stream(measure.stream)}
        known = [row["by"] for row in seen if row["measure"] in same_stream]
        for by, tile in zip(sets, self.reader.open_tiles(questions, now_ms), strict=True):
            if tile.open or tile.gave_up or by in known:
                yield by, tile


def _has_bands(measure: Measure) -> bool:
    kind = kind_of(measure)
    return kind.reads is Reads.TOKENS and bool(kind.published)
