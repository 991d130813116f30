"""Where the programs of the real servers are on this machine, and how to pause one."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

from tests.parts import ROOT, SET_UP, PartMissing
from watchroom.demo.server import LocalServer

KAFKA_JARS = ROOT / "deploy" / "kafka" / "libs"


def program(part: str, *names: str) -> str:
    """The first of `names` that is installed; raises `PartMissing` if none is."""
    for name in names:
        if path := shutil.which(name):
            return path
    raise PartMissing(f"{part} is missing ({' or '.join(names)} is not on the path); {SET_UP}")


def kafka_jars() -> Path:
    """Folder of Apache Kafka's jars, complete."""
    if not (KAFKA_JARS / ".complete").exists():
        raise PartMissing(f"Apache Kafka is missing (no jars in deploy/kafka/libs); {SET_UP}")
    return KAFKA_JARS


def pause(server: LocalServer) -> None:
    """Suspend it without ending it: connections stay open, nothing answers."""
    os.kill(server.pid, signal.SIGSTOP)


def resume(server: LocalServer) -> None:
    """Let it run again after `pause`."""
    os.kill(server.pid, signal.SIGCONT)
