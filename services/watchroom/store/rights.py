"""The Redis commands that we need, and which of them our user may not run; found without executing any.

Redis checks a right when a command is queued in a transaction. So each command is queued, and the connection is closed
before the transaction runs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Final

from redis.exceptions import NoPermissionError, ResponseError

from watchroom.errors import StoreRefuses
from watchroom.redis_url import RedisServer
from watchroom.store.connection import address_of, one_off_client
from watchroom.store.keys import Keys
from watchroom.store.refusals import RIGHTS

WITHIN_S = 5.0

# Each command with valid arguments: those of a command without a key, and those after a key.
_WITHOUT_KEY: Final[dict[str, tuple[str, ...]]] = {
    "EVALSHA": ("0" * 40, "0"),
    "SCRIPT|LOAD": ("return 1",),
    "SCAN": ("0",),
}
_AFTER_KEY: Final[dict[str, tuple[str, ...]]] = {
    "TYPE": (),
    "DEL": (),
    "UNLINK": (),
    "SET": ("",),
    "MGET": (),
    "PEXPIRE": ("1",),
    "HGET": ("f",),
    "HMGET": ("f",),
    "HGETALL": (),
    "HKEYS": (),
    "HSET": ("f", "1"),
    "HSETNX": ("f", "1"),
    "HEXISTS": ("f",),
    "HINCRBY": ("f", "1"),
    "HDEL": ("f",),
    "SADD": ("m",),
    "SISMEMBER": ("m",),
    "ZADD": ("1", "m"),
    "ZRANGE": ("0", "1"),
    "ZRANGEBYSCORE": ("0", "1"),
    "ZCOUNT": ("0", "1"),
    "ZREM": ("m",),
    "ZREMRANGEBYSCORE": ("0", "1"),
    "RPUSH": ("m",),
    "LRANGE": ("0", "1"),
}
_CHECKED: Final = (*_WITHOUT_KEY, *_AFTER_KEY)
NEEDED: Final = ("MULTI", "EXEC", *_CHECKED)
"""In addition to HELLO, with which every connection begins, and SELECT for a database other than 0."""
OF_REBUILD: Final = frozenset({"SCAN", "DEL"})
OF_READERS: Final = frozenset({"SCAN", "ZCOUNT", "ZRANGE", "LRANGE", "HKEYS"})
OF_WORKERS: Final = tuple(name for name in NEEDED if name not in OF_REBUILD | OF_READERS)


def missing_rights(server: RedisServer | str, keys: Keys, needed: Collection[str] = NEEDED) -> list[str]:
    """The commands of `needed` that our user may not run on this force's keys; nothing is read or written.

    Raises:
        StoreUnavailable: Redis did not answer, or does not let us in.
    """
    with one_off_client(server, WITHIN_S) as redis:
        pool: Any = redis.connection_pool
        connection = pool.get_connection()
        try:
            return _missing(connection, keys, needed)
        finally:
            connection.disconnect()  # the transaction never runs
            pool.release(connection)


def refuse_missing(server: RedisServer | str, keys: Keys, needed: Collection[str] = NEEDED) -> None:
    """Raise StoreRefuses, which names all commands of `needed` that our user may not run.

    Raises:
        StoreUnavailable: Redis did not answer.
    """
    if missing := missing_rights(server, keys, needed):
        address = address_of(server)
        raise StoreRefuses(
            f"Redis at {address.shown} does not let user {address.user or 'default'!r} run {', '.join(missing)};"
            f" check its rights, see {RIGHTS}"
        )


def _missing(connection: Any, keys: Keys, needed: Collection[str]) -> list[str]:  # noqa: ANN401 - redis-py's
    if not _may(connection, ["MULTI"]):
        return ["MULTI"]  # without it the others cannot be checked
    missing = [name for name in needed if name in _CHECKED and not _may(connection, _call(name, keys))]
    if "EXEC" in needed:
        connection.disconnect()
        connection.connect()
        if _may(connection, ["MULTI"]) and not _may(connection, ["EXEC"]):  # of nothing
            missing.append("EXEC")
    return missing


def _call(name: str, keys: Keys) -> list[str]:
    if name in _WITHOUT_KEY:
        return [*name.split("|"), *_WITHOUT_KEY[name]]
    return [name, f"{keys.prefix}rights", *_AFTER_KEY[name]]


def _may(connection: Any, call: Iterable[str]) -> bool:  # noqa: ANN401 - redis-py's
    connection.send_command(*call)
    try:
        connection.read_response()
    except NoPermissionError:
        return False
    except ResponseError as error:
        if "unknown command" in str(error).lower():
            raise
        return "no permissions" not in str(error)  # of EXEC it says so in other words; a full Redis refuses too
    return True
