"""Makes every client of Kafka; `tests/kafka/test_one_door.py` fails if one is made elsewhere.

The Faust app makes its own, with the same `Security`: see `intake/faust_app.py`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from watchroom.errors import BrokerUnavailable
from watchroom.kafka.header_names import accept_any_header_name
from watchroom.kafka.login_check import check_login
from watchroom.kafka.login_limit import limit_logins
from watchroom.kafka.security import security_of
from watchroom.settings import Settings


class Client(Protocol):
    """What aiokafka's clients have in common."""

    async def start(self) -> None:
        """Connect."""


def _limited_security(settings: Settings) -> dict[str, Any]:
    """TLS and credentials; from here on the logins of all clients are limited together."""
    limit_logins()
    return security_of(settings).arguments()


def producer(settings: Settings, **options: Any) -> AIOKafkaProducer:  # noqa: ANN401 - aiokafka's own options
    """A producer that is not started; `options` are aiokafka's."""
    return AIOKafkaProducer(bootstrap_servers=settings.kafka, **_limited_security(settings), **options)


def consumer(settings: Settings, **options: Any) -> AIOKafkaConsumer:  # noqa: ANN401 - aiokafka's own options
    """A consumer that is not started and reads nothing yet; `options` are aiokafka's."""
    accept_any_header_name()
    return AIOKafkaConsumer(bootstrap_servers=settings.kafka, **_limited_security(settings), **options)


def admin(settings: Settings, request_timeout_ms: int) -> AIOKafkaAdminClient:
    """An admin client that is not started."""
    return AIOKafkaAdminClient(
        bootstrap_servers=settings.kafka, request_timeout_ms=request_timeout_ms, **_limited_security(settings)
    )


async def start(client: Client, settings: Settings) -> None:
    """Start a client that this module made.

    Raises:
        BrokerRefuses: A broker refused our login, or expects another protocol.
        KafkaError, OSError, TimeoutError: No broker answered.
    """
    await check_login(settings)
    await client.start()


@asynccontextmanager
async def open_admin(settings: Settings, request_timeout_ms: int) -> AsyncIterator[AIOKafkaAdminClient]:
    """A started admin client, closed at the end; raises as `start`, with errors of Kafka as BrokerUnavailable."""
    client = admin(settings, request_timeout_ms)
    with errors_as_unavailable(settings):
        try:
            await start(client, settings)
            yield client
        finally:
            await client.close()


@contextmanager
def errors_as_unavailable(settings: Settings) -> Iterator[None]:
    """Raises BrokerUnavailable for every error that means that Kafka did not answer."""
    try:
        yield
    except (KafkaError, OSError) as error:  # a TimeoutError is an OSError
        raise BrokerUnavailable(f"Kafka at {settings.kafka} did not answer ({type(error).__name__})") from error
