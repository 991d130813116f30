"""One small hash of a force, read and written beside the steps."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from watchroom.redis_url import RedisServer
from watchroom.store.connection import client, unavailable

TIMEOUT_S = 5.0


class NotedHash:
    """Fields and values as texts; every call raises StoreUnavailable when Redis does not answer."""

    def __init__(self, server: RedisServer | str, key: str) -> None:
        self._server = server
        self._key = key
        self._redis = client(
            server,
            decode_responses=True,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            retry=Retry(NoBackoff(), 1),  # once, for a connection that went stale
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
        try:
            yield
        except (RedisError, OSError) as error:
            raise unavailable(self._server, error) from error
