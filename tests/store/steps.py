"""Steps made by hand, and the whole content of a force for comparison."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from redis import Redis

from watchroom.fold.batch import Folded, Known, Restatement
from watchroom.kinds.kind import Contribution
from watchroom.rolling.buckets import Bucket
from watchroom.store.keys import Keys
from watchroom.store.step import Step

TOPIC = "watchroom.calls"
COMMON: dict[str, Any] = {"reporting zone": "Europe/London", "bins": [2, 10**10]}
PARTITIONS = {TOPIC: 2, "watchroom.incidents": 1}
DEFINITIONS: dict[str, dict[str, Any]] = {
    topic.rpartition(".")[2]: {**COMMON, "topic": topic, "partitions": count} for topic, count in PARTITIONS.items()
}
NOW_MS = 1_637_971_205_000
KEEPING_MS = 3 * 86_400_000
WAITING = "calls_waiting|line=999"
VOLUME = "call_volume|line=999|count"
CHANGE = Restatement(
    TOPIC, 0, 41, NOW_MS, "call.answered", "2021-10", "call_volume", {"line": "999"}, "count", -1
)  # fmt: skip


def step(base: int | None, next_offset: int, **more: Any) -> Step:
    """A step of partition 0 from `base` to `next_offset`; `opened`, `left` and `restatements` make its fold."""
    given = {"topic": TOPIC, "partition": 0, "now_ms": NOW_MS, "keeping_ms": KEEPING_MS, **more}
    opened: Mapping[str, Mapping[str, int]] = given.pop("opened", {})
    folded = Folded(
        entities={subject: Known(None, Contribution({}, dict(sets), {})) for subject, sets in opened.items()},
        left=set(given.pop("left", ())),
        restatements=list(given.pop("restatements", ())),
    )
    return Step(base=base, next_offset=next_offset, folded=folded, **given)


def full(base: int | None, next_offset: int, **more: Any) -> Step:
    """A step that writes to every kind of key."""
    everything: dict[str, Any] = {
        "fresh_ms": NOW_MS,
        "states": {"17": b"\x93\x01\x02\x03"},
        "buckets": [
            Bucket("10s:1637971200", NOW_MS + 7_200_000, {VOLUME: 1}),
            Bucket("month:2021-11", None, {VOLUME: 1}),
        ],
        "opened": {"17": {WAITING: NOW_MS - 5_000}},
        "left": [("calls_in_progress|line=999", "17")],
        "restatements": [CHANGE],
        "last_seen": {"acd|event": NOW_MS, "acd|heartbeat": NOW_MS - 1},
        "dead_letters": {"late": 2},
        "ignored_fields": {"cli_type": 4},
        "raw_identifiers": {"a|b": 1},
        "lost": 3,
    }
    return step(base, next_offset, **{**everything, **more})


def content(client: Redis, keys: Keys) -> dict[str, tuple[object, int]]:
    """Every key of a force with its content and the moment at which it expires."""
    raw: Any = client
    found = {}
    for key in raw.scan_iter(keys.prefix + "*", count=100_000):
        # a large hash has no fixed order: its serialised value may differ from call to call
        held = raw.hgetall(key) if raw.type(key) == b"hash" else raw.dump(key)
        found[key.decode().removeprefix(keys.prefix)] = (held, int(raw.pexpiretime(key)))
    return found
