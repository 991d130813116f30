"""Reads for the exporter, reports and commands. Never writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, cast

from redis.client import Pipeline
from redis.connection import ConnectionInterface
from redis.exceptions import NoPermissionError

from watchroom.errors import StoreRefuses
from watchroom.fold.batch import Restatement
from watchroom.kinds import names, open_now
from watchroom.kinds.open_now import OpenQuestion, OpenTile, Range
from watchroom.redis_url import RedisServer
from watchroom.store import keys
from watchroom.store.backoff import Backoff, Seldom
from watchroom.store.bands import Held
from watchroom.store.connection import SyncClient, address_of
from watchroom.store.evictions import Process, process_of, process_of_hello
from watchroom.store.keys import Keys
from watchroom.store.meta import Meta, meta_of
from watchroom.store.open_transactions import OpenTransaction, by_partition
from watchroom.store.partition_counts import PartitionCounts, by_topic
from watchroom.store.refusals import UNUSABLE
from watchroom.store.step import CHANGES_KEPT, restatement_from_json

LISTED_AT_ONCE = 1000  # states asked for together


class PartitionState(NamedTuple):
    """How far a partition is applied; `fresh_ms` is None before the first answer of the broker."""

    next_offset: int | None
    fresh_ms: int | None
    lost: int


class SourceState(NamedTuple):
    """When a source was last seen on a topic, by Kafka's timestamps."""

    event_ms: int | None
    heartbeat_ms: int | None


