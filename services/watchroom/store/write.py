"""The worker's side of Redis: positions, states, and the atomic step."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import suppress
from importlib.resources import files
from typing import Any, NamedTuple, cast

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ClusterDownError, OutOfMemoryError, ReadOnlyError, RedisError, ResponseError, TryAgainError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from watchroom.errors import Moved, RebuildNeeded, StoreUnavailable, WorkFailed
from watchroom.store import definition, keys
from watchroom.store.keys import Keys
from watchroom.store.step import Step

ANSWER_WITHIN_S = 10.0
# Answers of a Redis that is full, a replica after a failover, or cannot save: it will write again later.
# The client has taken the code off the text of those that it has a class for.
NOT_NOW = (OutOfMemoryError, ReadOnlyError, ClusterDownError, TryAgainError)
NOT_NOW_CODES = ("MISCONF", "NOREPLICAS", "BUSY ")


class Position(NamedTuple):
    """Where a partition stands; `next_offset` is None before its first step."""

    next_offset: int | None
    fresh_ms: int | None


class Store:
    """Redis for one worker.

    Args:
        redis_url: For example `redis://127.0.0.1:6379/0`.
        force: Whose keys.
        parts: From `definition.definition`; its partition counts are written to `meta` too.
        partitions: Partition count by topic.
        log_ids: By topic, what tells a log from one made anew under the same name; empty where the
            broker has no such ids.
    """

    def __init__(
        self,
        redis_url: str,
        force: str,
        parts: Mapping[str, Any],
        partitions: Mapping[str, int],
        log_ids: Mapping[str, str] | None = None,
    ) -> None:
        self.keys = Keys(force)
        self._definition = definition.as_json(parts)
        self._fingerprint = definition.fingerprint(self._definition)
        self._partitions = dict(partitions)
        self._log_ids = dict(log_ids or {})
        self._redis: Redis = Redis.from_url(
            redis_url,
            socket_timeout=ANSWER_WITHIN_S,
            socket_connect_timeout=ANSWER_WITHIN_S,
            retry=Retry(NoBackoff(), 0),
        )
        self._open = self._redis.register_script(_script("open.lua"))
        self._step = self._redis.register_script(_script("step.lua"))

    async def open(self) -> None:
        """Write the fingerprint and the ids of the logs where there are none.

        Raises:
            RebuildNeeded: Redis holds others; the message says what changed.
            StoreUnavailable: Redis did not answer.
        """
        new = {
            keys.DEFINITION: self._definition,
            keys.LIFE: secrets.token_hex(8),
            **{f"{keys.PARTITIONS}{topic}": count for topic, count in self._partitions.items()},
            **{f"{keys.LOG}{topic}": log_id for topic, log_id in self._log_ids.items()},
        }
        given = [text for field in new.items() for text in map(str, field)]
        answer = await self._answer(self._open(keys=[self.keys.meta], args=[self._fingerprint, *given]))
        texts = [text.decode() for text in answer]
        stored = dict(zip(texts[::2], texts[1::2], strict=True))
        if stored[keys.FINGERPRINT] != self._fingerprint:
            raise RebuildNeeded(
                "Redis holds figures made under other definitions: "
                + definition.what_changed(stored[keys.DEFINITION], self._definition)
            )
        for topic, log_id in self._log_ids.items():
            if stored[f"{keys.LOG}{topic}"] != log_id:
                raise RebuildNeeded(f"topic {topic} was made anew: its log is not the one that Redis was filled from")

    async def position(self, topic: str, partition: int) -> Position:
        """Where a partition stands."""
        stored = await self._answer(
            self._redis.hmget(self.keys.partition(topic, partition), [keys.NEXT_OFFSET, keys.FRESH_MS])
        )
        offset, fresh_ms = (None if value is None else int(value) for value in stored)
        return Position(offset, fresh_ms)

    async def states(self, topic: str, subjects: Sequence[str]) -> list[bytes | None]:
        """Stored states, in the order of `subjects`; None where there is none."""
        if not subjects:
            return []
        names = [self.keys.state(topic, subject) for subject in subjects]
        return cast("list[bytes | None]", await self._answer(self._redis.mget(names)))

    async def step(self, step: Step, *, again: bool) -> None:
        """Write a step, whole or not at all.

        Args:
            step: What to write.
            again: True if the same step was sent before and its reply was lost: finding its own new
                offset stored then means that it was applied.

        Raises:
            Moved: Nothing was written; the partition stands elsewhere.
            RebuildNeeded: Nothing was written; the definitions changed under us.
            StoreUnavailable: It may have been written; send it again with `again`.
            WorkFailed: The script refused it; nothing was written.
        """
        try:
            said, value = await self._answer(
                self._step(
                    keys=[self.keys.partition(step.topic, step.partition)],
                    args=[self.keys.prefix, step.pack(self._fingerprint)],
                )
            )
        except WorkFailed as error:
            raise WorkFailed(f"a step of {step.topic} partition {step.partition}: {error}") from error
        if said == 1:
            return
        if said == 2:
            raise RebuildNeeded("Redis holds figures made under other definitions since a rebuild")
        stored = int(value) if value else None
        if not (again and stored == step.next_offset):
            raise Moved(stored)

    async def _answer(self, call: Awaitable[Any]) -> Any:  # noqa: ANN401 - replies of Redis have no static type
        try:
            return await call
        except (RedisConnectionError, RedisTimeoutError, OSError) as error:
            raise StoreUnavailable(f"Redis did not answer ({error})") from error
        except ResponseError as error:
            if isinstance(error, NOT_NOW) or any(code in str(error) for code in NOT_NOW_CODES):
                await self._connect_anew()
                raise StoreUnavailable(f"Redis does not write now ({error})") from error
            raise WorkFailed(f"Redis refused it: {error}") from error
        except RedisError as error:
            raise StoreUnavailable(f"Redis: {error}") from error

    async def _connect_anew(self) -> None:
        """Resolve the name again with the next call: after a failover it leads to another Redis.

        A replica keeps its connections, and would refuse what comes over them for as long as it lives. Those in
        use are left to their own answers.
        """
        with suppress(RedisError, OSError):
            await self._redis.connection_pool.disconnect(inuse_connections=False)

    async def close(self) -> None:
        """Give the connections back."""
        await self._redis.aclose()


def _script(name: str) -> str:
    return files("watchroom.store").joinpath(name).read_text(encoding="utf-8")
