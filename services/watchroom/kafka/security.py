"""Credentials and TLS of a client, from the settings `WATCHROOM_KAFKA_*`."""

from __future__ import annotations

import ssl
from typing import Any, NamedTuple

from watchroom import tls
from watchroom.settings import Settings

PREFIX = "WATCHROOM_KAFKA_"


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
