"""Writes the bands of closed months: tokens are kept for about a year, bands for good.

The worker that has a stream's first partition does it; any other worker would write the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import structlog

from watchroom.catalogue.model import Catalogue
from watchroom.errors import StoreUnavailable
from watchroom.intake.intake import Intake
from watchroom.kinds import kind_of, names
from watchroom.kinds.kind import Reads
from watchroom.kinds.measure import Measure
from watchroom.rolling.calendar import Calendar
from watchroom.settings import Settings
from watchroom.store import bands
from watchroom.store.bands import MonthBands
from watchroom.store.freshness import Age, age_of, applied_until
from watchroom.store.read import Reader
from watchroom.store.write import Store
from watchroom.timing import now_ms

EVERY_S = 30.0
READ_WITHIN_S = 30.0

log = structlog.get_logger("watchroom.intake")


class MonthBandsWriter:
    """Writes bands that are missing, or that no longer agree with the hashes.

    Args:
        settings: Which Redis and force; the zone, and when months close.
        catalogue: The measures.
        store: Writes.
    """

    def __init__(self, settings: Settings, catalogue: Catalogue, store: Store) -> None:
        self._settings = settings
        self._store = store
        self._calendar = Calendar(settings.zone)
        # with a back-off of its own: it needs rights that no step needs, and a missing one must not delay steps
        self._reader = Reader(settings.redis, settings.force, READ_WITHIN_S)
        measures = [m for m in catalogue.measures.values() if kind_of(m).reads is Reads.TOKENS]
        self._of_stream = {s: [m for m in measures if m.stream == s] for s in settings.streams}

    async def write_due(self, intake: Intake) -> None:
        """Write what is due of the streams whose first partition is ours; if Redis does not answer, the next time."""
        ours = {topic for topic, partition in (each.topic_partition for each in intake.assignment) if partition == 0}
        for stream, measures in self._of_stream.items():
            if measures and self._settings.topic(stream) in ours:
                try:
                    await self.write(stream, now_ms())
                except StoreUnavailable as error:
                    log.warning("bands of closed months are not written yet: no answer from Redis", detail=str(error))

    def close(self) -> None:
        """Give the connections back."""
        self._reader.close()

    async def write(self, stream: str, at_ms: int) -> int:
        """Write what is due of one stream; returns how many months were written.

        Raises:
            StoreUnavailable: Redis did not answer; the rest is written the next time.
        """
        if self._store.is_refused:  # after a changed password, for example; the steps find out when it is over
            return 0
        found = await asyncio.to_thread(self._due, stream, at_ms)
        written = 0
        for measure, month, made in found:
            written += await self._store.write_bands(stream, bands.field(measure, month), made)
        return written

    def _due(self, stream: str, at_ms: int) -> Sequence[tuple[str, str, MonthBands]]:
        applied_ms = applied_until(self._reader.partitions(), [self._settings.topic(stream)])
        if applied_ms is None or age_of(applied_ms, at_ms, self._settings.fresh_s * 1000) is Age.OLD:
            return []
        versions, stored, _ = self._reader.held_tokens()
        found = []
        for measure in self._of_stream[stream]:
            due = [m for m in self._closed(measure, versions, applied_ms) if _is_due(measure, m, versions, stored)]
            made = bands.bands_of_months(measure.id, due, versions, self._reader.token_hash)
            found += [(measure.id, month, each) for month, each in made]
        return found

    def _closed(self, measure: Measure, versions: Mapping[str, int], applied_ms: int) -> list[str]:
        """Closed months whose hash is held."""
        head = names.token_month(measure.id, "")
        held = (name.removeprefix(head) for name in versions if name.startswith(head))
        closes_after_ms = self._settings.closes_after_ms(measure.stream)
        return [month for month in held if self._calendar.month_end_ms(month) + closes_after_ms < applied_ms]


def _is_due(measure: Measure, month: str, versions: Mapping[str, int], stored: Mapping[str, str]) -> bool:
    text = stored.get(bands.field(measure.id, month))
    return text is None or not bands.is_current(bands.from_json(text), measure.id, month, versions)
