"""Every metric that Watchroom publishes, in one list: exporters write these, boards and rules may use no other.

Gauges of a measure come from its entry; those of the platform stand below. No gauge ends in `_count`,
`_sum` or `_bucket`, and `rate()` has no business with them.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, assert_never

from watchroom.catalogue.model import Catalogue
from watchroom.kinds import kind_of, names
from watchroom.kinds.kind import MetricFamily, Over
from watchroom.kinds.measure import Measure
from watchroom.streams import STREAMS

LOCAL_HOUR: Final = "local_hour"
ROW: Final = "watchroom_row"
NOT_WAITED_FOR: Final = tuple(name for name, stream in STREAMS.items() if not stream.is_waited_for)
WAITED_FOR: Final = f'topic!~".*[.]({"|".join(NOT_WAITED_FOR)})"'  # matches the topics whose age is judged
PAST_WEEKS: Final = 6  # the same local hour of so many weeks is published beside the last one


class Family(NamedTuple):
    """One metric name."""

    name: str
    about: str  # HELP
    labels: tuple[str, ...]
    measure: str = ""  # empty: of the platform
    why_unused: str = ""
    by: Literal["exporter", "worker", "alertmanager"] = "exporter"


def suffixes(measure: Measure) -> dict[str, MetricFamily]:
    """The metric families that a measure has, by suffix."""
    return {
        suffix: family
        for suffix, family in kind_of(measure).families.items()
        if (measure.targets or not family.of_target)
        and (measure.display.baseline or family.over is not Over.LOCAL_HOURS)
    }


def about(measure: Measure, family: MetricFamily) -> str:
    """HELP of one family, in the catalogue's own words."""
    return f"{measure.brief}: {family.about}. {measure.definition}"


def labels_of(measure: Measure, family: MetricFamily) -> tuple[str, ...]:
    """Names of the labels of a family's samples."""
    match family.over:
        case Over.WINDOWS:
            over = ["window", *(["month"] if "month" in measure.windows else [])]
        case Over.LOCAL_HOURS:
            over = ["weeks_ago"]
        case Over.NOW | Over.READING:
            over = []
        case Over.OWN_PERIOD:
            over = ["span"]
        case _:
            assert_never(family.over)
    return (*(label.name for label in measure.labels), *over, *family.further_labels)


def families(measure: Measure) -> list[Family]:
    """The metrics of one measure."""
    return [
        Family(
            names.metric(measure.id, suffix),
            about(measure, family),
            labels_of(measure, family),
            measure.id,
            measure.display.why_unused.get(suffix, ""),
        )
        for suffix, family in suffixes(measure).items()
    ]


