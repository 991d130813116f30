"""The login at a broker: its credentials, a check before a client connects, and a limit on refused logins.

aiokafka only logs a refusal, so the check turns it into one sentence: which server, what it answered, and which setting
to check. A running client is refused when a password is changed or a certificate expires: its connections stay, and the
next one is refused. aiokafka's clients would then try ten times a second, which fills the broker's log and may lock the
user out.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from aiokafka import client
from aiokafka.conn import AIOKafkaConnection, CloseReason, create_conn
from aiokafka.errors import IllegalSaslStateError, KafkaError, SaslAuthenticationFailed, UnsupportedSaslMechanismError
from aiokafka.protocol.metadata import MetadataRequest

from watchroom import tls
from watchroom.errors import BrokerRefuses
from watchroom.settings import Settings
from watchroom.timing import Pause
from watchroom.tls import Refusal, of_certificate, speaks_tls

WITHIN_MS = 5000  # for one broker
PREFIX = "WATCHROOM_KAFKA_"
SECURITY = f"{PREFIX}SECURITY"
FIRST_WAIT_S, MOST_WAIT_S = 2.0, 16.0  # between tries of a broker that refuses us
EARLY_S = 0.1  # a caller that waits for the same time is not refused for being some milliseconds early
REFUSALS = (
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
    IllegalSaslStateError,
    ssl.SSLCertVerificationError,
)


class Security(NamedTuple):
    """TLS and credentials of every connection."""

    protocol: str  # as Kafka writes it: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL
    ssl_context: ssl.SSLContext | None
    mechanism: str
    user: str
    password: str

    @property
    def has_user(self) -> bool:
        """Whether it sends a user and a password."""
        return self.protocol.startswith("SASL_")

    def arguments(self) -> dict[str, Any]:
        """Arguments of aiokafka's clients and connections."""
        given: dict[str, Any] = {"security_protocol": self.protocol, "ssl_context": self.ssl_context}
        if self.has_user:
            given |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.user,
                "sasl_plain_password": self.password,
            }
        return given


def security_of(settings: Settings) -> Security:
    """Read them from the settings.

    Raises:
        ConfigurationInvalid: A file of a certificate or key cannot be used.
    """
    protocol = settings.kafka_security.upper()
    files = settings.kafka_ca, settings.kafka_cert, settings.kafka_key
    return Security(
        protocol=protocol,
        ssl_context=tls.context(PREFIX, *files) if protocol.endswith("SSL") else None,
        mechanism=settings.kafka_mechanism,
        user=settings.kafka_user,
        password=settings.kafka_password.get_secret_value(),
    )


def refusal_pause() -> Pause:
    """Between tries of a broker that refuses us: somebody must change something first."""
    return Pause(FIRST_WAIT_S, MOST_WAIT_S)


class Refused(NamedTuple):
    """The latest refusal of one thing."""

    name: str
    error: Exception
    pause: Pause
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
        pause = self._begin(name)
        try:
            yield
        except self._errors as error:
            with self._lock:
                self._refused[name] = Refused(name, error, pause, time.monotonic() + pause.next_s())
            raise
        except BaseException:
            with self._lock:
                if name in self._refused:
                    self._refused[name] = self._refused[name]._replace(until_s=time.monotonic())
            raise
        with self._lock:
            self._refused.pop(name, None)

    def _begin(self, name: str) -> Pause:
        """How long to wait if this try is refused."""
        with self._lock:
            known, now_s = self._refused.get(name), time.monotonic()
            if known is None:
                return refusal_pause()
            if now_s < known.until_s - EARLY_S:
                raise known.error.with_traceback(None)
            # for all other callers, until this one ends
            self._refused[name] = known._replace(until_s=now_s + MOST_WAIT_S)
            return known.pause


class LoginLimit(Refusals):
    """Makes connections; to a broker (`host:port`) that has refused us only after 2, 4, 8, then every 16 s."""

    def __init__(self) -> None:
        super().__init__(REFUSALS)

    async def connect(self, host: str, port: int, **security_and_more: Any) -> AIOKafkaConnection:  # noqa: ANN401 - aiokafka's own
        """As `aiokafka.conn.create_conn`; while it is too early, raises the last refusal instead.

        Raises:
            KafkaError, OSError, TimeoutError: No connection.
        """
        with self.attempt(f"{host}:{port}"):
            return await create_conn(host, port, **security_and_more)


