"""All Kafka clients are made by two modules: one made elsewhere would have neither TLS nor password."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts import ROOT

SERVICES = ROOT / "services" / "watchroom"
DOOR = ("kafka/clients.py", "kafka/login.py")
CLIENTS = {
    "AIOKafkaProducer", "AIOKafkaConsumer", "AIOKafkaAdminClient", "AIOKafkaClient", "AIOKafkaConnection",
    "create_conn", "KafkaProducer", "KafkaConsumer", "open_connection", "create_connection",
}  # fmt: skip
APPS = {"App", "BatchApp"}


def name_of(function: ast.expr) -> str:
    """The last part of the name of what is called."""
    return ast.unparse(function).rpartition(".")[2]


def calls(source: str) -> Iterator[ast.Call]:
    """Every call in a module."""
    return (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))


def made_elsewhere(source: str) -> list[int]:
    """Lines that make a client, or an app that does not get our credentials."""
    found = []
    for call in calls(source):
        name = name_of(call.func)
        credentials = [word.value for word in call.keywords if word.arg == "broker_credentials"]
        is_told = any(isinstance(value, ast.Call) and "security_of" in ast.unparse(value) for value in credentials)
        if name in CLIENTS or (name in APPS and not is_told):
            found.append(call.lineno)
    return found


def modules() -> dict[str, Path]:
    """All modules that mention Kafka or Faust, by path."""
    files = {str(file.relative_to(SERVICES)): file for file in SERVICES.rglob("*.py")}
    return {place: file for place, file in files.items() if "kafka" in file.read_text() or "faust" in file.read_text()}


def test_no_client_is_made_outside_the_allowed_modules() -> None:
    """Nor an app with other credentials."""
    looked_at = modules()
    assert {*DOOR, "intake/faust_app.py"} <= looked_at.keys()
    wrong = {place: made_elsewhere(file.read_text()) for place, file in looked_at.items() if place not in DOOR}
    assert not {place: lines for place, lines in wrong.items() if lines}


def test_every_client_made_there_gets_its_security() -> None:
    """Without it a client would use plaintext."""
    for place in DOOR:
        source = (SERVICES / place).read_text()
        made = [call for call in calls(source) if name_of(call.func).startswith(("AIO", "create_c"))]
        assert made
        assert all(any("security" in ast.unparse(word.value) for word in call.keywords) for call in made)


@pytest.mark.parametrize(
    "source",
    [
        "AIOKafkaProducer(bootstrap_servers='x')",
        "import aiokafka\naiokafka.AIOKafkaConsumer('t')",
        "from aiokafka.admin import AIOKafkaAdminClient as A\nclient = aiokafka.admin.AIOKafkaAdminClient()",
        "faust.App('x', broker='kafka://x')",
        "BatchApp('x', broker_credentials=None)",
    ],
)
def test_a_client_that_is_made_elsewhere_is_found(source: str) -> None:
    """The check above must be able to fail."""
    assert made_elsewhere(source)
