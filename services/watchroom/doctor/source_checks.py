"""Sources: which are silent, and whose clock is ahead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from watchroom.doctor.facts import Log
from watchroom.doctor.finding import Finding, finding
from watchroom.exporter.freshness import last_seen_of, silence, staleness
from watchroom.settings import Settings
from watchroom.store.freshness import CLOCK_SLACK_MS
from watchroom.store.meta import Meta
from watchroom.store.read import PartitionState, SourceState
from watchroom.streams import STREAMS

DAY_MS = 86_400_000


def of_silence(
    settings: Settings,
    meta: Meta | None,
    partitions: Mapping[tuple[str, int], PartitionState],
    sources: Mapping[tuple[str, str], SourceState],
    now_ms: int,
) -> Iterator[Finding]:
    """Sources that a stream waits for and that have sent nothing recently.

    Skips streams that are behind: what their sources sent may not have been applied yet.
    """
    for stream, topic in settings.topics.items():
        fresh = {number: state.fresh_ms for (of, number), state in partitions.items() if of == topic}
        count = meta.partitions.get(topic) if meta else None
        is_behind = any(staleness(fresh, count, now_ms, round(settings.fresh_s * 1000)))
        if is_behind or not STREAMS[stream].is_waited_for:
            continue
        rules, limit_ms = settings.sources.get(stream, {}), round(settings.silent_s * 1000)
        for why in silence(rules, last_seen_of(topic, sources), now_ms, limit_ms):
            yield finding("source-silent", f"stream {stream}", reason=why, stream=stream, topic=topic)


def of_clocks(settings: Settings, logs: Mapping[tuple[str, int], Log], now_ms: int) -> Iterator[Finding]:
    """Sources with events of the last day that were later than the broker's clock when they arrived."""
    for stream, topic in settings.topics.items():
        ahead: dict[str, int] = {}
        for (of, _), log in sorted(logs.items()):
            for record in log.last if of == topic else ():
                rule = settings.sources.get(stream, {}).get(record.source)
                if record.appended_ms > now_ms - DAY_MS and (rule is None or not rule.history):
                    ahead[record.source] = max(ahead.get(record.source, 0), record.event_ms - record.appended_ms)
        for source, most_ms in sorted(ahead.items()):
            if most_ms > CLOCK_SLACK_MS:
                subject = f"source {source} of {stream}"
                yield finding("source-clock", subject, ahead_s=most_ms / 1000, future_s=settings.future_s)
