"""Tasks of the Kafka client that nobody awaits: if one ends, the worker ends, and a restart recovers."""

from __future__ import annotations

import asyncio
from operator import attrgetter
from typing import Any

import pytest

from tests.flow.servers import Stack
from tests.intake.recorder import Recorder, consuming
from watchroom.errors import WorkFailed
from watchroom.kafka.topics import ensure_topics

pytestmark = [pytest.mark.real, pytest.mark.timeout(60)]


@pytest.mark.parametrize("part", ["_fetcher._fetch_task", "_coordinator._coordination_task"])
async def test_a_kafka_client_task_that_dies_ends_the_worker(real_stack: Stack, part: str) -> None:
    """Otherwise the worker would fetch nothing, or keep another's partitions, and look alive for ever."""
    settings = real_stack.settings(partitions=1, touch_s=0.2)
    place = settings.topic("calls"), 0
    await ensure_topics(settings)
    recorder = Recorder()
    async with consuming(settings, recorder) as intake:
        await recorder.until(lambda r: r.fresh_ms.get(place) is not None)
        consumer: Any = recorder.app and recorder.app.consumer
        thread = consumer._thread
        thread.thread_loop.call_soon_threadsafe(attrgetter(part)(thread._consumer).cancel)
        await asyncio.wait_for(intake.failed.wait(), 20)
        assert isinstance(intake.failure, WorkFailed)
        assert "restart the worker" in str(intake.failure)
