"""A broker that refuses our login is asked seldom: clients of aiokafka would ask it ten times a second.

A running client meets this when a password is changed or a certificate expires: its connections live on, and the
next one is refused. Many tries fill the broker's log, and may lock the user out.
"""

from __future__ import annotations

import ssl
import time
from typing import Any, NamedTuple

from aiokafka import client
from aiokafka.conn import AIOKafkaConnection, create_conn
from aiokafka.errors import IllegalSaslStateError, SaslAuthenticationFailed, UnsupportedSaslMechanismError

FIRST_WAIT_S, MOST_WAIT_S = 2.0, 16.0
REFUSALS = (
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
    IllegalSaslStateError,
    ssl.SSLCertVerificationError,
)


class Refused(NamedTuple):
    """The latest answer of a broker that does not let us in."""

    server: str
    error: Exception
    wait_s: float
    until_s: float  # monotonic; nobody asks before that


class LoginLimit:
    """Makes connections, but to a broker that has refused us only after 2, 4, 8, then every 16 s."""

    def __init__(self) -> None:
        self._refused: dict[str, Refused] = {}

    def refused(self) -> Refused | None:
        """A broker that refuses us now; None if none does."""
        return next(iter(self._refused.values()), None)

    async def connect(self, host: str, port: int, **security_and_more: Any) -> AIOKafkaConnection:  # noqa: ANN401 - aiokafka's own
        """As `aiokafka.conn.create_conn`; raises the last refusal again while it is too early to ask.

        Raises:
            KafkaError, OSError, TimeoutError: No connection.
        """
        server = f"{host}:{port}"
        known = self._refused.get(server)
        if known is not None and time.monotonic() < known.until_s:
            raise known.error
        wait_s = FIRST_WAIT_S if known is None else min(2 * known.wait_s, MOST_WAIT_S)
        try:
            connection = await create_conn(host, port, **security_and_more)
        except REFUSALS as error:
            self._refused[server] = Refused(server, error, wait_s, time.monotonic() + wait_s)
            raise
        self._refused.pop(server, None)
        return connection


login_limit = LoginLimit()
"""Of this process: it has one login."""


def limit_logins() -> None:
    """Have every client of this process connect through `login_limit`."""
    client.create_conn = login_limit.connect
