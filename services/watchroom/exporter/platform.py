"""The platform's own metrics: they stay visible while measures are withheld, and say why.

Timestamps are exported however old they are while Redis answers: their age is the alarm.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from watchroom.catalogue import names
from watchroom.events.reasons import REASONS
from watchroom.exporter.exposition import gauge, labels_text, line
from watchroom.exporter.mirror import Reading
from watchroom.exporter.sums import ORPHANS_WINDOW, Window, WindowSums
from watchroom.settings import STREAMS, Settings

OTHER = "other"
MOST_SOURCES = 50  # named in labels; a feed that invents names must not fill Prometheus


def redis_up(answers: bool) -> str:
    """1 while the last reading of Redis worked."""
    name = names.metric("redis_up")
    return gauge(name, "1 while Redis answers the exporter, else 0.", [line(name, "", int(answers))])


def withheld_text(faults: Mapping[str, Sequence[str]]) -> str:
    """1 for a stream whose measures are not published at this moment."""
    name = names.metric("stream_withheld")
    about = "1 while the stream's measures are not published because it is not fresh and alive; /healthz says why."
    return gauge(name, about, (line(name, labels_text({"stream": s}), int(bool(f))) for s, f in faults.items()))


def platform_text(reading: Reading, sums: WindowSums, settings: Settings) -> str:
    """Everything that is shown while Redis answers, fresh or not."""
    return "".join(
        (
            *_sources(reading, settings),
            _partitions(
                reading,
                "applied_timestamp_seconds",
                "The moment up to which everything that Kafka showed is applied. Age: time() - min of these.",
                lambda state: None if state.fresh_ms is None else state.fresh_ms / 1000,
            ),
            _partitions(
                reading,
                "lost_records",
                "Records that Kafka had deleted before they were applied.",
                lambda state: state.lost,
            ),
            _orphans(sums, settings),
            _dead_letters(reading, settings),
        )
    )


def _partitions(reading: Reading, metric: str, about: str, number: Callable[..., float | None]) -> str:
    name = names.metric(metric)
    return gauge(
        name,
        about,
        (
            line(name, labels_text({"topic": topic, "partition": str(partition)}), value)
            for (topic, partition), state in sorted(reading.partitions.items())
            if (value := number(state)) is not None
        ),
    )


def _sources(reading: Reading, settings: Settings) -> Iterator[str]:
    """Per source: the latest event over its topics, and the heartbeat of the topic that waits longest."""
    events: dict[str, list[int]] = defaultdict(list)
    heartbeats: dict[str, list[int]] = defaultdict(list)
    for (topic, source), state in sorted(reading.sources.items()):
        label = _shown_source(topic, source, events.keys() | heartbeats.keys(), settings)
        if state.event_ms is not None:
            events[label].append(state.event_ms)
        if state.heartbeat_ms is not None:
            heartbeats[label].append(state.heartbeat_ms)
    kinds = (("event", events, "The latest event"), ("heartbeat", heartbeats, "The latest heartbeat"))
    for kind, found, about in kinds:
        name = names.metric(f"feed_last_{kind}_timestamp_seconds")
        lines = []
        for source, times in sorted(found.items()):
            at_ms = min(times) if kind == "heartbeat" and source != OTHER else max(times)
            lines.append(line(name, labels_text({"source": source}), at_ms / 1000))
        yield gauge(name, f"{about} of a source by Kafka's clock; undeclared sources are `{OTHER}`.", lines)


def _shown_source(topic: str, source: str, shown: set[str], settings: Settings) -> str:
    stream = next((stream for stream in STREAMS if settings.topic(stream) == topic), "")
    declared = settings.sources.get(stream, {})
    if declared and source not in declared:
        return OTHER
    return source if source in shown or len(shown) < MOST_SOURCES else OTHER


def _orphans(sums: WindowSums, settings: Settings) -> str:
    name = names.metric(names.ORPHANS)
    lines = []
    for stream in STREAMS:
        by = {"topic": settings.topic(stream)}
        found = sums.series(Window(ORPHANS_WINDOW), names.series(names.ORPHANS, by))
        lines.append(line(name, labels_text(by), found.get(names.COUNT, 0)))
    return gauge(name, "Entities of the last 28 days whose first event never came: they are in no measure.", lines)


def _dead_letters(reading: Reading, settings: Settings) -> str:
    name = names.metric("dead_letters")
    known = {(settings.topic(stream), reason): 0 for stream in STREAMS for reason in REASONS}
    return gauge(
        name,
        "Events that could not be used, by reason; see `watchroom dead-letters list`.",
        (
            line(name, labels_text({"topic": topic, "reason": reason}), number)
            for (topic, reason), number in sorted({**known, **reading.dead_letters}.items())
        ),
    )
