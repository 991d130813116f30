"""One small hash of a force, read and written separately from the steps."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, cast

from watchroom.errors import StoreUnavailable
from watchroom.redis_url import RedisServer
from watchroom.store.backoff import Backoff
from watchroom.store.connection import SyncClient
from watchroom.store.refusals import not_now_said


class NotedHash(SyncClient):
    """Fields and values as texts; every call raises StoreUnavailable when Redis does not answer.

    Args:
        server: Which Redis.
        key: Of the hash.
        backoff: See `SyncClient`.
    """

    def __init__(self, server: RedisServer | str, key: str, backoff: Backoff | None = None) -> None:
        super().__init__(server, backoff=backoff)
        self._key = key

    def stored(self) -> dict[str, str]:
        """All of it."""
        return cast("dict[str, str]", self._query(lambda: self._redis.hgetall(self._key)))

    def add(self, field: str, value: str) -> None:
        """Write a field, unless there is one already."""
        self._query(lambda: self._redis.hsetnx(self._key, field, value))

    def change(self, fields: Mapping[str, str], gone: Collection[str] = ()) -> None:
        """Write some fields and remove others, at once."""
        pipe = self._redis.pipeline(transaction=True)
        if gone:
            pipe.hdel(self._key, *gone)
        if fields:
            pipe.hset(self._key, mapping=cast("dict[Any, Any]", fields))
        self._query(pipe.execute)

    def _error(self, error: Exception) -> StoreUnavailable:
        if said := not_now_said(error):
            self.disconnect()
            return StoreUnavailable(said)
        return super()._error(error)
