"""The one place that makes connections to Redis: to one server, or to the primary or a replica that sentinels name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.sentinel import Sentinel as AsyncSentinel
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError
from redis.retry import Retry
from redis.sentinel import Sentinel

from watchroom import redis_url as urls
from watchroom import tls
from watchroom.redis_url import RedisAddress, RedisServer
from watchroom.store.refusals import RIGHTS, unavailable

__all__ = ["RIGHTS", "OnceMore", "address_of", "async_client", "client", "close", "connection", "unavailable"]

Done = TypeVar("Done")
SENTINEL_WITHIN_S = 1.0  # then the next one is asked


class OnceMore(Retry):
    """Tries a second time, for a connection that went stale; never with a password that was refused."""

    def __init__(self) -> None:
        super().__init__(NoBackoff(), 1)

    def call_with_retry(
        self,
        do: Callable[[], Done],
        fail: Callable[[Exception], Any] | Callable[[Exception, int], Any],
        is_retryable: Callable[[Exception], bool] | None = None,
        with_failure_count: bool = False,
    ) -> Done:
        """As redis-py's."""

        def may_help(error: Exception) -> bool:
            return not isinstance(error, AuthenticationError) and (is_retryable is None or is_retryable(error))

        return super().call_with_retry(do, fail, may_help, with_failure_count)


def client(server: RedisServer | str, **options: Any) -> Redis:  # noqa: ANN401 - of redis-py
    """A client; `options` are redis-py's own, such as time-outs.

    Sentinels are asked at each new connection: for the primary, or as `read_from` says for a replica, where there is
    one.

    Raises:
        RedisUrlRefused: The URL does not name exactly one server or service, and one database.
        ConfigurationInvalid: A file of a certificate or key cannot be used.
    """
    server = _with_files(server)
    address = urls.parse(server.url)
    if not address.sentinels:
        return Redis(**connection(server), **options)
    make: Any = Sentinel  # redis-py has no types for it
    found = make(
        list(address.sentinels), sentinel_kwargs=_to_sentinels(server, options), **_common(server, address), **options
    )
    find = found.slave_for if server.read_from == "replica" else found.master_for
    return cast("Redis", find(address.service))


def async_client(server: RedisServer | str, **options: Any) -> AsyncRedis:  # noqa: ANN401 - of redis-py
    """The same for asyncio, and always of the primary. `close` gives its connections back."""
    server = _with_files(server)
    address = urls.parse(server.url)
    if not address.sentinels:
        return AsyncRedis(**connection(server), **options)
    make: Any = AsyncSentinel
    found = make(
        list(address.sentinels), sentinel_kwargs=_to_sentinels(server, options), **_common(server, address), **options
    )
    return cast("AsyncRedis", found.master_for(address.service))


async def close(redis: AsyncRedis) -> None:
    """Give all connections back, those to sentinels too."""
    await redis.aclose()
    manager = getattr(redis.connection_pool, "sentinel_manager", None)
    for sentinel in manager.sentinels if manager else ():
        await sentinel.aclose()


def connection(server: RedisServer | str) -> dict[str, Any]:
    """Arguments of redis-py's clients for one server; a URL alone has no files. Raises as `client`."""
    server = _with_files(server)
    address = urls.parse(server.url)
    if address.sentinels:
        raise ValueError("sentinels name the server: `client` asks them")
    if address.scheme == urls.UNIX:
        return {**_common(server, address), "unix_socket_path": address.path}
    return {**_common(server, address), "host": address.host.strip("[]"), "port": address.port}


def address_of(server: RedisServer | str) -> RedisAddress:
    """Where a client of this server goes."""
    return urls.parse(server if isinstance(server, str) else server.url)


def _with_files(server: RedisServer | str) -> RedisServer:
    return RedisServer(server) if isinstance(server, str) else server


def _common(server: RedisServer, address: RedisAddress) -> dict[str, Any]:
    """Who asks, which database, and TLS."""
    credentials = {"username": address.user or None, "password": address.password or None}
    return {**credentials, "db": address.database, **_tls(server, address)}


def _to_sentinels(server: RedisServer, options: dict[str, Any]) -> dict[str, Any]:
    """Arguments of the clients that ask sentinels; the users of Redis are not theirs."""
    return {
        "username": server.sentinel_user or None,
        "password": server.sentinel_password or None,
        "socket_timeout": SENTINEL_WITHIN_S,
        "socket_connect_timeout": SENTINEL_WITHIN_S,
        "retry": options.get("retry"),
        "decode_responses": True,  # redis-py finds the fields of their answers by text
        **_tls(server, urls.parse(server.url)),
    }


def _tls(server: RedisServer, address: RedisAddress) -> dict[str, Any]:
    if not address.has_tls:
        return {}
    # redis-py loads the files with each connection, and says little
    tls.context("WATCHROOM_REDIS_", server.ca, server.cert, server.key)
    files = {"ssl_ca_certs": server.ca, "ssl_certfile": server.cert, "ssl_keyfile": server.key}
    return {"ssl": True, **{name: file or None for name, file in files.items()}}
