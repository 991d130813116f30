"""A real Redis and a real Valkey for the whole run, and one force's store, reader and client on each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from redis import Redis

from tests.conftest import new_name
from tests.flow.servers import RedisServer
from tests.parts import PartMissing, missing
from tests.store.steps import DEFINITIONS
from watchroom.store.keys import Keys
from watchroom.store.read import Reader
from watchroom.store.write import Store


@pytest.fixture(scope="session")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Debian's redis-server; each test takes a new force."""
    try:
        server = RedisServer(tmp_path_factory.mktemp("redis"))
    except PartMissing as error:
        missing(str(error))
    try:
        server.start()
        yield server
    finally:
        server.kill()


@pytest.fixture(
    params=[pytest.param("redis", marks=pytest.mark.real), pytest.param("valkey", marks=pytest.mark.embedded)]
)
def redis_url(request: pytest.FixtureRequest) -> str:
    """The test runs twice: on Redis and on the Valkey of the embedded stack."""
    if request.param == "redis":
        return str(request.getfixturevalue("shared_redis").url)
    return str(request.getfixturevalue("embedded").redis_url)


@pytest.fixture
def force() -> str:
    """A force that no other test has."""
    return new_name()


@pytest.fixture
def keys(force: str) -> Keys:
    """The force's keys."""
    return Keys(force)


@pytest.fixture
def client(redis_url: str) -> Iterator[Redis]:
    """A plain client, to look at what was written and to plant invalid content."""
    with Redis.from_url(redis_url) as plain:
        yield plain


@pytest.fixture
async def store(redis_url: str, force: str) -> AsyncIterator[Store]:
    """The worker's side, opened."""
    opened = Store(redis_url, force, DEFINITIONS)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def reader(redis_url: str, force: str) -> Iterator[Reader]:
    """The exporter's side."""
    opened = Reader(redis_url, force)
    yield opened
    opened.close()
