"""A second force on the same servers in which nearly everything is wrong and no process runs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic

from tests.doctor.deployment import Deployment
from tests.flow.servers import AlertmanagerServer, PrometheusServer
from tests.flow.wall import event, now_ms
from watchroom.catalogue.load import load_catalogue
from watchroom.demo.server import LOOPBACK, free_port
from watchroom.intake.partition import make_store
from watchroom.kafka.produce import Outgoing, sender
from watchroom.kafka.topic_metadata import log_ids
from watchroom.kafka.topic_settings import topic_settings
from watchroom.kafka.topics import Topics
from watchroom.settings import Settings
from watchroom.store.keys import Keys

USER, PASSWORD = "planted", "pl4nted-s3cret"
AHEAD_MS = 20_000


@contextmanager
def planted(folder: Path, healthy: Deployment) -> Iterator[Settings]:
    """Its settings; Kafka and Redis are those of the deployment, Prometheus and Alertmanager are different ones."""
    prometheus = PrometheusServer(folder / "prometheus", [f"{LOOPBACK}:{free_port()}"])
    alertmanager = AlertmanagerServer(folder / "alertmanager")
    name = f"planted-{healthy.settings.force}"
    changed = {
        **dict.fromkeys(("force", "topic_prefix", "group"), name),
        "kafka": f"{healthy.settings.kafka},{LOOPBACK}:{free_port()}",
        "redis_url": f"redis://{USER}:{PASSWORD}@{LOOPBACK}:{healthy.redis.port}/0",
        "streams": ("calls", "contacts", "incidents", "crimes"),
        **dict.fromkeys(("exporter_url", "prometheus_url"), f"http://{USER}:{PASSWORD}@{LOOPBACK}:{prometheus.port}"),
        "alertmanager_url": alertmanager.url,
        **dict.fromkeys(("fresh_s", "touch_s"), 60.0),
    }
    settings = healthy.settings.model_copy(update=changed)
    prometheus.start()
    alertmanager.start()
    try:
        asyncio.run(_topics_and_meta(settings, healthy))
        _redis(settings, healthy)
        yield settings
    finally:
        alertmanager.stop()
        prometheus.stop()


async def _topics_and_meta(settings: Settings, healthy: Deployment) -> None:
    """Topics with faults, and the topics that Redis was filled from before they changed."""
    calls, contacts, incidents = (settings.topic(name) for name in ("calls", "contacts", "incidents"))
    harmful: dict[str, dict[str, str]] = {
        calls: {"message.timestamp.type": "CreateTime", "retention.ms": "604800000"},
        contacts: {"unclean.leader.election.enable": "true"},
        incidents: {"cleanup.policy": "compact,delete", "min.insync.replicas": "1"},
        settings.dead_letter_topic: {"max.message.bytes": "1000"},
    }
    admin = AIOKafkaAdminClient(bootstrap_servers=healthy.settings.kafka)
    await admin.start()
    try:
        made = [
            NewTopic(
                topic,
                1,
                1 if topic == settings.dead_letter_topic else 3,
                topic_configs=_configs(settings, topic, given),
            )
            for topic, given in harmful.items()
        ]
        await admin.create_topics(made)
        await _shown(healthy, dict.fromkeys(harmful, 1))
        await _bind(settings, healthy, await log_ids(admin._client, harmful))
        await admin.delete_topics([contacts])
        await admin.create_partitions({calls: NewPartitions(3)})
        await _shown(healthy, {calls: 3, contacts: 0})
        await admin.create_topics([each for each in made if each.name == contacts])
        await _shown(healthy, {contacts: 1})
        async with sender(healthy.settings) as out:  # with a clock that is ahead
            body = event("incident.created", "i-1", now_ms() + AHEAD_MS, 1, grade="1", area="stoke")
            await out.send(Outgoing(incidents, b"i-1", body))
            await out.flush()
    finally:
        await admin.close()


def _configs(settings: Settings, topic: str, given: dict[str, str]) -> dict[str, str]:
    return {**topic_settings(settings, topic), **given}


async def _shown(healthy: Deployment, partitions: Mapping[str, int]) -> None:
    """Wait until every broker shows these topics with so many partitions; 0: not at all."""
    for broker in healthy.brokers:
        admin = AIOKafkaAdminClient(bootstrap_servers=broker.address)
        await admin.start()
        try:
            async with asyncio.timeout(20):
                while await _counts(admin, partitions) != partitions:  # noqa: ASYNC110 - a broker announces nothing
                    await asyncio.sleep(0.05)
        finally:
            await admin.close()


async def _counts(admin: AIOKafkaAdminClient, topics: Iterable[str]) -> dict[str, int]:
    described = {item["topic"]: len(item["partitions"]) for item in await admin.describe_topics()}
    return {topic: described.get(topic, 0) for topic in topics}


async def _bind(settings: Settings, healthy: Deployment, ids: dict[str, str]) -> None:
    """Redis as left by a worker of two streams, with another zone for one of them, and one partition of each."""
    catalogue = load_catalogue(settings.schemas / "measures", settings.areas)
    for stream, zone in (("calls", "Europe/London"), ("contacts", "Europe/Paris"), ("incidents", "Europe/London")):
        worker = settings.model_copy(
            update={"redis_url": healthy.settings.redis_url, "streams": (stream,), "zone": zone}
        )
        topic = settings.topic(stream)
        store = make_store(worker, catalogue, Topics({topic: 1}, {topic: ids[topic]}))
        assert await store.open() == {}
        await store.close()


def _redis(settings: Settings, healthy: Deployment) -> None:
    """Incidents are behind, the rest is fresh; keys were evicted, records lost; the user has few rights."""
    keys = Keys(settings.force)
    calls, contacts, incidents = (settings.topic(name) for name in ("calls", "contacts", "incidents"))
    with healthy.redis.client() as client:
        client.hset(keys.meta, "evicted", "1")
        for topic in (calls, contacts):
            client.hset(keys.partition(topic, 0), mapping={"next_offset": 0, "fresh_ms": now_ms(), "lost": 0})
        client.hset(keys.partition(incidents, 0), mapping={"next_offset": 0, "fresh_ms": now_ms() - 90_000, "lost": 3})
        rights = "reset on resetchannels ~* +@all -info -hset -evalsha"
        client.execute_command("ACL", "SETUSER", USER, *rights.split(), f">{PASSWORD}")


def snapshot(settings: Settings, healthy: Deployment) -> dict[str, object]:
    """Everything of this force that Kafka and Redis hold."""
    with healthy.redis.client() as client:
        held = {key: client.dump(key) for key in sorted(client.scan_iter(f"{{{settings.force}}}:*"))}
    return {**asyncio.run(_broker(settings, healthy)), "redis": held}


async def _broker(settings: Settings, healthy: Deployment) -> dict[str, object]:
    admin = AIOKafkaAdminClient(bootstrap_servers=healthy.settings.kafka)
    await admin.start()
    try:
        offsets = await admin.list_consumer_group_offsets(settings.group)
        groups = await admin.list_consumer_groups()
        topics = {item["topic"]: len(item["partitions"]) for item in await admin.describe_topics()}
    finally:
        await admin.close()
    return {"offsets": {str(place): each.offset for place, each in offsets.items()}, "groups": groups, "topics": topics}