PLATFORM: Final[tuple[Family, ...]] = (
    Family("watchroom_redis_up", "1 while Redis answers the exporter, else 0.", ()),
    Family(
        "watchroom_redis_evicted",
        "1 once Redis has evicted keys by itself, until `watchroom rebuild`: every stream is withheld. Else 0.",
        (),
    ),
    Family(
        "watchroom_redis_checked",
        "1 while the exporter can see whether Redis evicts keys, 0 where its user may not run INFO.",
        (),
        why_unused="whoever set the user's rights has decided it; `watchroom doctor` and /healthz say it",
    ),
    Family(
        "watchroom_stream_fed",
        "1 for a stream that this force feeds, 0 for one that it does not (WATCHROOM_STREAMS): that one has no other "
        "series, and is never waited for.",
        ("stream",),
    ),
    Family(
        "watchroom_stream_withheld",
        "1 while the stream's measures are not published because it is not fresh and alive; /healthz says why.",
        ("stream",),
    ),
    Family(
        "watchroom_stream_redefined",
        "1 while Redis holds the stream's figures under another definition than this exporter's, else 0; they are "
        "withheld then, and /healthz says what differs.",
        ("stream",),
    ),
    Family(
        "watchroom_source_silent",
        "1 while a source that the stream waits for has been silent for longer than its limit. No sample while the "
        "stream is not applied up to now: what the source sent may not have been read yet.",
        ("stream", "source"),
    ),
    Family(
        "watchroom_applied_timestamp_seconds",
        "The moment up to which everything that Kafka showed is applied. Age: time() - min of these.",
        ("topic", "partition"),
    ),
    Family(
        "watchroom_lost_records", "Records that Kafka had deleted before they were applied.", ("topic", "partition")
    ),
    Family(
        "watchroom_feed_last_event_timestamp_seconds",
        "The latest event of a source by Kafka's clock; undeclared sources are `other`.",
        ("source",),
    ),
    Family(
        "watchroom_feed_last_heartbeat_timestamp_seconds",
        "The latest heartbeat of a source by Kafka's clock; undeclared sources are `other`.",
        ("source",),
    ),
    Family(
        "watchroom_orphans",
        "Entities of the last 28 days whose first event never came: they are in no measure.",
        ("topic",),
    ),
    Family(
        "watchroom_dead_letters",
        "Events that could not be used, by reason; see `watchroom dead-letters list`.",
        ("topic", "reason"),
    ),
    Family(
        "watchroom_ignored_fields",
        "Events in which an optional field had a wrong form and counted as absent, by field.",
        ("topic", "field"),
    ),
    Family(
        "watchroom_raw_identifiers",
        "Events refused because a field for a token held something else, or may have, by source; undeclared sources "
        "are `other`.",
        ("topic", "source"),
    ),
    Family(
        "watchroom_tile",
        "What a tile of the wall shows: a number, a share (0 to 1) or seconds. NaN: a share of nothing. `split` is the "
        "label value of a tile that shows several numbers. Absent while the tile's measure is not published.",
        ("tile", "split"),
    ),
    Family("watchroom_tile_part", "The part of a share that a tile shows.", ("tile", "split")),
    Family("watchroom_tile_whole", "The whole of a share that a tile shows.", ("tile", "split")),
    Family(
        "watchroom_tile_state",
        "The state of a tile's number: 0 normal or without limits, 1 warning, 2 critical. `word` says it as the tile "
        "does; empty where the tile says nothing.",
        ("tile", "split", "word"),
    ),
    Family(
        ROW,
        "What a row of a table shows: a quantity of a measure over a window, under its label values. `All` adds all of "
        "them up, `Unknown or other` those that are not listed; `place` orders them. NaN: a share, mean or percentile "
        "of nothing.",
        ("measure", "quantity", "place", "window", "month"),
    ),
    Family(
        "watchroom_month_running",
        "1 for the running month, 0 for those before it that are shown.",
        ("month", "written"),
    ),
    Family(
        "watchroom_figures_old",
        "How many label sets of a measure have no figure that is younger than its entry allows (max_age_days), judged "
        "by as-at. No sample while nobody has sent a figure of it.",
        ("measure",),
    ),
    Family("watchroom_worker_batches_total", "Fetched batches applied.", (), by="worker"),
    Family("watchroom_worker_events_total", "Records applied, dead letters among them.", (), by="worker"),
    Family(
        "watchroom_worker_dead_letters_total",
        "Records sent to the dead letters; a crash may repeat some.",
        (),
        why_unused="watchroom_dead_letters counts the same exactly; this one may repeat some after a crash",
        by="worker",
    ),
    Family(
        "watchroom_worker_stale_batches_total",
        "Fetched batches dropped because their lane had moved on.",
        (),
        by="worker",
    ),
    Family("watchroom_worker_moved_total", "Times Redis stood at another offset than this worker.", (), by="worker"),
    Family("watchroom_worker_rebalances_total", "Assignments received from the consumer group.", (), by="worker"),
    Family("watchroom_worker_redis_retries_total", "Calls to Redis that failed and were tried again.", (), by="worker"),
    Family("watchroom_worker_kafka_retries_total", "Calls to Kafka that failed and were tried again.", (), by="worker"),
    Family(
        "watchroom_worker_lost_offsets_total",
        "Offsets that the log no longer held when they were due.",
        (),
        why_unused="watchroom_lost_records says the same by partition, and outlives the worker",
        by="worker",
    ),
    Family(
        "watchroom_worker_lag_offsets",
        "Offsets known to be in the log and not applied.",
        ("topic", "partition"),
        by="worker",
    ),
)


# What rules read of programs that are not ours: counters of theirs, so `increase()` is right there.
FOREIGN: Final[tuple[Family, ...]] = (
    Family(
        "alertmanager_notifications_failed_total",
        "Notifications that Alertmanager tried until their time was over, and gave up.",
        ("integration",),
        by="alertmanager",
    ),
)


def all_families(catalogue: Catalogue) -> dict[str, Family]:
    """Every metric that Watchroom publishes, by name."""
    of_measures = (family for measure in catalogue.measures.values() for family in families(measure))
    return {family.name: family for family in (*of_measures, *PLATFORM)}
