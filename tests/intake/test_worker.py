"""The worker process: how it starts, waits, fails and ends."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from redis import Redis

from tests.flow.servers import KafkaServer, RedisServer, Stack
from tests.intake.worker_process import WorkerProcess
from watchroom.kafka.topics import ensure_topics

pytestmark = pytest.mark.timeout(120)


def call_events(first: int, count: int, **more: object) -> list[tuple[bytes, bytes]]:
    """(key, value) of one `call.presented` for each of `count` calls."""
    at = (datetime.now(UTC) - timedelta(seconds=30)).isoformat()
    event = {"specversion": "1.0", "source": "acd", "type": "call.presented", "time": at, "data": {"line": "999"}}
    subjects = [f"call-{number}" for number in range(first, first + count)]
    return [(s.encode(), json.dumps({**event, "id": f"{s}-p", "subject": s, **more}).encode()) for s in subjects]


def produce(stack: Stack, records: list[tuple[bytes, bytes]], headers: Sequence[tuple[str, bytes | None]] = ()) -> None:
    """Send records to the calls' topic, all with these headers, and wait until all are stored."""

    async def send() -> None:
        settings = stack.settings()
        await ensure_topics(settings)
        topic = settings.topic("calls")
        async with AIOKafkaProducer(bootstrap_servers=stack.kafka) as producer:
            sent = [await producer.send(topic, value, key, headers=list(headers)) for key, value in records]
            await asyncio.gather(*sent)

    asyncio.run(send())


def letters(stack: Stack) -> list[dict[str, bytes]]:
    """Headers of all dead letters, in order."""

    async def read() -> list[dict[str, bytes]]:
        topic = stack.settings().dead_letter_topic
        async with AIOKafkaConsumer(topic, bootstrap_servers=stack.kafka, auto_offset_reset="earliest") as consumer:
            found = await consumer.getmany(timeout_ms=3000)
            return [dict(record.headers) for records in found.values() for record in records]

    return asyncio.run(read())


@pytest.fixture
def redis(redis_server: RedisServer) -> Iterator[Redis]:
    """A client of the test's own Redis."""
    with redis_server.client() as client:
        yield client


def applied(redis: Redis, stack: Stack) -> int:
    """Offsets applied over all partitions of the calls."""
    names = redis.scan_iter(f"{{{stack.name}}}:partition:{stack.name}.calls:*")
    return sum(int(redis.hget(name, "next_offset") or 0) for name in names)


def presented(redis: Redis, stack: Stack) -> int:
    """999 calls in the month buckets."""
    months = redis.scan_iter(f"{{{stack.name}}}:month:*")
    return sum(int(redis.hget(month, "call_volume|line=999|count") or 0) for month in months)


def test_events_reach_redis_and_a_signal_stops_the_worker_cleanly(stack: Stack, tmp_path: Path) -> None:
    """The whole path on both stacks: produce, apply, SIGTERM, exit code 0."""
    redis = Redis.from_url(stack.redis_url)
    with WorkerProcess(stack, tmp_path / "worker.log") as worker:
        produce(stack, call_events(0, 500))
        worker.until(lambda: presented(redis, stack) == 500)
        worker.until_ready()
        worker.signal(signal.SIGTERM)
        assert worker.exit_code() == 0
    assert "Traceback" not in worker.log()
    redis.close()


def test_refused_records_become_dead_letters_and_the_rest_is_applied(
    real_stack: Stack, redis: Redis, tmp_path: Path
) -> None:
    """Bad JSON among good events: one letter with its reason and position, counted in the same step."""
    good = call_events(0, 10)
    produce(real_stack, [*good[:5], (b"call-3", b"{bad"), *good[5:]])
    with WorkerProcess(real_stack, tmp_path / "worker.log") as worker:
        worker.until(lambda: presented(redis, real_stack) == 10 and applied(redis, real_stack) == 11)
        assert worker.health()["counts"]["dead_letters"] == 1
    counts = redis.hgetall(f"{{{real_stack.name}}}:dead-letters")
    assert counts == {f"{real_stack.name}.calls|bad_json".encode(): b"1"}
    (letter,) = letters(real_stack)
    assert letter["watchroom-reason"] == b"bad_json"
    assert letter["watchroom-topic"] == f"{real_stack.name}.calls".encode()
    assert letter.keys() >= {"watchroom-detail", "watchroom-partition", "watchroom-offset", "watchroom-arrived"}


