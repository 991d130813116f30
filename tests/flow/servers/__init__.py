"""The real servers, each a plain class that starts, stops, kills and restarts one process on the loopback."""

from __future__ import annotations

from tests.flow.servers.kafka import KafkaServer, kafka_cluster
from tests.flow.servers.program import pause, resume
from tests.flow.servers.prometheus import AlertmanagerServer, PrometheusServer
from tests.flow.servers.redis import RedisServer
from tests.flow.servers.stack import Stack

__all__ = [
    "AlertmanagerServer",
    "KafkaServer",
    "PrometheusServer",
    "RedisServer",
    "Stack",
    "kafka_cluster",
    "pause",
    "resume",
]
