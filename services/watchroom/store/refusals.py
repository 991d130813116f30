"""The error when Redis or a sentinel refuses us: which server, what it answered, and which setting to check."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any, NamedTuple

from redis import Redis
from redis.asyncio import sentinel as async_sentinel
from redis.backoff import NoBackoff
from redis.exceptions import (
    AskError,
    AuthenticationError,
    BusyLoadingError,
    ClusterDownError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry
from redis.sentinel import MasterNotFoundError, SlaveNotFoundError

from watchroom import redis_url as urls
from watchroom import tls
from watchroom.errors import StoreRefuses, StoreUnavailable
from watchroom.redis_url import Endpoint, RedisAddress, RedisServer
from watchroom.store.evictions import CLUSTER, SENTINEL

RIGHTS = "deploy/redis/rights.md"
LOOK_WITHIN_S = 2.0
_NO_RIGHT = re.compile(r"no permissions? to run the '(?P<command>[^']+)' command", re.IGNORECASE)
_NO_KEY = re.compile(r"no permissions? to access|can't access at least one of the keys", re.IGNORECASE)
# Redis 7.0 names only the script's line in which the command is.
_IN_SCRIPT = re.compile(r"can't run this command or subcommand script: (?P<sha>\w+), on @user_script:(?P<line>\d+)")
_CALLED = re.compile(r"redis\.p?call\('(?P<command>[A-Z]+)'")
_NOT_LET_IN = re.compile(r"NOAUTH|WRONGPASS|AUTH|authenticat|invalid username", re.IGNORECASE)
_NO_PASSWORD = re.compile(r"HELLO must be called with the client already authenticated|Authentication required")
_UNKNOWN = re.compile(r"unknown command ['`]?(?P<command>[\w|]+)", re.IGNORECASE)
_CLUSTER = re.compile(r"^MOVED \d|^CROSSSLOT|CLUSTERDOWN|in cluster mode", re.IGNORECASE)
_OF_PIPELINE = re.compile(r"^Command # \d+ \(.*?\) of pipeline caused error: ", re.DOTALL)
# For errors with a class of their own the client removes the code from the text.
NOT_NOW = (OutOfMemoryError, ReadOnlyError)
NOT_NOW_CODES = ("MISCONF", "NOREPLICAS", "BUSY ")
NOT_NOW_SAID = "Redis does not accept writes at the moment"
REPLICA_SAID = (
    f"{NOT_NOW_SAID}: it is a replica, and a worker writes to the primary (check WATCHROOM_REDIS_URL, or the failover)"
)
_NO_DATABASE = re.compile(r"DB index is out of range", re.IGNORECASE)
_NO_SERVER = (
    MasterNotFoundError, SlaveNotFoundError, async_sentinel.MasterNotFoundError, async_sentinel.SlaveNotFoundError,
)  # fmt: skip
URL, CA, CERT = "WATCHROOM_REDIS_URL", "WATCHROOM_REDIS_CA", "WATCHROOM_REDIS_CERT"
OF_SENTINELS = "WATCHROOM_REDIS_SENTINEL_USER and WATCHROOM_REDIS_SENTINEL_PASSWORD"
UNUSABLE = {  # by `Process.mode`
    CLUSTER: tls.Refusal(
        "is a node of a Redis Cluster, which this version of Watchroom does not support",
        f"{URL}: write the URL of a Redis that is not a cluster, or of its sentinels",
    ),
    SENTINEL: tls.Refusal(
        "is a sentinel, which holds no data",
        f"{URL}: write redis+sentinel://, the sentinels and the name of the service",
    ),
}


class _Access(NamedTuple):
    """The server that was asked (Redis or a sentinel), and the user."""

    name: str
    address: RedisAddress
    credentials: str = URL  # the settings that name user and password

    @property
    def user(self) -> str:
        return repr(self.address.user or "default")


def not_now_said(error: BaseException) -> str | None:
    """The sentence if Redis cannot write now: it is full, a replica, or cannot save its data. None otherwise."""
    if not isinstance(error, NOT_NOW) and not any(code in str(error) for code in NOT_NOW_CODES):
        return None
    answer = _OF_PIPELINE.sub("", str(error))  # it repeats everything that was to be written
    return f"{REPLICA_SAID if isinstance(error, ReadOnlyError) else NOT_NOW_SAID} ({answer})"


def unavailable(
    server: RedisServer | str, error: BaseException, scripts: Mapping[str, str] = MappingProxyType({})
) -> StoreUnavailable:
    """Our error for one of redis-py's: a refusal says what Redis answered and what to check.

    To find that out it may open connections of its own, which can take some seconds.

    Args:
        server: The one that was asked.
        error: What redis-py raised.
        scripts: Text of each of our scripts, by its SHA-1.
    """
    server = RedisServer(server) if isinstance(server, str) else server
    address = urls.parse(server.url)
    if not address.sentinels:
        return _said(_Access(f"Redis at {address.shown}", address), error, scripts)
    is_of_sentinels = isinstance(error, _NO_SERVER) or "sentinel" in str(error).lower()
    refused: list[StoreUnavailable] = []
    for sentinel in address.sentinels:
        try:
            found = _query_sentinel(server, address, sentinel)
        except (RedisError, OSError) as why:
            refused.append(_said(_as_sentinel(server, address, sentinel), why, scripts))
            continue
        if found is None:
            refused.append(_unknown_service(address, sentinel))
        elif is_of_sentinels:
            return _query_primary(server, address, _as_primary(address, found))
        else:
            return _said(_as_primary(address, found), error, scripts)
    return _of_sentinels(address, refused)


def _of_sentinels(address: RedisAddress, refused: list[StoreUnavailable]) -> StoreUnavailable:
    """The one of the sentinels' answers that a person can act on."""
    for answer in refused:
        if isinstance(answer, StoreRefuses):
            return answer
    return StoreUnavailable(f"no sentinel of {address.shown} answered")


