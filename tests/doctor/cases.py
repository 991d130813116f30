"""Plain facts with a fault for every check, and the same facts without the fault."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from watchroom.backtest.rules import Rule
from watchroom.doctor import alertmanager_checks, exporter_checks, prometheus_checks
from watchroom.doctor import broker_checks as brokers
from watchroom.doctor import consumer_checks as consumers
from watchroom.doctor import redis_checks as redis
from watchroom.doctor import settings_checks as own
from watchroom.doctor import source_checks as sources
from watchroom.doctor import topic_checks as topics
from watchroom.doctor.examine import of_kafka
from watchroom.doctor.facts import Group, Kafka, LastRecord, Log, Monitoring, Page, Partition, Redis
from watchroom.doctor.finding import Finding, Severity
from watchroom.errors import Fault
from watchroom.settings import Settings, read_settings
from watchroom.store.evictions import Seen
from watchroom.store.meta import Bound, Meta
from watchroom.store.partition_counts import PartitionCounts
from watchroom.store.read import PartitionState, SourceState
from watchroom.tls import Refusal

NOW_MS = 1_767_571_200_000
SETTINGS = read_settings(streams="calls", sources={"calls": {"acd": {}}})
CALLS, LETTERS = "watchroom.calls", "watchroom.dead-letters"
WELL = Partition(1, 3, 3)
TOPICS = {CALLS: [WELL, WELL], LETTERS: [WELL]}
META = Meta({"calls": Bound.of({})}, 0, {CALLS: 2}, {CALLS: "id-1"})
FRESH = {(CALLS, 0): PartitionState(7, NOW_MS - 100, 0), (CALLS, 1): PartitionState(7, NOW_MS - 100, 0)}
INFO: dict[str, Any] = {
    "redis_version": "7.0.15",
    "role": "master",
    "run_id": "r",
    "evicted_keys": 0,
    "maxmemory_policy": "noeviction",
    "maxmemory": 1000,
    "used_memory": 500,
    "aof_enabled": 1,
    "aof_last_write_status": "ok",
    "rdb_last_bgsave_status": "ok",
}
RULE = Rule("Broken", "up == 0", True, 15, 60, {"severity": "page", "measure": "m"}, {"summary": "It broke."})
TARGETS = [
    {"labels": {"job": job, "instance": f"{job}:1", "force": "force"}, "health": "up", "lastError": ""}
    for job in ("watchroom-exporter", "watchroom-worker")
]
LOADED = {
    "type": "alerting", "name": "Broken", "query": "up == 0", "duration": 15, "keepFiringFor": 60,
    "labels": {"severity": "page", "measure": "m"}, "lastError": "",
    "annotations": {"summary": "It broke.", "open_url": "http://any"},
}  # fmt: skip
WATCHDOG = {"labels": {"alertname": "Watchdog"}, "status": {"state": "active"}, "receivers": [{"name": "webhook"}]}
ROUTES: dict[str, Any] = {
    "route": {"receiver": "nobody", "routes": [{"matchers": ['severity="page"'], "receiver": "webhook"}]},
    "receivers": [{"name": "nobody"}, {"name": "webhook", "webhook_configs": [{"url": "<secret>"}]}],
}
OF_STOKE = {"receiver": "webhook", "routes": [{"match": {"area": "stoke"}, "receiver": "nobody"}]}
OFF = {"receiver": "webhook", "mute_time_intervals": ["off"]}
MUTED = {
    **ROUTES,
    "route": {"receiver": "webhook", "routes": [{"matchers": ['severity="page"'], **OFF}]},
    "mute_time_intervals": [{"name": "off", "time_intervals": [{}]}],
}
STOKE = {**ROUTES, "route": OF_STOKE}
WEBHOOK = {"name": "webhook", "webhook_configs": [{"url": "<secret>"}]}
MAIL = {"name": "webhook", "email_configs": [{"to": "me@force.invalid", "smarthost": "smtp.force.example:587"}]}


def settings(**given: Any) -> Settings:
    """The settings of all cases, with changes."""
    return read_settings(**{"streams": "calls", "sources": {"calls": {"acd": {}}}, **given})


def kafka(**changed: Any) -> Kafka:
    """Healthy brokers, with changes."""
    return Kafka(topics=TOPICS, settings={topic: {} for topic in TOPICS})._replace(**changed)


def info(**changed: Any) -> Iterable[Finding]:
    """Findings in INFO, with changes."""
    return redis.of_info(SETTINGS, {**INFO, **changed})


def exporter(**changed: Any) -> Iterable[Finding]:
    """Findings on the exporter's health page, with changes."""
    body = {"redis_answers": True, "redis": "", "withheld": {"calls": []}, **changed}
    return exporter_checks.of_exporter(SETTINGS, Page(200, body=body))


