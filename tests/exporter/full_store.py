"""Samples for everything: each measure under most of its labels, so that every family has samples."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

from tests.exporter.store import LONDON, ExporterStore
from tests.kinds.made import filled
from watchroom.kinds import duration_figures, kind_of, names, share
from watchroom.kinds.kind import Reads
from watchroom.kinds.measure import Measure
from watchroom.rolling.buckets import spread, ten_seconds_of
from watchroom.streams import STREAMS

DAY_MS = 86_400_000
LAST_HOUR_MS = 3_000_000  # if the store is filled on the hour
RECENT_MS = (5_000, 200_000, 800_000, LAST_HOUR_MS, 4_500_000)
# The last hour today, a week ago and three weeks ago, each with its day before: there was a feed.
SAME_HOUR_MS = tuple(days * DAY_MS + LAST_HOUR_MS for days in (1, 7, 8, 21, 22))
AGES_MS = (*RECENT_MS, *SAME_HOUR_MS, 60 * DAY_MS)
LOST_OPEN_MS = 40 * DAY_MS  # beyond every give-up


def fill(store: ExporterStore, now_ms: int, seed: int = 1) -> None:
    """Fill a store that began at `now_ms`; as in reality, some label values stay empty."""
    random = Random(seed)
    buckets: dict[str, Counter[str]] = defaultdict(Counter)
    month = f"month:{LONDON.month_of(now_ms)}"
    pipe = store.client.pipeline(transaction=False)
    for measure in (each for each in store.catalogue.measures.values() if not each.sum_of):
        for number, by in enumerate(measure.label_sets()):
            series = names.series(measure.id, by)
            if kind_of(measure).reads in (Reads.FIGURES, Reads.NOTHING):
                buckets[month].update(_figure(measure, by, month, now_ms, random))
                continue
            if kind_of(measure).reads is Reads.TOKENS:
                _tokens(store, measure, now_ms, random)
                continue
            if random.random() < 0.2 and number:
                continue
            if kind_of(measure).reads is Reads.OPEN_SET:
                pipe.zadd(store.keys.open_set(series), dict(_waiting(measure, by, now_ms, random)))
                continue
            _add(buckets, measure, by, now_ms, random)
    for topic in store.topics:
        buckets[f"day:{LONDON.day_of(now_ms)}"][f"orphans|topic={topic}|count"] = 2
    for name, content in buckets.items():
        pipe.hset(store.keys.bucket(name), mapping={field: number for field, number in content.items() if number})
    pipe.execute()
    for stream in STREAMS:
        store.source_seen(now_ms, stream, what="event")


def _add(
    buckets: dict[str, Counter[str]], measure: Measure, by: Mapping[str, str], now_ms: int, random: Random
) -> None:
    """An entry of each age."""
    series = names.series(measure.id, by)
    for age_ms in AGES_MS:
        fields = {names.field(series, what): number for what, number in _fields(measure, by, random).items()}
        for bucket in spread({ten_seconds_of(now_ms - age_ms): fields}, now_ms, LONDON):
            buckets[bucket.name].update(bucket.deltas)


def _tokens(store: ExporterStore, measure: Measure, now_ms: int, random: Random) -> None:
    """Some tokens of today and of 13 months ago, so that a full year is known."""
    day = LONDON.day_of(now_ms)
    for month in (day[:7], LONDON.months_before(day[:7], 12)):
        for name in (names.token_day(measure.id, f"{month}{day[7:]}"), names.token_month(measure.id, month)):
            counts = {f"k1.{letter * 26}": random.randrange(1, 6) for letter in "ABCDE"}
            store.client.hset(store.keys.tokens(name), mapping=dict[Any, Any](counts))
            store.client.hincrby(store.keys.token_versions, name, 1)


def _figure(measure: Measure, by: Mapping[str, str], month: str, now_ms: int, random: Random) -> dict[str, int]:
    """A figure for the running month; nothing for a note."""
    if kind_of(measure).reads is Reads.NOTHING:
        return {}
    of_month = names.series(measure.id, {**by, names.PERIOD: month.removeprefix("month:")})
    said = {"numerator": random.randrange(50), "has_numerator": 1, "as_at_ms": now_ms - DAY_MS}
    said |= {"denominator": 50, "has_denominator": 1}
    return {names.field(of_month, what): number for what, number in said.items()}


def _waiting(measure: Measure, by: Mapping[str, str], now_ms: int, random: Random) -> Iterator[tuple[str, int]]:
    """Entities long overdue, near their deadline, new, and one that the feed never closed."""
    target = measure.target_for(by)
    due_ms = target.limit_ms if target else 900_000
    for number, age_ms in enumerate((due_ms - 600_000, due_ms - 120_000, due_ms + 45_000, 7_000)):
        if age_ms > 0 and random.random() < 0.8:
            yield f"open-{number}", now_ms - age_ms
    yield "lost", now_ms - LOST_OPEN_MS


def _fields(measure: Measure, by: Mapping[str, str], random: Random) -> dict[str, int]:
    """What some events add to one series."""
    count = random.randrange(4)
    if measure.kind == "count":
        return {names.COUNT: count}
    if measure.kind == "share":
        return {share.WHOLE: count, share.PART: random.randint(0, count)}
    if measure.kind != "duration":  # a kind of which nothing is known here: one entity, as the kind itself adds it
        return dict(filled(kind_of(measure)))
    target, bins = measure.target_for(by), duration_figures.bins_of(measure)
    durations_ms = [round(random.lognormvariate(9, 2)) for _ in range(count)]
    return {
        duration_figures.OBSERVATIONS: count,
        duration_figures.SUM_MS: sum(durations_ms),
        **Counter(f"{duration_figures.BIN}{bins.lower_ms(each)}" for each in durations_ms),
        **({duration_figures.WITHIN: sum(each < target.edge_ms for each in durations_ms)} if target else {}),
        duration_figures.MISSING_START: random.randrange(2),
        duration_figures.NEGATIVE: random.randrange(2),
    }
