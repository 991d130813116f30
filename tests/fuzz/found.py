"""Inputs that once caused a fault, as files: JSON, in which each byte is a character."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from tests.fuzz.targets import Input

FOUND = Path(__file__).parent / "inputs"


def save(target: str, given: Input, path: Path | None = None) -> Path:
    """Write an input; without a path, among those that were found, under a name with its target."""
    parts = [part.decode("latin-1") for part in given]
    text = json.dumps({"target": target, "parts": parts}, indent=1)
    if path is None:
        FOUND.mkdir(exist_ok=True)
        path = FOUND / f"{target}-{hashlib.sha256(text.encode()).hexdigest()[:10]}.json"
    path.write_text(text + "\n", encoding="ascii")
    return path


def load(path: Path) -> tuple[str, Input]:
    """Target and input of a file."""
    said = json.loads(path.read_text(encoding="ascii"))
    return said["target"], tuple(part.encode("latin-1") for part in said["parts"])
