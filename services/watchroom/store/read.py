"""Reads for the exporter, reports and commands. Never writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar, cast

from redis import Redis
from redis.backoff import NoBackoff
from redis.client import Pipeline
from redis.exceptions import RedisError
from redis.retry import Retry

from watchroom.errors import StoreUnavailable
from watchroom.fold.batch import Restatement
from watchroom.store import keys
from watchroom.store.keys import Keys
from watchroom.store.meta import Meta, meta_of
from watchroom.store.step import CHANGES_KEPT, restatement_from_json

Answer = TypeVar("Answer")
FIVE_MIN_MS = 300_000


class PartitionState(NamedTuple):
    """Where a partition stands; `fresh_ms` is None before the first answer of the broker."""

    next_offset: int | None
    fresh_ms: int | None
    lost: int


class SourceState(NamedTuple):
    """When a source was last heard on a topic, by Kafka's timestamps."""

    event_ms: int | None
    heartbeat_ms: int | None


class OpenQuestion(NamedTuple):
    """One tile to read: `target_ms` None where the labels have no target."""

    series: str
    target_ms: int | None
    give_up_ms: int


class OpenTile(NamedTuple):
    """An open measure under one set of labels at one moment."""

    open: int
    oldest_ms: int | None  # age of the oldest, None when nothing is open
    due_5min: int | None
    due_15min: int | None
    overdue: int | None
    gave_up: int  # older than the measure's give_up: not closed by the feed


