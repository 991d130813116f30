"""A broker that refuses our login is asked seldom: clients of aiokafka would ask it ten times a second.

A running client meets this when a password is changed or a certificate expires: its connections live on, and the
next one is refused. Many tries fill the broker's log, and may lock the user out.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from aiokafka import client
from aiokafka.conn import AIOKafkaConnection, create_conn
from aiokafka.errors import IllegalSaslStateError, SaslAuthenticationFailed, UnsupportedSaslMechanismError

FIRST_WAIT_S, MOST_WAIT_S = 2.0, 16.0
EARLY_S = 0.1  # a caller that waits as long by itself is not turned away for some milliseconds
REFUSALS = (
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
    IllegalSaslStateError,
    ssl.SSLCertVerificationError,
)


class Refused(NamedTuple):
    """The latest refusal of one thing."""

    name: str
    error: Exception
    wait_s: float
    until_s: float  # monotonic; nobody asks before that


class Refusals:
    """What Kafka refuses us, by name: it is asked again after 2, 4, 8, then every 16 s, by one caller at a time.

    Args:
        errors: Those that are refusals; after any other the next caller may ask.
    """

    def __init__(self, errors: tuple[type[Exception], ...]) -> None:
        self._errors = errors
        self._refused: dict[str, Refused] = {}
        self._lock = threading.Lock()  # Faust's consumer has a thread of its own

    def first(self) -> Refused | None:
        """One that is refused now; None if nothing is."""
        return next(iter(tuple(self._refused.values())), None)

    @contextmanager
    def attempt(self, name: str) -> Iterator[None]:
        """Ask within; raises the last refusal again, without asking, while it is too early."""
        wait_s = self._begin(name)
        try:
            yield
        except self._errors as error:
            with self._lock:
                self._refused[name] = Refused(name, error, wait_s, time.monotonic() + wait_s)
            raise
        except BaseException:
            with self._lock:
                if name in self._refused:
                    self._refused[name] = self._refused[name]._replace(until_s=time.monotonic())
            raise
        with self._lock:
            self._refused.pop(name, None)

    def _begin(self, name: str) -> float:
        """How long to wait if this is refused."""
        with self._lock:
            known, now_s = self._refused.get(name), time.monotonic()
            if known is None:
                return FIRST_WAIT_S
            if now_s < known.until_s - EARLY_S:
                raise known.error.with_traceback(None)
            self._refused[name] = known._replace(until_s=now_s + MOST_WAIT_S)  # for all others, until this one ends
            return min(2 * known.wait_s, MOST_WAIT_S)


class LoginLimit:
    """Makes connections, but to a broker that has refused us only after 2, 4, 8, then every 16 s."""

    def __init__(self) -> None:
        self._refusals = Refusals(REFUSALS)

    def refused(self) -> Refused | None:
        """A broker that refuses us now, as `host:port`; None if none does."""
        return self._refusals.first()

    async def connect(self, host: str, port: int, **security_and_more: Any) -> AIOKafkaConnection:  # noqa: ANN401 - aiokafka's own
        """As `aiokafka.conn.create_conn`; raises the last refusal again while it is too early to ask.

        Raises:
            KafkaError, OSError, TimeoutError: No connection.
        """
        with self._refusals.attempt(f"{host}:{port}"):
            return await create_conn(host, port, **security_and_more)


login_limit = LoginLimit()
"""Of this process: it has one login."""


def limit_logins() -> None:
    """Have every client of this process connect through `login_limit`."""
    client.create_conn = login_limit.connect