login_limit = LoginLimit()
"""One for the whole process, which has one login."""


def limit_logins() -> None:
    """Make every client of this process connect through `login_limit`."""
    client.create_conn = login_limit.connect


async def check_login(settings: Settings) -> None:
    """Return if a broker lets us in, or if none answers, which the client itself then reports.

    Raises:
        BrokerRefuses: None of them lets us in, and at least one says why.
        ConfigurationInvalid: A file of a certificate or key cannot be used.
    """
    security = security_of(settings)
    refused: dict[str, Refusal] = {}
    for server in (text.strip() for text in settings.kafka.split(",")):
        found = await refusal(server, security)
        if found is None:
            return
        if found.answer:
            refused[server] = found
    for server, (answer, look_at) in refused.items():
        raise BrokerRefuses(f"Kafka at {server} {answer}; check {look_at}")


def refused_now(settings: Settings) -> str | None:
    """The sentence about a broker that refuses the login of a running client; None if none does."""
    if (refused := login_limit.first()) is None:
        return None
    refusal = _by_error(refused.error, security_of(settings))
    return f"Kafka at {refused.name} {refusal.answer}; check {refusal.look_at}" if refusal else None


async def refusal(server: str, security: Security) -> Refusal | None:
    """Why a broker (`host:port`) does not let us in, with an empty text if it did not answer; None if it lets us in."""
    host, _, text = server.rpartition(":")
    host, port = host.strip("[]"), int(text)
    try:
        await _let_in(host, port, security)
    except (KafkaError, OSError, TimeoutError) as error:
        return _by_error(error, security) or await _by_second_look(host, port, security, error) or Refusal("", "")
    return None


async def _let_in(host: str, port: int, security: Security) -> None:
    """Connect, log in, and send one request, as a client does."""
    connection: AIOKafkaConnection = await login_limit.connect(
        host, port, client_id="watchroom", request_timeout_ms=WITHIN_MS, **security.arguments()
    )
    try:
        async with asyncio.timeout(WITHIN_MS / 1000):
            await connection.send(MetadataRequest([]))
    finally:
        connection.close(reason=CloseReason.SHUTDOWN)


def _by_error(error: Exception, security: Security) -> Refusal | None:
    """The refusal that the error itself shows."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return of_certificate(error, "WATCHROOM_KAFKA", "WATCHROOM_KAFKA_CA")
    if isinstance(error, SaslAuthenticationFailed):
        answer = f"rejects the {security.mechanism} login of user {security.user!r} (wrong user or password)"
        return Refusal(answer, "WATCHROOM_KAFKA_USER and WATCHROOM_KAFKA_PASSWORD")
    if isinstance(error, UnsupportedSaslMechanismError):
        return Refusal(f"does not offer {security.mechanism}", "WATCHROOM_KAFKA_MECHANISM")
    if isinstance(error, IllegalSaslStateError):
        return Refusal(
            "does not accept a user and password on this port", f"{SECURITY} and the port in WATCHROOM_KAFKA"
        )
    return None


async def _by_second_look(host: str, port: int, security: Security, error: Exception) -> Refusal | None:
    """The refusal that a second look shows: a broker hangs up on a client with the wrong protocol."""
    has_tls = await asyncio.to_thread(speaks_tls, host, port, WITHIN_MS / 1000)
    if security.ssl_context is None and has_tls:
        return Refusal("uses TLS on this port, but this connection does not", f"{SECURITY} (ssl or sasl_ssl)")
    if security.ssl_context is not None and has_tls is False:
        return Refusal("does not use TLS on this port", f"{SECURITY} and the port in WATCHROOM_KAFKA")
    if has_tls is None or not _hung_up(error):
        return None
    if security.ssl_context is None:
        wanted = "sasl_plaintext, if it requires a user and password"
        closed = "closed the connection after our first request"
        return None if security.has_user else Refusal(closed, f"{SECURITY} ({wanted})")
    return Refusal(
        "closed the connection after the TLS handshake",
        f"WATCHROOM_KAFKA_CERT (a certificate that it trusts), and {SECURITY} (sasl_ssl, if it requires a password)",
    )


def _hung_up(error: Exception) -> bool:
    return isinstance(error, (KafkaError, ConnectionError)) and not isinstance(error, ConnectionRefusedError)
