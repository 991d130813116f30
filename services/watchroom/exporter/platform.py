"""The platform's own metrics: they stay visible while measures are withheld, and say why.

Timestamps are exported however old they are while Redis answers: their age is the alarm. Names, labels and
HELP are those of `catalogue.metrics.PLATFORM`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from math import nan
from typing import Final

from watchroom.admission.models import LOOSE_FIELDS, STREAM_OF
from watchroom.catalogue.metrics import PLATFORM, ROW
from watchroom.catalogue.shares import PART, WHOLE
from watchroom.events.reasons import REASONS
from watchroom.exporter.exposition import gauge, labels_text, line
from watchroom.exporter.mirror import Reading
from watchroom.exporter.shares import Counts
from watchroom.exporter.sums import ORPHANS_WINDOW, WindowSums
from watchroom.exporter.wall import DataAge, TileView
from watchroom.kinds import names
from watchroom.rolling.windows import MONTH, Window
from watchroom.settings import Settings
from watchroom.store.read import PartitionState

OTHER = "other"
DATA_AGE: Final = "Data age"  # the tile that belongs to no measure
MOST_SOURCES = 50  # named in labels; a feed that invents names must not fill Prometheus

_STATES: Final = {"normal": 0, "none": 0, "warning": 1, "critical": 2}
_FAMILIES = {family.name: family for family in PLATFORM}

Rows = Iterable[tuple[tuple[str, ...], float]]  # label values in the family's order, number


def _text(metric: str, rows: Rows) -> str:
    family = _FAMILIES[names.metric(metric)]
    lines = (
        line(family.name, labels_text({k: v for k, v in zip(family.labels, values, strict=True) if v}), number)
        for values, number in rows
    )
    return gauge(family.name, family.about, lines)


def flag_text(metric: str, is_so: bool) -> str:
    """1 or 0 without labels."""
    return _text(metric, [((), int(is_so))])


def streams_text(metric: str, streams: Iterable[str], which: Container[str]) -> str:
    """1 for each stream in `which`, 0 for the others."""
    return _text(metric, (((stream,), int(stream in which)) for stream in streams))


def silent_text(sources: Mapping[str, Mapping[str, str | None]]) -> str:
    """1 for a source that is silent although its stream waits for it (and why), 0 for one that is alive.

    If a stream has more than `MOST_SOURCES` sources, the rest are one `other`: silent if any of them is.
    """
    rows: dict[tuple[str, ...], int] = {}
    for stream, found in sources.items():
        for number, (source, why) in enumerate(sorted(found.items())):
            shown = (stream, source if number < MOST_SOURCES else OTHER)
            rows[shown] = max(rows.get(shown, 0), int(why is not None))
    return _text("source_silent", rows.items())


def tiles_text(views: Iterable[TileView], age: DataAge) -> str:
    """What each tile shows, starting with the data age; nothing for a tile that is withheld."""
    value: dict[tuple[str, ...], float] = {}
    part: dict[tuple[str, ...], float] = {}
    whole: dict[tuple[str, ...], float] = {}
    state: dict[tuple[str, ...], float] = {}
    if age.age_ms is not None:
        value[DATA_AGE, ""] = max(0, age.age_ms) / 1000
        state[DATA_AGE, "", age.word] = _STATES[age.state]
    for view in views:
        for each in view.numbers:
            shown = view.tile.title, each.label
            if each.number is None:
                continue
            value[shown] = nan if each.number.value is None else each.number.value
            state[*shown, view.state_text(each)] = _STATES[each.state]
            if each.number.part is not None and each.number.whole is not None:
                part[shown], whole[shown] = each.number.part, each.number.whole
    families = {"tile": value, "tile_part": part, "tile_whole": whole, "tile_state": state}
    return "".join(_text(name, rows.items()) for name, rows in families.items())


def rows_text(lines: Iterable[str]) -> str:
    """The rows of every table, from their lines."""
    return gauge(ROW, _FAMILIES[ROW].about, lines)


def shares_text(counts: Mapping[str, Counts]) -> str:
    """Part and whole of each share, by the labels of its samples as written."""
    parts = (line(PART, labels, both.part) for labels, both in counts.items())
    wholes = (line(WHOLE, labels, both.whole) for labels, both in counts.items())
    return gauge(PART, _FAMILIES[PART].about, parts) + gauge(WHOLE, _FAMILIES[WHOLE].about, wholes)


def months_text(sums: WindowSums) -> str:
    """Which of the months that are shown is the current one, and how each is written."""
    months = sorted(window.month for window in sums.windows if window.name == MONTH)
    written = {month: f"{month} (so far)" if month == months[-1] else month for month in months}
    return _text("month_running", (((month, text), float(month == months[-1])) for month, text in written.items()))


def figures_old_text(found: Mapping[str, int | None]) -> str:
    """By measure of figures: the number of label sets without a recent enough figure; None: there is no figure."""
    return _text("figures_old", (((measure,), number) for measure, number in found.items() if number is not None))


def platform_text(reading: Reading, sums: WindowSums, settings: Settings) -> str:
    """Everything that is shown while Redis answers, fresh or not."""
    return "".join(
        (
            *_sources(reading, settings),
            _partitions(
                reading,
                "applied_timestamp_seconds",
                lambda state: None if state.fresh_ms is None else state.fresh_ms / 1000,
            ),
            _partitions(reading, "lost_records", lambda state: state.lost),
            _orphans(sums, settings),
            _dead_letters(reading, settings),
            _ignored_fields(reading, settings),
            _raw_identifiers(reading, settings),
        )
    )


def _partitions(reading: Reading, metric: str, number: Callable[[PartitionState], float | None]) -> str:
    return _text(
        metric,
        (
            ((topic, str(partition)), value)
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
    yield _text(
        "feed_last_event_timestamp_seconds",
        (((source,), max(times) / 1000) for source, times in sorted(events.items())),
    )
    yield _text(
        "feed_last_heartbeat_timestamp_seconds",
        (
            ((source,), (max(times) if source == OTHER else min(times)) / 1000)
            for source, times in sorted(heartbeats.items())
        ),
    )


def _shown_source(topic: str, source: str, shown: set[str], settings: Settings) -> str:
    stream = next((stream for stream, of in settings.topics.items() if of == topic), "")
    declared = settings.sources.get(stream, {})
    if declared and source not in declared:
        return OTHER
    return source if source in shown or len(shown) < MOST_SOURCES else OTHER


def _orphans(sums: WindowSums, settings: Settings) -> str:
    def found(topic: str) -> int:
        return sums.series(Window(ORPHANS_WINDOW), names.series(names.ORPHANS, {"topic": topic})).get(names.COUNT, 0)

    return _text(names.ORPHANS, (((topic,), found(topic)) for topic in settings.topics.values()))


def _dead_letters(reading: Reading, settings: Settings) -> str:
    known = {(topic, reason): 0 for topic in settings.topics.values() for reason in REASONS}
    return _text("dead_letters", sorted({**known, **reading.dead_letters}.items()))


def _ignored_fields(reading: Reading, settings: Settings) -> str:
    types = STREAM_OF.items()
    fields = {(settings.topic(stream), field) for name, stream in types for field in LOOSE_FIELDS[name]}
    known = {place: 0 for place in fields if place[0] in settings.topics.values()}
    return _text("ignored_fields", sorted({**known, **reading.ignored_fields}.items()))


def _raw_identifiers(reading: Reading, settings: Settings) -> str:
    """For every known source and for `other`: an alert needs a 0 from before the first raw identifier."""
    counts: dict[tuple[str, ...], int] = {}
    for stream, topic in settings.topics.items():
        found = {source: number for (of, source), number in reading.raw_identifiers.items() if of == topic}
        last_seen = {source: 0 for of, source in reading.sources if of == topic}
        for source, number in sorted(
            {**dict.fromkeys(settings.sources.get(stream, ()), 0), **last_seen, **found}.items()
        ):
            shown = (topic, _shown_source(topic, source, {of for _, of in counts}, settings))
            counts[shown] = counts.get(shown, 0) + number
        counts.setdefault((topic, OTHER), 0)
    return _text("raw_identifiers", sorted(counts.items()))
