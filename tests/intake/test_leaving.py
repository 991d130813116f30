"""A stream that Redis holds under another definition is dropped, and the others continue."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from redis import Redis
from structlog.testing import capture_logs

from tests.flow.servers import RedisServer, Stack
from tests.intake.one_partition import FORCE, OnePartition, batch, record
from tests.intake.recorder import Recorder, consuming
from watchroom.errors import DefinitionsReturned, OtherDefinitions, StoreUnavailable
from watchroom.intake.assigned_partition import Answer, AssignedPartition
from watchroom.intake.assignment import REMEDIES, AtStart
from watchroom.intake.background import end_when_returned, repeat, write_freshness_forever
from watchroom.intake.batches import Fetched
from watchroom.intake.health import Health, Status
from watchroom.intake.intake import Intake
from watchroom.kafka.topic_metadata import LogsSeen
from watchroom.kafka.topics import ensure_topics
from watchroom.store.keys import Keys
from watchroom.streams import STREAMS
from watchroom.timing import now_ms

META = Keys(FORCE).meta
SAID = "crimes is not processed because Redis holds its figures under a different definition: "
CHANGED = {"crimes": "measure crime_recorded changed"}

pytestmark = pytest.mark.real


class Working:
    """A worker without Kafka: one assigned partition of each stream on a real Redis, all started."""

    def __init__(self, redis_url: str) -> None:
        self.one = OnePartition(redis_url)
        status = Status()
        self.intake = Intake(
            lambda topic, partition: self.one.applier(topic.rpartition(".")[2], partition),
            status,
            AtStart(self.one.served),
        )
        self.health = Health(status)
        self.health.intake = self.intake

    async def start(self) -> None:
        """Assign and start every partition."""
        self.intake.assign([(topic, 0) for topic in self.one.served.values()])
        for partition in self.intake.assignment:
            await self.assign(partition)

    async def assign(self, partition: AssignedPartition) -> None:
        """Do what the consumer does before its next fetch."""
        at = await self.intake.start(partition, 0)
        if at is not None:
            partition.start_at(at)
            partition.note(Answer(now_ms(), at, at))

    def partition(self, stream: str) -> AssignedPartition:
        """The partition of a stream."""
        found = self.intake.assignment.get((self.one.served[stream], 0))
        assert found is not None
        return found

    def streams(self) -> list[str]:
        """Streams that have a partition."""
        return [each.topic_partition.topic.rpartition(".")[2] for each in self.intake.assignment]


@pytest.fixture
async def working(redis_server: RedisServer) -> AsyncIterator[Working]:
    """A worker that has just started."""
    made = Working(redis_server.url)
    await made.start()
    yield made
    await made.one.close()


@pytest.fixture
def client(redis_server: RedisServer) -> Iterator[Redis]:
    """A plain client."""
    with redis_server.client() as plain:
        yield plain


def redefine(client: Redis, *streams: str) -> None:
    """Change the stored definitions of these streams, as a rebuild under other definitions would."""
    for stream in streams:
        fields: dict[Any, Any] = {f"fingerprint:{stream}": "another", f"definition:{stream}": '{"other": 1}'}
        client.hset(META, mapping=fields)


async def by_batch(working: Working) -> None:
    """A batch of crimes arrives."""
    crime = record(0, "crime.recorded", "09:00:00", group="Robbery")
    partition = working.partition("crimes")
    working.intake.handle(Fetched(batch(0, crime, stream="crimes"), partition.epoch))
    await asyncio.wait(working.intake._in_hand, timeout=10)


async def by_freshness(working: Working) -> None:
    """No event arrives; the timer runs."""
    writing = asyncio.create_task(write_freshness_forever(working.intake, 0.02))
    async with asyncio.timeout(10):
        while "crimes" in working.streams() and not working.intake.failed.is_set():  # noqa: ASYNC110 - nothing announces it
            await asyncio.sleep(0.01)
    writing.cancel()
    with suppress(asyncio.CancelledError):
        await writing


async def by_assigning(working: Working) -> None:
    """A rebalance: the partition is started again."""
    await working.assign(working.partition("crimes"))


WAYS = [by_batch, by_freshness, by_assigning]


@pytest.mark.parametrize("find", WAYS, ids=lambda find: find.__name__)
async def test_a_redefined_stream_is_dropped_however_it_is_noticed_and_the_others_continue(
    find: Any, working: Working, client: Redis
) -> None:
    """Rebuilding crimes under another catalogue must not stop the 999 calls."""
    redefine(client, "crimes")
    with capture_logs() as logs:
        await find(working)
        working.intake.streams.leave({"crimes": "again"})
    (line,) = [entry for entry in logs if "not processed" in entry["event"]]
    assert line["event"].startswith(SAID)
    assert "other was removed" in line["event"]
    assert working.streams() == [stream for stream in STREAMS if stream != "crimes"]
    assert working.intake.failure is None
    assert working.intake.streams.left.keys() == {"crimes"}
    call = record(0, "call.queued", "09:00:00", line="999")
    working.intake.handle(Fetched(batch(0, call), working.partition("calls").epoch))
    await asyncio.wait(working.intake._in_hand, timeout=10)
    assert working.one.next_offset("calls") == 1
    assert working.one.next_offset("crimes") == 0


async def test_a_batch_of_a_dropped_stream_that_was_already_fetched_is_discarded(working: Working) -> None:
    """It was queued under the old definition."""
    partition = working.partition("crimes")
    fetched = partition.hand_out(batch(0, record(0, "crime.recorded", "09:00:00", group="Robbery"), stream="crimes"))
    assert fetched is not None
    working.intake.streams.leave(CHANGED)
    working.intake.handle(fetched)
    await working.intake.let_go()
    assert working.one.next_offset("crimes") == 0
    assert working.intake.status.counts["stale_batches"] == 1


async def test_a_rebalance_starts_no_partition_of_a_dropped_stream(working: Working) -> None:
    """Its partitions may still be assigned to us, but nothing of them is applied."""
    working.intake.streams.leave(CHANGED)
    working.intake.assign([(topic, 0) for topic in working.one.served.values()])
    assert working.streams() == [stream for stream in STREAMS if stream != "crimes"]


async def test_a_worker_without_any_stream_exits_with_2_and_names_them_all(working: Working) -> None:
    """All that it could do would be to look alive."""
    working.intake.streams.leave(CHANGED)
    others = [stream for stream in STREAMS if stream != "crimes"]
    working.intake.streams.leave(dict.fromkeys(others, "fold version changed from 1 to 2"))
    failure = working.intake.failure
    assert isinstance(failure, OtherDefinitions)
    assert failure.exit_code == 2
    assert str(failure).endswith(
        f"crimes: measure crime_recorded changed; {', '.join(others)}: fold version changed from 1 to 2;"
        " run `watchroom rebuild`"
    )


@pytest.mark.parametrize("find", WAYS, ids=lambda find: find.__name__)
async def test_a_rebuild_that_begins_ends_the_worker(find: Any, working: Working, client: Redis) -> None:
    """It ends for all streams at once: if one continued, it would write into what is being cleared."""
    client.hset(META, "clearing", 1)
    await find(working)
    assert isinstance(working.intake.failure, OtherDefinitions)
    assert f"{', '.join(STREAMS)}: a rebuild is running, or was interrupted" in str(working.intake.failure)


async def test_a_dropped_stream_is_on_the_health_page_and_is_no_reason_to_restart(working: Working) -> None:
    """A restart would drop it again; a reader of the page must still see it."""
    for partition in working.intake.assignment:
        partition.freshness_written()
    assert working.health.report()["left"] == {}
    behind = working.partition("crimes")
    behind.note(Answer(now_ms(), 0, 10))
    behind._progress_at_s -= 3600
    assert working.health.not_live()
    working.intake.streams.leave(CHANGED)
    assert working.health.not_live() == working.health.not_ready() == []
    left = {"crimes": f"{SAID}measure crime_recorded changed; {REMEDIES}"}
    assert working.health.report()["left"] == working.health.left() == left


async def test_a_recreated_topic_of_a_dropped_stream_is_ignored(working: Working) -> None:
    """A worker that does not read the topic need not end or become unready when it is deleted or recreated."""
    topic = working.one.served["crimes"]
    working.intake.streams._log_ids[topic] = "one"
    working.intake.streams.leave(CHANGED)
    working.intake.streams.logs_seen(LogsSeen({topic: "two"}, [topic]))
    assert working.intake.failure is None
    assert working.intake.streams.without_partitions == []
    working.intake.streams._log_ids[working.one.served["calls"]] = "one"
    working.intake.streams.logs_seen(LogsSeen({working.one.served["calls"]: "two"}, [working.one.served["incidents"]]))
    assert "was deleted and created again" in str(working.intake.failure)
    assert working.intake.streams.without_partitions == [working.one.served["incidents"]]


async def ended(intake: Intake) -> Exception | None:
    """Why the process ends, once it does."""
    async with asyncio.timeout(10):
        await intake.failed.wait()
    return intake.failure


class Polling:
    """Polls the store, and counts the answers."""

    def __init__(self, working: Working) -> None:
        self._working = working
        self._answered = asyncio.Condition()
        self.answers = 0

    async def poll(self) -> set[str]:
        """Streams that Redis holds under our definitions."""
        found = await self._working.one.agreeing()
        async with self._answered:
            self.answers += 1
            self._answered.notify_all()
        return found

    async def more(self, count: int = 2) -> None:
        """Wait until this many more answers have been acted upon."""
        wanted = self.answers + count + 1  # the last one has not been acted upon yet
        async with asyncio.timeout(10), self._answered:
            await self._answered.wait_for(lambda: self.answers >= wanted)


@pytest.fixture
async def polling(working: Working) -> AsyncIterator[Polling]:
    """The running timer of the dropped streams."""
    made = Polling(working)
    timer = asyncio.create_task(repeat(working.intake, 0.01, lambda: end_when_returned(working.intake, made.poll)))
    yield made
    timer.cancel()
    with suppress(asyncio.CancelledError):
        await timer


async def test_a_dropped_stream_that_matches_again_ends_the_worker_with_1(
    working: Working, polling: Polling, client: Redis
) -> None:
    """Its supervisor then starts it again with that stream."""
    ours: Any = client.hgetall(META)
    redefine(client, "crimes")
    await by_freshness(working)
    await polling.more()
    assert working.intake.failure is None
    client.hset(META, mapping=ours)
    failure = await ended(working.intake)
    assert isinstance(failure, DefinitionsReturned)
    assert failure.exit_code == 1
    assert str(failure) == (
        "Redis holds crimes under this worker's definition again; "
        "the worker exits so that its supervisor restarts it with that stream"
    )


async def test_a_stream_dropped_at_the_start_is_checked_as_well(working: Working, polling: Polling) -> None:
    """This worker never had a partition of it."""
    working.intake.streams.left["crimes"] = "measure crime_recorded changed"
    assert isinstance(await ended(working.intake), DefinitionsReturned)
    assert polling.answers


@pytest.mark.parametrize("state", ["clearing", "cleared"])
async def test_a_stream_being_cleared_by_a_rebuild_does_not_match(
    state: str, working: Working, polling: Polling, client: Redis
) -> None:
    """After clearing, the rebuild stores the definitions of its own catalogue, whatever they are."""
    if state == "clearing":
        client.hset(META, "clearing", 1)
    else:
        client.delete(META)
    working.intake.streams.leave(CHANGED)
    await polling.more()
    assert working.intake.failure is None


async def test_a_redis_that_does_not_answer_is_asked_again(working: Working) -> None:
    """No answer says nothing about definitions."""
    asked = 0

    async def ask() -> set[str]:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise StoreUnavailable("gone")
        return {"crimes"}

    working.intake.streams.leave(CHANGED)
    timer = asyncio.create_task(repeat(working.intake, 0.01, lambda: end_when_returned(working.intake, ask)))
    assert isinstance(await ended(working.intake), DefinitionsReturned)
    timer.cancel()
    assert working.intake.status.counts["redis_retries"] == 1


async def test_partitions_of_a_dropped_stream_are_released_and_hold_up_no_other(real_stack: Stack) -> None:
    """Another worker of the group may serve them; our other partitions continue."""
    settings = real_stack.settings(partitions=1, touch_s=0.2)
    await ensure_topics(settings)
    places = {stream: (settings.topic(stream), 0) for stream in settings.streams}
    recorder = Recorder()

    async def send(count: int) -> None:
        async with AIOKafkaProducer(bootstrap_servers=settings.kafka) as producer:
            for topic, _ in places.values():
                for number in range(count):
                    await producer.send_and_wait(topic, b"{}", str(number).encode())

    async with consuming(settings, recorder) as intake:
        await recorder.until(lambda r: all(r.fresh_ms.get(place) for place in places.values()))
        await send(5)
        await recorder.until(lambda r: all(r.stored.get(place) == 5 for place in places.values()))
        intake.streams.leave(CHANGED)
        assert recorder.app is not None
        consumer: Any = recorder.app.consumer
        async with asyncio.timeout(10):
            while consumer.assignment() != {places[each] for each in ("calls", "incidents", "returns")}:  # noqa: ASYNC110 - nothing announces it
                await asyncio.sleep(0.05)
        await send(5)
        await recorder.until(lambda r: r.stored.get(places["calls"]) == r.stored.get(places["incidents"]) == 10)
        assert recorder.stored[places["crimes"]] == 5
        assert recorder.offsets(places["calls"]) == list(range(10))
        assert intake.failure is None
        assert intake.status.counts["rebalances"] == 2
