"""Our own programs as child processes: they get every setting, and if one dies its log is shown."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.flow.servers import RedisServer
from watchroom.demo.processes import Process, environment
from watchroom.demo.server import free_port
from watchroom.errors import WorkFailed
from watchroom.settings import Days, Settings, SourceRule, read_settings

SETTINGS = read_settings(
    kafka="127.0.0.1:1",
    redis_url="redis://:secret@127.0.0.1:1/0",
    areas=("north", "south"),
    sources={"calls": {"acd": SourceRule(heartbeats=False, history=True)}},
    lateness_days=Days({"calls": 2, "incidents": 7, "crimes": 30}),
    touch_s=1.5,
)


def test_a_child_reads_back_exactly_the_settings_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting that got lost on the way would silently be the default."""
    for name, value in environment(SETTINGS).items():
        monkeypatch.setenv(name, value)
    assert read_settings() == SETTINGS
    not_for_children = 1  # the key of tokens
    assert len(environment(SETTINGS)) == len(Settings.model_fields) - not_for_children


@pytest.mark.real
def test_a_process_does_not_outlive_its_starter(redis_server: RedisServer, tmp_path: Path) -> None:
    """A killed test run or replay must not leave a worker behind that keeps running."""
    settings = SETTINGS.model_copy(update={"redis_url": redis_server.url, "exporter_port": free_port()})
    code = (
        "import sys, time; from pathlib import Path\n"
        "from watchroom.demo.processes import Process; from watchroom.settings import read_settings\n"
        "print(Process('exporter', read_settings(), Path(sys.argv[1])).start().pid, flush=True); time.sleep(60)"
    )
    starter = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "exporter.log")],
        env={**os.environ, **environment(settings)},
        stdout=subprocess.PIPE,
        text=True,
    )
    with starter:
        pid = int(starter.stdout.readline() if starter.stdout else 0)
        assert alive(pid)
        starter.kill()
    deadline_s = time.monotonic() + 20
    while alive(pid):
        assert time.monotonic() < deadline_s, "the exporter lives on without its starter"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    """Whether a process is running; one that has ended and waits to be reaped is not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_process_that_cannot_start_says_why_with_the_end_of_its_log(tmp_path: Path) -> None:
    """A worker without a catalogue ends with a message for people, which must not be lost in a file."""
    settings = SETTINGS.model_copy(update={"schemas": tmp_path / "nowhere", "health_port": free_port()})
    process = Process("worker", settings, tmp_path / "worker.log")
    with pytest.raises(WorkFailed, match=r"(?s)worker exited with code 2 while starting.*nowhere"):
        process.start()
    assert not process.running


@pytest.mark.real
def test_a_process_is_ended_by_its_own_id_and_its_death_is_detected(redis_server: RedisServer, tmp_path: Path) -> None:
    """An exporter is ready once it has read Redis."""
    settings = SETTINGS.model_copy(update={"redis_url": redis_server.url, "exporter_port": free_port()})
    with Process("exporter", settings, tmp_path / "exporter.log") as process:
        assert process.ready()
        process.check()
        pid = process.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not process.ready()
    with pytest.raises(WorkFailed, match="the exporter has ended"):
        process.check()


def test_no_port_is_assigned_twice() -> None:
    """A broker with eight listeners requests all its ports before it listens on the first."""
    ports = [free_port() for _ in range(300)]
    assert len(set(ports)) == len(ports)
