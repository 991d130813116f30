"""Our own worker and exporter as child processes: the same programs that run in production.

They get every setting as an environment variable, so that nothing depends on what else is set, and they
are ended by their own id, also when we are killed. When one dies, the end of its log is shown.
"""

from __future__ import annotations

import http.client
import json
import sys
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel

from watchroom.demo.guard import Guard
from watchroom.demo.server import LocalServer
from watchroom.errors import WorkFailed
from watchroom.settings import Settings

Command = Literal["worker", "exporter"]
READY_WITHIN_S = 60.0
STOP_WITHIN_S = 10.0
_ASK_TIMEOUT_S = 2.0


class Process:
    """`watchroom worker` or `watchroom exporter` under given settings; a context manager.

    Args:
        command: Which one.
        settings: All of its settings; its health or exporter port must be free.
        log: File that gets all it prints.
    """

    def __init__(self, command: Command, settings: Settings, log: Path) -> None:
        self._settings = settings
        self._page = "/readyz" if command == "worker" else "/healthz"
        self._server = LocalServer(
            command, [sys.executable, "-m", "watchroom", command], log, env=environment(settings)
        )
        self._guard: Guard | None = None
        if command == "worker":
            self._host, self._port = settings.health_host, settings.health_port
        else:
            self._host, self._port = settings.exporter_host, settings.exporter_port

    @property
    def running(self) -> bool:
        """Whether it is there now."""
        return self._server.running

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._server.pid

    def start(self, within_s: float = READY_WITHIN_S) -> Self:
        """Start it and wait until its own page says that it is ready.

        Raises:
            WorkFailed: It ended, or was not ready in time; the message shows the end of its log.
        """
        try:
            self._server.start(self._guarded_and_ready, within_s)
        except BaseException:
            self.stop()
            raise
        return self

    def ready(self) -> bool:
        """Whether its health page says so now."""
        connection = http.client.HTTPConnection(self._host, self._port, timeout=_ASK_TIMEOUT_S)
        try:
            connection.request("GET", self._page)
            answer = connection.getresponse()
            answer.read()  # an answer that is not taken is a broken connection to the other side
        except (OSError, http.client.HTTPException):
            return False
        else:
            return answer.status == http.client.OK
        finally:
            connection.close()

    def check(self) -> None:
        """Raise `WorkFailed` when it has ended by itself."""
        if not self.running:
            raise WorkFailed(f"the {self._server.name} has ended. Its log {self._server.log}:\n{self.tail()}")

    def tail(self, lines: int = 20) -> str:
        """The last lines of its log."""
        return self._server.tail(lines)

    def stop(self) -> None:
        """Ask it to end, and end it when it does not."""
        self._server.stop(STOP_WITHIN_S)
        if self._guard is not None:
            self._guard.dismiss()
            self._guard = None

    def _guarded_and_ready(self) -> bool:
        """`ready`, first asked as soon as the process is there: from then on it does not outlive us."""
        if self._guard is None and self.running:
            self._guard = Guard([self.pid])
        return self.ready()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


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