def _unknown_service(address: RedisAddress, sentinel: Endpoint) -> StoreRefuses:
    return StoreRefuses(
        f"The sentinel at {sentinel} has no service named {address.service!r}; check {URL}"
        " (the name after the sentinels, from `sentinel monitor NAME ...`)"
    )


def _query_sentinel(server: RedisServer, address: RedisAddress, sentinel: Endpoint) -> Endpoint | None:
    """Where the primary is; None if the sentinel does not know the service."""
    access = _as_sentinel(server, address, sentinel).address
    with _one_connection(server, access) as redis:
        ask: Any = redis.sentinel_masters  # as redis-py asks, so that the same right is needed
        found = ask().get(address.service)
    return None if found is None else Endpoint(str(found["ip"]), int(found["port"]))


def _query_primary(server: RedisServer, address: RedisAddress, primary: _Access) -> StoreUnavailable:
    """What the primary itself answers, when redis-py has said only that there is no primary."""
    try:
        with _one_connection(server, primary.address) as redis:
            redis.exists("")  # reads nothing; for PING we may lack the right
    except NoPermissionError:
        pass
    except (RedisError, OSError) as why:
        return _said(primary, why, {})
    return StoreUnavailable(f"the sentinels of {address.shown} named no server that responds")


def login(server: RedisServer, address: RedisAddress) -> dict[str, Any]:
    """Arguments of redis-py's clients: user, password and TLS."""
    files = {"ssl_ca_certs": server.ca, "ssl_certfile": server.cert, "ssl_keyfile": server.key}
    encrypted = {"ssl": True, **{name: file or None for name, file in files.items()}} if address.has_tls else {}
    return {"username": address.user or None, "password": address.password or None, **encrypted}


def _one_connection(server: RedisServer, address: RedisAddress) -> Redis:
    return Redis(
        host=address.host,
        port=address.port,
        decode_responses=True,
        socket_timeout=LOOK_WITHIN_S,
        socket_connect_timeout=LOOK_WITHIN_S,
        retry=Retry(NoBackoff(), 0),
        **login(server, address),
    )


def _as_sentinel(server: RedisServer, address: RedisAddress, sentinel: Endpoint) -> _Access:
    at = address.at(sentinel)._replace(user=server.sentinel_user, password=server.sentinel_password, database=0)
    return _Access(f"The sentinel at {sentinel}", at, OF_SENTINELS)


def _as_primary(address: RedisAddress, found: Endpoint) -> _Access:
    at = address.at(found)
    return _Access(f"Redis at {at.shown} (primary of {address.service!r})", at)


