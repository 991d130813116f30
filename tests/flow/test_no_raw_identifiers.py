"""Raw numbers, names and addresses are sent wherever they must not be, and looked for wherever they might appear."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition
from redis import Redis

from tests.events.test_tokeniser import KEY
from tests.flow.crash_run import read_all
from tests.flow.rebuilt_force import RebuiltForce
from tests.flow.servers import KafkaServer, RedisServer, Stack
from tests.flow.wall import now_ms
from tests.oracle.scales import DAY_MS, time_text
from watchroom.demo.processes import Process
from watchroom.demo.server import free_port
from watchroom.events.reasons import RAW_IDENTIFIER
from watchroom.kafka.topics import ensure_topics
from watchroom.streams import STREAMS

pytestmark = [pytest.mark.real, pytest.mark.timeout(90)]
PARTITIONS = 2
SOURCE = "call-log"
RAW = {
    "caller_token": "01632 960771",
    "address_token": "7 Quagmire Lane",
    "victim_token": "Zebedee Quillfeather",
    "suspect_token": "Ermintrude Snodgrass",
}
IN_REASON = ("01632 960772", "Florence Thistlewood", "9 Bogside Row")
IN_EXTRACT = ("01632 960773", "Dougal Ramsbottom", "11 Marsh View")
# Normalising a number, or removing its spaces, gives other forms to look for.
FORMS = {
    text: {text, text.replace(" ", ""), text.replace(" ", "")[1:]} for text in (*RAW.values(), *IN_REASON, *IN_EXTRACT)
}
MAPPING = f"""
source = "{SOURCE}"
about = "One row is one call."
[time]
zone = "UTC"
[entity]
key = "#line"
[[event]]
type = "call.presented"
time = "at"
arrival = "seen"
data.line = "line"
data.caller_token = {{ column = "cli", token = "telephone" }}
data.agent_token = {{ column = "name", token = "person" }}
data.queue = {{ join = ["street", "town"], token = "address" }}
"""


@dataclass
class Seen:
    """What came out, by where it was found."""

    kept: dict[str, bytes] = field(default_factory=dict)  # Redis, logs, metrics, lists, reports
    letters: list[ConsumerRecord] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)  # dead letters by reason
    shown: int = 0  # letters that were shown


def event(subject: str, data: Any, **changed: Any) -> bytes:
    """A call presented now."""
    said = {
        "specversion": "1.0", "id": f"e-{subject}", "source": "acd", "type": "call.presented",
        "time": time_text(now_ms()), "subject": subject, "data": data, **changed,
    }  # fmt: skip
    return json.dumps(said).encode()


def records() -> Iterator[tuple[str, bytes, bytes]]:
    """Stream, key and value."""
    for number, (name, raw) in enumerate(RAW.items()):
        data, key = {"line": "999", name: raw}, f"raw-{number}"
        yield "calls", key.encode(), event(key, data, type="call.lost")
        yield "calls", raw.encode(), event(raw, data, type="call.lost")
        yield "calls", key.encode(), event(key, data)[:-8]
        yield "calls", key.encode(), event(key, json.dumps(data), time=time_text(now_ms() - 9 * DAY_MS))
        yield (
            "incidents",
            key.encode(),
            event(key, data, type="incident.created", time=time_text(now_ms() - 9 * DAY_MS)),
        )
        yield "crimes", raw.encode(), event(key, {**data, "group": "robbery"}, type="crime.recorded")
    yield "calls", b"c", event("c", {"caller_token": RAW["caller_token"]})
    for number, raw in enumerate(IN_REASON):
        key = f"reason-{number}"
        yield "calls", key.encode(), event(key, {"line": "999", "reason": f"rang about {raw}"})
        yield "calls", key.encode(), event(key, {"line": 999, "reason": f"rang about {raw}"})
        yield "calls", key.encode(), event(key, {"line": "999", "reason": [raw]})
        yield "calls", key.encode(), event(key, raw)
    yield "calls", b"n", event("n", {"reason": int(IN_REASON[0].replace(" ", ""))})
    ahead = event("ahead", {"line": "999", "reason": IN_REASON[0]}, time=time_text(now_ms() + DAY_MS))
    yield "calls", b"ahead", ahead
    yield "calls", b"loose", event("loose", {"line": "999", "cli_type": 7})


def extract() -> str:
    """Rows that are used, and rows that are refused for each of their values."""
    number, name, street = IN_EXTRACT
    now, ahead = time_text(now_ms()), time_text(now_ms() + DAY_MS)
    who = f"{number},{name},{street},Stoke"
    used = [f"{now},{now},999,{who}"]
    refused = [
        f"soon,{now},999,{who}",
        f"{ahead},{now},999,{who}",
        f"{now},{now},999,{name},{name},{street},Stoke",
        f"{now},{now},999,{who},more",
    ]
    return "\n".join(["at,seen,line,cli,name,street,town", *used, *refused, ""])


@pytest.fixture(scope="module")
def seen(kafka: KafkaServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """Everything was sent and applied, and everything that shows anything was queried."""
    redis = RedisServer(tmp_path_factory.mktemp("redis"))
    sources = {stream: {"acd": {}, SOURCE: {"heartbeats": False, "history": True}} for stream in STREAMS}
    stack = Stack("real", kafka.address, redis.url, f"scan-{now_ms()}")
    folder = tmp_path_factory.mktemp("room")
    settings = stack.settings(partitions=PARTITIONS, sources=sources, exporter_port=free_port())
    force = RebuiltForce(settings, redis.client(), folder)
    try:
        redis.start()
        asyncio.run(send(force))
        worker = force.worker()
        with worker, Process("exporter", settings, folder / "exporter.log"):
            asyncio.run(force.until_applied(worker))
            yield look(force, worker, folder)
    finally:
        redis.kill()


async def send(force: RebuiltForce) -> None:
    """Send all records, each to the partition of its key."""
    await ensure_topics(force.settings)
    async with AIOKafkaProducer(bootstrap_servers=force.settings.kafka) as producer:
        for stream, key, value in records():
            await producer.send_and_wait(force.settings.topic(stream), value, key)


def look(force: RebuiltForce, worker: Process, folder: Path) -> Seen:
    """What every part of Watchroom shows."""
    seen = Seen()
    (folder / "m.toml").write_text(MAPPING)
    (folder / "f.csv").write_text(extract())
    servers = ("--kafka", force.settings.kafka, "--redis", force.settings.redis_url)
    key = {"WATCHROOM_TOKEN_KEY": KEY.decode()}
    commands: list[tuple[tuple[str, ...], dict[str, str]]] = [
        (("replay", "--map", str(folder / "m.toml"), str(folder / "f.csv"), *servers), key),
        *((("dead-letters", "list", "--format", form), {"COLUMNS": "400"}) for form in ("table", "json")),
        (("open", "--measure", "incidents_unattended"), {}),
        (("months", "--format", "json"), {}),
    ]
    for words, more in commands:
        done = force.run(*words, **more)
        assert done.code == 0, done.said
        seen.kept[" ".join(words)] = done.out + done.said.encode()
    listed = json.loads(seen.kept["dead-letters list --format json"])
    for row in listed:
        seen.counts[row["reason"]] = seen.counts.get(row["reason"], 0) + 1
    of_reason = {row["reason"]: row for row in listed}  # one of each is enough: a process takes a second
    for row in of_reason.values():
        done = force.run("dead-letters", "show", *(str(row[name]) for name in ("topic", "partition", "offset")))
        seen.kept[f"show {row['reason']}"] = done.said.encode()  # its bytes are the letter's own, on standard output
        seen.shown += 1
    settings = force.settings
    for port, paths in ((settings.exporter_port, ("/", "/metrics", "/healthz", "/open/calls_waiting")),):
        for path in paths:
            seen.kept[path] = page(port, path)
    for path in ("/metrics", "/health"):
        seen.kept[f"worker {path}"] = page(worker.port, path)
    seen.kept |= in_redis(force.client)
    seen.kept |= {log.name: log.read_bytes() for log in folder.glob("*.log")}
    topic = settings.dead_letter_topic
    places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    seen.letters = [record for of in asyncio.run(read_all(settings.kafka, places)).values() for record in of]
    return seen


def page(port: int, path: str) -> bytes:
    """One of our pages, whatever its status."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            body: bytes = answer.read()
    except urllib.error.HTTPError as error:
        body = error.read()
    return body


