"""The boards of this repository and of catalogues that tests make up."""

from __future__ import annotations

import json
import shutil
from functools import cache
from pathlib import Path
from typing import Any

from tests.parts import ROOT, missing
from watchroom.catalogue.metrics import Family, all_families
from watchroom.generate.boards.files import outputs, sources_of

Dashboard = dict[str, Any]


@cache
def texts() -> dict[str, str]:
    """Path -> text, derived from this repository's catalogue."""
    return {path: make(ROOT) for path, make in outputs().items()}


def boards() -> dict[str, Dashboard]:
    """Uid -> dashboard; a copy each time, so that a test may break it."""
    found = (json.loads(text) for text in texts().values())
    return {board["uid"]: board for board in found}


@cache
def families() -> dict[str, Family]:
    """Every metric that Watchroom publishes."""
    return all_families(sources_of(ROOT).catalogue)


def panels(board: Dashboard) -> list[Dashboard]:
    """Those that show something, including those in collapsed rows."""
    return [
        panel for each in board["panels"] for panel in (each.get("panels", []) if each["type"] == "row" else [each])
    ]


def with_entry(folder: Path, file: str, entry: str) -> Path:
    """A root whose catalogue has one more entry."""
    shutil.copytree(ROOT / "schemas", folder / "schemas")
    path = folder / "schemas" / "measures" / file
    path.write_text(path.read_text(encoding="utf-8") + "\n" + entry, encoding="utf-8")
    return folder


def promtool() -> str:
    """Debian's promtool."""
    return shutil.which("promtool") or missing("no promtool; run `make test`, or as root deploy/setup/servers.sh")
