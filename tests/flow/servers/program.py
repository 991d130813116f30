"""Where the programs of the real servers are on this machine."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.parts import ROOT, SET_UP, PartMissing

KAFKA_JARS = ROOT / "deploy" / "kafka" / "libs"


def program(part: str, *names: str) -> str:
    """The first of `names` that is installed; `PartMissing` when none is."""
    for name in names:
        if path := shutil.which(name):
            return path
    raise PartMissing(f"{part} is missing ({' or '.join(names)} is not on the path); {SET_UP}")


def kafka_jars() -> Path:
    """Folder of Apache Kafka's jars, complete."""
    if not (KAFKA_JARS / ".complete").exists():
        raise PartMissing(f"Apache Kafka is missing (no jars in deploy/kafka/libs); {SET_UP}")
    return KAFKA_JARS
