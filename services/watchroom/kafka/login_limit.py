"""Limits logins at a broker that refuses them: aiokafka's clients would try ten times a second.

This happens to a running client when a password is changed or a certificate expires: its connections stay, and the next
one is refused. Many tries fill the broker's log, and may lock the user out.
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
EARLY_S = 0.1  # a caller that waits for the same time is not refused for being some milliseconds early
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
    until_s: float  # monotonic; nobody tries before that


class Refusals:
    """What Kafka refuses, by name: one caller at a time may try again after 2, 4, 8, then every 16 s.

    Args:
        errors: Those that are refusals; after any other error the next caller may try.
    """

    def __init__(self, errors: tuple[type[Exception], ...]) -> None:
        self._errors = errors
        self._refused: dict[str, Refused] = {}
        self._lock = threading.Lock()  # Faust's consumer has a thread of its own

    def first(self) -> Refused | None:
        """One of the current refusals; None without one."""
        return next(iter(tuple(self._refused.values())), None)

    @contextmanager
    def attempt(self, name: str) -> Iterator[None]:
        """Try within this context; while it is too early, the last refusal is raised instead."""
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
        """How long to wait if this try is refused."""
        with self._lock:
            known, now_s = self._refused.get(name), time.monotonic()
            if known is None:
                return FIRST_WAIT_S
            if now_s < known.until_s - EARLY_S:
                raise known.error.with_traceback(None)
            self._refused[name] = known._replace(
                until_s=now_s + MOST_WAIT_S
            )  # for all other callers, until this one ends
            return min(2 * known.wait_s, MOST_WAIT_S)


class LoginLimit:
    """Makes connections; to a broker that has refused us only after 2, 4, 8, then every 16 s."""

    def __init__(self) -> None:
        self._refusals = Refusals(REFUSALS)

    def refused(self) -> Refused | None:
        """A broker (`host:port`) that refuses us now; None if none does."""
        return self._refusals.first()

    async def connect(self, host: str, port: int, **security_and_more: Any) -> AIOKafkaConnection:  # noqa: ANN401 - aiokafka's own
        """As `aiokafka.conn.create_conn`; while it is too early, raises the last refusal instead.

        Raises:
            KafkaError, OSError, TimeoutError: No connection.
        """
        with self._refusals.attempt(f"{host}:{port}"):
            return await create_conn(host, port, **security_and_more)


login_limit = LoginLimit()
"""One for the whole process, which has one login."""


def limit_logins() -> None:
    """Make every client of this process connect through `login_limit`."""
    client.create_conn = login_limit.connect
