"""Measures of tokens: read separately from the buckets, at most once a minute, and only where something changed.

A month of callers has tens of thousands of tokens, so only the bands of each window are kept here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from watchroom.catalogue.metrics import about, suffixes
from watchroom.catalogue.model import Catalogue
from watchroom.errors import StoreUnavailable
from watchroom.exporter.exposition import gauge, labels_text, line
from watchroom.kinds import kind_of, names, tokens
from watchroom.kinds.kind import Over, Reads
from watchroom.kinds.measure import Measure
from watchroom.kinds.tokens import Bands
from watchroom.rolling.calendar import Calendar
from watchroom.rolling.windows import MONTH, TWELVE_MONTHS, Window, months_shown
from watchroom.settings import Settings
from watchroom.store.freshness import applied_until
from watchroom.store.read import Reader

PUBLISHED_FOR_MS = 180_000
Hashes = tuple[str, ...]  # names


class TokenReading(NamedTuple):
    """What one reading found."""

    as_of_ms: Mapping[str, int | None]  # by stream: up to when everything is in it
    bands: Mapping[str, Mapping[Window, Bands]]  # by measure; a window that must not be published is left out

    def of(self, measure: Measure, now_ms: int) -> Mapping[Window, Bands]:
        """The bands of a measure's windows; empty once they are too old to be shown."""
        as_of_ms = self.as_of_ms.get(measure.stream)
        if as_of_ms is None or abs(now_ms - as_of_ms) >= PUBLISHED_FOR_MS:
            return {}
        return self.bands.get(measure.id, {})


NO_TOKENS: Final = TokenReading({}, {})


class _Kept(NamedTuple):
    running: str  # an empty month is 0 while it is current, and has no figure once it is over
    versions: tuple[tuple[str, int | None], ...]
    bands: Bands | None


def hashes_of(measure: Measure, now_ms: int, calendar: Calendar) -> dict[Window, Hashes]:
    """The hashes of each of a measure's windows at a moment, the oldest first."""
    found: dict[Window, Hashes] = {}
    for name in measure.windows:
        if name == MONTH:
            for month in months_shown(now_ms, calendar):
                found[Window(MONTH, month)] = (names.token_month(measure.id, month),)
        else:
            found[Window(name)] = tuple(tokens.hashes_of(measure.id, name, now_ms, calendar))
    return found


def publishable(window: Window, hashes: list[dict[str, int]], running: str) -> Bands | None:
    """A window's bands; None where they would mislead.

    Tokens of two keys are withheld: one telephone would be two. Twelve months of which the oldest holds nothing
    are fewer than twelve, and a past month that holds nothing may be one before the feed.
    """
    if window.name == TWELVE_MONTHS and not hashes[0]:
        return None
    if window.name == MONTH and window.month != running and not hashes[0]:
        return None
    bands = tokens.bands_of(tokens.together(map(tokens.today, hashes)))
    return bands if bands.token_keys <= 1 else None


class TokenWindows:
    """The latest reading, shared by the loop that reads and the scrapes.

    Args:
        reader: Redis, with a connection of its own: reading may take a second.
        catalogue: The measures.
        settings: Zone and topics.
    """

    def __init__(self, reader: Reader, catalogue: Catalogue, settings: Settings) -> None:
        self._reader = reader
        self._settings = settings
        self._calendar = Calendar(settings.zone)
        self.measures = [
            measure
            for measure in catalogue.measures.values()
            if kind_of(measure).reads is Reads.TOKENS and suffixes(measure) and measure.stream in settings.streams
        ]
        self._generation = ("", "")
        self._kept: dict[tuple[str, Window], _Kept] = {}
        self.reading = NO_TOKENS

    def refresh(self, now_ms: int) -> None:
        """Read what changed. A Redis that does not answer, or was cleared meanwhile, changes nothing."""
        try:
            self._refresh(now_ms)
        except StoreUnavailable:
            return  # what was read earlier ages, until it is no longer published

    def _refresh(self, now_ms: int) -> None:
        generation = self._reader.process().run_id, self._reader.generation()
        if generation != self._generation:
            self._kept = {}
        as_of_ms = self._as_of()  # before the hashes: it never promises more than they hold
        versions = self._reader.token_versions()
        found = {measure.id: dict(self._windows(measure, versions, now_ms)) for measure in self.measures}
        if self._reader.generation() == generation[1]:
            self._generation = generation
            self.reading = TokenReading(as_of_ms, found)

    def _as_of(self) -> dict[str, int | None]:
        partitions = self._reader.partitions()
        return {stream: applied_until(partitions, [topic]) for stream, topic in self._settings.topics.items()}

    def _windows(self, measure: Measure, versions: Mapping[str, int], now_ms: int) -> Iterator[tuple[Window, Bands]]:
        running = self._calendar.month_of(now_ms)
        read: dict[str, dict[str, int]] = {}
        for window, hashes in hashes_of(measure, now_ms, self._calendar).items():
            now = tuple((name, versions.get(name)) for name in hashes)
            kept = self._kept.get((measure.id, window))
            if kept is None or (kept.running, kept.versions) != (running, now):
                for name in hashes:
                    if name not in read:
                        read[name] = self._reader.token_hash(name) if name in versions else {}
                kept = _Kept(running, now, publishable(window, [read[name] for name in hashes], running))
                self._kept[measure.id, window] = kept
            if kept.bands is not None:
                yield window, kept.bands


class TokenMeasure:
    """Text of a measure of tokens."""

    def __init__(self, measure: Measure) -> None:
        self.measure = measure
        self._kind = kind_of(measure)

    def text(self, reading: TokenReading, now_ms: int) -> str:
        """All families of the measure; empty once the reading is too old."""
        found = reading.of(self.measure, now_ms)
        if not found:
            return ""
        as_of_ms, text = reading.as_of_ms[self.measure.stream] or 0, ""
        for suffix, family in suffixes(self.measure).items():
            name, said = names.metric(self.measure.id, suffix), about(self.measure, family)
            if family.over is Over.READING:
                lines = [line(name, "", as_of_ms / 1000)]
            else:
                lines = [
                    line(name, labels_text({**further, **window.labels()}), self._kind.figure(bands, figure) or 0)
                    for window, bands in found.items()
                    for further, figure in family.samples
                ]
            text += gauge(name, said, lines)
        return text
