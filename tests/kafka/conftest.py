"""One Apache Kafka with every kind of listener, and the certificates that belong to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from tests.flow.servers import KafkaServer
from tests.flow.servers.certificates import Authority, Certificate
from tests.parts import PartMissing, missing
from watchroom.demo.server import LOOPBACK
from watchroom.kafka import login
from watchroom.kafka.login import LoginLimit

USER, PASSWORD = "wr", "cr-3/t?#@"  # may do everything
OTHER, OTHER_PASSWORD = "other", "another"  # may do only what a test allows
_JAAS = "org.apache.kafka.common.security"


class Secured(NamedTuple):
    """The server, and what a client needs."""

    server: KafkaServer
    authority: Authority
    stranger: Authority
    ours: Certificate
    strangers: Certificate

    def address(self, door: str) -> str:
        """Host and port of a listener."""
        return f"{LOOPBACK}:{self.server.ports[door]}"

    def scram(self, mechanism: str = "SCRAM-SHA-512", **changed: Any) -> dict[str, Any]:
        """Settings for TLS with user and password."""
        given = {
            "kafka": self.address("SCRAM"),
            "kafka_security": "sasl_ssl",
            "kafka_mechanism": mechanism,
            "kafka_user": USER,
            "kafka_password": PASSWORD,
            "kafka_ca": str(self.authority.ca),
        }
        return {**given, **changed}

    def mutual(self, **changed: Any) -> dict[str, Any]:
        """Settings for TLS with our own certificate."""
        given = {
            "kafka": self.address("MUTUAL"),
            "kafka_security": "ssl",
            "kafka_ca": str(self.authority.ca),
            "kafka_cert": str(self.ours.cert),
            "kafka_key": str(self.ours.key),
        }
        return {**given, **changed}


@pytest.fixture(scope="session")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """The started server."""
    folder = tmp_path_factory.mktemp("secured")
    try:
        authority, stranger = Authority(folder / "ca"), Authority(folder / "other", "stranger")
        server = KafkaServer(
            folder / "kafka",
            listeners=_listeners(authority),
            scram={USER: PASSWORD, OTHER: OTHER_PASSWORD},
            supers=("User:ANONYMOUS", f"User:{USER}", "User:CN=ours"),
        )
    except PartMissing as error:
        missing(str(error))
    try:
        server.start()
        yield Secured(server, authority, stranger, authority.sign("ours"), stranger.sign("strangers"))
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def limit(monkeypatch: pytest.MonkeyPatch) -> LoginLimit:
    """Logins are limited for a whole process: a refusal in one test must not delay the next."""
    fresh = LoginLimit()
    monkeypatch.setattr(login, "login_limit", fresh)
    return fresh


def _listeners(authority: Authority) -> dict[str, dict[str, object]]:
    broker = _tls(authority.sign("broker"), authority)
    sasl = {
        "sasl.enabled.mechanisms": "SCRAM-SHA-256,SCRAM-SHA-512,PLAIN",
        "scram-sha-256.sasl.jaas.config": f"{_JAAS}.scram.ScramLoginModule required;",
        "scram-sha-512.sasl.jaas.config": f"{_JAAS}.scram.ScramLoginModule required;",
        "plain.sasl.jaas.config": f'{_JAAS}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";',
    }
    only_512 = {key: value for key, value in sasl.items() if "512" in key}
    return {
        "SCRAM": {"security.protocol": "SASL_SSL", **broker, **sasl},
        "MUTUAL": {"security.protocol": "SSL", **broker, "ssl.client.auth": "required"},
        "TLS": {"security.protocol": "SSL", **broker},
        "CLEAR": {"security.protocol": "SASL_PLAINTEXT", **only_512, "sasl.enabled.mechanisms": "SCRAM-SHA-512"},
        "EXPIRED": {"security.protocol": "SSL", **_tls(authority.sign("expired", valid=False), authority)},
        "ELSEWHERE": {
            "security.protocol": "SSL",
            **_tls(authority.sign("elsewhere", addresses="DNS:kafka.elsewhere.example"), authority),
        },
    }


def _tls(certificate: Certificate, authority: Authority) -> dict[str, object]:
    return {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": certificate.chain(),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": authority.ca,
    }
