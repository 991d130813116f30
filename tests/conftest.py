"""Fixtures for every test: the real extracts, the real servers and the embedded ones.

A part that is not on this machine skips the test and says how to get it; with CI=true it fails.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.flow.servers import KafkaServer, RedisServer, Stack
from tests.parts import PartMissing, missing, real_data_folder
from watchroom.demo.embedded import EmbeddedStack
from watchroom.errors import WorkFailed

# Two shared cores: an example's time says nothing, and making big inputs is slow there.
settings.register_profile("watchroom", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("watchroom")


# The files that take minutes, so that none of them is the last one that runs while the other process is idle.
LONG = (
    "drills", "flow", "published_year", "fuzz", "backtest", "test_new_kind_and_stream.py", "intake", "fold", "generate",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first; the order is otherwise pytest's own."""
    folder = Path(__file__).parent
    place = {name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: place.get(item.path.relative_to(folder).parts[0], len(LONG)))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real extracts."""
    return real_data_folder()


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    """One Apache Kafka for the whole run; a test takes topics and groups of its own (`stack.name`)."""
    try:
        server = KafkaServer(tmp_path_factory.mktemp("kafka"))
    except PartMissing as error:
        missing(str(error))
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[KafkaServer]:
    """An Apache Kafka for one test only, which may kill, pause and restart it (4 s to start)."""
    try:
        server = KafkaServer(tmp_path / "kafka")
    except PartMissing as error:
        missing(str(error))
    try:
        server.start()
        yield server
    finally:
        server.kill()


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """An empty real Redis for one test, which may do anything to it."""
    try:
        server = RedisServer(tmp_path / "redis")
    except PartMissing as error:
        missing(str(error))
    try:
        server.start()
        yield server
    finally:
        server.kill()


@pytest.fixture(scope="session")
def embedded() -> Iterator[EmbeddedStack]:
    """One embedded stack for the whole run; a test takes names of its own (`stack.name`)."""
    stack = EmbeddedStack()
    try:
        stack.start()
    except WorkFailed as error:
        if "pip install" not in str(error):
            raise
        missing(str(error))
    try:
        yield stack
    finally:
        stack.stop()


@pytest.fixture
def real_stack(kafka: KafkaServer, redis_server: RedisServer) -> Stack:
    """The shared Apache Kafka and a Redis for this test only (`redis_server` is the same one)."""
    return Stack("real", kafka.address, redis_server.url, new_name())


@pytest.fixture
def embedded_stack(embedded: EmbeddedStack) -> Stack:
    """Names of this test's own on the embedded stack."""
    return Stack("embedded", embedded.kafka, embedded.redis_url, new_name())


@pytest.fixture(
    params=[pytest.param("real", marks=pytest.mark.real), pytest.param("embedded", marks=pytest.mark.embedded)]
)
def stack(request: pytest.FixtureRequest) -> Stack:
    """The test runs twice: on Apache Kafka and Redis, and on the embedded stack."""
    chosen: Stack = request.getfixturevalue(f"{request.param}_stack")
    return chosen


def new_name() -> str:
    """A name for force, topics and group that no other test has."""
    return f"test-{secrets.token_hex(4)}"