class Reader(SyncClient):
    """One force's figures; every call raises StoreUnavailable when Redis does not answer."""

    def __init__(
        self, server: RedisServer | str, force: str, timeout_s: float = 5.0, backoff: Backoff | None = None
    ) -> None:
        """Prepare a client; nothing is asked yet.

        Args:
            server: Which Redis.
            force: Whose keys.
            timeout_s: How long an answer may take.
            backoff: See `SyncClient`.
        """
        super().__init__(server, timeout_s, backoff, redis_connect_func=self._connected)
        self.keys = Keys(force)
        self.connections = 0  # made so far; another one may lead to another Redis
        self._info_gate = Seldom()

    def _connected(self, connection: ConnectionInterface) -> None:
        self.connections += 1
        greet: Callable[[], None] = connection.on_connect
        greet()

    def info(self) -> dict[str, Any] | None:
        """The fields of INFO; None if our user may not ask for them, which is tried once a minute."""
        return self._query(self._info_if_allowed) if self._info_gate.is_due else None

    def process(self) -> Process:
        """What Redis says about itself. `run_id` changes with the process, which may have brought older content back.

        Without the right to INFO it changes with every connection, for a process that ends takes ours with it.

        Raises:
            StoreRefuses: It is a node of a cluster, or a sentinel.
            StoreUnavailable: It did not answer.
        """
        info = self.info()
        process = process_of(info) if info else self.hello()
        if process.mode in UNUSABLE:
            said, write = UNUSABLE[process.mode]
            raise StoreRefuses(f"Redis at {address_of(self._server).shown} {said}; check {write}")
        return process

    def hello(self) -> Process:
        """The same as far as HELLO says it, which needs no right."""
        ask: Callable[..., Any] = self._redis.execute_command
        said = self._query(lambda: ask("HELLO"))
        fields = said if isinstance(said, dict) else dict(zip(said[::2], said[1::2], strict=True))
        return process_of_hello(f"connection {self.connections}", fields)

    def generation(self) -> str:
        """Another one after the keys were cleared, when `seq` begins again; empty if there are no keys."""
        return cast("str | None", self._query(lambda: self._redis.hget(self.keys.meta, keys.GENERATION))) or ""

    def meta(self) -> Meta | None:
        """The definitions of the figures; None before the first worker."""
        return meta_of(self._hash(self.keys.meta))

    def buckets(self, names: Sequence[str]) -> list[dict[str, int]]:
        """Contents of buckets, in the order of `names`; {} for a bucket that does not exist."""
        if not names:
            return []
        pipe = self._redis.pipeline(transaction=False)
        for name in names:
            pipe.hgetall(self.keys.bucket(name))
        found = cast("list[dict[str, str]]", self._query(pipe.execute))
        return list(map(_integers, found))

    def changed_since(self, seq: int) -> tuple[int, list[str] | None]:
        """The latest step, and the buckets changed after step `seq`; None if too long ago, or Redis went back."""
        pipe = self._redis.pipeline(transaction=True)
        pipe.hget(self.keys.meta, keys.SEQ)
        pipe.zrange(self.keys.changed, f"({seq}", "+inf", byscore=True)
        latest, names = self._query(pipe.execute)
        now = int(latest or 0)
        known = 0 <= now - seq < CHANGES_KEPT
        return now, list(names) if known else None

    def month(self, month: str) -> tuple[dict[str, int], list[Restatement]]:
        """A month's fields and its restatements at one moment; the figure as published is computed from both."""
        pipe = self._redis.pipeline(transaction=True)
        pipe.hgetall(self.keys.bucket(f"month:{month}"))
        pipe.lrange(self.keys.restatements(month), 0, -1)
        fields, log = self._query(pipe.execute)
        return _integers(fields), [restatement_from_json(text) for text in log]

    def token_versions(self) -> dict[str, int]:
        """The version of every stored hash of token counts, by name; it changes with the content."""
        return _integers(self._hash(self.keys.token_versions))

    def token_hash(self, name: str) -> dict[str, int]:
        """A hash of token counts; {} if there is none."""
        return _integers(self._hash(self.keys.tokens(name)))

    def held_tokens(self) -> Held:
        """What is held for all measures of tokens, at one moment."""
        pipe = self._redis.pipeline(transaction=True)
        for key in (self.keys.token_versions, self.keys.bands, self.keys.not_restated):
            pipe.hgetall(key)
        versions, stored, late = self._query(pipe.execute)
        return Held(_integers(versions), stored, _integers(late))

    def open_tiles(self, questions: Sequence[OpenQuestion], now_ms: int) -> list[OpenTile]:
        """Tiles at one moment; members older than `give_up_ms` are excluded, counted separately."""
        if not questions:
            return []
        pipe = self._redis.pipeline(transaction=False)
        for question in questions:
            self._query_tile(pipe, question, now_ms)
        found = iter(self._query(pipe.execute))
        return [self._tile(question, found, now_ms) for question in questions]

    def _query_tile(self, pipe: Pipeline, question: OpenQuestion, now_ms: int) -> None:
        key = self.keys.open_set(question.series)
        for of in open_now.ranges(question, now_ms):
            pipe.zcount(key, *_bounds(of))
        low, high = _bounds(open_now.shown(question, now_ms))
        pipe.zrange(key, low, high, byscore=True, offset=0, num=1, withscores=True)

    def _tile(self, question: OpenQuestion, found: Iterator[Any], now_ms: int) -> OpenTile:
        counts = [int(next(found)) for _ in open_now.ranges(question, now_ms)]
        oldest = next(found)
        return open_now.tile(question, counts, int(oldest[0][1]) if oldest else None, now_ms)

    def open_members(self, series: str) -> list[tuple[str, int]]:
        """(subject, since in ms), oldest first."""
        found = self._query(lambda: self._redis.zrange(self.keys.open_set(series), 0, -1, withscores=True))
        return [(subject, int(since)) for subject, since in cast("list[tuple[str, float]]", found)]

    def listed(self, name: str, topic: str) -> list[bytes]:
        """Stored states of the entities of a topic in a list of their stream, in the list's order."""
        subjects = [subject for subject, _ in self.open_members(names.series(name, {}))]
        found: list[bytes | None] = []
        for start in range(0, len(subjects), LISTED_AT_ONCE):
            states = [self.keys.state(topic, subject) for subject in subjects[start : start + LISTED_AT_ONCE]]
            found += self._query(partial(self._undecoded, states))
        return [state for state in found if state is not None]

    def open_sets(self) -> list[str]:
        """Series of open measures that have members now."""
        head = self.keys.open_set("")
        return sorted(key.removeprefix(head) for key in self._scan(f"{head}*"))

    def partitions(self) -> dict[tuple[str, int], PartitionState]:
        """Every partition of every topic in `meta`."""
        meta = self.meta()
        pairs = [(topic, n) for topic, count in (meta.partitions if meta else {}).items() for n in range(count)]
        pipe = self._redis.pipeline(transaction=False)
        for topic, number in pairs:
            pipe.hmget(self.keys.partition(topic, number), [keys.NEXT_OFFSET, keys.FRESH_MS, keys.LOST])
        found = self._query(pipe.execute) if pairs else []
        return {
            pair: PartitionState(_int(o), _int(f), int(n or 0)) for pair, (o, f, n) in zip(pairs, found, strict=True)
        }

    def partition_counts(self) -> dict[str, PartitionCounts]:
        """The partition counts that each topic has had."""
        return by_topic(self._hash(self.keys.partition_counts))

    def open_transactions(self) -> dict[tuple[str, int], OpenTransaction]:
        """The open transactions that workers last noted, by topic and partition."""
        return by_partition(self._hash(self.keys.open_transactions))

    def sources(self) -> dict[tuple[str, str], SourceState]:
        """When each source was last seen, by (topic, source)."""
        meta = self.meta()
        seen: dict[tuple[str, str], SourceState] = {}
        for topic in meta.partitions if meta else {}:
            at_ms = _integers(self._hash(self.keys.sources(topic)))
            for source in dict.fromkeys(name.rpartition("|")[0] for name in at_ms):
                event, heartbeat = f"{source}|{keys.EVENT}", f"{source}|{keys.HEARTBEAT}"
                seen[topic, source] = SourceState(at_ms.get(event), at_ms.get(heartbeat))
        return seen

    def dead_letters(self) -> dict[tuple[str, str], int]:
        """(topic, reason) -> how many."""
        return self._counts(self.keys.dead_letters)

    def ignored_fields(self) -> dict[tuple[str, str], int]:
        """(topic, field of `data`) -> in how many events it had a wrong form and counted as absent."""
        return self._counts(self.keys.ignored_fields)

    def raw_identifiers(self) -> dict[tuple[str, str], int]:
        """(topic, source) -> how many of its events were refused as `raw_identifier`."""
        return self._counts(self.keys.raw_identifiers)

    def months(self) -> list[str]:
        """Months that hold anything, oldest first."""
        head = self.keys.bucket("month:")
        return sorted(key.removeprefix(head) for key in self._scan(f"{head}*"))

    def baseline_months(self, name: str, months: Sequence[str]) -> list[dict[str, int]]:
        """Imported months of a baseline, in the order of `months`; {} for a month that was not imported."""
        head = len(self.keys.prefix)
        return self.buckets([self.keys.baseline(name, month)[head:] for month in months])

    def restatements(self, month: str) -> list[Restatement]:
        """Changes to a closed month, in the order in which they were applied."""
        found = self._query(lambda: self._redis.lrange(self.keys.restatements(month), 0, -1))
        return [restatement_from_json(text) for text in cast("list[str]", found)]

    def _counts(self, key: str) -> dict[tuple[str, str], int]:
        """Reads fields `<topic>|<what>`; no topic's name contains a `|`."""
        split = ((name.partition("|"), count) for name, count in _integers(self._hash(key)).items())
        return {(topic, what): count for (topic, _, what), count in split}

    def _undecoded(self, keys_: Sequence[str]) -> list[bytes | None]:
        """Values that are not texts, as stored."""
        ask: Callable[..., Any] = self._redis.execute_command
        return cast("list[bytes | None]", ask("MGET", *keys_, NEVER_DECODE=True))

    def _hash(self, key: str) -> dict[str, str]:
        return cast("dict[str, str]", self._query(lambda: self._redis.hgetall(key)))

    def _scan(self, pattern: str) -> Iterable[str]:
        escaped = pattern.replace("[", r"\[")
        return cast("list[str]", self._query(lambda: list(self._redis.scan_iter(escaped, count=1000))))

    def _info_if_allowed(self) -> dict[str, Any] | None:
        try:
            return self._redis.info()
        except NoPermissionError:
            self._info_gate.refused()
            return None


def _integers(stored: Mapping[str, str]) -> dict[str, int]:
    return {name: int(value) for name, value in stored.items()}


def _int(value: str | None) -> int | None:
    return None if value is None else int(value)


def _bounds(of: Range) -> tuple[int | str, int | str]:
    """In Redis's form."""
    return "-inf" if of.from_ms is None else of.from_ms, "+inf" if of.to_ms is None else of.to_ms