def in_redis(client: Redis) -> dict[str, bytes]:
    """Every key with its content."""
    raw: Any = client
    found = {}
    for key in raw.scan_iter(count=1000):
        match raw.type(key).decode():
            case "hash":
                held = b"\n".join(part for pair in raw.hgetall(key).items() for part in pair)
            case "zset":
                held = b"\n".join(raw.zrange(key, 0, -1))
            case "list":
                held = b"\n".join(raw.lrange(key, 0, -1))
            case _:
                held = raw.get(key)
        found[f"redis {key.decode()}"] = key + b"\n" + held
    return found


def found_in(texts: dict[str, bytes], *raw: str) -> list[str]:
    """Where any form of these texts appears, in any case."""
    return [
        f"{form!r} in {where}"
        for text in raw
        for form in sorted(FORMS[text])
        for where, held in texts.items()
        if form.lower().encode() in held.lower()
    ]


def test_this_test_would_find_raw_identifiers(seen: Seen) -> None:
    """The records came through, rows were refused, and each part of Watchroom had something to show."""
    assert seen.counts[RAW_IDENTIFIER] == 6 * len(RAW) + 1
    assert seen.counts["bad_data"] == 3 * len(IN_REASON) + 1
    assert seen.counts["future"] == 1
    assert seen.shown == len(seen.counts)
    replayed = next(text for name, text in seen.kept.items() if name.startswith("replay"))
    assert b"5 read, 1 used, 0 skipped, 4 refused" in replayed
    assert b'source="acd"' in seen.kept["/metrics"]
    assert b"watchroom_worker_dead_letters_total" in seen.kept["worker /metrics"]
    assert seen.kept["worker.log"]
    assert any(name.endswith(":ignored-fields") for name in seen.kept)
    assert found_in({"here": b"... 1632960771 ..."}, RAW["caller_token"])
    assert found_in({"letters": b"\n".join(letter.value or b"" for letter in seen.letters)}, IN_REASON[1])


def test_no_raw_identifier_is_stored_or_shown_anywhere(seen: Seen) -> None:
    """Not in Redis, logs, metrics, pages, lists or reports."""
    assert found_in(seen.kept, *FORMS) == []


def test_raw_identifiers_in_token_fields_and_extracts_are_in_no_letter(seen: Seen) -> None:
    """Neither in its key, nor in its value, nor in a header."""
    letters = {
        f"letter {number}": b"\n".join(
            [letter.key or b"", letter.value or b"", *(value or b"" for _, value in letter.headers)]
        )
        for number, letter in enumerate(seen.letters)
    }
    assert found_in(letters, *RAW.values(), *IN_EXTRACT) == []
