"""Topics: are they there, as they were when Redis was filled, and with settings that do no harm?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from watchroom.doctor.facts import Kafka, Partition
from watchroom.doctor.finding import Finding, listed, unchecked, warning, wrong
from watchroom.kafka.topic_settings import differences
from watchroom.kafka.topics import owned_topics
from watchroom.settings import Settings
from watchroom.store.meta import Meta

Topics = Mapping[str, Sequence[Partition]]
REBUILD = "Stop the workers and run `watchroom rebuild`."


def of_missing(settings: Settings, topics: Topics) -> Iterator[Finding]:
    """Topics of ours that no broker has."""
    if missing := [topic for topic in owned_topics(settings) if topic not in topics]:
        yield wrong(
            "topic-missing",
            f"topic {listed(missing)}",
            "does not exist",
            "Its stream has no events, and no worker has started since with these settings.",
            "Start a worker, which creates it; or check WATCHROOM_TOPIC_PREFIX, WATCHROOM_STREAMS and the right"
            " Describe.",
        )


def of_partitions(settings: Settings, topics: Topics, meta: Meta | None) -> Iterator[Finding]:
    """Topics with another number of partitions than Redis was filled under."""
    for topic in settings.topics.values():
        held = meta.partitions.get(topic) if meta else None
        if topic in topics and held is not None and len(topics[topic]) != held:
            yield wrong(
                "topic-partitions",
                f"topic {topic}",
                f"has {len(topics[topic])} partitions; Redis was filled when it had {held}",
                "Events of one call, incident or crime now lie in two partitions, so the stream is withheld.",
                "Follow deploy/kafka/partitions.md: wait until no producer uses the earlier number, stop the workers,"
                " and run `watchroom rebuild`.",
            )


def of_log_ids(settings: Settings, log_ids: Mapping[str, str], meta: Meta | None) -> Iterator[Finding]:
    """Topics that were deleted and created again."""
    for topic in settings.topics.values():
        held, found = (meta.log_ids.get(topic) if meta else None), log_ids.get(topic)
        if held and found and held != found:
            yield wrong(
                "topic-log",
                f"topic {topic}",
                f"was deleted and created again: its id is {found}, Redis was filled from {held}",
                "Redis holds figures of events that Kafka no longer has, and no worker starts.",
                f"{REBUILD} It says first which months would be lost.",
            )


def of_settings(settings: Settings, topics: Topics, found: Mapping[str, Mapping[str, str]]) -> Iterator[Finding]:
    """Settings that do harm; which ones a topic has may not be known."""
    for topic, partitions in topics.items():
        for each in differences(settings, topic, found.get(topic, {}), min(part.replicas for part in partitions)):
            stops = " No worker starts with it." if each.refused else ""
            what = f"{each.name} is {each.found}"
            yield wrong("topic-settings", f"topic {topic}", what, each.why + stops, each.command(settings))
    if unknown := [topic for topic in topics if topic not in found]:
        yield unchecked(
            "topic-settings",
            f"topic {listed(unknown)}",
            "the broker does not tell its settings",
            "Compaction or a short retention would lose events without a word.",
            "Give our user the right DescribeConfigs (deploy/kafka/rights.md), or look at them yourself:"
            " kafka-configs.sh --describe --all --entity-type topics",
        )


def of_replication(settings: Settings, topics: Topics) -> Iterator[Finding]:
    """Topics with fewer replicas than wanted, or with one alone."""
    copies = {topic: min(part.replicas for part in partitions) for topic, partitions in topics.items()}
    move = "Raise it with kafka-reassign-partitions.sh (three replicas, for min.insync.replicas 2)."
    if few := [f"{topic} ({number})" for topic, number in copies.items() if number < settings.replication]:
        yield wrong(
            "topic-replication",
            f"topic {listed(few)}",
            f"has fewer replicas than WATCHROOM_REPLICATION, which is {settings.replication}",
            "The loss of brokers that the settings allow for loses events.",
            move,
        )
    elif single := [topic for topic, number in copies.items() if number == 1]:
        yield warning(
            "topic-replication",
            f"topic {listed(single)}",
            "has one replica",
            "When its broker's disk is lost, so are the events, and no rebuild finds them.",
            f"Use a cluster of three brokers and WATCHROOM_REPLICATION 3. {move}",
        )


def of_kafka(settings: Settings, kafka: Kafka, meta: Meta | None) -> Iterator[Finding]:
    """All of the above."""
    if kafka.topics is None:
        return
    yield from of_missing(settings, kafka.topics)
    yield from of_partitions(settings, kafka.topics, meta)
    yield from of_log_ids(settings, kafka.log_ids, meta)
    yield from of_settings(settings, kafka.topics, kafka.settings)
    yield from of_replication(settings, kafka.topics)
