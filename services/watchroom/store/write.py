"""The worker's side of Redis: positions, states, and the atomic step."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, cast

import msgpack

from watchroom.errors import Moved, OtherDefinitions, RebuildNeeded, StoreRefuses, StoreUnavailable, WorkFailed
from watchroom.redis_url import RedisServer
from watchroom.store import definition, keys
from watchroom.store.backoff import Backoff
from watchroom.store.bands import MonthBands, as_json
from watchroom.store.connection import AsyncClient, address_of
from watchroom.store.evictions import Seen, as_seen, process_of, refuse_evicting
from watchroom.store.findings import Finding, of_info, refuse_mode, without_info
from watchroom.store.keys import Keys
from watchroom.store.meta import Bound, differing, meta_of, taken_over
from watchroom.store.old_meta import BY_STREAM, BY_STREAM_SAID, OLD_DEFINITION, OLD_FINGERPRINT
from watchroom.store.read import Reader
from watchroom.store.refusals import REPLICA_SAID
from watchroom.store.rights import OF_WORKERS, refuse_missing
from watchroom.store.step import Step

ANSWER_WITHIN_S = 10.0
OTHERS = "Redis holds figures computed under different definitions"


class Store(AsyncClient):
    """Redis for one worker.

    Args:
        server: Which Redis; a URL alone has no files for TLS.
        force: Whose keys.
        definitions: By stream, from `definition.definition_of`.
        log_ids: By topic, the id that distinguishes a log from a later one of the same name; empty if the broker has
            no ids.
        backoff: Shared by the clients of one process.
    """

    def __init__(
        self,
        server: RedisServer | str,
        force: str,
        definitions: Mapping[str, Mapping[str, Any]],
        log_ids: Mapping[str, str] | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        super().__init__(server, ANSWER_WITHIN_S, backoff)
        self.keys = Keys(force)
        self._definitions = definitions
        self._bound = {stream: Bound.of(parts) for stream, parts in definitions.items()}
        self._streams: dict[str, str] = {parts[definition.TOPIC]: stream for stream, parts in definitions.items()}
        self._log_ids = dict(log_ids or {})
        self._shown = address_of(server).shown
        self._is_replica = False
        self.findings: Sequence[Finding] = ()  # what a person should put right in this Redis, as last seen
        self._reader = Reader(server, force, ANSWER_WITHIN_S, self._backoff)
        self._open, self._take_over = self._script("open.lua"), self._script("take_over.lua")
        self._step, self._bands = self._script("step.lua"), self._script("bands.lua")

    async def open(self) -> dict[str, str]:
        """Write each stream's definition and the id of its log, if Redis has none.

        Returns:
            By stream with another definition: what changed; empty if all streams are ours.

        Raises:
            RebuildNeeded: A stream of ours was filled from another log.
            ConfigurationInvalid: Redis may evict keys, or is a node of a cluster.
            StoreUnavailable: Redis did not answer, is a replica, or does not give us all the rights we need.
        """
        await self.check()
        stored = await self._bind()
        if streams := taken_over(stored):
            fields = [text for stream, bound in streams.items() for text in _fields(stream, bound)]
            given = [stored[OLD_FINGERPRINT], BY_STREAM, BY_STREAM_SAID, *fields]
            await self._answer(self._take_over(keys=[self.keys.meta], args=given))
            stored = await self._bind()
        left = self._differing(stored)
        for topic, stream in self._streams.items():
            log_id = self._log_ids.get(topic)
            if stream not in left and log_id is not None and stored.get(f"{keys.LOG}{topic}", log_id) != log_id:
                raise RebuildNeeded(
                    f"topic {topic} was deleted and created again: its log is not the one that Redis was filled from"
                )
        return left

    async def check(self) -> None:
        """Check that figures can be kept in this Redis; to be called before anything is written.

        Raises:
            ConfigurationInvalid: It may evict keys, or is a node of a cluster.
            StoreUnavailable: It did not answer, is a replica, or does not give us all the rights we need.
        """
        await self.check_evictions()
        try:
            await asyncio.to_thread(refuse_missing, self._server, self.keys, OF_WORKERS)
        except StoreRefuses as error:
            self._backoff.refused(error)
            raise

    async def check_evictions(self) -> None:
        """Mark `meta` if Redis has evicted keys since the last check; skipped without the right to INFO.

        Raises:
            ConfigurationInvalid: It may evict keys, or is a node of a cluster or a sentinel.
            StoreUnavailable: It did not answer, or is a replica.
        """
        info = await asyncio.to_thread(self._reader.info)
        self.findings = of_info(info) if info else [without_info()]
        process = process_of(info) if info else await asyncio.to_thread(self._reader.hello)
        refuse_mode(process, self._shown)
        self._is_replica = process.is_replica
        if process.is_replica:
            await self._reconnect()
            raise StoreUnavailable(REPLICA_SAID)
        refuse_evicting(process, self._shown)
        fields = [keys.EVICTIONS_OF, keys.EVICTIONS]
        stored = await self._answer(self._redis.hmget(self.keys.meta, fields))
        seen = Seen.of({name: value for name, value in zip(fields, stored, strict=True) if value is not None})
        if seen.missed(process) or seen.was_reset(process):
            marked = {keys.EVICTED: "1"} if seen.missed(process) else {}
            known: dict[Any, Any] = {**marked, **as_seen(process)}
            await self._answer(self._redis.hset(self.keys.meta, mapping=known))

    async def _bind(self) -> dict[str, str]:
        """Bind each stream without a definition to ours; returns all fields of `meta`."""
        generation = secrets.token_hex(8)
        streams = [
            (stream, bound.fingerprint, [keys.GENERATION, generation, *self._bound_with(stream)])
            for stream, bound in self._bound.items()
        ]
        packed = msgpack.packb(streams, use_bin_type=False)
        found = await self._answer(self._open(keys=[self.keys.meta], args=[packed]))
        return dict(zip(found[::2], found[1::2], strict=True))

    def _bound_with(self, stream: str) -> Iterator[str]:
        """Fields and values that are written with a stream's fingerprint."""
        topic = self._definitions[stream][definition.TOPIC]
        yield from (OLD_FINGERPRINT, BY_STREAM, OLD_DEFINITION, BY_STREAM_SAID)
        yield from (f"{keys.DEFINITION}{stream}", self._bound[stream].definition)
        yield from (f"{keys.PARTITIONS}{topic}", str(self._definitions[stream][definition.PARTITIONS]))
        if topic in self._log_ids:
            yield from (f"{keys.LOG}{topic}", self._log_ids[topic])

    def _differing(self, stored: Mapping[str, str]) -> dict[str, str]:
        meta = meta_of(stored)
        return {} if meta is None else differing(meta, self._bound)

    @property
    def is_refused(self) -> bool:
        """Whether Redis refuses us now; a client with its own back-off need not try as well."""
        return self._backoff.is_refused

    async def agreeing(self) -> set[str]:
        """Our streams that Redis holds under our definitions; none while a rebuild clears the keys."""
        meta = meta_of(await self._answer(self._redis.hgetall(self.keys.meta)))
        if meta is None or meta.clearing:
            return set()
        held = meta.streams
        return {
            name for name, ours in self._bound.items() if name in held and held[name].fingerprint == ours.fingerprint
        }

    async def next_offset(self, topic: str, partition: int) -> int | None:
        """The first offset of a partition that is not applied yet; None before its first step."""
        stored = await self._answer(self._redis.hget(self.keys.partition(topic, partition), keys.NEXT_OFFSET))
        return None if stored is None else int(stored)

    async def states(self, topic: str, subjects: Sequence[str]) -> list[bytes | None]:
        """Stored states, in the order of `subjects`; None where there is none."""
        if not subjects:
            return []
        names = [self.keys.state(topic, subject) for subject in subjects]
        ask: Callable[..., Awaitable[Any]] = self._redis.execute_command  # whose replies need not be texts
        return cast("list[bytes | None]", await self._answer(ask("MGET", *names, NEVER_DECODE=True)))

    async def step(self, step: Step, *, again: bool) -> None:
        """Write a step, whole or not at all.

        Args:
            step: What to write.
            again: True if the same step was sent before and its reply was lost: if its new offset is already stored,
                the step was applied.

        Raises:
            Moved: Nothing was written; Redis has another offset.
            OtherDefinitions: Nothing was written; the definition of this stream, or of others, has changed.
            StoreUnavailable: It may have been written; send it again with `again`.
            WorkFailed: The script refused it; nothing was written.
        """
        stream = self._streams[step.topic]
        if self._is_replica:  # one that takes writes would lose them
            await self.check_evictions()
        try:
            said, value = await self._answer(
                self._step(
                    keys=[self.keys.partition(step.topic, step.partition)],
                    args=[self.keys.prefix, step.pack(stream, self._bound[stream].fingerprint)],
                )
            )
        except WorkFailed as error:
            raise WorkFailed(f"a step of {step.topic} partition {step.partition}: {error}") from error
        if said == 1:
            return
        if said == 2:
            await self._refuse_others()
        stored = int(value) if said == 0 and value else None
        if not (again and stored == step.next_offset):
            raise Moved(stored, step.base)

    async def write_bands(self, stream: str, field: str, bands: MonthBands) -> bool:
        """Write the bands of a closed month; returns False, and writes nothing, if their hashes have changed.

        Raises: as `step`, but neither Moved nor OtherDefinitions.
        """
        versions = [text for name, version in bands.versions.items() for text in (name, str(version))]
        given = {
            "stream": stream,
            "fingerprint": self._bound[stream].fingerprint,
            "field": field,
            "text": as_json(bands),
            "versions": versions,
        }
        packed = msgpack.packb(given, use_bin_type=False)
        meta, of_tokens, of_bands = self.keys.meta, self.keys.token_versions, self.keys.bands
        return bool(await self._answer(self._bands(keys=[meta, of_tokens, of_bands], args=[packed])))

    async def _refuse_others(self) -> None:
        """Raise OtherDefinitions, unless the definitions are ours again by now; then the partition starts again."""
        if left := self._differing(await self._answer(self._redis.hgetall(self.keys.meta))):
            raise OtherDefinitions(OTHERS, left)

    async def _reconnect(self) -> None:
        self._reader.disconnect()
        await super()._reconnect()

    async def close(self) -> None:
        """Give the connections back."""
        self._reader.close()
        await super().close()


def _fields(stream: str, bound: Bound) -> tuple[str, str, str, str]:
    return f"{keys.DEFINITION}{stream}", bound.definition, f"{keys.FINGERPRINT}{stream}", bound.fingerprint
