"""The Faust app: one agent over the event topics, one record batch an iteration."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterable, Iterable

from faust.auth import SASLCredentials, SSLCredentials
from faust.types.auth import CredentialsT

from watchroom.intake.batches import BatchApp, NoTables, PassThrough, consume_batches
from watchroom.intake.intake import Intake
from watchroom.intake.lanes import Fetched
from watchroom.kafka.security import Security, security_of
from watchroom.settings import Settings

REQUEST_TIMEOUT_S = 40.0


def member_name(settings: Settings) -> str:
    """The worker's static name in its consumer group: a restart under it finds its partitions again at once.

    It says which streams are fed: under the same name the broker would give a worker that is back within its session
    what it had before, and aiokafka's task ends at a topic that is not subscribed to.
    """
    name = settings.worker_name or f"{socket.gethostname()}-{settings.health_port}"
    return ".".join((name, *settings.streams))


def _credentials(security: Security) -> CredentialsT | None:
    """How Faust writes what the door to Kafka says; None for plaintext."""
    if security.has_user:
        return SASLCredentials(
            username=security.user,
            password=security.password,
            ssl_context=security.ssl_context,
            mechanism=security.mechanism,
        )
    return SSLCredentials(security.ssl_context) if security.ssl_context else None


def make_app(settings: Settings, intake: Intake, streams: Iterable[str]) -> BatchApp:
    """The app that feeds `intake` with the events of these streams; not started."""
    session_s = settings.session_timeout_s
    app = BatchApp(
        settings.group,
        broker=[f"kafka://{server.strip()}" for server in settings.kafka.split(",")],
        broker_credentials=_credentials(security_of(settings)),
        autodiscover=False,
        value_serializer="raw",
        key_serializer="raw",
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        store="memory://",
        TableManager=NoTables,
        broker_session_timeout=session_s,
        broker_heartbeat_interval=min(3.0, session_s / 4),
        broker_rebalance_timeout=max(30.0, session_s),
        broker_request_timeout=max(REQUEST_TIMEOUT_S, session_s + 5),
        broker_max_poll_interval=300.0,
        broker_commit_interval=1.0,
        producer_request_timeout=30.0,
        # without a reset policy aiokafka tells us when an offset is out of range, and never jumps silently
        consumer_auto_offset_reset="none",
        consumer_group_instance_id=member_name(settings),
    )
    consume_batches(app, intake)
    topic = app.topic(*(settings.topic(stream) for stream in streams), schema=PassThrough())

    async def apply_batches(batches: AsyncIterable[Fetched]) -> None:
        async for fetched in batches:
            intake.handle(fetched)

    app.agent(topic, name="watchroom.apply")(apply_batches)
    app.finalize()
    return app