def test_an_arrival_header_without_a_value_gives_a_dead_letter_and_does_not_end_the_worker(
    real_stack: Stack, redis: Redis, tmp_path: Path
) -> None:
    """Null header values are legal in Kafka; one must not end every worker that reads it."""
    produce(real_stack, call_events(0, 3))
    produce(real_stack, call_events(3, 1), [("watchroom-arrived", None)])
    produce(real_stack, call_events(4, 3))
    with WorkerProcess(real_stack, tmp_path / "worker.log") as worker:
        worker.until(lambda: presented(redis, real_stack) == 6 and applied(redis, real_stack) == 7)
    (letter,) = letters(real_stack)
    assert letter["watchroom-reason"] == b"bad_envelope"


def test_a_step_that_redis_refuses_ends_the_worker_with_1_and_writes_nothing(
    real_stack: Stack, redis: Redis, tmp_path: Path
) -> None:
    """Retrying a script error is useless: nothing of the batch is written; after a restart it is applied once."""
    stolen = f"{{{real_stack.name}}}:changed"
    redis.set(stolen, "not a sorted set")
    with WorkerProcess(real_stack, tmp_path / "worker.log") as worker:
        produce(real_stack, call_events(0, 50))
        assert worker.exit_code() == 1
    assert presented(redis, real_stack) == applied(redis, real_stack) == 0
    assert not list(redis.scan_iter(f"{{{real_stack.name}}}:state:*"))
    redis.delete(stolen)
    with WorkerProcess(real_stack, tmp_path / "again.log") as again:
        again.until(lambda: applied(redis, real_stack) == 50)
    assert presented(redis, real_stack) == 50


def test_a_running_worker_recovers_without_a_restart_when_redis_goes_back(
    real_stack: Stack, redis_server: RedisServer, tmp_path: Path
) -> None:
    """A failover to a late replica loses writes; the worker finds an older offset and reads again from there."""
    with WorkerProcess(real_stack, tmp_path / "worker.log", touch_s=0.3) as worker:
        produce(real_stack, call_events(0, 300))
        with redis_server.client() as redis:
            worker.until(lambda: presented(redis, real_stack) == 300)
        older = redis_server.snapshot()
        produce(real_stack, call_events(300, 300))
        with redis_server.client() as redis:
            worker.until(lambda: presented(redis, real_stack) == 600)
        redis_server.restore(older)
        with redis_server.client() as redis:
            worker.until(lambda: presented(redis, real_stack) == 600)
            assert applied(redis, real_stack) == 600
        assert worker.health()["counts"]["moved"] >= 1
        worker.until_ready()


def test_without_redis_the_worker_waits_reports_it_and_continues_afterwards(
    real_stack: Stack, redis_server: RedisServer, tmp_path: Path
) -> None:
    """An outage loses nothing and needs no action: not ready, but live, with the reason on its page."""
    with WorkerProcess(real_stack, tmp_path / "worker.log", touch_s=0.3) as worker:
        worker.until_ready()
        redis_server.stop()
        produce(real_stack, call_events(0, 200))
        worker.until(lambda: worker.get("/readyz")[0] == 503)
        assert "Redis" in worker.get("/readyz")[1]
        assert worker.get("/livez")[0] == 200
        redis_server.start()
        with redis_server.client() as redis:
            worker.until(lambda: presented(redis, real_stack) == 200)
        worker.until_ready()
    assert "Traceback" not in worker.log()


