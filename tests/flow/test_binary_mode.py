"""CloudEvents in binary mode through a real worker, a letter that is replayed, and a rebuild."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from tests.flow.rebuilt_force import RebuiltForce
from tests.flow.servers import RedisServer, Stack
from tests.flow.wall import now_ms
from tests.oracle.scales import month_of, time_text
from tests.oracle.wire import partition_of
from watchroom.events.record import Headers
from watchroom.intake.letters import read_letters
from watchroom.kafka.topics import ensure_topics

PARTITIONS = 2
SUBJECT = {number: next(s for s in map(str, range(99)) if partition_of(s, PARTITIONS) == number) for number in (0, 1)}

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]


def event(subject: str, kind: str, at_ms: int) -> dict[str, str]:
    """The attributes of an event of a call."""
    said = {"specversion": "1.0", "id": f"{subject}-{kind}", "source": "acd", "type": kind, "subject": subject}
    return {**said, "time": time_text(at_ms)}


def binary(attributes: dict[str, str], data: str | None) -> tuple[bytes | None, Headers]:
    """Value and headers of an event in binary mode, as a library writes them."""
    headers = [(f"ce_{name}", said.encode()) for name, said in attributes.items()]
    return None if data is None else data.encode(), (
        ("traceparent", b"\x1b[31m"),
        *headers,
        ("content-type", b"application/json"),
    )


async def send(force: RebuiltForce, at_ms: int) -> None:
    """A call in each mode, a heartbeat without a value, and a binary event in the wrong partition."""
    topic, line = force.settings.topic("calls"), '{"line": "999"}'
    async with AIOKafkaProducer(bootstrap_servers=force.settings.kafka) as out:
        for kind, ms in (("call.queued", at_ms - 20_000), ("call.answered", at_ms - 12_000)):
            value, headers = binary(event(SUBJECT[0], kind, ms), line)
            await out.send_and_wait(topic, value, SUBJECT[0].encode(), 0, headers=list(headers))
            whole = json.dumps({**event(SUBJECT[1], kind, ms), "data": json.loads(line)}).encode()
            await out.send_and_wait(topic, whole, SUBJECT[1].encode(), 1)
        beat, headers = binary(event("acd", "feed.heartbeat", at_ms), None)
        await out.send_and_wait(topic, beat, b"acd", headers=list(headers))
        misplaced = next(s for s in map(str, range(100, 199)) if partition_of(s, PARTITIONS) == 0)
        value, headers = binary(event(misplaced, "call.queued", at_ms), line)
        await out.send_and_wait(topic, value, misplaced.encode(), 1, headers=list(headers))


def test_binary_events_count_like_structured_ones_also_as_letters_and_after_a_rebuild(
    real_stack: Stack, redis_server: RedisServer, tmp_path: Path
) -> None:
    """A call in either mode contributes the same; a replayed letter keeps its headers; a rebuild reads them too."""
    settings = real_stack.settings(streams=("calls",), partitions=PARTITIONS, session_timeout_s=2)
    asyncio.run(ensure_topics(settings))
    at_ms = now_ms()
    asyncio.run(send(force := RebuiltForce(settings, redis_server.client(), tmp_path), at_ms))
    with force.worker() as worker:
        asyncio.run(force.until_applied(worker))
        (letter,) = read_letters(settings, lambda _: True)
        assert (letter.reason, letter.own_headers[1]) == ("wrong_partition", ("ce_specversion", b"1.0"))
        month = force.dump()[f"month:{month_of(at_ms)}"]
        assert month["call_volume|line=999|count"] == "2"
        assert month["call_answer_time|line=999|sum_ms"] == "16000"
        shown = force.run("dead-letters", "show", letter.topic, str(letter.partition), str(letter.offset))
        assert {"header ce_type: call.queued", r"header traceparent: \x1b[31m"} <= set(shown.lines)
        assert force.run("dead-letters", "replay").lines == ["sent 1 of 1 dead letters again"]
        asyncio.run(force.until_applied(worker))
        assert force.dump()[f"month:{month_of(at_ms)}"]["call_volume|line=999|count"] == "3"
    asyncio.run(force.until_nobody_is_in_the_group())
    force.half_a_minute_passes()
    before = force.dump()
    assert force.run("rebuild").code == 0
    after = force.dump()
    assert {name: after[name] for name in before if name.startswith(("month:", "state:", "sources:"))} == {
        name: value for name, value in before.items() if name.startswith(("month:", "state:", "sources:"))
    }
    assert len(read_letters(settings, lambda _: True)) == 1
