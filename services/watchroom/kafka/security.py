"""How a client proves who it is, and how it knows the broker: from the settings `WATCHROOM_KAFKA_*`."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any, NamedTuple

from watchroom.errors import ConfigurationInvalid, Fault
from watchroom.settings import Settings

_PREFIX = "WATCHROOM_KAFKA_"


class Security(NamedTuple):
    """What goes with every connection."""

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
    """What the settings say.

    Raises:
        ConfigurationInvalid: A file of a certificate or key cannot be used.
    """
    protocol = settings.kafka_security.upper()
    return Security(
        protocol=protocol,
        ssl_context=_context(settings) if protocol.endswith("SSL") else None,
        mechanism=settings.kafka_mechanism,
        user=settings.kafka_user,
        password=settings.kafka_password.get_secret_value(),
    )


def _context(settings: Settings) -> ssl.SSLContext:
    """Trusts the given authorities alone, else the system's; the name in the certificate is always checked."""
    try:
        context = ssl.create_default_context(cafile=settings.kafka_ca or None)
    except (OSError, ValueError) as error:
        raise _unusable(
            "CA", settings.kafka_ca, error, "a file of PEM certificates of the brokers' authority"
        ) from None
    if settings.kafka_cert:
        for name, file in ("CERT", settings.kafka_cert), ("KEY", settings.kafka_key):
            try:
                Path(file).read_bytes()
            except OSError as error:
                raise _unusable(name, file, error, "a PEM file that this user may read") from None
        try:
            # without the callback, an encrypted key would make OpenSSL ask on the terminal
            context.load_cert_chain(settings.kafka_cert, settings.kafka_key, password=lambda: "")
        except (OSError, ValueError) as error:
            write = "a PEM file of the key that belongs to WATCHROOM_KAFKA_CERT, without a pass phrase"
            raise _unusable("KEY", settings.kafka_key, error, write) from None
    return context


def _unusable(name: str, file: str, error: Exception, write: str) -> ConfigurationInvalid:
    why = getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__
    return ConfigurationInvalid([Fault(f"{_PREFIX}{name}", "", f"{file!r} ({why})", write)])
