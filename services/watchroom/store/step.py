"""What one atomic step writes, and how it is packed for `step.lua`.

One msgpack argument costs a tenth of one argument for each value. Redis's cmsgpack has no binary type, so bytes are
packed as text (`use_bin_type=False`).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple, TypeVar

import msgpack

from watchroom.fold.batch import Folded, Restatement, TokenChange
from watchroom.rolling.buckets import TOKENS_UNCHANGED_MS, Bucket, tokens_keep_until
from watchroom.rolling.calendar import Calendar
from watchroom.store import keys

T = TypeVar("T")
CHANGES_KEPT = 10_000  # steps whose changed buckets an exporter can ask for


class TokenHash(NamedTuple):
    """The change of one hash of token counts."""

    name: str
    keep_until_ms: int
    events: int  # how many events change it
    deltas: Mapping[str, int]


@dataclass(slots=True)
class Step:
    """A change of one partition from `base` to `next_offset`; empty parts are left out.

    `base` is the offset from which the batch was fetched, None if nothing is stored yet.
    """

    topic: str
    partition: int
    base: int | None
    next_offset: int
    now_ms: int
    keeping_ms: int
    state_slack_ms: int = 0  # how much longer than the keeping a state is stored
    fresh_ms: int | None = None
    states: Mapping[str, bytes] = field(default_factory=dict)
    buckets: Sequence[Bucket] = ()
    tokens: Sequence[TokenHash] = ()
    folded: Folded = field(default_factory=Folded)
    last_seen: Mapping[str, int] = field(default_factory=dict)  # "<source>|event" or "|heartbeat" -> Kafka time, ms
    dead_letters: Mapping[str, int] = field(default_factory=Counter)  # reason -> how many
    ignored_fields: Mapping[str, int] = field(default_factory=Counter)  # field of `data` -> how many
    raw_identifiers: Mapping[str, int] = field(default_factory=Counter)  # source -> how many
    lost: int = 0

    def pack(self, stream: str, fingerprint: str) -> bytes:
        """The script's argument; `fingerprint` is that of the definition under which `stream` is folded."""
        packed: bytes = msgpack.packb(
            {
                "stream": stream,
                "fingerprint": fingerprint,
                "topic": self.topic,
                "base": "" if self.base is None else str(self.base),
                "next_offset": str(self.next_offset),
                "now_ms": self.now_ms,
                "keeping_ms": self.keeping_ms,
                "state_ms": self.keeping_ms + self.state_slack_ms,
                "fresh_ms": self.fresh_ms or 0,
                "states": _flat(self.states),
                "buckets": [self._bucket(bucket) for bucket in self.buckets],
                "tokens": [_token_hash(each) for each in self.tokens],
                "tokens_unchanged_ms": TOKENS_UNCHANGED_MS,
                "opened": self.folded.open_now(),
                "left": sorted(self.folded.left),
                "restatements": [(entry.month, restatement_json(entry)) for entry in self.folded.restatements],
                "last_seen": dict(self.last_seen),
                "counts": {
                    keys.DEAD_LETTERS: dict(self.dead_letters),
                    keys.IGNORED_FIELDS: dict(self.ignored_fields),
                    keys.RAW_IDENTIFIERS: dict(self.raw_identifiers),
                },
                "lost": self.lost,
                "changes_kept": CHANGES_KEPT,
            },
            use_bin_type=False,
        )
        return packed

    def _bucket(self, bucket: Bucket) -> tuple[str, int, list[str | int]]:
        lives_ms = 0 if bucket.keep_until_ms is None else bucket.keep_until_ms - self.now_ms
        return bucket.name, lives_ms, _flat(bucket.deltas)


def token_hashes(changed: Mapping[str, TokenChange], calendar: Calendar) -> list[TokenHash]:
    """A batch's changes of hashes of token counts, without deltas that cancel and hashes without deltas."""
    found = []
    for name, change in changed.items():
        deltas = {field: delta for field, delta in change.deltas.items() if delta}
        if deltas:
            found.append(TokenHash(name, tokens_keep_until(name, change.day, calendar), change.events, deltas))
    return found


def _token_hash(changed: TokenHash) -> tuple[str, int, int, list[str | int]]:
    return changed.name, changed.keep_until_ms, changed.events, _flat(changed.deltas)


def _flat(values: Mapping[str, T]) -> list[str | T]:
    """Name, value, name, value, ..."""
    return list(chain.from_iterable(values.items()))


def restatement_json(entry: Restatement) -> str:
    """One line of the restatement log."""
    return json.dumps(entry._asdict(), separators=(",", ":"))


def restatement_from_json(text: str) -> Restatement:
    """Inverse of `restatement_json`."""
    return Restatement(**json.loads(text))
