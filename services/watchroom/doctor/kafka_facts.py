"""Reads metadata, settings, the consumer group and the last records from Kafka. Joins no group, commits nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping
from typing import Any, Final, TypeVar

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from aiokafka.errors import KafkaError

from watchroom import timing
from watchroom.admission.binary_mode import parse_record
from watchroom.doctor.facts import Group, Kafka, LastRecord, Log, Partition
from watchroom.doctor.finding import listed
from watchroom.errors import BrokerUnavailable, EventRefused
from watchroom.kafka import clients
from watchroom.kafka.login import Security, refusal, security_of
from watchroom.kafka.topic_metadata import log_ids
from watchroom.kafka.topics import found_settings, owned_topics
from watchroom.settings import Settings
from watchroom.tls import Refusal

REQUEST_MS: Final = 4_000
CONNECT_WITHIN_S: Final = 5.0
READ_WITHIN_S: Final = 8.0
LAST_RECORDS: Final = 20  # of each partition
FETCH_MS: Final = 500
APPENDED: Final = 1  # timestamp type of a record whose time is the broker's

Answer = TypeVar("Answer")


async def kafka_facts(settings: Settings) -> Kafka:
    """Facts from the brokers, and what could not be read."""
    servers = [server.strip() for server in settings.kafka.split(",")]
    security = security_of(settings)
    answers = await asyncio.gather(*(_refusal(server, security) for server in servers))
    failures = {server: found for server, found in zip(servers, answers, strict=True) if found is not None}
    if len(failures) == len(servers):
        return Kafka(failures=failures)
    settings = settings.model_copy(update={"kafka": ",".join(server for server in servers if server not in failures)})
    admin = clients.admin(settings, REQUEST_MS)
    unread: dict[str, str] = {}
    try:
        async with asyncio.timeout(CONNECT_WITHIN_S):
            await clients.start(admin, settings)
            topics = await _topics(admin, settings)
        reading = (
            _or_why("topic-log", log_ids(admin._client, topics), unread),  # noqa: SLF001 - no public way to ask for ids
            _or_why("topic-settings", found_settings(admin, topics), unread),
            _or_why("group-members", _group(admin, settings.group), unread),
            _or_why("source-clock", _logs(settings, topics, unread), unread),
        )
        ids, found, group, logs = await asyncio.gather(*reading)
    except (KafkaError, OSError, TimeoutError, BrokerUnavailable) as error:
        return Kafka(failures, unread={"kafka": f"metadata: {_why(error)}"})
    finally:
        await admin.close()
    read_ms = timing.now_ms()
    return Kafka(failures, topics, ids or {}, found or {}, group, logs or {}, read_ms, unread)


async def _refusal(server: str, security: Security) -> Refusal | None:
    try:
        return await refusal(server, security)
    except UnicodeError:
        return Refusal("has an invalid host name", "WATCHROOM_KAFKA")


async def _or_why(check: str, answer: Awaitable[Answer], unread: dict[str, str]) -> Answer | None:
    """The answer; None if there is none in time, with the reason in `unread`."""
    try:
        async with asyncio.timeout(READ_WITHIN_S):
            return await answer
    except (KafkaError, OSError, TimeoutError, BrokerUnavailable) as error:
        unread[check] = _why(error)
        return None


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return f"{type(error).__name__}: {error}" if isinstance(error, KafkaError) else str(error)


async def _topics(admin: AIOKafkaAdminClient, settings: Settings) -> dict[str, list[Partition]]:
    """Our topics that exist. Requests all topics, because a broker may create one that is requested by name."""
    ours = set(owned_topics(settings))
    return {
        item["topic"]: [
            Partition(each["leader"], len(each["replicas"]), len(each["isr"]))
            for each in sorted(item["partitions"], key=lambda each: int(each["partition"]))
        ]
        for item in await admin.describe_topics()
        if item["topic"] in ours and item["partitions"]
    }


async def _group(admin: AIOKafkaAdminClient, name: str) -> Group:
    members = await clients.group_members(admin, name)
    assigned: dict[str, list[int]] = {}
    for member in members:
        for topic, numbers in _assignment(member[-1]):
            assigned.setdefault(topic, []).extend(numbers)
    return Group([str(member[0]) for member in members], assigned)


def _assignment(encoded: bytes) -> Iterable[tuple[str, list[int]]]:
    return ConsumerProtocolMemberAssignment.decode(encoded).assignment if encoded else ()


async def _logs(
    settings: Settings, topics: Mapping[str, list[Partition]], unread: dict[str, str]
) -> dict[tuple[str, int], Log]:
    """The end of every partition of the streams and its last events; slow partitions are named in `unread`."""
    assigned = [
        TopicPartition(topic, number)
        for topic in settings.topics.values()
        for number, partition in enumerate(topics.get(topic, ()))
        if partition.leader >= 0
    ]
    if not assigned:
        return {}
    consumer = clients.consumer(
        settings,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
        request_timeout_ms=REQUEST_MS,
    )
    try:
        await clients.start(consumer, settings)
        consumer.assign(assigned)
        begins: dict[TopicPartition, int] = await consumer.beginning_offsets(assigned)
        ends: dict[TopicPartition, int] = await consumer.end_offsets(assigned)
        for partition in assigned:
            consumer.seek(partition, max(begins[partition], ends[partition] - LAST_RECORDS))
        last = await _read_to(consumer, ends)
        if late := [partition for partition in assigned if await consumer.position(partition) < ends[partition]]:
            where = listed([f"{partition.topic} partition {partition.partition}" for partition in late])
            unread["source-clock"] = f"the last records of {where} did not arrive within {READ_WITHIN_S / 2:g} s"
    finally:
        await consumer.stop()
    return {
        (partition.topic, partition.partition): Log(
            max(ends[partition], consumer.highwater(partition) or 0),
            [one for one in map(_last, last[partition]) if one],
        )
        for partition in assigned
    }


async def _read_to(
    consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]
) -> dict[TopicPartition, list[ConsumerRecord]]:
    """The records up to these ends, as far as they arrive in time."""
    read: dict[TopicPartition, list[ConsumerRecord]] = {partition: [] for partition in ends}
    loop = asyncio.get_running_loop()
    until_s = loop.time() + READ_WITHIN_S / 2
    while loop.time() < until_s:
        waiting = [partition for partition, end in ends.items() if await consumer.position(partition) < end]
        if not waiting:
            break
        for partition, records in (await consumer.getmany(*waiting, timeout_ms=FETCH_MS)).items():
            read[partition] += records
    return read


def _last(record: Any) -> LastRecord | None:  # noqa: ANN401 - aiokafka is untyped
    """What the checks need of a record; None if it is not an event, or has the producer's timestamp."""
    if record.timestamp_type != APPENDED:
        return None
    try:
        event = parse_record(tuple(record.headers), record.value)
    except EventRefused:
        return None
    return None if event is None else LastRecord(event.source, event.time_ms, record.timestamp)
