"""A topic deleted and created again under a running worker: another log, whose offsets look like the first one's."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from tests.flow.deleting import delete_calls
from tests.flow.servers import Stack
from tests.intake.recorder import Recorder, consuming
from tests.intake.worker_process import WorkerProcess
from watchroom.errors import RebuildNeeded
from watchroom.kafka.topics import ensure_topics
from watchroom.settings import Settings

pytestmark = [pytest.mark.real, pytest.mark.timeout(90)]


async def produce(settings: Settings, count: int) -> int:
    """Send calls to the calls' partition 0; returns its log's end."""
    event = {"specversion": "1.0", "source": "acd", "type": "call.presented", "time": datetime.now(UTC).isoformat()}
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka) as producer:
        for number in range(count):
            value = json.dumps({**event, "id": f"e{number}", "subject": f"{number}", "data": {"line": "999"}})
            sent = await producer.send_and_wait(settings.topic("calls"), value.encode(), str(number).encode(), 0)
    return int(sent.offset) + 1


async def test_a_topic_that_is_recreated_at_once_is_noticed(real_stack: Stack) -> None:
    """No assignment changes, and its end soon exceeds our offset: without its id it would pass for the old log."""
    settings = real_stack.settings(partitions=1, touch_s=0.2)
    place = settings.topic("calls"), 0
    log_ids = (await ensure_topics(settings)).log_ids
    recorder = Recorder()
    async with consuming(settings, recorder, log_ids) as intake:
        end = await produce(settings, 3)
        await recorder.until(lambda r: r.stored.get(place) == end)
        await delete_calls(settings)
        await ensure_topics(settings)
        await produce(settings, 10)
        await asyncio.wait_for(intake.failed.wait(), 30)
        assert isinstance(intake.failure, RebuildNeeded)
        assert f"topic {place[0]} was deleted and created again" in str(intake.failure)


def test_a_worker_whose_topic_is_gone_is_not_ready_and_exits_when_it_is_recreated(
    real_stack: Stack, tmp_path: Path
) -> None:
    """A worker that reads two of three topics looks healthy, but the third is missing on the wall."""
    settings = real_stack.settings(partitions=1)
    with WorkerProcess(real_stack, tmp_path / "worker.log", partitions=1) as worker:
        worker.until_ready()
        asyncio.run(delete_calls(settings))
        worker.until(lambda: f"{settings.topic('calls')} has no partitions" in worker.get("/readyz")[1])
        assert worker.get("/readyz")[0] == 503
        asyncio.run(ensure_topics(settings))
        assert worker.exit_code() == 2
    assert f"topic {settings.topic('calls')} was deleted and created again" in worker.log()
    assert "watchroom rebuild" in worker.log()
