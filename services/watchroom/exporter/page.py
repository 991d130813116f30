"""The /metrics page at a moment: which streams may be shown is decided here, at the scrape."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from watchroom.catalogue.shares import shares
from watchroom.exporter.freshness import (
    held_up,
    last_seen_of,
    latest_ms,
    partitions_added,
    silence,
    staleness,
    waited_for,
)
from watchroom.exporter.freshness import reading as own_reading
from watchroom.exporter.mirror import Mirror, Reading
from watchroom.exporter.numbers import Numbers
from watchroom.exporter.platform import (
    figures_old_text,
    flag_text,
    months_text,
    platform_text,
    rows_text,
    shares_text,
    silent_text,
    streams_text,
    tiles_text,
)
from watchroom.exporter.rows import MeasureRows
from watchroom.exporter.shares import share_counts
from watchroom.exporter.wall import (
    Board,
    DataAge,
    NumbersOf,
    ShownFigure,
    Silence,
    data_age,
    faults_of,
    other_views,
    tile_views,
    withheld,
)
from watchroom.kinds.figure import is_old
from watchroom.kinds.measure import Measure
from watchroom.settings import Settings, SourceRule
from watchroom.store.evictions import EVICTED_SAID, POLICY_WRITE, Seen
from watchroom.store.freshness import applied_until
from watchroom.store.meta import CLEARING_SAID, Meta
from watchroom.store.read import SourceState
from watchroom.streams import STREAMS


class Page:
    """Makes the page from the mirror.

    Args:
        mirror: The copy of Redis.
        settings: Topics, limits and declared sources.
        redefined: By stream, what changed, where Redis holds figures under another definition than this process's.
    """

    def __init__(self, mirror: Mirror, settings: Settings, redefined: Callable[[Meta], Mapping[str, str]]) -> None:
        self._mirror = mirror
        self._settings = settings
        self._redefined = redefined
        catalogue = mirror.catalogue
        self._rows = [MeasureRows(catalogue, measure) for measure in catalogue.measures.values()]
        self._shares = shares(catalogue)

    def text(self, now_ms: int) -> str:
        """Everything that may be published at `now_ms`."""
        with self._mirror.lock:
            faults = self._faults(now_ms)
            reading = self._mirror.reading
            up = self._mirror.up(now_ms, self._fresh_ms)
            parts = [flag_text("redis_up", up), streams_text("stream_fed", STREAMS, self._settings.streams)]
            if reading:
                parts.extend(self._measures(reading, faults, now_ms))
                parts.extend(self._shown(reading, faults, now_ms))
            if reading and up:
                is_checked = reading.process is not None and reading.process.is_checked
                parts.append(flag_text("redis_evicted", _have_been_evicted(reading)))
                parts.append(flag_text("redis_checked", is_checked))
                parts.append(streams_text("stream_withheld", faults, withheld(faults)))
                parts.append(streams_text("stream_redefined", faults, self._others(reading)))
                parts.append(silent_text(dict(self.waited_for(reading, now_ms))))
                parts.append(platform_text(reading, self._mirror.sums, self._settings))
                parts.append(months_text(self._mirror.sums))
            return "".join(parts)

    @property
    def not_fed(self) -> list[str]:
        """The streams that this force does not feed: nothing is published for them, and nothing waits for them."""
        return [stream for stream in STREAMS if stream not in self._settings.streams]

    def faults(self, now_ms: int) -> dict[str, list[str]]:
        """Why each stream that is fed is withheld at `now_ms`; an empty list: it is published."""
        with self._mirror.lock:
            return self._faults(now_ms)

    def held_up(self, now_ms: int) -> dict[str, list[str]]:
        """Open transactions by stream, for the streams that are published anyway: nothing waits for them."""
        with self._mirror.lock:
            reading = self._mirror.reading
            if reading is None:
                return {}
            published = [stream for stream in self._settings.streams if not STREAMS[stream].is_waited_for]
            said = {s: list(self._held_up(self._settings.topic(s), reading, now_ms)) for s in published}
            return {stream: found for stream, found in said.items() if found}

    def waited_for(self, reading: Reading, now_ms: int) -> Iterator[tuple[str, dict[str, str | None]]]:
        """Each stream that is fresh: every source that it waits for, and why it counts as silent; None: it is alive.

        A stream that is not fresh is left out: what its sources sent may be in Kafka, but not applied yet. So is one
        that nothing waits for.
        """
        for stream in self._settings.streams:
            if STREAMS[stream].is_waited_for and not self._stale(stream, reading, now_ms):
                rules, last_seen = self._rules_and_last_seen(stream, reading)
                yield stream, waited_for(rules, last_seen, now_ms, self._silent_ms)

    def board(self, now_ms: int) -> Board:
        """What the built-in page shows; what is withheld from scrapes is withheld here."""
        mirror = self._mirror
        with mirror.lock:
            faults, reading = self._faults(now_ms), mirror.reading
            ask = self._numbers_of(reading, now_ms)

            def figures(measure: Measure) -> Sequence[ShownFigure]:
                found = mirror.figures.latest(measure)
                return [ShownFigure(each, is_old(measure, each.figure.as_at_ms or 0, now_ms)) for each in found]

            return Board(
                force=self._settings.force,
                now_ms=now_ms,
                age=self._age(faults, reading, now_ms),
                tiles=tile_views(mirror.catalogue, faults, ask),
                others=other_views(mirror.catalogue, faults, ask, figures),
                withheld=withheld(faults),
            )

    def _numbers_of(self, reading: Reading | None, now_ms: int) -> NumbersOf:
        if reading is None:
            return lambda _measure, _shown: ()
        return Numbers(self._mirror.catalogue, self._mirror.sums, reading, now_ms).shown

    def _age(self, faults: Mapping[str, Sequence[str]], reading: Reading | None, now_ms: int) -> DataAge:
        if reading is None or not self._mirror.up(now_ms, self._fresh_ms):
            return data_age(None, self._fresh_ms, faults, None)
        age_ms = _data_age_ms(reading, self._settings, now_ms)
        return data_age(age_ms, self._fresh_ms, faults, self._silence(reading, now_ms))

    def _silence(self, reading: Reading, now_ms: int) -> Silence | None:
        """Which sources are silent, as the metric `watchroom_source_silent` reports it."""
        streams, ended_ms = [], []
        for stream, faults in self.waited_for(reading, now_ms):
            last_seen = last_seen_of(self._settings.topic(stream), reading.sources)
            silent = [source for source, fault in faults.items() if fault]
            streams += [stream] if silent else []
            ended_ms += [latest_ms(last_seen[source]) for source in silent if source in last_seen]
        known = [at_ms for at_ms in ended_ms if at_ms is not None]
        return Silence(tuple(streams), now_ms - min(known) if known else None) if streams else None

    def _shown(self, reading: Reading, faults: dict[str, list[str]], now_ms: int) -> Iterator[str]:
        """Tiles, rows of tables and shares: what boards and alerts ask for."""
        mirror = self._mirror
        yield tiles_text(
            tile_views(mirror.catalogue, faults, self._numbers_of(reading, now_ms)), self._age(faults, reading, now_ms)
        )
        numbers = Numbers(mirror.catalogue, mirror.sums, reading, now_ms)
        yield rows_text(each.text(numbers) for each in self._rows if _is_published(each.measure, faults))
        of_alerts = [each for each in self._shares if _is_published(each[0], faults)]
        yield shares_text(share_counts(of_alerts, numbers))

    def _measures(self, reading: Reading, faults: dict[str, list[str]], now_ms: int) -> list[str]:
        sums, figures = self._mirror.sums, self._mirror.figures
        shown = [each.text(sums) for each in self._mirror.windowed if _is_published(each.measure, faults)]
        of_figures = [measure for measure in figures.measures if _is_published(measure, faults)]
        shown += [figures.text(measure) for measure in of_figures]
        shown.append(figures_old_text({measure.id: figures.old(measure, now_ms) for measure in of_figures}))
        since_ms = now_ms - reading.read_at_ms
        open_now = (each for each in self._mirror.open if _is_published(each.measure, faults))
        of_tokens = (each for each in self._mirror.of_tokens if _is_published(each.measure, faults))
        return [
            *shown,
            *(each.text(reading.tiles, since_ms) for each in open_now),
            *(each.text(reading.tokens, now_ms) for each in of_tokens),
        ]

    def _faults(self, now_ms: int) -> dict[str, list[str]]:
        reading = self._mirror.reading
        if reading is None:
            return {
                stream: [f"Redis has never been read: {self._mirror.redis_fault}"] for stream in self._settings.streams
            }
        general = list(own_reading(reading.read_at_ms, now_ms, self._fresh_ms))
        if reading.meta is None:
            general.append("Redis holds no data for this force: no worker has ever started, or a rebuild is running")
        elif reading.meta.clearing:
            general.append(f"{CLEARING_SAID}; run `watchroom rebuild`")
        general += _evictions(reading)
        others = self._others(reading)
        return {
            stream: [
                *general,
                *([_other_said(others[stream])] if stream in others else []),
                *self._added(stream, reading),
                *self._stream_faults(stream, reading, now_ms),
            ]
            for stream in self._settings.streams
        }

    def _others(self, reading: Reading) -> Mapping[str, str]:
        """What changed, for each stream whose figures have another definition; empty while keys are being cleared."""
        return {} if reading.meta is None or reading.meta.clearing else self._redefined(reading.meta)

    def _added(self, stream: str, reading: Reading) -> Iterator[str]:
        """See `freshness.partitions_added`."""
        topic = self._settings.topic(stream)
        filled = reading.meta.partitions.get(topic) if reading.meta else None
        return partitions_added(topic, reading.partition_counts.get(topic), filled)

    def _rules_and_last_seen(
        self, stream: str, reading: Reading
    ) -> tuple[dict[str, SourceRule], dict[str, SourceState]]:
        """What is declared about a stream's sources, and when each was last seen."""
        return self._settings.sources.get(stream, {}), last_seen_of(self._settings.topic(stream), reading.sources)

    def _stream_faults(self, stream: str, reading: Reading, now_ms: int) -> list[str]:
        if not STREAMS[stream].is_waited_for:
            return []
        rules, last_seen = self._rules_and_last_seen(stream, reading)
        return self._stale(stream, reading, now_ms) or list(silence(rules, last_seen, now_ms, self._silent_ms))

    def _stale(self, stream: str, reading: Reading, now_ms: int) -> list[str]:
        """Why the stream is not applied up to now."""
        topic = self._settings.topic(stream)
        count = reading.meta.partitions.get(topic) if reading.meta else None
        fresh_ms = {partition: state.fresh_ms for (of, partition), state in reading.partitions.items() if of == topic}
        stale = [f"{topic}: {fault}" for fault in staleness(fresh_ms, count, now_ms, self._fresh_ms)]
        return [*self._held_up(topic, reading, now_ms), *stale] if stale else []

    def _held_up(self, topic: str, reading: Reading, now_ms: int) -> Iterator[str]:
        return held_up(topic, reading.open_transactions, now_ms, self._settings.kafka_tools)

    @property
    def _fresh_ms(self) -> int:
        return round(self._settings.fresh_s * 1000)

    @property
    def _silent_ms(self) -> int:
        return round(self._settings.silent_s * 1000)


