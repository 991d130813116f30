"""What one atomic step writes, and how it is packed for `step.lua`.

One msgpack argument costs a tenth of one argument a value. Redis's cmsgpack knows no binary type,
so bytes are packed as text (`use_bin_type=False`).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgpack

from watchroom.fold.batch import Folded, Restatement
from watchroom.rolling.buckets import Bucket
from watchroom.store import keys

CHANGES_KEPT = 10_000  # steps whose changed buckets an exporter can ask for


@dataclass(slots=True)
class Step:
    """A change of one partition from `base` to `next_offset`; empty parts are left out.

    `base` is the offset from which the batch was fetched, None where nothing is stored yet.
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
    folded: Folded = field(default_factory=Folded)
    heard: Mapping[str, int] = field(default_factory=dict)  # "<source>|event" or "|heartbeat" -> Kafka time, ms
    dead_letters: Mapping[str, int] = field(default_factory=Counter)  # reason -> how many
    ignored_fields: Mapping[str, int] = field(default_factory=Counter)  # field of `data` -> how many
    raw_identifiers: Mapping[str, int] = field(default_factory=Counter)  # source -> how many
    lost: int = 0

    def pack(self, stream: str, fingerprint: str) -> bytes:
        """The script's argument; `fingerprint` is that of the definition under which `stream` is folded."""
        states: list[str | bytes] = []
        for subject, state in self.states.items():
            states += (subject, state)
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
                "states": states,
                "buckets": [self._bucket(bucket) for bucket in self.buckets],
                "opened": self.folded.open_now(),
                "left": sorted(self.folded.left),
                "restatements": [(entry.month, restatement_json(entry)) for entry in self.folded.restatements],
                "heard": dict(self.heard),
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
        deltas: list[str | int] = []
        for name, delta in bucket.deltas.items():
            deltas += (name, delta)
        lives_ms = 0 if bucket.keep_until_ms is None else bucket.keep_until_ms - self.now_ms
        return bucket.name, lives_ms, deltas


def restatement_json(entry: Restatement) -> str:
    """One line of the restatement log."""
    return json.dumps(entry._asdict(), separators=(",", ":"))


def restatement_from_json(text: str) -> Restatement:
    """Inverse of `restatement_json`."""
    return Restatement(**json.loads(text))
