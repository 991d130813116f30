"""One stream's definition changes, on real Kafka and Redis: only that stream is not processed, the others continue."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import signal
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from aiokafka import ConsumerRecord
from redis import Redis

from tests.conftest import new_name
from tests.flow.crash_run import PartitionKey
from tests.flow.rebuilt_force import SOURCES, RebuiltForce
from tests.flow.servers import KafkaServer, RedisServer, Stack
from tests.flow.test_crashes import ending_between, expected_of
from tests.intake.worker_process import WorkerProcess
from tests.oracle import facts
from tests.oracle.recompute import differences
from tests.oracle.traffic import Outgoing, traffic
from tests.oracle.wire import content_of, without_buckets
from watchroom.catalogue.load import load_catalogue
from watchroom.demo.processes import Process
from watchroom.demo.server import free_port
from watchroom.intake.assignment import REMEDIES
from watchroom.kafka.topics import ensure_topics
from watchroom.settings import Settings
from watchroom.store.definition import as_json, definition_of, fingerprint
from watchroom.streams import STREAMS

EVENTS, SEED = 3_000, 20_211_201
OTHERS = tuple(stream for stream in STREAMS if stream != "crimes")
OUTCOMES = '"8", "22"]'
WITHOUT_DIVERSION = '"8"]'
LEFT = (
    "crimes is not processed because Redis holds its figures under a different definition: "
    "measure crime_resolved changed"
)

CRIMES = ["fingerprint:crimes", "definition:crimes"]

Log = dict[str, dict[PartitionKey, list[ConsumerRecord]]]

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]


class Force:
    """One force: its servers, and the traffic that is sent to it in parts."""

    def __init__(self, stack: Stack, client: Redis, folder: Path, began_ms: int) -> None:
        self.stack = stack
        fed = ",".join(STREAMS)
        self.more = {"partitions": 2, "step_events": 100, "session_timeout_s": 2, "touch_s": 0.5, "streams": fed}
        self.settings = stack.settings(sources=SOURCES, **self.more)
        self.folder = folder
        self.rebuilt = RebuiltForce(self.settings, client, folder)
        self.began_ms = began_ms
        self.records = traffic(SEED, EVENTS, began_ms, self.settings.partitions)

    def part(self, number: int) -> Sequence[Outgoing]:
        """The first, second or third part of the traffic; most entities have events in more than one."""
        third = EVENTS // 3
        return self.records[number * third : (number + 1) * third]

    def send(self, number: int) -> None:
        """Produce a part."""

        async def made() -> None:
            await ensure_topics(self.settings)
            await self.rebuilt.send(list(self.part(number)))

        asyncio.run(made())

    def worker(self, name: str = "a", **more: object) -> WorkerProcess:
        """A worker, not started."""
        given = {**self.more, "sources": json.dumps(SOURCES), "worker_name": name, **more}
        return WorkerProcess(self.stack, self.folder / f"{name}.log", **given)

    def until_applied(self, worker: WorkerProcess, streams: Sequence[str] = tuple(STREAMS)) -> None:
        """Wait until Redis has reached the ends of these streams' logs."""
        worker.until(lambda: asyncio.run(self.rebuilt.is_applied(streams)), within_s=60)

    def log(self) -> Log:
        """What Kafka holds now."""
        return asyncio.run(self.rebuilt.log())

    def differences(self, log: Log) -> list[str]:
        """Where Redis differs from what the oracle computes from a log."""
        expected, _ = expected_of(self.settings, log, now_ms())
        found = content_of(self.rebuilt.client, self.settings.force)
        passing = ending_between(expected, self.began_ms, now_ms() + 60_000)
        return differences(without_buckets(found, passing), without_buckets(expected, passing))

    def changed(self) -> Settings:
        """Settings with one entry of crimes changed: a diversion is no longer a resolved crime."""
        schemas = self.folder / "schemas"
        if not schemas.exists():
            shutil.copytree(self.settings.schemas, schemas)
            file = schemas / "measures" / "crimes.toml"
            text = file.read_text()
            first = text.index("[crime_resolved]")
            assert OUTCOMES in text[first:]
            file.write_text(text[:first] + text[first:].replace(OUTCOMES, WITHOUT_DIVERSION, 1))
        return self.settings.model_copy(update={"schemas": schemas, "exporter_port": free_port()})

    def stopped(self, worker: WorkerProcess) -> None:
        """Stop a worker cleanly, and wait until it has left the group."""
        worker.signal(signal.SIGTERM)
        assert worker.exit_code() == 0
        asyncio.run(self.rebuilt.until_nobody_is_in_the_group())


