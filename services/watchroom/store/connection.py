"""How every client of Redis finds its server, and what is said when that server refuses us."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any

from redis.exceptions import AuthenticationError, BusyLoadingError, NoPermissionError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from watchroom import redis_url as urls
from watchroom import tls
from watchroom.errors import StoreRefuses, StoreUnavailable
from watchroom.redis_url import RedisAddress, RedisServer

RIGHTS = "deploy/redis/rights.md"
LOOK_WITHIN_S = 2.0
_NO_RIGHT = re.compile(r"no permissions? to run the '(?P<command>[^']+)' command", re.IGNORECASE)
_NO_KEY = re.compile(r"no permissions? to access|can't access at least one of the keys", re.IGNORECASE)
# Redis 7.0 says of a script's command only the line that it stands in.
_IN_SCRIPT = re.compile(r"can't run this command or subcommand script: (?P<sha>\w+), on @user_script:(?P<line>\d+)")
_CALLED = re.compile(r"redis\.p?call\('(?P<command>[A-Z]+)'")
_NOT_LET_IN = re.compile(r"NOAUTH|WRONGPASS|AUTH|authenticat|invalid username", re.IGNORECASE)
URL, CA, CERT = "WATCHROOM_REDIS_URL", "WATCHROOM_REDIS_CA", "WATCHROOM_REDIS_CERT"


def connection(server: RedisServer | str) -> dict[str, Any]:
    """Arguments of `redis.Redis` and `redis.asyncio.Redis`; a URL alone has no files.

    Raises:
        RedisUrlRefused: The URL does not name exactly one server and one database.
        ConfigurationInvalid: A file of a certificate or key cannot be used.
    """
    url, ca, cert, key = RedisServer(server) if isinstance(server, str) else server
    address = urls.parse(url)
    given: dict[str, Any] = {
        "username": address.user or None,
        "password": address.password or None,
        "db": address.database,
    }
    if address.scheme == urls.UNIX:
        return {**given, "unix_socket_path": address.path}
    given |= {"host": address.host.strip("[]"), "port": address.port}
    if address.scheme == "rediss":
        tls.context("WATCHROOM_REDIS_", ca, cert, key)  # redis-py loads the files with each connection, and says little
        given |= {"ssl": True, "ssl_ca_certs": ca or None, "ssl_certfile": cert or None, "ssl_keyfile": key or None}
    return given


def unavailable(
    server: RedisServer | str, error: BaseException, scripts: Mapping[str, str] = MappingProxyType({})
) -> StoreUnavailable:
    """Our error for one of redis-py's: a refusal says what Redis answered and what to look at.

    Args:
        server: The one that was asked.
        error: What came of it.
        scripts: Text of each script of ours, by its SHA-1.
    """
    address = urls.parse(server if isinstance(server, str) else server.url)
    refusal = _right(error, address, scripts) or _entry(error, address)
    if refusal is None:
        return StoreUnavailable(f"Redis did not answer ({error})")
    return StoreRefuses(f"Redis at {address.shown} {refusal.answer}; check {refusal.look_at}")


def _right(error: BaseException, address: RedisAddress, scripts: Mapping[str, str]) -> tls.Refusal | None:
    """A right that our user lacks, itself or in a script of ours."""
    user = repr(address.user or "default")
    if command := _refused_command(str(error), scripts):
        return tls.Refusal(f"does not let user {user} run {command}", f"its rights, see {RIGHTS}")
    if isinstance(error, NoPermissionError) or _NO_KEY.search(str(error)):
        return tls.Refusal(f"does not let user {user} have its keys ({error})", f"its rights, see {RIGHTS}")
    return None


def _refused_command(text: str, scripts: Mapping[str, str]) -> str:
    if found := _NO_RIGHT.search(text):
        return found["command"].upper()
    if found := _IN_SCRIPT.search(text):
        lines = scripts.get(found["sha"], "").splitlines()
        called = _CALLED.search(lines[int(found["line"]) - 1]) if len(lines) >= int(found["line"]) else None
        return called["command"] if called else "a command of its script"
    return ""


def _entry(error: BaseException, address: RedisAddress) -> tls.Refusal | None:
    """Why it does not let us in at all."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return tls.of_certificate(cause, URL, CA)
    if isinstance(error, AuthenticationError) or _NOT_LET_IN.match(str(error)):
        user = repr(address.user or "default")
        return tls.Refusal(f"does not let user {user} in ({error})", f"user and password in {URL}")
    is_there = isinstance(error, (RedisConnectionError, RedisTimeoutError, OSError))
    is_not = any(isinstance(cause, ConnectionRefusedError) for cause in _causes(error))
    if address.scheme == urls.UNIX or not is_there or is_not or isinstance(error, BusyLoadingError):
        return None
    return _by_looking(error, address)


def _by_looking(error: BaseException, address: RedisAddress) -> tls.Refusal | None:
    """What a second look shows: a server that is spoken to in the wrong protocol hangs up, or waits for more."""
    host = address.host.strip("[]")
    if address.scheme == "redis":
        has_tls = tls.speaks_tls(host, address.port, LOOK_WITHIN_S)
        return tls.Refusal("speaks TLS on this port, and we do not", f"{URL} (rediss://)") if has_tls else None
    if _speaks_plainly(host, address.port):
        return tls.Refusal("does not speak TLS on this port", f"{URL} (redis://, or another port)")
    if any(isinstance(cause, TimeoutError) for cause in _causes(error)):
        return None
    if tls.speaks_tls(host, address.port, LOOK_WITHIN_S):  # so it listens, and the fault is in who we are
        return tls.Refusal("hung up after the TLS handshake", f"{CERT} (a certificate that it trusts)")
    return None


def _speaks_plainly(host: str, port: int) -> bool:
    """Whether a Redis without TLS answers, if only that it wants a password."""
    with suppress(OSError), socket.create_connection((host, port), timeout=LOOK_WITHIN_S) as plain:
        plain.sendall(b"PING\r\n")
        return plain.recv(1) in (b"+", b"-")
    return False


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
