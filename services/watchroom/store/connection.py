"""Makes every connection to Redis: to one server, or to the primary or a replica that sentinels name."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from importlib.resources import files
from typing import Any, TypeVar

from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.retry import Retry as AsyncRetry
from redis.asyncio.sentinel import Sentinel as AsyncSentinel
from redis.backoff import NoBackoff
from redis.commands.core import AsyncScript
from redis.exceptions import AuthenticationError, RedisError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry
from redis.sentinel import Sentinel

from watchroom import redis_url as urls
from watchroom import tls
from watchroom.errors import StoreRefuses, StoreUnavailable, WorkFailed
from watchroom.redis_url import RedisAddress, RedisServer
from watchroom.store.backoff import Backoff
from watchroom.store.refusals import login, not_now_said, unavailable

Done = TypeVar("Done")
SENTINEL_WITHIN_S = 1.0  # then the next one is asked


class OnceMore(Retry):
    """Tries a second time, because a connection may be stale; never with a refused password."""

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

    Sentinels are asked at each new connection: for the primary, or for a replica if `read_from` says so and there is
    one.

    Raises:
        RedisUrlRefused: The URL does not name exactly one server or service, and one database.
        ConfigurationInvalid: A file of a certificate or key cannot be used.
    """
    made: Redis = _client(Redis, Sentinel, _with_files(server), options)
    return made


def _client(plain: Any, sentinel: Any, server: RedisServer, options: dict[str, Any]) -> Any:  # noqa: ANN401 - of redis-py
    address = urls.parse(server.url)
    if address.has_tls:  # redis-py loads the files with each connection, and its errors say little
        tls.context("WATCHROOM_REDIS_", server.ca, server.cert, server.key)
    common = {**login(server, address), "db": address.database, **options}
    if address.scheme == urls.UNIX:
        return plain(unix_socket_path=address.path, **common)
    if not address.sentinels:
        return plain(host=address.host, port=address.port, **common)
    of_sentinels = address._replace(user=server.sentinel_user, password=server.sentinel_password)
    to_sentinels = {
        **login(server, of_sentinels),
        "socket_timeout": SENTINEL_WITHIN_S,
        "socket_connect_timeout": SENTINEL_WITHIN_S,
        "retry": options.get("retry"),
        "decode_responses": True,  # redis-py finds the fields of their answers by text
    }
    found = sentinel(list(address.sentinels), sentinel_kwargs=to_sentinels, **common)
    find = found.slave_for if server.read_from == "replica" else found.master_for
    return find(address.service)


@contextmanager
def one_off_client(server: RedisServer | str, timeout_s: float, *, decode_responses: bool = False) -> Iterator[Redis]:
    """A client for one piece of work, which is not tried again.

    Raises:
        StoreUnavailable: Redis did not answer.
    """
    redis = client(
        server,
        socket_timeout=timeout_s,
        socket_connect_timeout=min(timeout_s, 5.0),
        retry=Retry(NoBackoff(), 0),
        decode_responses=decode_responses,
    )
    try:
        yield redis
    except (RedisError, OSError) as error:
        raise unavailable(server, error) from error
    finally:
        redis.close()


class SyncClient:
    """A client for threads, whose calls raise StoreUnavailable when Redis does not answer.

    Args:
        server: Which Redis.
        timeout_s: How long an answer may take.
        backoff: Shared by clients that together may ask a Redis that refuses them no more often than one.
    """

    def __init__(
        self,
        server: RedisServer | str,
        timeout_s: float = 5.0,
        backoff: Backoff | None = None,
        **options: Any,  # noqa: ANN401 - of redis-py
    ) -> None:
        self._server = server
        self._backoff = backoff or Backoff()
        self._redis = client(
            server,
            decode_responses=True,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=OnceMore(),  # not more often: a lost Redis must show soon
            **options,
        )

    def _query(self, call: Callable[[], Done]) -> Done:
        self._backoff.check()
        try:
            reply = call()
        except (RedisError, OSError) as error:
            ours = self._error(error)
            self._backoff.failed(ours)
            raise ours from error
        self._backoff.ended()
        return reply

    def _error(self, error: Exception) -> StoreUnavailable:
        """Our error for one of redis-py's."""
        return unavailable(self._server, error)

    def disconnect(self) -> None:
        """Resolve the name again with the next call: after a failover it leads to another Redis."""
        self._redis.connection_pool.disconnect(inuse_connections=False)

    def close(self) -> None:
        """Give the connections back."""
        self._redis.close()


class AsyncClient:
    """A client for asyncio; its errors are ours.

    Args:
        server: Which Redis, read from its primary; a URL alone has no files for TLS.
        timeout_s: How long an answer may take.
        backoff: As for `SyncClient`.
    """

    def __init__(self, server: RedisServer | str, timeout_s: float, backoff: Backoff | None = None) -> None:
        self._server = server
        self._backoff = backoff or Backoff()
        options = {
            "decode_responses": True,
            "socket_timeout": timeout_s,
            "socket_connect_timeout": timeout_s,
            "retry": AsyncRetry(NoBackoff(), 0),
        }
        self._redis: AsyncRedis = _client(AsyncRedis, AsyncSentinel, _with_files(server), options)
        self._scripts: dict[str, str] = {}  # text by SHA-1

    def _script(self, name: str) -> AsyncScript:
        """A script of ours, with the part that all of them begin with."""
        folder = files("watchroom.store")
        text = "".join(folder.joinpath(part).read_text(encoding="utf-8") for part in ("rights.lua", name))
        script = self._redis.register_script(text)
        self._scripts[script.sha] = text
        return script

    async def _answer(self, call: Awaitable[Any]) -> Any:  # noqa: ANN401 - replies of Redis have no static type
        try:
            self._backoff.check()
        except StoreRefuses:
            if isinstance(call, Coroutine):
                call.close()  # it is not asked
            raise
        try:
            reply = await call
        except (RedisConnectionError, RedisTimeoutError, OSError) as error:
            raise await self._unavailable(error) from error
        except ResponseError as error:
            if isinstance(refusal := await self._unavailable(error), StoreRefuses):
                raise refusal from error
            if said := not_now_said(error):
                await self._reconnect()
                raise StoreUnavailable(said) from error
            raise WorkFailed(f"Redis refused the command: {error}") from error
        except RedisError as error:
            self._backoff.ended()
            raise StoreUnavailable(f"Redis: {error}") from error
        self._backoff.ended()
        return reply

    async def _unavailable(self, error: BaseException) -> StoreUnavailable:
        """Our error for one of redis-py's; a Redis that refuses us is asked seldom from here on."""
        ours = await asyncio.to_thread(unavailable, self._server, error, self._scripts)
        self._backoff.failed(ours)
        return ours

    async def _reconnect(self) -> None:
        """Resolve the name again with the next call: after a failover it leads to another Redis.

        A replica keeps its connections, and would refuse what comes over them for as long as it lives. Those in use
        are left to their own answers.
        """
        with suppress(RedisError, OSError):
            await self._redis.connection_pool.disconnect(inuse_connections=False)

    async def close(self) -> None:
        """Give all connections back, also those to sentinels."""
        await self._redis.aclose()
        manager = getattr(self._redis.connection_pool, "sentinel_manager", None)
        for sentinel in manager.sentinels if manager else ():
            await sentinel.aclose()


def address_of(server: RedisServer | str) -> RedisAddress:
    """The address to which a client of this server connects."""
    return urls.parse(server if isinstance(server, str) else server.url)


def _with_files(server: RedisServer | str) -> RedisServer:
    return RedisServer(server) if isinstance(server, str) else server
