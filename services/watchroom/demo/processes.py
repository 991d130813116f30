"""Our own worker and exporter as child processes: the same programs as in production.

They get every setting as an environment variable, so that nothing depends on what else is set.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from watchroom.demo.server import LocalServer, get
from watchroom.settings import Settings


class Process(LocalServer):
    """`watchroom worker` or `watchroom exporter`, ready once its own health page says so.

    Args:
        command: Which one.
        settings: All of its settings; its health or exporter port must be free.
        log: File for its output.

    Attributes:
        port: Of its pages.
    """

    def __init__(self, command: Literal["worker", "exporter"], settings: Settings, log: Path) -> None:
        if command == "worker":
            host, port, path = settings.health_host, settings.health_port, "/readyz"
        else:
            host, port, path = settings.exporter_host, settings.exporter_port, "/healthz"
        self.port = port
        arguments = [sys.executable, "-m", "watchroom", command]
        super().__init__(command, arguments, log, lambda: get(host, port, path) is not None, environment(settings))


def environment(settings: Settings) -> dict[str, str]:
    """Every setting as the environment variable that it is read from."""
    secrets = {
        "kafka_password": settings.kafka_password.get_secret_value(),
        "redis_sentinel_password": settings.redis_sentinel_password.get_secret_value(),
    }
    values = {**settings.model_dump(mode="json"), **secrets}
    return {f"WATCHROOM_{name.upper()}": _text(value) for name, value in values.items()}


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value.model_dump(mode="json") if isinstance(value, BaseModel) else value)
