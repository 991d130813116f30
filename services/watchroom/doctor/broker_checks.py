"""Brokers: who answers, whether connections are encrypted, and whether every partition is served."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence

from watchroom.doctor.facts import Partition
from watchroom.doctor.finding import Finding, listed, warning, wrong
from watchroom.settings import Settings


def of_brokers(settings: Settings, failures: Mapping[str, tuple[str, str]]) -> Iterator[Finding]:
    """Brokers of the settings that do not let us in.

    Args:
        settings: They name the brokers.
        failures: By `host:port`: what it answered and what to look at; empty texts where it did not answer.
    """
    every = [server.strip() for server in settings.kafka.split(",")]
    for server, (answer, look_at) in failures.items():
        others = "Workers wait, and nothing is counted."
        if len(failures) < len(every):
            others = "The others answer, but whoever starts while they are down cannot connect."
        if answer:
            yield wrong("kafka", f"Kafka at {server}", answer, others, f"Check {look_at}.")
        else:
            fix = "Check that it runs, that nothing blocks the way to it, and WATCHROOM_KAFKA."
            yield wrong("kafka", f"Kafka at {server}", "does not answer", others, fix)


def of_encryption(settings: Settings) -> Iterator[Finding]:
    """Connections that leave this machine in the clear."""
    far = [server.strip() for server in settings.kafka.split(",") if not is_loopback(server.strip().rpartition(":")[0])]
    if far and settings.kafka_security in ("plaintext", "sasl_plaintext"):
        yield warning(
            "kafka-tls",
            f"Kafka at {listed(far)}",
            f"connections are not encrypted (WATCHROOM_KAFKA_SECURITY is {settings.kafka_security})",
            "Events and passwords can be read and changed on the network between this machine and the brokers.",
            "Give the brokers a listener with TLS, and set WATCHROOM_KAFKA_SECURITY to ssl or sasl_ssl.",
        )


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def of_replicas(topics: Mapping[str, Sequence[Partition]]) -> Iterator[Finding]:
    """Partitions without a leader, or with fewer replicas in sync than they have."""
    for topic, partitions in topics.items():
        leaderless = [number for number, each in enumerate(partitions) if each.leader < 0]
        if leaderless:
            yield wrong(
                "kafka-replicas",
                f"topic {topic}",
                f"no leader for partition {listed(leaderless)}",
                "Nobody can write to these partitions or read them, and the stream is withheld.",
                "Start the brokers that hold their replicas: kafka-topics.sh --describe --unavailable-partitions",
            )
        behind = [n for n, each in enumerate(partitions) if each.leader >= 0 and each.isr < each.replicas]
        if behind:
            yield wrong(
                "kafka-replicas",
                f"topic {topic}",
                f"replicas are out of sync for partition {listed(behind)}",
                "The loss of one more broker may make the partition unavailable.",
                "Find the broker that is down or slow: kafka-topics.sh --describe --under-replicated-partitions",
            )
