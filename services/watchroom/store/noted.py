"""One small hash of a force, read and written beside the steps."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

from redis.exceptions import RedisError

from watchroom.errors import StoreUnavailable
from watchroom.redis_url import RedisServer
from watchroom.store.backoff import Backoff
from watchroom.store.connection import OnceMore, client, unavailable
from watchroom.store.refusals import not_now_said

TIMEOUT_S = 5.0


class NotedHash:
    """Fields and values as texts; every call raises StoreUnavailable when Redis does not answer.

    Args:
        server: Which Redis.
        key: Of the hash.
        backoff: Shared by the clients of one process, so that together they ask a Redis that refuses them no more often
            than one.
    """

    def __init__(self, server: RedisServer | str, key: str, backoff: Backoff | None = None) -> None:
        self._server = server
        self._key = key
        self._backoff = backoff or Backoff()
        self._redis = client(
            server,
            decode_responses=True,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            retry=OnceMore(),
        )

    def read(self) -> dict[str, str]:
        """All of it."""
        with self._answers():
            return cast("dict[str, str]", self._redis.hgetall(self._key))

    def add(self, field: str, value: str) -> None:
        """Write a field that is not there; one that is keeps its value."""
        with self._answers():
            self._redis.hsetnx(self._key, field, value)

    def change(self, fields: Mapping[str, str], gone: Collection[str] = ()) -> None:
        """Write some fields and remove others, at once."""
        with self._answers():
            pipe = self._redis.pipeline(transaction=True)
            if gone:
                pipe.hdel(self._key, *gone)
            if fields:
                pipe.hset(self._key, mapping=cast("dict[Any, Any]", fields))
            pipe.execute()

    def close(self) -> None:
        """Give the connections back."""
        self._redis.close()

    @contextmanager
    def _answers(self) -> Iterator[None]:
        self._backoff.check()
        try:
            yield
        except (RedisError, OSError) as error:
            if said := not_now_said(error):
                self._backoff.ended()
                self._redis.connection_pool.disconnect(inuse_connections=False)  # see `Store._connect_anew`
                raise StoreUnavailable(said) from error
            ours = unavailable(self._server, error)
            self._backoff.failed(ours)
            raise ours from error
        self._backoff.ended()