def _said(access: _Access, error: BaseException, scripts: Mapping[str, str]) -> StoreUnavailable:
    refusal = _right(error, access, scripts) or _other_server(error, access) or _entry(error, access)
    if refusal is None:
        name = "Redis" if access.credentials == URL else access.name
        return StoreUnavailable(f"{name} did not answer ({error})")
    return StoreRefuses(f"{access.name} {refusal.answer}; check {refusal.look_at}")


def _right(error: BaseException, access: _Access, scripts: Mapping[str, str]) -> tls.Refusal | None:
    """A right that our user lacks, for a command or within one of our scripts."""
    if command := _refused_command(str(error), scripts):
        return tls.Refusal(f"does not let user {access.user} run {command}", f"its rights, see {RIGHTS}")
    if isinstance(error, NoPermissionError) or _NO_KEY.search(str(error)):
        return tls.Refusal(f"does not let user {access.user} access its keys ({error})", f"its rights, see {RIGHTS}")
    return None


def _refused_command(text: str, scripts: Mapping[str, str]) -> str:
    if found := _NO_RIGHT.search(text):
        return found["command"].upper()
    if found := _IN_SCRIPT.search(text):
        lines = scripts.get(found["sha"], "").splitlines()
        called = _CALLED.search(lines[int(found["line"]) - 1]) if len(lines) >= int(found["line"]) else None
        return called["command"] if called else "a command in its script"
    return ""


def _other_server(error: BaseException, access: _Access) -> tls.Refusal | None:
    """A server of another kind than the one that we need."""
    text = str(error)
    if isinstance(error, (AskError, ClusterDownError)) or _CLUSTER.search(text):
        return UNUSABLE[CLUSTER]
    if _NO_DATABASE.search(text):
        return tls.Refusal(f"has no database {access.address.database}", f"the number at the end of {URL}")
    if found := _UNKNOWN.search(text):
        command = found["command"].upper()
        if command.startswith("SENTINEL"):
            return tls.Refusal(
                "is not a sentinel", f"{URL}: write redis:// for a Redis server, or the sentinels' ports"
            )
        return tls.Refusal(
            f"does not know the command {command}",
            f"its version (7.0 or later), and that the command has not been renamed, see {RIGHTS}",
        )
    return None


def _entry(error: BaseException, access: _Access) -> tls.Refusal | None:
    """Why it refuses our login."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return tls.of_certificate(cause, URL, CA)
    if isinstance(error, AuthenticationError) or _NOT_LET_IN.match(str(error)):
        why = "it requires a password" if _NO_PASSWORD.search(str(error)) else str(error).rstrip(".")
        return tls.Refusal(
            f"rejects the login of user {access.user} ({why})", f"user and password in {access.credentials}"
        )
    is_there = isinstance(error, (RedisConnectionError, RedisTimeoutError, OSError))
    is_not = any(isinstance(cause, ConnectionRefusedError) for cause in _causes(error))
    answered = isinstance(error, (BusyLoadingError, ReadOnlyError))
    if access.address.scheme == urls.UNIX or not is_there or is_not or answered:
        return None
    return _by_looking(error, access.address)


def _by_looking(error: BaseException, address: RedisAddress) -> tls.Refusal | None:
    """The refusal that a second look shows: with the wrong protocol a server hangs up, or waits for more."""
    host = address.host
    if not address.has_tls:
        has_tls = tls.speaks_tls(host, address.port, LOOK_WITHIN_S)
        return (
            tls.Refusal("uses TLS on this port, but this connection does not", f"{URL} (rediss://)")
            if has_tls
            else None
        )
    if _speaks_plainly(host, address.port):
        return tls.Refusal("does not use TLS on this port", f"{URL} (redis://, or another port)")
    if any(isinstance(cause, TimeoutError) for cause in _causes(error)):
        return None
    if tls.speaks_tls(host, address.port, LOOK_WITHIN_S):  # so it listens, and refuses our certificate
        return tls.Refusal("closed the connection after the TLS handshake", f"{CERT} (a certificate that it trusts)")
    return None


def _speaks_plainly(host: str, port: int) -> bool:
    """Whether a Redis without TLS answers, even if only with a request for a password."""
    with suppress(OSError), socket.create_connection((host, port), timeout=LOOK_WITHIN_S) as plain:
        plain.sendall(b"PING\r\n")
        return plain.recv(1) in (b"+", b"-")
    return False


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
