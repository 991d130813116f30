"""Brokers: who answers, whether connections are encrypted, and whether every partition is served."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence

from watchroom.doctor.facts import Partition
from watchroom.doctor.finding import Finding, finding, listed
from watchroom.settings import Settings
from watchroom.tls import Refusal


def of_brokers(settings: Settings, failures: Mapping[str, Refusal]) -> Iterator[Finding]:
    """Brokers that do not answer, or refuse us.

    Args:
        settings: Name the brokers.
        failures: By `host:port`, the answer and what to check; both are empty if it did not answer.
    """
    every = [server.strip() for server in settings.kafka.split(",")]
    for server, (answer, look_at) in failures.items():
        consequence = "Workers wait, and nothing is counted."
        if len(failures) < len(every):
            consequence = "Other brokers answer, but if they go down too, a process that starts cannot connect."
        name = "kafka.refuses" if answer else "kafka.silent"
        yield finding(name, f"Kafka at {server}", answer=answer, look_at=look_at, consequence=consequence)


def of_encryption(settings: Settings) -> Iterator[Finding]:
    """Connections to other machines without encryption."""
    far = [server.strip() for server in settings.kafka.split(",") if not is_loopback(server.strip().rpartition(":")[0])]
    if far and settings.kafka_security in ("plaintext", "sasl_plaintext"):
        yield finding("kafka-tls", f"Kafka at {listed(far)}", security=settings.kafka_security)


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
            yield finding("kafka-replicas.leaderless", f"topic {topic}", partitions=listed(leaderless))
        behind = [n for n, each in enumerate(partitions) if each.leader >= 0 and each.isr < each.replicas]
        if behind:
            yield finding("kafka-replicas.behind", f"topic {topic}", partitions=listed(behind))
