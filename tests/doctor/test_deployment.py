"""The doctor on real servers: no finding in a healthy deployment, every planted fault in another, nothing changed."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import NamedTuple

import pytest

from tests.doctor.deployment import Deployment
from tests.doctor.planted import PASSWORD, planted, snapshot
from tests.flow.commands import watchroom
from tests.flow.servers import RedisServer
from watchroom.demo.processes import environment
from watchroom.demo.server import LOOPBACK, free_port
from watchroom.doctor.examine import examine
from watchroom.doctor.finding import Finding, Severity, as_text
from watchroom.doctor.kafka_facts import kafka_facts
from watchroom.kafka.topics import owned_topics

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(240)]


class Planted(NamedTuple):
    """A fault that was planted."""

    check: str
    says: str  # in subject and what
    fix: str
    severity: Severity = Severity.WRONG


FAULTS = [
    Planted("settings-freshness", r"60 s, but", "WATCHROOM_TOUCH_S to 2"),
    Planted("kafka", r"does not answer", "WATCHROOM_KAFKA"),
    Planted("topic-missing", r"crimes: does not exist", "Start a worker"),
    Planted("topic-partitions", r"calls: has 3 partitions; Redis was filled when it had 1", "watchroom rebuild"),
    Planted("topic-log", r"contacts: was deleted and created again", "watchroom rebuild"),
    Planted("topic-settings", r"calls: message.timestamp.type is CreateTime", "message.timestamp.type=LogAppendTime"),
    Planted("topic-settings", r"calls: retention.ms is 604800000", "--add-config retention.ms=34560000000"),
    Planted("topic-settings", r"contacts: unclean.leader.election.enable is true", "leader.election.enable=false"),
    Planted("topic-settings", r"incidents: cleanup.policy is compact,delete", "--add-config cleanup.policy=delete"),
    Planted("topic-settings", r"incidents: min.insync.replicas is 1", "--add-config min.insync.replicas=2"),
    Planted("topic-settings", r"dead-letters: max.message.bytes is 1000", "--add-config max.message.bytes=2097152"),
    Planted("topic-settings", r"dead-letters: min.insync.replicas is 2", "--add-config min.insync.replicas=1"),
    Planted("topic-replication", r"dead-letters \(1\): has fewer replicas", "kafka-reassign-partitions.sh"),
    Planted("group-members", r"has no member", "watchroom worker"),
    Planted(
        "lag",
        r"incidents: not applied.*partition 0 \(1 record\(s\) behind, last up to date [\d.]+ (?:s|min .*s) ago\)",
        "AppliedLag",
    ),
    Planted("records-lost", r"incidents partition 0: Kafka deleted 3", "RecordsLost"),
    Planted("source-silent", r"calls: source acd has never been seen", "WATCHROOM_SOURCES"),
    Planted("source-silent", r"contacts: no source has ever sent anything", "WATCHROOM_SOURCES"),
    Planted("source-clock", r"source desk of incidents: .* up to 20\.", "NTP"),
    Planted("redis-rights", r"'planted' may not run EVALSHA, HSET on", r"deploy/redis/rights\.md"),
    Planted("redis-info", r"'planted' may not run INFO", r"ACL SETUSER planted \+info", Severity.UNCHECKED),
    Planted("redis-evicted", r"has evicted keys", "watchroom rebuild"),
    Planted("force", r"holds no data for crimes", "WATCHROOM_STREAMS"),
    Planted("definitions", r"contacts: .* reporting zone changed from Europe/Paris", "watchroom rebuild"),
    Planted("exporter", r"is not a Watchroom exporter", "WATCHROOM_EXPORTER_URL"),
    Planted("prometheus-targets", r"no target of job watchroom-exporter", "deploy/prometheus/prometheus.yml"),
    Planted("prometheus-targets", r"no target of job watchroom-worker", "deploy/prometheus/prometheus.yml"),
    Planted("prometheus-rules", r"has not loaded \d+ of our", "deploy/prometheus/rules"),
    Planted("prometheus-alertmanager", r"has no Alertmanager to send alerts to", "alerting"),
    Planted("alertmanager-pages", r"are not routed to any receiver with an integration", "webhook"),
    Planted("alertmanager-watchdog", r"Watchdog does not arrive", "loaded the rules"),
]


class Examined(NamedTuple):
    """The findings, and what the servers held before and after."""

    found: list[Finding]
    before: dict[str, object]
    after: dict[str, object]


@pytest.fixture(scope="module")
def ill(healthy: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Examined]:
    """The planted force, examined once."""
    with planted(tmp_path_factory.mktemp("planted"), healthy) as settings:
        before = snapshot(settings, healthy)
        found = examine(settings)
        yield Examined(found, before, snapshot(settings, healthy))


def only(found: Sequence[Finding], planted: Planted) -> Finding:
    """The only finding for a fault."""
    (one,) = [
        each
        for each in found
        if each.check == planted.check and re.search(planted.says, f"{each.subject}: {each.what}")
    ]
    return one


def test_nothing_is_found_on_a_healthy_deployment(healthy: Deployment) -> None:
    """A check that cries wolf is switched off, with all the others."""
    assert as_text(healthy.examine()) == "doctor: nothing wrong was found\n"


def test_the_command_reports_a_healthy_deployment_and_exits_with_0(healthy: Deployment) -> None:
    """Run as people and schedulers run it."""
    done = watchroom("doctor", "--format", "json", environment=environment(healthy.settings))
    assert (done.code, json.loads(done.out), done.said) == (0, [], "")


def test_every_fact_about_the_brokers_is_read(healthy: Deployment) -> None:
    """Facts that are not read are not checked, and would look healthy."""
    seen, settings = asyncio.run(kafka_facts(healthy.settings)), healthy.settings
    assert seen.topics is not None
    assert seen.topics.keys() == seen.settings.keys() == seen.log_ids.keys() == set(owned_topics(settings))
    assert seen.group is not None
    partitions = {(topic, number) for topic in settings.topics.values() for number in (0, 1)}
    assert {(topic, number) for topic, numbers in seen.group.assigned.items() for number in numbers} == partitions
    assert seen.logs.keys() == partitions
    assert {record.source for log in seen.logs.values() for record in log.last} == {"acd", "cad"}
    assert (seen.unread, seen.failures) == ({}, {})


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.check}: {fault.says}")
def test_a_planted_fault_is_reported_with_what_to_do(ill: Examined, fault: Planted) -> None:
    """Each of them causes a wrong number, a blank wall or a silent pager in a control room."""
    found = only(ill.found, fault)
    assert found.severity is fault.severity
    assert re.search(fault.fix, found.fix)


def test_nothing_is_reported_that_was_not_planted(ill: Examined) -> None:
    """A fault that is reported twice or without reason costs somebody a morning."""
    wanted = {(only(ill.found, fault).check, only(ill.found, fault).what) for fault in FAULTS}
    assert {(found.check, found.what) for found in ill.found} - wanted == set()


def test_the_doctor_changes_nothing(ill: Examined) -> None:
    """No topic, group, offset or key, because it must be safe to run at any moment."""
    assert ill.before["redis"]
    assert ill.after == ill.before


def test_no_password_is_printed(ill: Examined) -> None:
    """People run it in shared terminals and paste its output into tickets."""
    assert PASSWORD not in as_text(ill.found)


BY_SETTINGS = [
    ({"force": "elsewhere"}, Planted("force", "holds no data for this force", "WATCHROOM_FORCE")),
    (
        {"force": "elsewhere"},
        Planted("prometheus-force", "watchroom-worker has the label force=elsewhere", "labels"),
    ),
    ({"group": "elsewhere"}, Planted("group-members", "has no member", "WATCHROOM_GROUP")),
    ({"zone": "Europe/Paris"}, Planted("definitions", "calls: .*reporting zone changed", "watchroom rebuild")),
    (
        {"streams": ("calls", "crimes")},
        Planted("exporter-withholds", "not know the stream crimes", "WATCHROOM_STREAMS"),
    ),
]


@pytest.mark.parametrize(("changed", "fault"), BY_SETTINGS, ids=lambda value: getattr(value, "check", None))
def test_settings_that_differ_from_those_of_the_workers_are_found(
    healthy: Deployment, changed: dict[str, object], fault: Planted
) -> None:
    """Two processes with different settings are the most common fault."""
    found = only(healthy.examine(**changed), fault)
    assert found.severity is Severity.WRONG
    assert re.search(fault.fix, found.fix)


REPLICA = [
    Planted("redis-role", rf"is a replica of {LOOPBACK}:\d+", "primary"),
    Planted("redis-policy", "maxmemory-policy is allkeys-lru", "noeviction"),
    Planted("redis-persistence", "append-only file is off", "appendonly yes", Severity.WARNING),
    Planted("redis-memory", "of maxmemory", "Double maxmemory", Severity.WARNING),
]


def test_a_redis_that_may_lose_data_and_refuses_writes_is_found(healthy: Deployment, redis_server: RedisServer) -> None:
    """Somebody may have set it up as a cache, for which such settings are right."""
    with healthy.redis.client() as primary:
        primary.config_set("repl-diskless-sync-delay", "0")
    with redis_server.client() as client:
        client.config_set("appendonly", "no")
        client.config_set("maxmemory-policy", "allkeys-lru")
        client.replicaof(LOOPBACK, str(healthy.redis.port))
        until_s = time.monotonic() + 20
        while client.info("replication")["master_link_status"] != "up":
            assert time.monotonic() < until_s
            time.sleep(0.05)
        client.config_set("maxmemory", client.info("memory")["used_memory"] + 20_000)
    found = healthy.examine(redis_url=redis_server.url)
    for fault in REPLICA:
        one = only(found, fault)
        assert one.severity is fault.severity
        assert re.search(fault.fix, one.fix)


def test_all_wrong_variables_are_named_and_no_server_is_contacted(healthy: Deployment) -> None:
    """A mistyped name leaves the default in place, and a wrong value stops every process."""
    given = {**environment(healthy.settings), "WATCHROOM_FROCE": "x", "WATCHROOM_ZONE": "Mars"}
    done = watchroom("doctor", "--format", "json", environment=given)
    assert done.code == 1
    found = {(each["severity"], each["subject"]) for each in json.loads(done.out)}
    assert found == {
        ("wrong", "WATCHROOM_FROCE"),
        ("wrong", "WATCHROOM_ZONE"),
        ("not checked", "everything else"),
    }


def test_a_variable_that_is_not_a_setting_does_not_stop_other_checks(healthy: Deployment) -> None:
    """The other settings can still be used."""
    given = {**environment(healthy.settings), "WATCHROOM_FROCE": "x", "WATCHROOM_EXPORTER_URL": "http://127.0.0.1:1"}
    done = watchroom("doctor", "--format", "json", environment=given)
    assert [each["check"] for each in json.loads(done.out)] == ["settings", "exporter"]
    assert done.code == 1


def test_it_ends_in_time_if_no_server_answers() -> None:
    """Servers that accept a connection and never answer take longest; people wait half a minute."""
    secret = "s3cret-of-nobody"
    with ExitStack() as ending:
        ports = []
        for _ in range(5):
            silent = ending.enter_context(socket.create_server((LOOPBACK, 0)))
            ports.append(silent.getsockname()[1])
        kafka, redis, exporter, prometheus, alertmanager = ports
        given = {
            "WATCHROOM_KAFKA": f"{LOOPBACK}:{kafka},{LOOPBACK}:{free_port()}",
            "WATCHROOM_KAFKA_SECURITY": "sasl_plaintext",
            "WATCHROOM_KAFKA_USER": "wr",
            "WATCHROOM_KAFKA_PASSWORD": secret,
            "WATCHROOM_REDIS_URL": f"redis://wr:{secret}@{LOOPBACK}:{redis}/0",
            "WATCHROOM_EXPORTER_URL": f"http://wr:{secret}@{LOOPBACK}:{exporter}",
            "WATCHROOM_PROMETHEUS_URL": f"http://wr:{secret}@{LOOPBACK}:{prometheus}",
            "WATCHROOM_ALERTMANAGER_URL": f"http://wr:{secret}@{LOOPBACK}:{alertmanager}",
        }
        began_s = time.monotonic()
        done = watchroom("doctor", environment=given)
        took_s = time.monotonic() - began_s
    assert took_s < 30
    assert (done.code, done.said) == (1, "")
    text = done.out.decode()
    for check in ("kafka", "redis", "exporter", "prometheus", "alertmanager"):
        assert f"[{check}]" in text
    assert secret not in text