def _is_published(measure: Measure, faults: Mapping[str, Sequence[str]]) -> bool:
    return faults_of(measure, faults) == []


def _data_age_ms(reading: Reading, settings: Settings, now_ms: int) -> int | None:
    """Age of the slowest partition that is waited for; None if there is none, or one has never been applied."""
    topics = {settings.topic(stream) for stream in settings.streams if STREAMS[stream].is_waited_for}
    applied_ms = applied_until(reading.partitions, topics)
    return None if applied_ms is None else now_ms - applied_ms


def _other_said(changed: str) -> str:
    return (
        f"Redis holds it under a different definition from this exporter's ({changed}): restart the exporter with the "
        "worker's catalogue and settings, or run `watchroom rebuild`"
    )


def _evictions(reading: Reading) -> Iterator[str]:
    """Why nothing can be trusted in a Redis that evicts keys."""
    process = reading.process
    if process and process.may_evict:
        yield f"Redis may evict keys: its maxmemory-policy is {process.policy}; write {POLICY_WRITE}"
    if _have_been_evicted(reading):
        yield f"{EVICTED_SAID}; stop the workers and run `watchroom rebuild`"


def _have_been_evicted(reading: Reading) -> bool:
    """Whether keys were evicted, according to a worker's mark or to the primary itself."""
    seen = reading.meta.evictions if reading.meta else Seen()
    return seen.marked or (reading.process is not None and seen.missed(reading.process))
