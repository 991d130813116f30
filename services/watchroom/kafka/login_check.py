"""Checks whether a broker accepts our login before a client connects, because aiokafka only logs a refusal.

A refusal becomes one sentence: which server, what it answered, and which setting to check.
"""

from __future__ import annotations

import asyncio
import ssl

from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import IllegalSaslStateError, KafkaError, SaslAuthenticationFailed, UnsupportedSaslMechanismError
from aiokafka.protocol.metadata import MetadataRequest

from watchroom.errors import BrokerRefuses
from watchroom.kafka.login_limit import login_limit
from watchroom.kafka.security import Security, security_of
from watchroom.settings import Settings
from watchroom.tls import Refusal, of_certificate, speaks_tls

WITHIN_MS = 5000  # for one broker
SECURITY = "WATCHROOM_KAFKA_SECURITY"


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
    if (refused := login_limit.refused()) is None:
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
        return Refusal("uses TLS on this port, but we do not", f"{SECURITY} (ssl or sasl_ssl)")
    if security.ssl_context is not None and has_tls is False:
        return Refusal("does not use TLS on this port", f"{SECURITY} and the port in WATCHROOM_KAFKA")
    if has_tls is None or not _hung_up(error):
        return None
    if security.ssl_context is None:
        wanted = "sasl_plaintext, if it requires a user and password"
        return None if security.has_user else Refusal("hung up on our first request", f"{SECURITY} ({wanted})")
    return Refusal(
        "closed the connection after the TLS handshake",
        f"WATCHROOM_KAFKA_CERT (a certificate that it trusts), and {SECURITY} (sasl_ssl, if it requires a password)",
    )


def _hung_up(error: Exception) -> bool:
    return isinstance(error, (KafkaError, ConnectionError)) and not isinstance(error, ConnectionRefusedError)
