"""Topics: do they exist, unchanged since Redis was filled, and with settings that do no harm?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from watchroom.doctor.facts import Partition
from watchroom.doctor.finding import Finding, finding, listed
from watchroom.kafka.topic_settings import differences
from watchroom.kafka.topics import owned_topics
from watchroom.settings import Settings
from watchroom.store.meta import Meta

Topics = Mapping[str, Sequence[Partition]]


def of_missing(settings: Settings, topics: Topics) -> Iterator[Finding]:
    """Topics of ours that do not exist."""
    if missing := [topic for topic in owned_topics(settings) if topic not in topics]:
        yield finding("topic-missing", f"topic {listed(missing)}")


def of_partitions(settings: Settings, topics: Topics, meta: Meta | None) -> Iterator[Finding]:
    """Topics whose number of partitions changed since Redis was filled."""
    for topic in settings.topics.values():
        held = meta.partitions.get(topic) if meta else None
        if topic in topics and held is not None and len(topics[topic]) != held:
            yield finding("topic-partitions", f"topic {topic}", found=len(topics[topic]), held=held)


def of_log_ids(settings: Settings, log_ids: Mapping[str, str], meta: Meta | None) -> Iterator[Finding]:
    """Topics that were deleted and created again."""
    for topic in settings.topics.values():
        held, found = (meta.log_ids.get(topic) if meta else None), log_ids.get(topic)
        if held and found and held != found:
            yield finding("topic-log", f"topic {topic}", found=found, held=held)


def of_settings(settings: Settings, topics: Topics, found: Mapping[str, Mapping[str, str]]) -> Iterator[Finding]:
    """Topic settings that do harm, or that we may not read."""
    for topic, partitions in topics.items():
        for each in differences(settings, topic, found.get(topic, {}), min(part.replicas for part in partitions)):
            why = each.why + (" Workers refuse to start with this setting." if each.refused else "")
            values = {"setting": each.name, "found": each.found, "why": why, "command": each.command(settings)}
            yield finding("topic-settings.harm", f"topic {topic}", **values)
    if unknown := [topic for topic in topics if topic not in found]:
        yield finding("topic-settings.unknown", f"topic {listed(unknown)}")


def of_replication(settings: Settings, topics: Topics) -> Iterator[Finding]:
    """Topics with fewer replicas than configured, or with only one."""
    copies = {topic: min(part.replicas for part in partitions) for topic, partitions in topics.items()}
    if few := [f"{topic} ({number})" for topic, number in copies.items() if number < settings.replication]:
        yield finding("topic-replication.few", f"topic {listed(few)}", wanted=settings.replication)
    elif single := [topic for topic, number in copies.items() if number == 1]:
        yield finding("topic-replication.single", f"topic {listed(single)}")
