"""What a replay moved, as it stands in Redis afterwards."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from watchroom.kinds import names
from watchroom.reports.collect import Collector
from watchroom.reports.rows import Row, topic_of
from watchroom.settings import Settings
from watchroom.streams import STREAMS


def moved_rows(settings: Settings, streams: Sequence[str], months: Collection[str], now_ms: int) -> list[Row]:
    """Rows of the months and streams that a replay moved, then the open measures at `now_ms`.

    Args:
        settings: The replay's: they lead to its Redis.
        streams: What it fed.
        months: Months it moved.
        now_ms: The replay's now: open measures, and how far its months are complete, are judged at it.

    Raises:
        ConfigurationInvalid: The catalogue cannot be used.
        RebuildNeeded: Redis holds one of the streams under another definition.
        StoreUnavailable: Redis did not answer.
    """
    collector = Collector.of(settings)
    try:
        collector.check(streams)
        topics = {settings.topic(stream) for stream in streams}
        known = collector.catalogue.measures.values()
        measures = {measure.id for measure in known if set(measure.streams) <= set(streams)}
        rows = [
            row
            for row in collector.months(months, dict.fromkeys(STREAMS, now_ms))
            if row["measure"] in measures or (row["measure"] == names.ORPHANS and topic_of(row) in topics)
        ]
        return rows + collector.open(streams, rows, now_ms)
    finally:
        collector.reader.close()
