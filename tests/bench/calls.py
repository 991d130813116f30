"""Call events as a telephone system would send them: complete calls, in order of time, about 260 bytes each."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from typing import NamedTuple

from watchroom.events.partitioner import partition_of

EVENTS_A_CALL = 4  # presented, queued, answered or abandoned, ended
EVENTS_A_SECOND = 10  # England and Wales together; it decides how many buckets a batch changes
ENDS_BEFORE_MS = 300_000  # the last call begins this long before now

# Mean waits and shares of abandoned calls, as published for a force like Staffordshire.
LINES = {
    "999": ("emergency", 0.25, 24_000, 0.02),
    "101": ("non-emergency", 0.75, 615_000, 0.30),
}


class Event(NamedTuple):
    """One record to send."""

    partition: int
    key: bytes
    value: bytes


def calls(number: int, partitions: int, now_ms: int, prefix: str = "call") -> list[Event]:
    """The events of this many calls that began at a steady rate up to a few minutes ago.

    The same number gives the same calls; only their times move with `now_ms`.
    """
    chosen = random.Random(20_211_031)
    spacing_ms = 1000 * EVENTS_A_CALL // EVENTS_A_SECOND
    first_ms = now_ms - ENDS_BEFORE_MS - number * spacing_ms
    timed = []
    for index in range(number):
        timed += _call(f"{prefix}-{index:08}", first_ms + index * spacing_ms, partitions, chosen)
    timed.sort(key=lambda item: item[0])
    return [event for at_ms, event in timed if at_ms <= now_ms]


def _call(subject: str, begin_ms: int, partitions: int, chosen: random.Random) -> list[tuple[int, Event]]:
    line = "999" if chosen.random() < LINES["999"][1] else "101"
    queue, _, mean_wait_ms, abandoned = LINES[line]
    left = "abandoned" if chosen.random() < abandoned else "answered"
    queued_ms = begin_ms + chosen.randint(100, 2_000)
    left_ms = queued_ms + round(chosen.expovariate(1 / mean_wait_ms))
    ended_ms = left_ms + (0 if left == "abandoned" else chosen.randint(20_000, 600_000))
    key = subject.encode()
    partition = partition_of(key, partitions)
    data: dict[str, str] = {"line": line, "queue": queue, "direction": "in"}
    agent = {**data, "agent_token": f"a-{chosen.randint(1, 90):03}"}
    parts = (
        ("presented", begin_ms, data),
        ("queued", queued_ms, data),
        (left, left_ms, agent),
        ("ended", ended_ms, data),
    )
    return [(at_ms, Event(partition, key, _value(subject, f"call.{kind}", at_ms, said))) for kind, at_ms, said in parts]


def _value(subject: str, kind: str, at_ms: int, data: dict[str, str]) -> bytes:
    time = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
    event = {
        "specversion": "1.0",
        "id": f"{subject}-{kind}",
        "source": "acd",
        "type": kind,
        "time": time,
        "subject": subject,
        "datacontenttype": "application/json",
        "data": data,
    }
    return json.dumps(event, separators=(",", ":")).encode()
