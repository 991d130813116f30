"""Starting a partition at Redis's offset: patiently, and without taking one refusal for another log."""

from __future__ import annotations

import time

import pytest

from tests.flow.servers import Stack
from tests.intake.recorder import Recorder, RecordingApplier, consuming
from watchroom.errors import RebuildNeeded, StoreUnavailable
from watchroom.intake.health import Status
from watchroom.intake.intake import Intake
from watchroom.kafka.topics import ensure_topics


@pytest.mark.real
@pytest.mark.timeout(60)
async def test_kafka_is_asked_less_and_less_often_while_redis_is_away(
    real_stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each attempt asks the broker where the logs begin; twenty a second from every worker would be a load."""
    settings = real_stack.settings(partitions=1, touch_s=0.2)
    place = settings.topic("calls"), 0
    await ensure_topics(settings)
    tried_s: list[float] = []

    async def start(self: RecordingApplier) -> int | None:
        if self._topic_partition == place:
            tried_s.append(time.monotonic())
            if len(tried_s) < 7:
                raise StoreUnavailable
        self._next_offset = self._recorder.stored.get(self._topic_partition)
        return self._next_offset

    monkeypatch.setattr(RecordingApplier, "start", start)
    recorder = Recorder()
    async with consuming(settings, recorder):
        await recorder.until(lambda r: r.fresh_ms.get(place) is not None)
    assert tried_s[6] - tried_s[0] > 1.5


async def test_only_the_same_offset_refused_twice_is_above_the_end() -> None:
    """Retention may advance between finding the beginning and the fetch: that partition just starts once more."""
    recorder = Recorder()
    intake = Intake(lambda topic, partition: RecordingApplier(recorder, (topic, partition)), Status())
    intake.assign([("t", 0)])
    (partition,) = intake.assignment
    for begin in (5, 9, 12):
        partition.start_at(begin)
        intake.out_of_range(("t", 0), begin)
        assert not partition.is_reading
        assert intake.failure is None
    partition.start_at(12)
    intake.out_of_range(("t", 0), 12)
    assert isinstance(intake.failure, RebuildNeeded)
