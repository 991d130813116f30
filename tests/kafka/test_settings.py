"""Which Kafka settings are valid together, and that no password is shown."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.parts import ROOT
from watchroom.demo.processes import environment
from watchroom.errors import ConfigurationInvalid
from watchroom.kafka.login import security_of
from watchroom.settings import read_settings

SASL = {"kafka_security": "sasl_plaintext", "kafka_user": "wr", "kafka_password": "hunter2-hunter2"}
REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "another protocol": ({"kafka_security": "tls"}, "SECURITY", "one of 'plaintext', 'ssl', 'sasl_plaintext'"),
    "another mechanism": ({**SASL, "kafka_mechanism": "GSSAPI"}, "MECHANISM", "one of 'SCRAM-SHA-512'"),
    "no user": ({**SASL, "kafka_user": ""}, "USER", "a value, or WATCHROOM_KAFKA_SECURITY other than sasl_plaintext"),
    "no password": ({**SASL, "kafka_password": ""}, "PASSWORD", "a value, or WATCHROOM_KAFKA_SECURITY other than"),
    "a user that nobody sends": ({"kafka_user": "wr"}, "USER", "plaintext does not send it"),
    "a password that nobody sends": (
        {**SASL, "kafka_security": "ssl", "kafka_user": ""}, "PASSWORD", "ssl does not send it",
    ),
    "a CA without TLS": ({**SASL, "kafka_ca": "ca.pem"}, "CA", "sasl_plaintext does not use TLS"),
    "a certificate without TLS": (
        {"kafka_cert": "our.pem", "kafka_key": "our.key"}, "CERT", "plaintext does not use TLS",
    ),
    "a certificate without key": ({"kafka_security": "ssl", "kafka_cert": "our.pem"}, "KEY", "both WATCHROOM_KAFKA_"),
    "a key without certificate": ({"kafka_security": "ssl", "kafka_key": "our.key"}, "KEY", "both WATCHROOM_KAFKA_"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_settings_that_contradict_each_other_are_refused_and_the_message_says_what_to_write(name: str) -> None:
    """Somebody would believe that a password protects something although it is never sent."""
    given, where, write = REFUSED[name]
    with pytest.raises(ConfigurationInvalid) as refused:
        read_settings(**given)
    (fault,) = refused.value.faults
    assert fault.where == f"WATCHROOM_KAFKA_{where}"
    assert write in fault.write
    assert "hunter2" not in str(fault)


def test_a_password_is_read_from_its_file_and_shown_nowhere(tmp_path: Path) -> None:
    """A worker that we start still gets it, in its environment."""
    (tmp_path / "watchroom_kafka_password").write_text("hunter2-hunter2\n")
    (tmp_path / "watchroom_kafka_user").write_text("wr\n")
    script = (
        "from watchroom.settings import read_settings; s = read_settings(kafka_security='sasl_ssl');"
        "print(s.kafka_user, s.kafka_password.get_secret_value())"
    )
    variables = {**os.environ, "WATCHROOM_SECRETS_DIR": str(tmp_path), "PYTHONPATH": str(ROOT / "services")}
    done = subprocess.run([sys.executable, "-c", script], env=variables, capture_output=True, text=True, check=True)
    assert done.stdout == "wr hunter2-hunter2\n"
    settings = read_settings(**SASL)
    assert not any("hunter2" in text for text in (repr(settings), str(settings), settings.model_dump_json()))
    assert environment(settings)["WATCHROOM_KAFKA_PASSWORD"] == "hunter2-hunter2"
    assert security_of(settings).arguments()["sasl_plain_password"] == "hunter2-hunter2"


def test_without_settings_the_connection_is_plaintext_as_before() -> None:
    """Nothing changes for users without a password."""
    assert security_of(read_settings()).arguments() == {"security_protocol": "PLAINTEXT", "ssl_context": None}