class Reader:
    """One force's figures; every call raises StoreUnavailable when Redis does not answer."""

    def __init__(self, redis_url: str, force: str, timeout_s: float = 5.0) -> None:
        self.keys = Keys(force)
        self._redis = Redis.from_url(
            redis_url,
            decode_responses=True,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=Retry(NoBackoff(), 1),  # once, for a connection that went stale; a lost Redis must show soon
        )

    def run_id(self) -> str:
        """Changes when the Redis process does: a restart may have brought older content back."""
        return str(self._ask(lambda: self._redis.info("server"))["run_id"])

    def life(self) -> str:
        """Another one when the keys were cleared in between, and `seq` began anew; empty where there are none."""
        return cast("str | None", self._ask(lambda: self._redis.hget(self.keys.meta, keys.LIFE))) or ""

    def meta(self) -> Meta | None:
        """Under what the figures were made; None before the first worker."""
        return meta_of(self._hash(self.keys.meta))

    def buckets(self, names: Sequence[str]) -> list[dict[str, int]]:
        """Contents of buckets, in the order of `names`; {} where there is none."""
        if not names:
            return []
        pipe = self._redis.pipeline(transaction=False)
        for name in names:
            pipe.hgetall(self.keys.bucket(name))
        found = cast("list[dict[str, str]]", self._ask(pipe.execute))
        return [{field: int(value) for field, value in bucket.items()} for bucket in found]

    def changed_since(self, seq: int) -> tuple[int, list[str] | None]:
        """The latest step and the buckets changed after step `seq`; None: too long ago, or Redis went back."""
        pipe = self._redis.pipeline(transaction=True)
        pipe.hget(self.keys.meta, keys.SEQ)
        pipe.zrange(self.keys.changed, f"({seq}", "+inf", byscore=True)
        latest, names = self._ask(pipe.execute)
        now = int(latest or 0)
        known = 0 <= now - seq < CHANGES_KEPT
        return now, list(names) if known else None

    def month(self, month: str) -> tuple[dict[str, int], list[Restatement]]:
        """A month's fields and its restatements, of one moment: read apart, today less the log mixes two."""
        pipe = self._redis.pipeline(transaction=True)
        pipe.hgetall(self.keys.bucket(f"month:{month}"))
        pipe.lrange(self.keys.restatements(month), 0, -1)
        fields, log = self._ask(pipe.execute)
        return {field: int(value) for field, value in fields.items()}, [restatement_from_json(text) for text in log]

    def open_tiles(self, questions: Sequence[OpenQuestion], now_ms: int) -> list[OpenTile]:
        """Tiles at one moment; who is older than `give_up_ms` is counted beside, not in."""
        if not questions:
            return []
        pipe = self._redis.pipeline(transaction=False)
        for question in questions:
            self._ask_tile(pipe, question, now_ms)
        found = iter(self._ask(pipe.execute))
        return [_tile(question, [next(found) for _ in range(6)], now_ms) for question in questions]

    def _ask_tile(self, pipe: Pipeline, question: OpenQuestion, now_ms: int) -> None:
        key, oldest_kept = self.keys.open_set(question.series), now_ms - question.give_up_ms
        pipe.zcount(key, oldest_kept, "+inf")
        pipe.zrange(key, oldest_kept, "+inf", byscore=True, offset=0, num=1, withscores=True)
        pipe.zcount(key, "-inf", f"({oldest_kept}")
        due_now = now_ms - (question.target_ms or 0)  # created then: the deadline is this moment
        pipe.zcount(key, max(oldest_kept, due_now), due_now + FIVE_MIN_MS)
        pipe.zcount(key, max(oldest_kept, due_now), due_now + 3 * FIVE_MIN_MS)
        pipe.zcount(key, oldest_kept, f"({max(oldest_kept, due_now)}")

    def open_members(self, series: str) -> list[tuple[str, int]]:
        """(subject, since in ms), oldest first."""
        found = self._ask(lambda: self._redis.zrange(self.keys.open_set(series), 0, -1, withscores=True))
        return [(subject, int(since)) for subject, since in cast("list[tuple[str, float]]", found)]

    def open_sets(self) -> list[str]:
        """Series of open measures that hold anybody now."""
        head = self.keys.open_set("")
        return sorted(key.removeprefix(head) for key in self._scan(f"{head}*"))

    def partitions(self) -> dict[tuple[str, int], PartitionState]:
        """Every partition of every topic in `meta`."""
        meta = self.meta()
        pairs = [(topic, n) for topic, count in (meta.partitions if meta else {}).items() for n in range(count)]
        pipe = self._redis.pipeline(transaction=False)
        for topic, number in pairs:
            pipe.hmget(self.keys.partition(topic, number), [keys.NEXT_OFFSET, keys.FRESH_MS, keys.LOST])
        found = self._ask(pipe.execute) if pairs else []
        return {
            pair: PartitionState(_int(o), _int(f), int(n or 0)) for pair, (o, f, n) in zip(pairs, found, strict=True)
        }

    def sources(self) -> dict[tuple[str, str], SourceState]:
        """(topic, source) of every source ever heard."""
        meta = self.meta()
        heard: dict[tuple[str, str], SourceState] = {}
        for topic in meta.partitions if meta else {}:
            for name, at_ms in self._hash(self.keys.sources(topic)).items():
                source, _, what = name.rpartition("|")
                known = heard.get((topic, source), SourceState(None, None))
                at = int(at_ms)
                heard[topic, source] = (
                    known._replace(event_ms=at) if what == keys.EVENT else known._replace(heartbeat_ms=at)
                )
        return heard

    def dead_letters(self) -> dict[tuple[str, str], int]:
        """(topic, reason) -> how many."""
        stored = self._hash(self.keys.dead_letters)
        return {(name.rpartition("|")[0], name.rpartition("|")[2]): int(count) for name, count in stored.items()}

    def months(self) -> list[str]:
        """Months that hold anything, oldest first."""
        head = self.keys.bucket("month:")
        return sorted(key.removeprefix(head) for key in self._scan(f"{head}*"))

    def restatements(self, month: str) -> list[Restatement]:
        """Changes to a closed month, in the order in which they were applied."""
        found = self._ask(lambda: self._redis.lrange(self.keys.restatements(month), 0, -1))
        return [restatement_from_json(text) for text in cast("list[str]", found)]

    def close(self) -> None:
        """Give the connections back."""
        self._redis.close()

    def _hash(self, key: str) -> dict[str, str]:
        return cast("dict[str, str]", self._ask(lambda: self._redis.hgetall(key)))

    def _scan(self, pattern: str) -> Iterable[str]:
        escaped = pattern.replace("[", r"\[")
        return cast("list[str]", self._ask(lambda: list(self._redis.scan_iter(escaped, count=1000))))

    def _ask(self, call: Callable[[], Answer]) -> Answer:
        try:
            return call()
        except (RedisError, OSError) as error:
            raise StoreUnavailable(f"Redis did not answer ({error})") from error


def _int(value: str | None) -> int | None:
    return None if value is None else int(value)


def _tile(question: OpenQuestion, found: Sequence[Any], now_ms: int) -> OpenTile:
    open_now, oldest, gave_up, due_5, due_15, overdue = found
    timed = question.target_ms is not None
    return OpenTile(
        open=open_now,
        oldest_ms=now_ms - int(oldest[0][1]) if oldest else None,
        due_5min=due_5 if timed else None,
        due_15min=due_15 if timed else None,
        overdue=overdue if timed else None,
        gave_up=gave_up,
    )