def now_ms() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000_000


def page(settings: Settings, path: str) -> str:
    """A page of the exporter."""
    with urllib.request.urlopen(f"http://127.0.0.1:{settings.exporter_port}{path}") as answer:
        return str(answer.read().decode())


def shown(settings: Settings, until: str, path: str = "/metrics") -> str:
    """A page of the exporter, once it holds `until`."""
    until_s = time.monotonic() + 30
    while until not in (text := page(settings, path)):
        assert time.monotonic() < until_s, f"{until} is not in\n{text}"
        time.sleep(0.1)
    return text


def redefine(client: Redis, force: str, *streams: str) -> None:
    """Change the stored definitions of these streams, as a rebuild under other definitions would."""
    for stream in streams:
        fields: dict[Any, Any] = {f"fingerprint:{stream}": "another", f"definition:{stream}": '{"other": 1}'}
        client.hset(f"{{{force}}}:meta", mapping=fields)


def bind(client: Redis, settings: Settings, stream: str) -> None:
    """Make Redis hold this stream under the definition that these settings give it."""
    catalogue = load_catalogue(settings.schemas / "measures", settings.areas)
    definition = as_json(definition_of(settings, catalogue, stream, settings.partitions))
    fields: dict[Any, Any] = {f"fingerprint:{stream}": fingerprint(definition), f"definition:{stream}": definition}
    client.hset(f"{{{settings.force}}}:meta", mapping=fields)


def served(worker: WorkerProcess) -> set[PartitionKey]:
    """Partitions that a worker has been assigned and has started reading."""
    return {(each["topic"], each["partition"]) for each in worker.health().get("partitions", ()) if each["placed"]}


@pytest.fixture
def client(redis_server: RedisServer) -> Iterator[Redis]:
    """A plain client."""
    with redis_server.client() as plain:
        yield plain


@pytest.fixture
def force(kafka: KafkaServer, redis_server: RedisServer, client: Redis, tmp_path: Path) -> Force:
    """A new force."""
    return Force(Stack("real", kafka.address, redis_server.url, new_name()), client, tmp_path, now_ms())


