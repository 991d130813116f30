"""Every metric that Watchroom publishes, in one list: exporters write these, boards and rules may use no other.

Gauges of a measure come from its entry; those of the platform stand below. No gauge ends in `_count`,
`_sum` or `_bucket`, and `rate()` has no business with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from watchroom.catalogue import names
from watchroom.catalogue.model import Catalogue, Measure

LOCAL_HOUR: Final = "local_hour"
PAST_WEEKS: Final = 6  # the same local hour of so many weeks is published beside the last one

# Suffix of each family of a kind, and what its number is.
FAMILIES: Final[Mapping[str, Mapping[str, str]]] = {
    "count": {
        "": "number",
        LOCAL_HOUR: "number in the last complete local hour (weeks_ago 0), and in the same one of the weeks before; "
        "absent where nobody knows whether there was a feed",
    },
    "share": {"part": "the part", "whole": "the whole; part / whole is the share"},
    "duration": {
        "observations": "how many durations",
        "within": "how many met the target",
        "mean_seconds": "mean",
        "percentile_seconds": "percentile p (nearest rank, within 1 %)",
        "missing_start": "how many ended without a known start, and are no duration",
        "negative": "how many ended before they started, and are no duration",
    },
    "open": {
        "": "open now",
        "oldest_seconds": "age of the oldest",
        "due": "how many reach their deadline within this time",
        "overdue": "how many are past their deadline",
        "gave_up": "how many were never closed by the feed and are no longer shown",
    },
}
OF_A_TARGET: Final = frozenset({"within", "due", "overdue"})  # published only where there is a target


class Family(NamedTuple):
    """One metric name."""

    name: str
    about: str  # HELP
    labels: tuple[str, ...]
    measure: str = ""  # empty: of the platform
    why_unused: str = ""
    by: Literal["exporter", "worker", "alertmanager"] = "exporter"


def suffixes(measure: Measure) -> dict[str, str]:
    """Suffix and meaning of each family of a measure."""
    return {
        suffix: meaning
        for suffix, meaning in FAMILIES[measure.kind].items()
        if (measure.targets or suffix not in OF_A_TARGET) and (measure.display.baseline or suffix != LOCAL_HOUR)
    }


def about(measure: Measure, meaning: str) -> str:
    """HELP of one family, in the catalogue's own words."""
    return f"{measure.brief}: {meaning}. {measure.definition}"


def families(measure: Measure) -> list[Family]:
    """The metrics of one measure."""
    found = []
    for suffix, meaning in suffixes(measure).items():
        labels = [label.name for label in measure.labels]
        if suffix == LOCAL_HOUR:
            labels.append("weeks_ago")
        elif measure.kind != "open":
            labels += ["window", *(["month"] if "month" in measure.windows else [])]
        if suffix == "percentile_seconds":
            labels.append("p")
        if suffix == "due":
            labels.append("within")
        why = measure.display.why_unused.get(suffix, "")
        found.append(Family(names.metric(measure.id, suffix), about(measure, meaning), tuple(labels), measure.id, why))
    return found


PLATFORM: Final[tuple[Family, ...]] = (
    Family("watchroom_redis_up", "1 while Redis answers the exporter, else 0.", ()),
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