def test_without_kafka_at_start_the_worker_waits_and_says_what_to_check(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    """No traceback and no exit: the page is up before Kafka is, and names the address."""
    nowhere = Stack("real", "127.0.0.1:9", redis_server.url, "test-nowhere")
    with WorkerProcess(nowhere, tmp_path / "worker.log") as worker:
        worker.until(lambda: "127.0.0.1:9" in worker.get("/readyz")[1])
        assert worker.get("/readyz")[0] == 503
        assert worker.get("/livez")[0] == 200
        worker.signal(signal.SIGTERM)
        assert worker.exit_code() == 0
    assert "Traceback" not in worker.log()
    assert "WATCHROOM_KAFKA" in worker.log()


def test_a_worker_that_is_cut_off_from_kafka_does_not_stay_fresh(
    own_kafka: KafkaServer, redis_server: RedisServer, redis: Redis, tmp_path: Path
) -> None:
    """Without answers it is unknown what is in the log. Once Kafka is back, freshness grows again."""
    stack = Stack("real", own_kafka.address, redis_server.url, "test-cut-off")
    key = "{test-cut-off}:partition:test-cut-off.calls:0"
    with WorkerProcess(stack, tmp_path / "worker.log", touch_s=0.2) as worker:
        worker.until_ready()
        fresh_ms = int(redis.hget(key, "fresh_ms") or 0)
        worker.until(lambda: int(redis.hget(key, "fresh_ms") or 0) > fresh_ms)
        own_kafka.kill()
        time.sleep(1.0)  # an answer already on its way may still arrive
        stood_ms = int(redis.hget(key, "fresh_ms") or 0)
        time.sleep(3.0)
        assert int(redis.hget(key, "fresh_ms") or 0) == stood_ms
        own_kafka.start()
        produce(stack, call_events(0, 20))
        worker.until(lambda: presented(redis, stack) == 20)
        worker.until(lambda: int(redis.hget(key, "fresh_ms") or 0) > stood_ms + 3000)
        worker.until_ready()
    assert worker.log().count("Failed fetch messages") < 5


def test_a_killed_worker_is_back_long_before_its_session_ends(real_stack: Stack, redis: Redis, tmp_path: Path) -> None:
    """Static membership: a deployment does not blank the wall for the length of a session."""
    more = {"session_timeout_s": 30}
    with WorkerProcess(real_stack, tmp_path / "worker.log", **more) as worker:
        produce(real_stack, call_events(0, 10))
        worker.until(lambda: presented(redis, real_stack) == 10)
        worker.kill()
    produce(real_stack, call_events(10, 10))
    started_s = time.monotonic()
    with WorkerProcess(real_stack, tmp_path / "again.log", **more) as again:
        again.until(lambda: presented(redis, real_stack) == 20)
    assert time.monotonic() - started_s < 15


def test_another_reporting_zone_ends_the_worker_with_2(real_stack: Stack, tmp_path: Path) -> None:
    """Figures under other definitions cannot be continued; the message says what changed and what to run."""
    with WorkerProcess(real_stack, tmp_path / "worker.log") as worker:
        worker.until_ready()
    with WorkerProcess(real_stack, tmp_path / "other.log", zone="Europe/Paris") as other:
        assert other.exit_code() == 2
    assert "watchroom rebuild" in other.log()
    assert "Europe/Paris" in other.log()


def test_a_health_port_that_is_taken_is_a_configuration_fault(real_stack: Stack, tmp_path: Path) -> None:
    """Two workers on one host need two ports; this is reported at once, with the setting's name."""
    with WorkerProcess(real_stack, tmp_path / "worker.log") as worker:
        worker.until(lambda: worker.get("/livez")[0] == 200)
        with WorkerProcess(real_stack, tmp_path / "other.log") as other:
            other.kill()
        other.port = worker.port
        other._environment["WATCHROOM_HEALTH_PORT"] = str(worker.port)
        with other:
            assert other.exit_code() == 2
    assert "WATCHROOM_HEALTH_PORT" in other.log()


def test_a_second_worker_with_the_same_name_exits_with_2_and_the_first_continues(
    real_stack: Stack, redis: Redis, tmp_path: Path
) -> None:
    """They would take the membership from each other for ever; the newer one says what to set."""
    with WorkerProcess(real_stack, tmp_path / "worker.log") as worker:
        worker.until_ready()
        time.sleep(3.5)  # half a session: a worker that has held the name for so long is not a newcomer
        with WorkerProcess(real_stack, tmp_path / "namesake.log") as namesake:
            assert namesake.exit_code() == 2
        assert "WATCHROOM_WORKER_NAME" in namesake.log()
        produce(real_stack, call_events(0, 100))
        worker.until(lambda: presented(redis, real_stack) == 100)
        worker.until_ready()
