"""Every check by its id, with one line on what it looks at; `deploy/doctor.md` lists the same."""

from __future__ import annotations

from typing import Final

from watchroom.registry import registry

CHECKS: Final = registry(
    "checks called",
    [
        ("settings", "Every `WATCHROOM_*` variable is a setting and can be used."),
        ("settings-freshness", "`WATCHROOM_FRESH_S` leaves time for `WATCHROOM_TOUCH_S`."),
        ("settings-sources", "`WATCHROOM_SOURCES` names sources only of streams that are fed."),
        ("settings-secrets", "No other user of this machine can read files of passwords and keys."),
        ("catalogue", "The catalogue of measures and the areas can be loaded."),
        ("kafka", "Every broker of `WATCHROOM_KAFKA` answers and lets us in."),
        ("kafka-tls", "Connections to brokers on other machines are encrypted."),
        ("kafka-replicas", "Every partition has a leader, and all of its replicas are in sync."),
        ("topic-missing", "The topic of every stream that is fed exists, and the one of dead letters."),
        ("topic-partitions", "A topic has the number of partitions under which Redis was filled."),
        ("topic-log", "A topic is the one from which Redis was filled, and was not deleted and created again."),
        ("topic-settings", "Timestamp type, cleanup policy, retention, acknowledgement and size limit do no harm."),
        ("topic-replication", "A topic has as many replicas as `WATCHROOM_REPLICATION` says, and more than one."),
        ("group-members", "The consumer group has members, and each partition is assigned to one."),
        ("lag", "Every partition was applied up to its end within `WATCHROOM_FRESH_S`."),
        ("records-lost", "Kafka deleted no record before it was applied."),
        ("source-silent", "Every source that a stream waits for has sent something recently."),
        ("source-clock", "No source's events are later than their arrival by over 5 s."),
        ("redis", "Redis answers and lets us in."),
        ("redis-tls", "Connections to Redis on another machine are encrypted."),
        ("redis-version", "Redis is 7.0 or later."),
        ("redis-role", "Redis is a primary that takes writes: no replica, cluster node or sentinel."),
        ("redis-rights", "Our user may run every command that Watchroom needs."),
        ("redis-info", "Our user may run `INFO`."),
        ("redis-policy", "`maxmemory-policy` is `noeviction`."),
        ("redis-evicted", "Redis has evicted no keys since it was filled."),
        ("redis-memory", "Redis is not about to reach `maxmemory`."),
        ("redis-persistence", "The append-only file is on, and Redis can write its files."),
        ("force", "Redis holds this force, for every stream that is fed; no rebuild was interrupted."),
        ("definitions", "Redis holds each stream under the definitions of this catalogue and these settings."),
        ("exporter", "The exporter answers, and gets answers from Redis."),
        ("exporter-withholds", "The exporter publishes every stream that is fed."),
        ("prometheus", "Prometheus answers at `WATCHROOM_PROMETHEUS_URL`."),
        ("prometheus-targets", "Prometheus scrapes an exporter and a worker of this force, and every target is up."),
        ("prometheus-force", "The targets' label `force` is `WATCHROOM_FORCE`."),
        ("prometheus-rules", "Prometheus has loaded the rules that we ship, and evaluates them without errors."),
        ("prometheus-alertmanager", "Prometheus sends alerts to an Alertmanager."),
        ("alertmanager", "Alertmanager answers at `WATCHROOM_ALERTMANAGER_URL`."),
        ("alertmanager-pages", "Every alert of severity `page` is routed to a receiver that sends it somewhere."),
        ("alertmanager-watchdog", "The alert Watchdog of this force arrives, is not muted, and is sent on."),
    ],
)

LACKING_ON_EMBEDDED: Final = frozenset({"kafka-tls", "topic-replication", "redis-tls", "redis-persistence"})
"""What the embedded stack lacks by design: no finding there. Neither has it Prometheus and Alertmanager."""