def prometheus(**changed: Any) -> Iterable[Finding]:
    """Findings in a healthy Prometheus, with changes."""
    data: dict[str, Any] = {
        "targets": {"activeTargets": TARGETS},
        "rules": {"groups": [{"rules": [LOADED]}]},
        "alertmanagers": {"activeAlertmanagers": [{"url": "http://alertmanager"}]},
        **changed,
    }
    monitoring = Monitoring(Page(), **{name: Page(200, body={"data": value}) for name, value in data.items()})
    return prometheus_checks.of_prometheus(settings(prometheus_url="http://prometheus:9090"), monitoring, [RULE])


def alertmanager(config: Any = ROUTES, alerts: Any = (WATCHDOG,)) -> Iterable[Finding]:
    """Findings in a healthy Alertmanager, with changes."""
    status = {"config": {"original": yaml.safe_dump(config)}}
    monitoring = Monitoring(Page(), status=Page(200, body=status), alerts=Page(200, body=list(alerts)))
    return alertmanager_checks.of_alertmanager(
        settings(alertmanager_url="http://alertmanager:9093"), monitoring, [RULE], ["stoke"]
    )


def routed(receiver: dict[str, Any]) -> dict[str, Any]:
    """The routes, with a different receiver for pages."""
    return {**ROUTES, "receivers": [{"name": "nobody"}, receiver]}


def archived(receiver: dict[str, Any]) -> dict[str, Any]:
    """Pages go to an example address and, by `continue`, to this receiver."""
    pages = [{"match": {"severity": "page"}, "receiver": name} for name in ("archive", "pager")]
    return {
        "route": {"receiver": "webhook", "routes": [{**pages[0], "continue": True}, pages[1]]},
        "receivers": [WEBHOOK, {**MAIL, "name": "archive"}, {**receiver, "name": "pager"}],
    }


def lag(fresh_ms: int | None) -> Iterable[Finding]:
    """Findings if partition 1 was fresh at this moment and has 13 records."""
    state = {**FRESH, (CALLS, 1): PartitionState(7, fresh_ms, 0)}
    return consumers.of_lag(SETTINGS, {(CALLS, 1): Log(13, [])}, state, NOW_MS)


def silent(heard: dict[str, int], state: dict[tuple[str, int], PartitionState] = FRESH) -> Iterable[Finding]:
    """Findings if sources were seen so many seconds ago."""
    known = {(CALLS, source): SourceState(None, NOW_MS - ago_s * 1000) for source, ago_s in heard.items()}
    return sources.of_silence(SETTINGS, META, state, known, NOW_MS)


def clock(ahead_ms: int, source: str = "acd", age_ms: int = 0, **given: Any) -> Iterable[Finding]:
    """Findings if an event's time is so much later than its arrival, which was so long ago."""
    logs = {(CALLS, 0): Log(1, [LastRecord(source, NOW_MS + ahead_ms, NOW_MS)])}
    return sources.of_clocks(settings(**given), logs, NOW_MS + age_ms)


def catalogue_faults() -> Iterable[Finding]:
    """Findings if the catalogue cannot be loaded."""
    return own.of_faults([Fault("areas.toml", "area", "'a b'", "a_b")], "catalogue")


class Case(NamedTuple):
    """One fault, and the same facts without it."""

    check: str
    broken: Iterable[Finding]
    says: str  # in what is found, and where
    fix: str  # in what to do
    fine: Iterable[Finding]
    severity: Severity = Severity.WRONG