def test_a_changed_definition_of_crimes_stops_only_crimes_until_a_rebuild(
    force: Force, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls and incidents miss no event meanwhile; after stop, rebuild and start everything is right."""
    force.send(0)
    with force.worker() as worker:
        force.until_applied(worker)
        force.stopped(worker)
    first = force.log()
    assert not force.differences(first)

    changed = force.changed()
    rebuilt = RebuiltForce(changed, force.rebuilt.client, force.folder)
    with (
        force.worker("b", schemas=changed.schemas) as worker,
        Process("exporter", changed, force.folder / "exporter.log"),
    ):
        force.send(1)
        force.until_applied(worker, OTHERS)
        worker.until_ready()
        assert not force.differences({**force.log(), "crimes": first["crimes"]})
        assert worker.health()["left"] == {"crimes": f"{LEFT}; {REMEDIES}"}
        assert worker.get("/readyz") == (200, f"ok\n{LEFT}; {REMEDIES}\n")
        assert worker.log().count("crimes is not processed") == 1
        assert {each["topic"] for each in worker.health()["partitions"]} <= set(map(changed.topic, OTHERS))
        metrics = shown(changed, "watchroom_incident_volume{")
        assert "watchroom_call_volume{" in metrics
        assert "watchroom_crime_" not in metrics
        assert re.findall(r'^watchroom_stream_redefined\{stream="(\w+)"\} 1$', metrics, re.MULTILINE) == ["crimes"]
        withheld = json.loads(page(changed, "/healthz"))["withheld"]
        assert withheld["calls"] == withheld["incidents"] == []
        assert "measure crime_resolved changed" in withheld["crimes"][0]
        assert "a different definition from this exporter" in page(changed, "/")
        months = rebuilt.run("months", "--format", "csv")
        assert months.code == 0
        assert b"call_volume" in months.out
        assert b"\ncrime_" not in months.out
        force.stopped(worker)

    force.rebuilt.half_a_minute_passes()
    done = rebuilt.run("rebuild")
    assert done.code == 0, done.said
    with force.worker("c", schemas=changed.schemas) as worker:
        force.send(2)
        force.until_applied(worker)
        assert worker.health()["left"] == {}
    log = force.log()
    old = force.differences(log)
    assert old
    assert all("crime_resolved" in line for line in old)
    monkeypatch.setattr(facts, "COUNTED_AS_RESOLVED", facts.RESOLVED - {"22"})
    assert not force.differences(log)


def test_a_running_worker_drops_a_redefined_stream_and_exits_when_all_are_redefined(force: Force) -> None:
    """Nobody has to restart it, and the streams it continues with stay exact."""
    with force.worker() as worker:
        force.send(0)
        force.until_applied(worker)
        first = force.log()
        redefine(force.rebuilt.client, force.settings.force, "crimes")
        force.send(1)
        force.until_applied(worker, OTHERS)
        worker.until(lambda: list(worker.health()["left"]) == ["crimes"])
        worker.until_ready()
        assert "crimes is not processed" in worker.get("/readyz")[1]
        assert not force.differences({**force.log(), "crimes": first["crimes"]})
        force.send(2)
        force.until_applied(worker, OTHERS)
        assert not force.differences({**force.log(), "crimes": first["crimes"]})
        assert worker.log().count("crimes is not processed") == 1
        redefine(force.rebuilt.client, force.settings.force, *OTHERS)
        assert worker.exit_code() == 2
    assert "Redis holds figures computed under different definitions" in worker.log()
    assert "Traceback" not in worker.log()


def test_a_stream_dropped_by_a_running_worker_is_served_by_one_with_the_right_definition(force: Force) -> None:
    """All of it: a worker that kept some of its partitions would stall them for ever."""
    crimes = {(force.settings.topic("crimes"), number) for number in range(force.settings.partitions)}
    with force.worker("a", schemas=force.changed().schemas) as wrong:
        wrong.until(lambda: crimes <= served(wrong))
        with force.worker("b") as early:
            early.until_ready()
            assert "crimes" in early.health()["left"]
            bind(force.rebuilt.client, force.settings, "crimes")
            assert early.exit_code() == 1
        assert "Redis holds crimes under this worker's definition again" in early.log()
        with force.worker("b") as right:
            right.until(lambda: crimes <= served(right))
            assert not crimes & served(wrong)
            force.send(0)
            force.until_applied(right)
            wrong.until(lambda: bool(served(wrong)))
            assert not force.differences(force.log())
            assert list(wrong.health()["left"]) == ["crimes"]
            right.kill()
            force.send(1)
            force.until_applied(wrong, OTHERS)
        with force.worker("b") as again:
            again.until(lambda: crimes <= served(again))
            force.send(2)
            force.until_applied(again)
            assert not force.differences(force.log())
        wrong.until_ready()


def test_a_stream_whose_definition_matches_again_is_served_again(force: Force) -> None:
    """A failover to an old snapshot and back must not lose a stream until somebody notices."""
    meta = f"{{{force.settings.force}}}:meta"
    with force.worker(session_timeout_s=20) as worker:  # it is back within its session, and must not be given less
        force.send(0)
        force.until_applied(worker)
        first = force.log()
        ours: Any = force.rebuilt.client.hmget(meta, CRIMES)
        redefine(force.rebuilt.client, force.settings.force, "crimes")
        force.send(1)
        force.until_applied(worker, OTHERS)
        worker.until(lambda: list(worker.health()["left"]) == ["crimes"])
        assert not force.differences({**force.log(), "crimes": first["crimes"]})
        force.rebuilt.client.hset(meta, mapping=dict(zip(CRIMES, ours, strict=True)))
        assert worker.exit_code() == 1
        assert "the worker exits so that its supervisor restarts it with that stream" in worker.log()
        worker.start()
        force.send(2)
        force.until_applied(worker)
        assert worker.health()["left"] == {}
        assert not force.differences(force.log())
    assert "Traceback" not in worker.log()


def test_a_restart_with_another_catalogue_need_not_wait_for_the_session_to_end(force: Force) -> None:
    """The broker gives it the partitions that it had before, including those of crimes."""
    with force.worker(session_timeout_s=20) as worker:
        force.send(0)
        force.until_applied(worker)
        worker.signal(signal.SIGTERM)
        assert worker.exit_code() == 0
    first = force.log()
    with force.worker(session_timeout_s=20, schemas=force.changed().schemas) as worker:
        worker.until(lambda: bool(served(worker)), 15)
        force.send(1)
        force.until_applied(worker, OTHERS)
        assert not force.differences({**force.log(), "crimes": first["crimes"]})
    assert "Traceback" not in worker.log()


def test_a_restart_with_other_streams_fed_joins_the_group_as_another_member(force: Force) -> None:
    """Under the same name the broker would give it its old partitions, of topics it no longer subscribes to."""
    with force.worker(session_timeout_s=3) as worker:
        force.send(0)
        force.until_applied(worker)
        worker.signal(signal.SIGTERM)
        assert worker.exit_code() == 0
    with force.worker(session_timeout_s=3, streams="calls") as worker:
        force.send(1)
        force.until_applied(worker, ["calls"])
        worker.signal(signal.SIGTERM)
        assert worker.exit_code() == 0
    with force.worker(session_timeout_s=3) as worker:
        force.until_applied(worker)
        assert not force.differences(force.log())


def test_a_worker_with_no_matching_stream_exits_with_2_and_names_them_all(force: Force) -> None:
    """One message, with what changed and what to do."""
    with force.worker() as worker:
        worker.until_ready()
        force.stopped(worker)
    stored = force.rebuilt.dump()
    with force.worker("b", zone="Europe/Paris") as worker:
        assert worker.exit_code() == 2
    (line,) = [line for line in worker.log().splitlines() if "definition" in line]
    assert (
        f"Redis holds figures computed under different definitions: {', '.join(STREAMS)}: "
        "reporting zone changed from Europe/London to Europe/Paris; run `watchroom rebuild`"
    ) in line
    assert force.rebuilt.dump() == stored


def test_workers_of_one_group_that_differ_in_one_stream_share_the_others(force: Force) -> None:
    """A deployment that changes crimes goes from worker to worker: each partition has a worker that may take it."""
    changed = force.changed()
    with force.worker("a") as old:
        old.until_ready()
        with force.worker("b", schemas=changed.schemas) as new:
            new.until(lambda: len(new.health().get("partitions", ())) > 0)
            force.send(0)
            force.until_applied(old)
            assert {each["topic"] for each in new.health()["partitions"]} <= set(map(changed.topic, OTHERS))
            assert {each["topic"] for each in old.health()["partitions"]} >= {changed.topic("crimes")}
            old.signal(signal.SIGTERM)
            assert old.exit_code() == 0
            first = force.log()
            force.send(1)
            force.until_applied(new, OTHERS)
            assert not force.differences({**force.log(), "crimes": first["crimes"]})
            with force.worker("c") as again:
                force.until_applied(again)
            assert not force.differences(force.log())
