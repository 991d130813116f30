"""The broker-side settings of our topics, and what is wrong with those that somebody else has set. Pure.

With LogAppendTime the broker sets a record's timestamp, so arrival never depends on a producer's clock. After 400 days
of retention a rebuild can still count 12 months; an entity that is known for longer, or for ever, needs its records for
as long. An acknowledged record survives the loss of a broker only if two brokers have it (`min.insync.replicas`) and no
broker without it may become leader.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from watchroom.settings import Settings
from watchroom.streams import STREAMS
from watchroom.streams.stream import RETENTION_DAYS, retention_ms

NO_LIMIT: Final = "-1"
EVENTS_MOST_BYTES: Final = 1024 * 1024
DEAD_LETTERS_MOST_BYTES: Final = 2 * 1024 * 1024
LETTER_MOST_BYTES: Final = 1024 * 1024 + 128 * 1024  # the largest dead letter: value, key and headers are cut to fit
SAFE_REPLICATION: Final = 3  # copies with which a topic stays writable and complete when one broker is lost

TIMESTAMP_TYPE: Final = "message.timestamp.type"
BY_BROKER: Final = "LogAppendTime"
CLEANUP: Final = "cleanup.policy"
RETENTION_MS: Final = "retention.ms"
RETENTION_BYTES: Final = "retention.bytes"
MIN_INSYNC: Final = "min.insync.replicas"
UNCLEAN: Final = "unclean.leader.election.enable"
MOST_BYTES: Final = "max.message.bytes"

_DAY_MS = 86_400_000
_MONTHS_MS = RETENTION_DAYS * _DAY_MS


class Difference(NamedTuple):
    """A setting of a topic that does harm."""

    topic: str
    name: str
    found: str
    wanted: str
    why: str  # a sentence
    refused: bool = False  # no worker starts with it

    def command(self, settings: Settings) -> str:
        """The command that corrects it."""
        return (
            f"kafka-configs.sh {settings.kafka_tools} --alter"
            f" --entity-type topics --entity-name {self.topic} --add-config {self.name}={self.wanted}"
        )

    def sentence(self, settings: Settings) -> str:
        """All of it in one line, for a log."""
        return f"topic {self.topic}: {self.name} is {self.found}. {self.why} To change it: {self.command(settings)}"


def topic_settings(settings: Settings, topic: str, replication: int | None = None) -> dict[str, str]:
    """Broker-side settings with which we create one of our topics.

    Args:
        settings: Of this deployment.
        topic: One of our topics.
        replication: Its number of copies; default: as many as we would create.
    """
    dead = topic == settings.dead_letter_topic
    kept_ms = retention_ms(_keeping_days(settings, topic))
    copies = settings.replication if replication is None else replication
    safe = {MIN_INSYNC: "2", UNCLEAN: "false"} if copies >= SAFE_REPLICATION else {}
    return {
        TIMESTAMP_TYPE: BY_BROKER,
        CLEANUP: "delete",  # explicit, because a broker may have other defaults
        RETENTION_BYTES: NO_LIMIT,
        RETENTION_MS: NO_LIMIT if kept_ms is None else str(kept_ms),
        "compression.type": "zstd",
        MOST_BYTES: str(DEAD_LETTERS_MOST_BYTES if dead else EVENTS_MOST_BYTES),
        **safe,
    }


def differences(settings: Settings, topic: str, found: Mapping[str, str], replication: int) -> list[Difference]:
    """Settings of a topic that do harm; those that the broker does not show are left out.

    Args:
        settings: Of this deployment.
        topic: One of our topics.
        found: Values in force, by name, as the broker writes them.
        replication: The number of copies of its partitions.
    """
    wanted = topic_settings(settings, topic, replication)
    return [
        *_of_timestamps(topic, found, wanted),
        *_of_cleanup(topic, found),
        *_of_retention(settings, topic, found, wanted),
        *_of_acknowledgement(topic, found, replication),
        *_of_size(topic, found, wanted, is_refused=topic == settings.dead_letter_topic),
    ]


def _of_timestamps(topic: str, found: Mapping[str, str], wanted: Mapping[str, str]) -> Iterator[Difference]:
    value = found.get(TIMESTAMP_TYPE, wanted[TIMESTAMP_TYPE])
    if value != wanted[TIMESTAMP_TYPE]:
        why = "Arrival times, and therefore lateness, then depend on each producer's clock."
        yield Difference(topic, TIMESTAMP_TYPE, value, wanted[TIMESTAMP_TYPE], why)


def _of_cleanup(topic: str, found: Mapping[str, str]) -> Iterator[Difference]:
    value = found.get(CLEANUP, "delete")
    if "compact" in value:
        why = "Compaction deletes all but the last event of each call, incident or crime, so a rebuild miscounts."
        yield Difference(topic, CLEANUP, value, "delete", why, refused=True)


def _of_retention(
    settings: Settings, topic: str, found: Mapping[str, str], wanted: Mapping[str, str]
) -> Iterator[Difference]:
    least, value = wanted[RETENTION_MS], found.get(RETENTION_MS, NO_LIMIT)
    if (kept_ms := _number(value)) is not None and kept_ms >= 0 and (least == NO_LIMIT or kept_ms < int(least)):
        why = f"Records are deleted after {kept_ms / _DAY_MS:,.6g} days. {_lost(settings, topic, kept_ms)}"
        yield Difference(topic, RETENTION_MS, value, least, why)
    size = found.get(RETENTION_BYTES, NO_LIMIT)
    if (_number(size) or 0) > 0:
        why = "Records are deleted once a partition exceeds this size, however recent they are; a rebuild needs them."
        yield Difference(topic, RETENTION_BYTES, size, NO_LIMIT, why)


def _of_acknowledgement(topic: str, found: Mapping[str, str], replication: int) -> Iterator[Difference]:
    value = found.get(MIN_INSYNC, "")
    least = _number(value)
    if least is not None and least > replication:
        why = f"The topic has {replication} replica(s), so no producer with acks=all can write to it."
        yield Difference(topic, MIN_INSYNC, value, str(min(2, replication)), why)
    elif least is not None and replication >= SAFE_REPLICATION and least < 2:
        why = "A record may be acknowledged while only one broker has it; if that broker is lost, so is the record."
        yield Difference(topic, MIN_INSYNC, value, "2", why)
    elif least is not None and replication >= SAFE_REPLICATION and least == replication:
        why = "Producers with acks=all are refused whenever any one broker is down or restarting."
        yield Difference(topic, MIN_INSYNC, value, "2", why)
    unclean = found.get(UNCLEAN, "false")
    if unclean == "true" and replication > 1:
        why = "A broker that lacks acknowledged records may become leader, and those records are then lost."
        yield Difference(topic, UNCLEAN, unclean, "false", why)


def _of_size(
    topic: str, found: Mapping[str, str], wanted: Mapping[str, str], *, is_refused: bool
) -> Iterator[Difference]:
    value = found.get(MOST_BYTES, NO_LIMIT)
    size = _number(value)
    if size is None or size < 0 or size >= int(wanted[MOST_BYTES]):
        return
    if is_refused:
        why = f"The largest dead letter is {LETTER_MOST_BYTES} bytes long; if it does not fit, the worker stops."
    else:
        why = "Producers are refused when they send a large batch of events."
    yield Difference(topic, MOST_BYTES, value, wanted[MOST_BYTES], why, is_refused and size < LETTER_MOST_BYTES)


def _lost(settings: Settings, topic: str, kept_ms: int) -> str:
    """A sentence about what is lost if records are deleted so early."""
    if topic == settings.dead_letter_topic:
        return f"Dead letters should be kept for {RETENTION_DAYS} days so that they can be listed and replayed."
    stream, keeping_days = _stream(settings, topic), _keeping_days(settings, topic)
    lost = [f"months that began earlier (12 months need {RETENTION_DAYS} days)"] if kept_ms < _MONTHS_MS else []
    if retention_ms(keeping_days) is None:
        lost.append(f"all {stream} whose last event is older, though they are kept permanently")
    elif kept_ms < keeping_days * _DAY_MS:
        lost.append(
            f"all {stream} whose last event is older, though they are kept for {keeping_days:g} days"
            " (WATCHROOM_KEEPING_DAYS)"
        )
    return f"A rebuild would lose {', and '.join(lost)}."


def _keeping_days(settings: Settings, topic: str) -> float:
    """For how many days the entities of a topic are known; 0 for the topic of dead letters."""
    stream = _stream(settings, topic)
    return settings.keeping_days.root[stream] if stream else 0.0


def _stream(settings: Settings, topic: str) -> str:
    """The stream of a topic; "" for the topic of dead letters."""
    return next((stream for stream in STREAMS if settings.topic(stream) == topic), "")


def _number(text: str) -> int | None:
    """A whole number; None for anything else that a broker product may write."""
    try:
        return int(text)
    except ValueError:
        return None
