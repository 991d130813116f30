"""Facts about the servers, as plain values. They are gathered at the edge and checked elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from watchroom.store.meta import Meta
from watchroom.store.partition_counts import PartitionCounts
from watchroom.store.read import PartitionState, SourceState
from watchroom.tls import Refusal


class Partition(NamedTuple):
    """One partition in the brokers' metadata."""

    leader: int  # node id; -1 for none
    replicas: int
    isr: int  # replicas in sync


class LastRecord(NamedTuple):
    """One of the last events of a partition."""

    source: str
    event_ms: int
    appended_ms: int  # by the broker's clock


class Log(NamedTuple):
    """The end of one partition's log."""

    end: int  # the next offset
    last: Sequence[LastRecord]  # without records that have the producer's timestamp


class Group(NamedTuple):
    """The workers' consumer group."""

    members: Sequence[str]
    assigned: Mapping[str, Sequence[int]]  # partitions by topic


class Kafka(NamedTuple):
    """Facts from the brokers; `unread` has what could not be read, and why."""

    failures: Mapping[str, Refusal] = {}  # by host:port; both texts are empty if the broker did not answer
    topics: Mapping[str, Sequence[Partition]] | None = None  # ours that exist; None: no broker answered
    log_ids: Mapping[str, str] = {}
    settings: Mapping[str, Mapping[str, str]] = {}  # by topic; without topics whose settings we may not read
    group: Group | None = None
    logs: Mapping[tuple[str, int], Log] = {}
    read_ms: int = 0  # when the logs were read, by our clock
    unread: Mapping[str, str] = {}  # by check


class Redis(NamedTuple):
    """Facts from Redis."""

    failure: str = ""  # why reading failed or stopped
    info: Mapping[str, Any] | None = None  # fields of INFO; None: our user may not run it
    missing_rights: Sequence[str] | None = None  # commands that our user may not run; None: unknown
    meta: Meta | None = None
    partitions: Mapping[tuple[str, int], PartitionState] = {}
    sources: Mapping[tuple[str, str], SourceState] = {}
    partition_counts: Mapping[str, PartitionCounts] = {}  # by topic
    read_ms: int = 0  # when partitions and sources were read; 0: never


class Page(NamedTuple):
    """An answer of a web server."""

    status: int = 0  # 0: no answer
    failure: str = ""  # why there is no answer
    body: Any = None  # of JSON; None if it is not JSON


class Monitoring(NamedTuple):
    """Answers of exporter, Prometheus and Alertmanager; None if the address is not set."""

    exporter: Page
    targets: Page | None = None
    rules: Page | None = None
    alertmanagers: Page | None = None
    status: Page | None = None
    alerts: Page | None = None
