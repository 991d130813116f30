"""Events as Kafka records, records that must be refused, and Redis's content in the oracle's form."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from aiokafka import ConsumerRecord
from aiokafka.partitioner import murmur2
from redis import Redis

from tests.oracle.facts import Sent, series
from tests.oracle.histories import FIRSTS
from tests.oracle.recompute import Content, Entry, without_zeros
from tests.oracle.scales import time_text

LOOSE = ("cli_type",)  # the optional texts that the traffic also sends in an invalid form
LEVELS = ("10s:", "hour:", "day:", "month:")


def time_ms(text: str) -> int:
    """Inverse of `time_text`."""
    return (datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def value_of(event: Sent, recorded_ms: int | None = None) -> bytes:
    """The event as CloudEvents JSON."""
    said: dict[str, Any] = {
        "specversion": "1.0",
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "time": time_text(event.time_ms),
        "subject": event.subject,
        "data": dict(event.data),
    }
    if recorded_ms is not None:
        said["recordedtime"] = time_text(recorded_ms)
    return json.dumps(said).encode()


def sent_of(stream: str, place: tuple[str, int], record: ConsumerRecord, history: str) -> Sent:
    """An event as Kafka holds it; `history` is the source whose `recordedtime` is the arrival."""
    said = json.loads(record.value)
    arrived = dict(record.headers).get("watchroom-arrived")
    arrival_ms, replayed_ms = record.timestamp, None
    if said["source"] == history and "recordedtime" in said:
        arrival_ms = time_ms(said["recordedtime"])
    elif arrived is not None:
        arrival_ms, replayed_ms = int(arrived), record.timestamp
    data = said.get("data") or {}
    ignored = tuple(name for name in LOOSE if name in data and not isinstance(data[name], str))
    return Sent(
        stream, said["type"], said["id"], said["subject"], time_ms(said["time"]), arrival_ms,
        {name: value for name, value in data.items() if name not in ignored},
        said["source"], replayed_ms, place[0], place[1], record.offset, ignored,
    )  # fmt: skip


def partition_of(subject: str, partitions: int) -> int:
    """The partition to which Kafka's default partitioner assigns a key."""
    return int(murmur2(subject.encode()) & 0x7FFFFFFF) % partitions


class Refused(NamedTuple):
    """A record that is refused for one reason, in a stream's topic."""

    reason: str
    key: bytes
    value: bytes


def refused_records(stream: str, subject: str, at_ms: int) -> list[Refused]:
    """One record for each reason that does not depend on a clock; `subject` is in its right partition."""
    first = (*FIRSTS[stream], "return.figure")[0]
    other = "crime.recorded" if stream != "crimes" else "call.presented"
    if subject.startswith("note|"):
        first = "return.note"
    said = {"channel": "email"} if stream == "contacts" else _data(subject)
    right: dict[str, Any] = json.loads(value_of(Sent(stream, first, "refused", subject, at_ms, at_ms, said)))
    key = subject.encode()

    def but(**changed: object) -> bytes:
        kept = {name: value for name, value in {**right, **changed}.items() if value is not None}
        return json.dumps(kept).encode()

    return [
        Refused("raw_identifier", key, but(type="call.teleported", data={"caller_token": "01632 960001"})),
        Refused("bad_json", key, b'{"specversion": '),
        Refused("bad_envelope", key, but(specversion="0.3")),
        Refused("unknown_type", key, but(type="call.teleported")),
        Refused("wrong_topic", key, but(type=other)),
        Refused("bad_time", key, but(time="2021-10-31T01:30:00")),
        Refused("bad_data", key, but(type="incident.graded", data={"grade": 1})),
        Refused("wrong_key", key + b"x", but()),
        Refused("too_large", key, but(data={"reason": "x" * 300_000})),
    ]


def _data(subject: str) -> dict[str, Any]:
    """What an event of this subject must contain; nothing for calls, incidents and crimes."""
    if subject.startswith("note|"):
        return {"text": "said", "from": "2021-07"}
    if subject.count("|") < 2:
        return {}
    measure, labels, period = subject.split("|")
    by = dict(pair.split("=") for pair in labels.split(",") if pair)
    return {"measure": measure, "period": period, "as_at": "2021-11-08", "numerator": 1, "by": by}


def content_of(client: Redis, force: str) -> Content:
    """What Redis holds for a force, read key by key with none of our code."""
    head = f"{{{force}}}:"
    buckets: dict[str, dict[str, int]] = {}
    open_sets: dict[str, dict[str, int]] = {}
    log: list[Entry] = []
    tokens: dict[str, dict[str, int]] = {}
    raw: Any = client
    for key in sorted(key.decode() for key in raw.scan_iter(f"{head}*", count=1000)):
        name = key.removeprefix(head)
        if name.startswith(LEVELS):
            buckets[name] = {field.decode(): int(value) for field, value in raw.hgetall(key).items()}
        elif name.startswith("open:"):
            members = raw.zrange(key, 0, -1, withscores=True)
            open_sets[name.removeprefix("open:")] = {member.decode(): int(since) for member, since in members}
        elif name.startswith("tokens:"):
            counts = {field.decode(): int(value) for field, value in raw.hgetall(key).items()}
            tokens[name.removeprefix("tokens:")] = counts
        elif name.startswith("restatements:"):
            log += [_entry(json.loads(line)) for line in raw.lrange(key, 0, -1)]
    letters, ignored = (_counts(raw.hgetall(f"{head}{name}")) for name in ("dead-letters", "ignored-fields"))
    return Content(without_zeros(buckets), open_sets, sorted(log), letters, tokens, ignored)


def _counts(stored: dict[bytes, bytes]) -> dict[tuple[str, str], int]:
    parts = {tuple(name.decode().split("|", 1)): int(count) for name, count in stored.items()}
    return {(topic, what): count for (topic, what), count in parts.items()}


def _entry(said: dict[str, Any]) -> Entry:
    return Entry(
        said["topic"], said["partition"], said["offset"], said["arrival_ms"], said["event_type"], said["month"],
        series(said["measure"], said["by"]), said["field"], said["delta"],
    )  # fmt: skip


def without_buckets(content: Content, names: Iterable[str]) -> Content:
    """The content without some buckets: those that Redis expires while a test looks."""
    gone = set(names)
    kept = {name: cells for name, cells in content.buckets.items() if name not in gone}
    return dataclasses.replace(content, buckets=kept)
