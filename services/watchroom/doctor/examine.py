"""`watchroom doctor`: gathers facts from all servers at once, and runs every check on them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Iterator
from typing import Final, TypeVar

from pydantic import ValidationError
from pydantic_settings import SettingsError

from watchroom.catalogue.load import load_catalogue
from watchroom.catalogue.model import Catalogue
from watchroom.doctor import (
    alertmanager_checks,
    broker_checks,
    consumer_checks,
    exporter_checks,
    prometheus_checks,
    redis_checks,
    settings_checks,
    source_checks,
    topic_checks,
)
from watchroom.doctor.facts import Kafka, Monitoring, Redis
from watchroom.doctor.finding import LACKING_ON_EMBEDDED, Finding, Severity
from watchroom.doctor.kafka_facts import kafka_facts
from watchroom.doctor.pages import fetch_pages
from watchroom.doctor.redis_facts import redis_facts
from watchroom.doctor.rules import shipped_rules
from watchroom.doctor.threads import DaemonThreads
from watchroom.errors import ConfigurationInvalid
from watchroom.settings import Settings, read_settings
from watchroom.store.compatibility import redefined

Facts = TypeVar("Facts")

WITHIN_S: Final = 20.0  # for Kafka and for Redis; a whole run takes less than 30 s


def examine_environment(**given: object) -> list[Finding]:
    """Check the deployment that the environment describes; `given` (command-line options) override it."""
    found: list[Finding] = []
    try:
        settings = read_settings(**given)
    except ConfigurationInvalid as error:
        found += settings_checks.of_faults(error.faults)  # all have the worst severity
        try:
            settings = Settings(**given)  # type: ignore[arg-type]  # unknown variables do not prevent checks
        except (ValidationError, SettingsError):
            return [*found, settings_checks.NOTHING_ELSE_CHECKED]
    return [*found, *examine(settings)]


def examine(settings: Settings, *, embedded: bool = False) -> list[Finding]:
    """Check a deployment. Returns what is wrong, the worst first; empty if nothing is.

    Args:
        settings: Name the servers.
        embedded: Whether it is the embedded stack; what that lacks by design is not reported.
    """
    found = asyncio.run(_examine(settings, embedded=embedded))
    return sorted(found, key=lambda one: list(Severity).index(one.severity))


async def _examine(settings: Settings, *, embedded: bool) -> list[Finding]:
    # at its end the loop would wait for its own threads, however long they take
    asyncio.get_running_loop().set_default_executor(DaemonThreads())
    found = [*settings_checks.of_settings(settings)]
    found += settings_checks.of_secret_files(
        settings_checks.secret_files(settings, os.environ.get("WATCHROOM_SECRETS_DIR"))
    )
    catalogue: Catalogue | None = None
    try:
        catalogue = load_catalogue(settings.schemas / "measures", settings.areas)
    except ConfigurationInvalid as error:
        found += settings_checks.of_faults(error.faults, "catalogue")
    faults = settings_checks.unusable_files(settings)
    found += settings_checks.of_faults(faults)
    if faults:
        return [*found, settings_checks.NOTHING_ELSE_CHECKED]
    late = f"within {WITHIN_S:g} s"
    kafka, redis, pages = await asyncio.gather(
        _within_limit(kafka_facts(settings), Kafka(unread={"kafka": f"no answer {late}"})),
        _within_limit(asyncio.to_thread(redis_facts, settings), Redis(failure=f"did not answer {late}")),
        fetch_pages(settings),
    )
    found += of_kafka(settings, kafka, redis)
    found += of_redis(settings, redis, catalogue)
    found += exporter_checks.of_exporter(settings, pages.exporter)
    found += [] if embedded else of_monitoring(settings, pages, catalogue)
    return [one for one in found if not (embedded and one.check in LACKING_ON_EMBEDDED)]


def of_kafka(settings: Settings, kafka: Kafka, redis: Redis) -> Iterator[Finding]:
    """Brokers, topics, workers and sources."""
    yield from broker_checks.of_brokers(settings, kafka.failures)
    yield from broker_checks.of_encryption(settings)
    if kafka.topics is not None:
        yield from broker_checks.of_replicas(kafka.topics)
        yield from topic_checks.of_missing(settings, kafka.topics)
        yield from topic_checks.of_partitions(settings, kafka.topics, redis.meta)
        yield from topic_checks.of_log_ids(settings, kafka.log_ids, redis.meta)
        yield from topic_checks.of_settings(settings, kafka.topics, kafka.settings)
        yield from topic_checks.of_replication(settings, kafka.topics)
    if kafka.group is not None:
        yield from consumer_checks.of_group(settings, kafka.topics or {}, kafka.group)
    if redis.read_ms:
        yield from consumer_checks.of_lag(settings, kafka.logs, redis.partitions, redis.read_ms)
        yield from consumer_checks.of_lost(redis.partitions)
        yield from source_checks.of_silence(settings, redis.meta, redis.partitions, redis.sources, redis.read_ms)
    yield from source_checks.of_clocks(settings, kafka.logs, kafka.read_ms)
    for check, why in kafka.unread.items():
        fix = (
            "Check this user's rights (deploy/kafka/rights.md) and the brokers' logs, and run `watchroom doctor` again."
        )
        risk = "This check may have missed a fault."
        yield Finding(Severity.UNCHECKED, check, f"Kafka at {settings.kafka}", why, risk, fix)


def of_redis(settings: Settings, redis: Redis, catalogue: Catalogue | None) -> Iterator[Finding]:
    """Redis, and what it holds of this force."""
    yield from redis_checks.of_answer(settings, redis)
    yield from redis_checks.of_encryption(settings)
    if redis.missing_rights is not None:
        yield from redis_checks.of_rights(settings, redis.missing_rights, redis.info)
        yield from redis_checks.of_info(settings, redis.info or {})
        yield from redis_checks.of_evictions(settings, redis.info, redis.meta)
    if redis.read_ms:
        yield from redis_checks.of_force(settings, redis.meta, redis.partition_counts)
    if redis.meta is not None and not redis.meta.clearing and catalogue is not None:
        changed = redefined(redis.meta, settings, catalogue)
        yield from redis_checks.of_definitions({name: changed[name] for name in settings.streams if name in changed})


def of_monitoring(settings: Settings, pages: Monitoring, catalogue: Catalogue | None) -> Iterator[Finding]:
    """Prometheus and Alertmanager."""
    shipped = shipped_rules(catalogue) if catalogue else []
    areas = (*catalogue.areas.values, "unknown", "other") if catalogue else ()
    yield from prometheus_checks.of_prometheus(settings, pages, shipped)
    yield from alertmanager_checks.of_alertmanager(settings, pages, shipped, areas)


async def _within_limit(facts: Awaitable[Facts], otherwise: Facts) -> Facts:
    try:
        async with asyncio.timeout(WITHIN_S):
            return await facts
    except TimeoutError:
        return otherwise
