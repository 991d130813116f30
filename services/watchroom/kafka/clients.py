"""Makes every client of Kafka; `tests/kafka/test_one_door.py` fails for one that is made elsewhere.

The Faust app makes its own, with the same `Security`: see `intake/app.py`.
"""

from __future__ import annotations

from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from watchroom.kafka.asking import ask
from watchroom.kafka.login_limit import limit_logins
from watchroom.kafka.security import security_of
from watchroom.settings import Settings


class Client(Protocol):
    """What aiokafka's clients have in common."""

    async def start(self) -> None:
        """Connect."""


def _limited_security(settings: Settings) -> dict[str, Any]:
    """TLS and credentials; whatever client has them, its logins are limited together with all others."""
    limit_logins()
    return security_of(settings).arguments()


def producer(settings: Settings, **options: Any) -> AIOKafkaProducer:  # noqa: ANN401 - aiokafka's own options
    """A producer that is not started; `options` are aiokafka's."""
    return AIOKafkaProducer(bootstrap_servers=settings.kafka, **_limited_security(settings), **options)


def consumer(settings: Settings, **options: Any) -> AIOKafkaConsumer:  # noqa: ANN401 - aiokafka's own options
    """A consumer that is not started and reads nothing yet; `options` are aiokafka's."""
    return AIOKafkaConsumer(bootstrap_servers=settings.kafka, **_limited_security(settings), **options)


def admin(settings: Settings, request_timeout_ms: int) -> AIOKafkaAdminClient:
    """An admin client that is not started."""
    return AIOKafkaAdminClient(
        bootstrap_servers=settings.kafka, request_timeout_ms=request_timeout_ms, **_limited_security(settings)
    )


async def start(client: Client, settings: Settings) -> None:
    """Start a client that this module made.

    Raises:
        BrokerRefuses: A broker answered that it does not let us in, or speaks otherwise than we do.
        KafkaError, OSError, TimeoutError: No broker answered.
    """
    await ask(settings)
    await client.start()
