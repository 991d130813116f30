"""TLS of our own connections: loads the files that the settings name, and explains failed handshakes."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from typing import NamedTuple

from watchroom.errors import ConfigurationInvalid, Fault

_EXPIRED, _NOT_YET_VALID, _OTHER_HOST = 10, 9, (62, 64)  # OpenSSL's codes, x509_vfy.h


class Refusal(NamedTuple):
    """What a server answered, and what to check."""

    answer: str
    look_at: str


def context(prefix: str, ca: str, cert: str, key: str) -> ssl.SSLContext:
    """A context that trusts only the given authorities, or those of the system, and always checks the host name.

    Args:
        prefix: Start of the settings that name the files, for messages, such as `WATCHROOM_KAFKA_`.
        ca: PEM file of authorities; "" for the system's.
        cert: PEM file of our own certificate; "" for none.
        key: PEM file of its key.

    Raises:
        ConfigurationInvalid: A file cannot be used.
    """
    try:
        made = ssl.create_default_context(cafile=ca or None)
    except (OSError, ValueError) as error:
        write = "a PEM file with the authorities that sign the servers' certificates"
        raise _unusable(f"{prefix}CA", ca, error, write) from None
    if not cert:
        return made
    for name, file in ("CERT", cert), ("KEY", key):
        try:
            Path(file).read_bytes()
        except OSError as error:
            raise _unusable(f"{prefix}{name}", file, error, "a PEM file that this user can read") from None
    try:
        # without this callback, OpenSSL would ask for the pass phrase of an encrypted key on the terminal
        made.load_cert_chain(cert, key, password=lambda: "")
    except (OSError, ValueError) as error:
        write = f"the PEM file of the key that belongs to {prefix}CERT, without a passphrase"
        raise _unusable(f"{prefix}KEY", key, error, write) from None
    return made


def of_certificate(error: ssl.SSLCertVerificationError, address: str, ca: str) -> Refusal:
    """What is wrong with a server's certificate; `address` and `ca` are names of settings."""
    if error.verify_code in _OTHER_HOST:
        answer = f"has a certificate for another name ({error.verify_message})"
        return Refusal(answer, f"{address}: write the host name that is in the certificate")
    if error.verify_code in (_EXPIRED, _NOT_YET_VALID):
        answer = f"has a certificate that is not currently valid ({error.verify_message})"
        return Refusal(answer, "the server's certificate and this machine's clock")
    return Refusal(f"has a certificate that we do not trust ({error.verify_message})", ca)


def speaks_tls(host: str, port: int, within_s: float) -> bool | None:
    """Whether a port uses TLS, with any certificate; None if nothing listens or answers."""
    anyone = ssl.create_default_context()
    anyone.check_hostname, anyone.verify_mode = False, ssl.CERT_NONE  # nothing is sent over it
    try:
        plain = socket.create_connection((host, port), timeout=within_s)
    except OSError:
        return None
    with plain:
        try:
            anyone.wrap_socket(plain, server_hostname=host).close()
        except TimeoutError:
            return None
        except OSError:
            return False
    return True


def _unusable(setting: str, file: str, error: Exception, write: str) -> ConfigurationInvalid:
    why = getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__
    return ConfigurationInvalid([Fault(setting, "", f"{file!r} ({why})", write)])