NO_SECRET: dict[Path, int] = {
    Path("/etc/watchroom/key.pem"): 0o100640,
    Path("/run/secrets/watchroom_redis_url"): 0o100444,
}
UNSET = (
    prometheus_checks.of_prometheus(SETTINGS, Monitoring(Page()), []),
    alertmanager_checks.of_alertmanager(SETTINGS, Monitoring(Page()), [], []),
)
CASES = [
    Case(
        "settings",
        own.of_faults([Fault("WATCHROOM_ZONE", "", "'Mars'", "a zone")]),
        "WATCHROOM_ZONE: found 'Mars'",
        "a zone",
        own.of_faults([]),
    ),
    Case(
        "settings",
        [own.NOTHING_ELSE_CHECKED],
        "everything else",
        "run `watchroom doctor` again",
        [],
        Severity.UNCHECKED,
    ),
    Case(
        "settings-freshness",
        own.of_settings(settings(fresh_s=3, touch_s=2)),
        "3 s, but",
        "WATCHROOM_FRESH_S to 10",
        own.of_settings(settings(fresh_s=10, touch_s=2)),
    ),
    Case(
        "settings-sources",
        own.of_settings(settings(sources={"crimes": {"records": {}}})),
        "sources for crimes",
        "Add crimes to WATCHROOM_STREAMS",
        own.of_settings(SETTINGS),
    ),
    Case(
        "settings-secrets",
        own.of_secret_files({Path("/etc/watchroom/key.pem"): 0o100644}),
        "mode 0644",
        "chmod o-rwx",
        own.of_secret_files(NO_SECRET),
        Severity.WARNING,
    ),
    Case("catalogue", catalogue_faults(), "areas.toml area: found 'a b'", "a_b", []),
    Case(
        "kafka",
        brokers.of_brokers(settings(kafka="a:1,b:2"), {"b:2": Refusal("", "")}),
        "b:2: does not answer",
        "WATCHROOM_KAFKA",
        brokers.of_brokers(SETTINGS, {}),
    ),
    Case(
        "kafka",
        brokers.of_brokers(settings(kafka="a:1"), {"a:1": Refusal("speaks TLS", "the port")}),
        "a:1: speaks TLS",
        "Check the port",
        [],
    ),
    Case(
        "kafka",
        of_kafka(SETTINGS, Kafka(unread={"kafka": "no answer in time"}), Redis()),
        "no answer in time",
        "rights",
        [],
        Severity.UNCHECKED,
    ),
    Case(
        "kafka-tls",
        brokers.of_encryption(settings(kafka="127.0.0.1:1,kafka.force.example:9092")),
        "kafka.force.example:9092: connections are not encrypted",
        "sasl_ssl",
        brokers.of_encryption(settings(kafka="[::1]:9092,localhost:1")),
        Severity.WARNING,
    ),
    Case(
        "kafka-replicas",
        brokers.of_replicas({CALLS: [WELL, Partition(-1, 3, 0)]}),
        "partition 1 has no leader",
        "kafka-topics.sh",
        brokers.of_replicas(TOPICS),
    ),
    Case(
        "kafka-replicas",
        brokers.of_replicas({CALLS: [Partition(1, 3, 2)]}),
        "partition 0 are out of sync",
        "--under-replicated-partitions",
        brokers.of_replicas(TOPICS),
    ),
    Case(
        "topic-missing",
        topics.of_missing(SETTINGS, {CALLS: [WELL]}),
        f"topic {LETTERS}: does not exist",
        "Start a worker",
        topics.of_missing(SETTINGS, TOPICS),
    ),
    Case(
        "topic-partitions",
        topics.of_partitions(SETTINGS, {CALLS: [WELL] * 6}, META),
        "has 6 partitions;.*it had 2",
        "watchroom rebuild",
        topics.of_partitions(SETTINGS, TOPICS, META),
    ),
    Case(
        "topic-log",
        topics.of_log_ids(SETTINGS, {CALLS: "id-2"}, META),
        "deleted and created again",
        "watchroom rebuild",
        topics.of_log_ids(SETTINGS, {CALLS: "id-1", LETTERS: "id-9"}, META),
    ),
    Case(
        "topic-settings",
        topics.of_settings(SETTINGS, {CALLS: [WELL]}, {CALLS: {"cleanup.policy": "compact"}}),
        "cleanup.policy is compact",
        "--add-config cleanup.policy=delete",
        topics.of_settings(SETTINGS, {CALLS: [WELL]}, {CALLS: {"cleanup.policy": "delete"}}),
    ),
    Case(
        "topic-settings",
        topics.of_settings(SETTINGS, {CALLS: [WELL]}, {}),
        "does not let us read its settings",
        "DescribeConfigs",
        [],
        Severity.UNCHECKED,
    ),
    Case(
        "topic-replication",
        topics.of_replication(settings(replication=3), {CALLS: [WELL, Partition(1, 2, 2)]}),
        "fewer replicas than WATCHROOM_REPLICATION",
        "kafka-reassign-partitions.sh",
        topics.of_replication(settings(replication=3), TOPICS),
    ),
    Case(
        "topic-replication",
        topics.of_replication(SETTINGS, {CALLS: [Partition(1, 1, 1)]}),
        "has one replica",
        "WATCHROOM_REPLICATION 3",
        topics.of_replication(SETTINGS, {CALLS: [Partition(1, 2, 2)]}),
        Severity.WARNING,
    ),
    Case(
        "group-members",
        consumers.of_group(SETTINGS, TOPICS, Group([], {})),
        "has no member",
        "Start `watchroom worker`",
        consumers.of_group(SETTINGS, TOPICS, Group(["a"], {CALLS: [0, 1]})),
    ),
    Case(
        "group-members",
        consumers.of_group(SETTINGS, TOPICS, Group(["a"], {CALLS: [0]})),
        "partition 1 of watchroom.calls is not assigned to any member",
        "/readyz",
        consumers.of_group(SETTINGS, TOPICS, Group(["a"], {})),
    ),
    Case(
        "lag",
        lag(NOW_MS - 60_000),
        r"partition 1 \(6 record\(s\) behind, last up to date 60 s ago\)",
        "/readyz",
        lag(NOW_MS - 9_000),
    ),
    Case("lag", lag(None), "never up to date", "AppliedLag", lag(NOW_MS)),
    Case("lag", lag(NOW_MS + 60_000), "60 s in the future", "AppliedLag", lag(NOW_MS + 4_000)),
    Case(
        "records-lost",
        consumers.of_lost({(CALLS, 0): PartitionState(7, NOW_MS, 3)}),
        r"3 record\(s\) before",
        "RecordsLost",
        consumers.of_lost(FRESH),
    ),
    Case(
        "source-silent",
        silent({"acd": 120}),
        "source acd is 2 min 00 s old",
        "other sources of calls",
        silent({"acd": 30}),
    ),
    Case(
        "source-silent",
        silent({"other": 1}),
        "source acd has never been seen",
        "heartbeat",
        silent({}, {**FRESH, (CALLS, 1): PartitionState(7, NOW_MS - 60_000, 0)}),
    ),
    Case("source-clock", clock(9_000), "source acd of calls", "NTP", clock(9_000, age_ms=86_400_001)),
    Case("source-clock", clock(5_001), "up to 5.0 s after their arrival", "NTP", clock(5_000)),
    Case(
        "source-clock",
        clock(9_000, "unknown"),
        "source unknown of calls",
        "NTP",
        clock(9_000, sources={"calls": {"acd": {"history": True}}}),
    ),
    Case(
        "redis",
        redis.of_answer(SETTINGS, Redis("does not answer")),
        "does not answer",
        "WATCHROOM_REDIS_URL",
        redis.of_answer(SETTINGS, Redis()),
    ),
    Case(
        "redis-tls",
        redis.of_encryption(settings(redis_url="redis://u:secret@redis.force:6379/0")),
        "redis://redis.force:6379/0: connections are not encrypted",
        "rediss://",
        redis.of_encryption(settings(redis_url="rediss://redis.force:6379/0")),
        Severity.WARNING,
    ),
    Case(
        "redis-version",
        info(redis_version="6.2.6"),
        "version 6.2.6",
        "Redis 7",
        info(redis_version="7.0.0"),
        Severity.WARNING,
    ),
    Case("redis-role", info(redis_mode="cluster"), "node of a Redis Cluster", "WATCHROOM_REDIS_URL", info()),
    Case(
        "redis-role",
        info(role="slave", master_host="primary", master_port=6379),
        "a replica of primary:6379",
        "primary.s address",
        info(),
    ),
    Case(
        "redis-rights",
        redis.of_rights(SETTINGS, ("HSET", "EVALSHA"), INFO),
        "may not run HSET, EVALSHA",
        "deploy/redis/rights.md",
        redis.of_rights(SETTINGS, (), INFO),
    ),
    Case(
        "redis-info",
        redis.of_rights(settings(redis_url="redis://wr:p@127.0.0.1"), (), None),
        "user 'wr' may not run INFO",
        r"ACL SETUSER wr \+info",
        redis.of_rights(SETTINGS, (), INFO),
        Severity.UNCHECKED,
    ),
    Case(
        "redis-policy",
        info(maxmemory_policy="allkeys-lru", maxmemory=0),
        "maxmemory-policy is allkeys-lru",
        "CONFIG SET maxmemory-policy noeviction`",
        info(maxmemory=0),
    ),
    Case(
        "redis-evicted",
        redis.of_evictions(SETTINGS, INFO, META._replace(evictions=Seen(marked=True))),
        "has evicted",
        "watchroom rebuild",
        redis.of_evictions(SETTINGS, INFO, META),
    ),
    Case(
        "redis-evicted",
        redis.of_evictions(SETTINGS, {**INFO, "evicted_keys": 5}, META),
        "has evicted",
        "watchroom rebuild",
        redis.of_evictions(SETTINGS, {**INFO, "evicted_keys": 5}, META._replace(evictions=Seen("r", 5))),
    ),
    Case(
        "redis-memory",
        info(used_memory=900),
        "90% of maxmemory",
        "Double maxmemory",
        info(used_memory=899),
        Severity.WARNING,
    ),
    Case(
        "redis-persistence", info(aof_enabled=0), "append-only file is off", "appendonly yes", info(), Severity.WARNING
    ),
    Case("redis-persistence", info(aof_last_write_status="err"), "could not write", "its free disk space", info()),
    Case(
        "force",
        redis.of_force(SETTINGS, None, {}),
        "holds no data for this force",
        "WATCHROOM_FORCE",
        redis.of_force(SETTINGS, META, {}),
    ),
    Case(
        "force",
        redis.of_force(SETTINGS, META._replace(clearing=True), {}),
        "rebuild",
        "run `watchroom rebuild` again",
        [],
    ),
    Case(
        "force",
        redis.of_force(SETTINGS, META, {CALLS: PartitionCounts(is_rebuilding=True)}),
        f"merges the partitions of {CALLS} is running, or was interrupted",
        "run `watchroom rebuild` again",
        redis.of_force(SETTINGS, META, {CALLS: PartitionCounts(), LETTERS: PartitionCounts(is_rebuilding=True)}),
    ),
    Case(
        "force",
        redis.of_force(SETTINGS, None, {CALLS: PartitionCounts(is_rebuilding=True)}),
        "was interrupted",
        "stop the workers",
        [],
    ),
    Case(
        "force",
        redis.of_force(settings(streams="calls,crimes"), META, {}),
        "holds no data for crimes",
        "WATCHROOM_STREAMS",
        redis.of_force(SETTINGS, META._replace(streams={**META.streams, "crimes": Bound.of({})}), {}),
    ),
    Case(
        "definitions",
        redis.of_definitions({"calls": "reporting zone changed"}),
        "reporting zone changed",
        "watchroom rebuild",
        redis.of_definitions({}),
    ),
    Case(
        "exporter",
        exporter_checks.of_exporter(SETTINGS, Page(failure="does not answer")),
        "does not answer",
        "WATCHROOM_EXPORTER_URL",
        exporter(),
    ),
    Case(
        "exporter",
        exporter_checks.of_exporter(SETTINGS, Page(404)),
        r"is not a Watchroom exporter \(HTTP 404\)",
        "address",
        exporter(),
    ),
    Case(
        "exporter",
        exporter(redis_answers=False, redis="refused"),
        "no answer from Redis: refused",
        "REDIS_URL",
        exporter(),
    ),
    Case(
        "exporter-withholds",
        exporter(withheld={"calls": ["partition 1 is old"]}),
        "withholds calls: partition 1",
        "WATCHROOM_SOURCES",
        exporter(withheld={"calls": [], "crimes": ["not ours"]}),
    ),
    Case(
        "exporter-withholds", exporter(withheld={}), "does not know the stream calls", "WATCHROOM_STREAMS", exporter()
    ),
    Case(
        "prometheus",
        UNSET[0],
        "WATCHROOM_PROMETHEUS_URL is not set",
        "Set WATCHROOM_PROMETHEUS_URL",
        prometheus(),
        Severity.UNCHECKED,
    ),
    Case("prometheus", prometheus(rules=None), "gives an unexpected answer", "WATCHROOM_PROMETHEUS_URL", prometheus()),
    Case(
        "prometheus-targets",
        prometheus(targets={"activeTargets": TARGETS[:1]}),
        "no target of job watchroom-worker",
        "deploy/prometheus",
        prometheus(),
    ),
    Case(
        "prometheus-targets",
        prometheus(targets={"activeTargets": [{**TARGETS[0], "health": "down", "lastError": "refused"}, TARGETS[1]]}),
        "watchroom-exporter:1 .* is down: refused",
        "address",
        prometheus(targets={"activeTargets": [*TARGETS, {"labels": {"job": "else"}, "health": "down"}]}),
    ),
    Case(
        "prometheus-force",
        prometheus(
            targets={
                "activeTargets": [
                    {**each, "labels": {**each["labels"], "force": "other"}}  # type: ignore[dict-item]  # JSON
                    if number
                    else each
                    for number, each in enumerate(TARGETS)
                ]
            }
        ),
        "watchroom-worker has the label force=force .force=other.",
        "labels: {force: force}",
        prometheus(),
    ),
    Case(
        "prometheus-rules",
        prometheus(rules={"groups": []}),
        "has not loaded 1 of our 1 rules: Broken",
        "reload",
        prometheus(),
    ),
    Case(
        "prometheus-rules",
        prometheus(rules={"groups": [{"rules": [{**LOADED, "query": "up == 1"}]}]}),
        "other versions of 1",
        "reload",
        prometheus(rules={"groups": [{"rules": [{**LOADED, "query": "up==0"}]}]}),
    ),
    Case(
        "prometheus-rules",
        prometheus(rules={"groups": [{"rules": [{**LOADED, "lastError": "many-to-many"}]}]}),
        "cannot evaluate Broken: many-to-many",
        "Rules page",
        prometheus(),
    ),
    Case(
        "prometheus-alertmanager",
        prometheus(alertmanagers={"activeAlertmanagers": []}),
        "has no Alertmanager to send alerts to",
        "alerting",
        prometheus(),
    ),
    Case(
        "alertmanager",
        UNSET[1],
        "WATCHROOM_ALERTMANAGER_URL is not set",
        "Set WATCHROOM_ALERTMANAGER_URL",
        alertmanager(),
        Severity.UNCHECKED,
    ),
    Case("alertmanager", alertmanager({}), "gives an unexpected answer", "WATCHROOM_ALERTMANAGER_URL", alertmanager()),
    Case(
        "alertmanager-pages",
        alertmanager({**ROUTES, "route": {"receiver": "nobody"}}),
        r"1 alert\(s\).*: Broken",
        "receiver",
        alertmanager(),
    ),
    Case(
        "alertmanager-pages",
        alertmanager(routed(MAIL)),
        "example addresses of receiver webhook",
        "your own addresses",
        alertmanager(routed({**MAIL, "email_configs": [{"to": "me@force.police.uk", "smarthost": "smtp:25"}]})),
    ),
    Case(
        "alertmanager-pages",
        alertmanager(MUTED),
        r"1 alert\(s\) of severity page are muted at all times: Broken",
        "mute_time_intervals",
        alertmanager({**MUTED, "mute_time_intervals": [{"name": "off", "time_intervals": [{"weekdays": ["sunday"]}]}]}),
    ),
    Case(
        "alertmanager-pages",
        alertmanager(archived({})),
        "only to the shipped example addresses of receiver archive",
        "your own addresses",
        alertmanager(archived(WEBHOOK)),
    ),
    Case(
        "alertmanager-watchdog",
        alertmanager({**MUTED, "route": {**OFF, "routes": [{"matchers": ['severity="page"']}, OFF]}}),
        "Watchdog is muted at all times",
        "mute_time_intervals",
        alertmanager({**MUTED, "route": {"receiver": "webhook", "routes": [{"match": {"a": "b"}, **OFF}]}}),
    ),
    Case("alertmanager-watchdog", alertmanager(alerts=[]), "Watchdog does not arrive", "Prometheus", alertmanager()),
    Case(
        "alertmanager-watchdog",
        alertmanager(alerts=[{**WATCHDOG, "labels": {"force": "other"}}]),
        "does not arrive",
        "Prometheus",
        alertmanager(alerts=[{**WATCHDOG, "labels": {"force": "force"}}]),
    ),
    Case(
        "alertmanager-watchdog",
        alertmanager(alerts=[{**WATCHDOG, "status": {"state": "suppressed"}}]),
        "silenced",
        "Expire the silence",
        alertmanager(),
    ),
    Case(
        "alertmanager-watchdog",
        alertmanager(alerts=[{**WATCHDOG, "receivers": [{"name": "nobody"}]}]),
        r"not routed to any receiver with an integration \(nobody\)",
        "watchroom watchdog",
        alertmanager(),
    ),
]
