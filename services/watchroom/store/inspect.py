"""What `watchroom doctor` asks of Redis beyond the figures: INFO, and what our user may run. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import NoPermissionError, RedisError, ResponseError
from redis.retry import Retry

from watchroom.redis_url import RedisServer
from watchroom.store.connection import connection, unavailable
from watchroom.store.keys import Keys

# Every command of `deploy/redis/rights.md` with arguments, where KEY is one of ours. They are queued and never run.
KEY: Final = "KEY"
NEEDED: Final[tuple[tuple[str, ...], ...]] = (
    ("EVALSHA", "0" * 40, "1", KEY),
    ("SCRIPT", "LOAD", "return 1"),
    ("SCAN", "0"),
    ("TYPE", KEY),
    ("DEL", KEY),
    ("UNLINK", KEY),
    ("SET", KEY, "1"),
    ("MGET", KEY),
    ("PEXPIRE", KEY, "1"),
    ("HGET", KEY, "f"),
    ("HMGET", KEY, "f"),
    ("HGETALL", KEY),
    ("HKEYS", KEY),
    ("HSET", KEY, "f", "1"),
    ("HSETNX", KEY, "f", "1"),
    ("HEXISTS", KEY, "f"),
    ("HINCRBY", KEY, "f", "1"),
    ("HDEL", KEY, "f"),
    ("SADD", KEY, "m"),
    ("SISMEMBER", KEY, "m"),
    ("ZADD", KEY, "1", "m"),
    ("ZRANGE", KEY, "0", "1"),
    ("ZRANGEBYSCORE", KEY, "0", "1"),
    ("ZCOUNT", KEY, "0", "1"),
    ("ZREM", KEY, "m"),
    ("ZREMRANGEBYSCORE", KEY, "0", "1"),
    ("RPUSH", KEY, "v"),
    ("LRANGE", KEY, "0", "1"),
)


class Inspection(NamedTuple):
    """What Redis says of itself and of us."""

    info: Mapping[str, Any] | None  # None: our user may not run INFO
    denied: tuple[str, ...]  # commands that our user may not run on the force's keys


def inspect(server: RedisServer, force: str, timeout_s: float) -> Inspection:
    """Ask.

    Raises:
        StoreUnavailable: Redis did not answer, or does not let us in.
    """
    client = Redis(
        **connection(server),
        decode_responses=True,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        retry=Retry(NoBackoff(), 0),
    )
    try:
        try:
            info: Mapping[str, Any] | None = client.info("everything")
        except NoPermissionError:
            info = None
        return Inspection(info, tuple(dict.fromkeys(_denied(client, f"{Keys(force).prefix}doctor"))))
    except (RedisError, OSError) as error:
        raise unavailable(server, error) from error
    finally:
        client.close()


def _denied(client: Redis, key: str) -> Iterator[str]:
    """Commands that Redis refuses to queue in a transaction; the queue is dropped with the connection.

    Redis checks a user's rights when a command is queued, so nothing has to be run to know them.
    """
    link: Any = client.connection_pool.get_connection()

    def answer(command: tuple[str, ...]) -> object:
        """What Redis answers; the error, if it is one."""
        link.send_command(*(key if word is KEY else word for word in command))
        try:
            return link.read_response()
        except ResponseError as error:
            return error

    try:
        for name in ("MULTI", "EXEC", "MULTI"):  # this EXEC runs an empty queue
            said = answer((name,))
            if isinstance(said, NoPermissionError) or "NOPERM" in str(said):  # a refused EXEC is an EXECABORT
                yield name
        if said != "OK":
            return  # outside a transaction the commands would be run
        for command in NEEDED:
            if isinstance(answer(command), NoPermissionError):  # a replica's or a full one's refusal is another
                yield " ".join(command[:2]) if command[0] == "SCRIPT" else command[0]
    finally:
        link.disconnect()
        client.connection_pool.release(link)
