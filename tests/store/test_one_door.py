"""Redis clients are made in one module only: one made elsewhere would know no sentinels, TLS or password."""

from __future__ import annotations

import ast

import pytest

from tests.parts import ROOT

STORE = ROOT / "services" / "watchroom" / "store"  # nothing else may import redis, see pyproject.toml
MAKES = {"connection.py"}
LOOKS = {"refusals.py"}  # repeats refused commands
CLIENTS = {"Redis", "AsyncRedis", "Sentinel", "AsyncSentinel", "from_url", "StrictRedis", "ConnectionPool"}


def made(source: str) -> list[int]:
    """Lines that make a client, or pass a client's class to a function that does."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return [
        call.lineno
        for call in calls
        if any(ast.unparse(part).rpartition(".")[2] in CLIENTS for part in (call.func, *call.args))
    ]


def test_no_redis_client_is_made_elsewhere() -> None:
    """For workers, the exporter and all commands."""
    found = {file.name: made(file.read_text()) for file in STORE.glob("*.py")}
    assert {name for name, lines in found.items() if lines} == MAKES | LOOKS


@pytest.mark.parametrize(
    "source", ["Redis(host='x')", "redis.asyncio.Redis()", "Redis.from_url('x')", "_client(Redis, 1)"]
)
def test_a_client_that_is_made_elsewhere_is_found(source: str) -> None:
    """The check above must be able to fail."""
    assert made(source) == [1]
