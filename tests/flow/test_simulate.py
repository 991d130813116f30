"""`watchroom simulate` into a given Kafka: what is sent is applied, and live events keep the streams alive."""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from tests.flow.servers import Stack
from watchroom.demo.command import SIMULATED_SOURCES
from watchroom.demo.processes import Process
from watchroom.demo.server import free_port
from watchroom.errors import BrokerUnavailable, ConfigurationInvalid, WorkFailed
from watchroom.settings import Settings
from watchroom.simulator import SOURCES
from watchroom.simulator.command import run_simulate
from watchroom.store.read import Reader
from watchroom.streams import STREAMS

WAITED_FOR = {stream: source for stream, source in SOURCES.items() if STREAMS[stream].is_waited_for}


@pytest.fixture
def settings(embedded_stack: Stack) -> Settings:
    """A new force that feeds what is simulated, and knows the simulator's sources."""
    return embedded_stack.settings(streams=tuple(SOURCES), sources=SIMULATED_SOURCES, health_port=free_port())


@pytest.mark.embedded
def test_simulated_days_are_applied_and_the_live_part_is_seen(settings: Settings, tmp_path: Path) -> None:
    """The same events as in the demo, on servers that the user provides."""
    said = io.StringIO()
    with Process("worker", settings, tmp_path / "worker.log") as worker:
        assert run_simulate(settings, days=1, console=Console(file=said)) == 0
        sent = int(re.findall(r"sent ([\d,]+) events in", said.getvalue())[-1].replace(",", ""))
        assert sent > 5_000
        reader = Reader(settings.redis_url, settings.force)
        until(worker, lambda: sum(state.next_offset or 0 for state in reader.partitions().values()) == sent)
        assert reader.dead_letters() == {}
        assert run_simulate(settings, days=0, live=True, for_s=0.5, console=Console(file=said)) == 0
        places = [(settings.topic(stream), source) for stream, source in WAITED_FOR.items()]
        until(worker, lambda: all(place in reader.sources() for place in places))
        until(worker, lambda: all(reader.sources()[place].heartbeat_ms for place in places))
        reader.close()


def test_topics_that_no_worker_has_created_are_not_created_by_sending(settings: Settings) -> None:
    """A topic that the broker creates by itself has other partitions and other timestamps."""
    with pytest.raises(WorkFailed, match="start `watchroom worker` first"):
        run_simulate(settings, days=1)


def test_sources_that_the_workers_treat_as_live_are_refused(settings: Settings) -> None:
    """Every past event would be a dead letter, because it is late."""
    with pytest.raises(ConfigurationInvalid) as refused:
        run_simulate(settings.model_copy(update={"sources": {}}), days=1, months=1, busy=0)
    assert [fault.where for fault in refused.value.faults] == [
        "--days",
        "--busy",
        *["WATCHROOM_SOURCES"] * len(WAITED_FOR),
    ]
    assert json.loads(refused.value.faults[2].write.partition("} here")[0] + "}") == {
        "calls": {"sim-telephony": {"history": True}}
    }


def test_a_broker_that_is_not_there_is_named_in_the_message(settings: Settings) -> None:
    """One clear line with the address."""
    with pytest.raises(BrokerUnavailable, match=r"no answer from Kafka at 127\.0\.0\.1:1 "):
        run_simulate(settings.model_copy(update={"kafka": "127.0.0.1:1"}), days=1)


def until(worker: Process, done: Callable[[], bool]) -> None:
    """Wait for a condition while the worker runs."""
    end_s = time.monotonic() + 60
    while not done():
        worker.check()
        assert time.monotonic() < end_s
        time.sleep(0.05)
