"""Makes every client of Kafka; `tests/kafka/test_one_door.py` fails if one is made elsewhere.

The Faust app makes its own, with the same `Security`: see `intake/faust_app.py`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupIdNotFound, KafkaError, for_code

from watchroom.errors import BrokerUnavailable
from watchroom.kafka.header_names import accept_any_header_name
from watchroom.kafka.login import check_login, limit_logins, security_of
from watchroom.settings import Settings

T = TypeVar("T")


def _server_and_security(settings: Settings) -> dict[str, Any]:
    """Servers, TLS and credentials; from here on the logins of all clients are limited together."""
    limit_logins()
    return {"bootstrap_servers": settings.kafka, **security_of(settings).arguments()}


def producer(settings: Settings, **options: Any) -> AIOKafkaProducer:  # noqa: ANN401 - aiokafka's own options
    """A producer that is not started; `options` are aiokafka's."""
    return AIOKafkaProducer(**_server_and_security(settings), **options)


def consumer(settings: Settings, **options: Any) -> AIOKafkaConsumer:  # noqa: ANN401 - aiokafka's own options
    """A consumer that is not started and reads nothing yet; `options` are aiokafka's."""
    accept_any_header_name()
    return AIOKafkaConsumer(**_server_and_security(settings), **options)


def admin(settings: Settings, request_timeout_ms: int) -> AIOKafkaAdminClient:
    """An admin client that is not started."""
    return AIOKafkaAdminClient(**_server_and_security(settings), request_timeout_ms=request_timeout_ms)


async def start(client: AIOKafkaProducer | AIOKafkaConsumer | AIOKafkaAdminClient, settings: Settings) -> None:
    """Start a client that this module made.

    Raises:
        BrokerRefuses: A broker refused our login, or expects another protocol.
        KafkaError, OSError, TimeoutError: No broker answered.
    """
    await check_login(settings)
    await client.start()


def open_admin(settings: Settings, request_timeout_ms: int) -> AbstractAsyncContextManager[AIOKafkaAdminClient]:
    """A started admin client, closed at the end; raises as `start`, with errors of Kafka as BrokerUnavailable."""
    client = admin(settings, request_timeout_ms)
    return _opened(client, client.close, settings)


def open_consumer(settings: Settings, **options: Any) -> AbstractAsyncContextManager[AIOKafkaConsumer]:  # noqa: ANN401 - of aiokafka
    """A started consumer, stopped at the end; options as in `consumer`, errors as in `open_admin`."""
    client = consumer(settings, **options)
    return _opened(client, client.stop, settings)


@asynccontextmanager
async def _opened(client: T, close: Callable[[], Awaitable[None]], settings: Settings) -> AsyncIterator[T]:
    with errors_as_unavailable(settings):
        try:
            await start(client, settings)
            yield client
        finally:
            await close()


async def group_members(admin: AIOKafkaAdminClient, group: str) -> Sequence[Any]:
    """The members of a consumer group as Kafka describes them; none if nobody has ever joined. Raises KafkaError."""
    (answer,) = await admin.describe_consumer_groups([group])
    # (error, group, state, protocol type, protocol, members, ...)
    code, *_, members = answer.groups[0][:6]
    if code and for_code(code) is not GroupIdNotFound:
        raise for_code(code)
    return members or ()


@contextmanager
def errors_as_unavailable(settings: Settings) -> Iterator[None]:
    """Raises BrokerUnavailable for every error that means that Kafka did not answer."""
    try:
        yield
    except (KafkaError, OSError) as error:  # a TimeoutError is an OSError
        raise BrokerUnavailable(f"Kafka at {settings.kafka} did not answer ({type(error).__name__})") from error
