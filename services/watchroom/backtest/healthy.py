"""The platform's own metrics in a month in which nothing broke: no alert on the platform may fire on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from watchroom.backtest.figures import Sample
from watchroom.backtest.selectors import Selector
from watchroom.catalogue.metrics import FOREIGN, PLATFORM, Family
from watchroom.catalogue.shares import PART, WHOLE
from watchroom.errors import WorkFailed
from watchroom.events.reasons import REASONS
from watchroom.exporter.exposition import labels_text
from watchroom.settings import Settings
from watchroom.simulator import SOURCES
from watchroom.streams import STREAMS

JOBS = {"exporter": "watchroom-exporter", "worker": "watchroom-worker"}
APPLIED_AGE_S = 1.0  # a worker writes the time until which it has applied every second or two
HEARTBEAT_S = 30.0
BATCHES_A_S = 2.0

Value = Callable[[float], float]  # seconds since the epoch -> value


class HealthyPlatform:
    """Every series of the platform that a rule reads, at any moment."""

    def __init__(self, selectors: Sequence[Selector], settings: Settings) -> None:
        """Find out which series the rules read.

        Raises:
            WorkFailed: A rule reads a metric that has no healthy value here.
        """
        self._series = [
            (f"{metric}{{{labels_text(labels)}}}", value)
            for metric, labels, value in _all(settings)
            if any(selector.metric == metric and selector.accepts(labels) for selector in selectors)
        ]
        unknown = {family.name for family in (*PLATFORM, *FOREIGN)} & {selector.metric for selector in selectors}
        unknown -= {metric for metric, _, _ in _all(settings)} | {PART, WHOLE}  # `Figures` has these
        if unknown:
            raise WorkFailed(
                f"a rule reads {', '.join(sorted(unknown))}, but the back-test has no healthy value for it; add one to "
                "backtest/healthy.py"
            )

    def at(self, now_ms: int) -> Iterator[Sample]:
        """The values of a moment."""
        for series, value in self._series:
            yield Sample(series, value(now_ms / 1000))


def _all(settings: Settings) -> Iterator[tuple[str, Mapping[str, str], Value]]:
    force = {"force": settings.force}
    instances = {
        "exporter": f"{settings.exporter_host}:{settings.exporter_port}",
        "worker": f"{settings.health_host}:{settings.health_port}",
    }
    targets = {by: {"job": job, "instance": instances[by], **force} for by, job in JOBS.items()}
    for target in targets.values():
        yield "up", target, _constant(1)
    for family in PLATFORM:
        for labels in _labels(family, settings):
            value = _VALUES.get(family.name)
            if family.by == "worker":
                value = _counter if family.name.endswith(("batches_total", "events_total")) else _constant(0)
            if value is not None:
                yield family.name, {**labels, **targets[family.by]}, value
    for family in FOREIGN:  # counts failures only
        yield family.name, {"job": family.by, "integration": "webhook", **force}, _constant(0)


def _labels(family: Family, settings: Settings) -> list[dict[str, str]]:
    topics = list(settings.topics.values())
    if family.labels == ("topic", "partition"):
        return [{"topic": topic, "partition": str(n)} for topic in topics for n in range(settings.partitions)]
    if family.labels == ("topic", "reason"):
        return [{"topic": topic, "reason": reason} for topic in topics for reason in REASONS]
    return {
        ("stream",): [{"stream": stream} for stream in settings.streams],
        ("stream", "source"): [
            {"stream": stream, "source": source}
            for stream, source in SOURCES.items()
            if stream in settings.streams and STREAMS[stream].is_waited_for
        ],
        ("source",): [{"source": source} for source in SOURCES.values()],
        ("topic",): [{"topic": topic} for topic in topics],
    }.get(family.labels, [{}])


def _constant(value: float) -> Value:
    return lambda _: value


def _counter(now_s: float) -> float:
    return BATCHES_A_S * now_s


_VALUES: Mapping[str, Value] = {
    "watchroom_redis_up": _constant(1),
    "watchroom_redis_evicted": _constant(0),
    "watchroom_redis_checked": _constant(1),
    "watchroom_stream_fed": _constant(1),
    "watchroom_stream_withheld": _constant(0),
    "watchroom_stream_redefined": _constant(0),
    "watchroom_source_silent": _constant(0),
    "watchroom_applied_timestamp_seconds": lambda now_s: now_s - APPLIED_AGE_S,
    "watchroom_lost_records": _constant(0),
    "watchroom_feed_last_event_timestamp_seconds": lambda now_s: now_s - APPLIED_AGE_S,
    "watchroom_feed_last_heartbeat_timestamp_seconds": lambda now_s: now_s - now_s % HEARTBEAT_S,
    "watchroom_orphans": _constant(0),
    "watchroom_dead_letters": _constant(0),
    "watchroom_ignored_fields": _constant(0),
    "watchroom_raw_identifiers": _constant(0),
    "watchroom_figures_old": _constant(0),
}
