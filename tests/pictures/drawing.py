"""What is drawn, and the drawing program's report about it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.flow.servers.program import program
from tests.parts import ROOT
from watchroom.errors import WorkFailed

RENDER = ROOT / "grafana" / "render"
NOTE = "simulated force, drawn by Grafana's own components, not by a Grafana server"
WIDTH, HEIGHT = 1920, 1080
DRAWN_WITHIN_S = 300
_AGO = re.compile(r"now-(\d+)([smhdwMy])")
_UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "M": 2_592_000, "y": 31_536_000}
_SHORTEST_S = 120
VALUES = ("stat", "bargauge", "table")
AGE = "Data age"  # the one panel of a measures' board that is about the platform


@dataclass(frozen=True)
class Picture:
    """One board once, in one theme; `sights` are further pictures of it, as other eyes see it."""

    board: Path
    out: Path
    theme: str = "dark"
    sights: Mapping[str, Path] = field(default_factory=dict)


def board_files(folder: Path) -> list[Path]:
    """The dashboards of a folder, the wall first."""
    files = sorted(folder.glob("*.json"), key=lambda path: ("live" not in path.stem, path.stem))
    if not files:
        raise WorkFailed(f"no dashboard in {folder}; run `make generate` first, or give --boards FOLDER")
    return files


def range_s(board: Mapping[str, Any], live_s: float) -> int:
    """Seconds that graphs look back: the board's own range, but no longer than the available history."""
    found = _AGO.fullmatch(str(board.get("time", {}).get("from", "")))
    own_s = int(found[1]) * _UNIT_S[found[2]] if found else 3600
    return max(_SHORTEST_S, min(own_s, int(live_s)))


def draw(pictures: Sequence[Picture], prometheus: str, live_from_s: float, force: str) -> list[dict[str, Any]]:
    """Draw all, and return what was drawn: for each picture its panels, their texts and what failed.

    Raises:
        WorkFailed: The drawing program ended in an error.
    """
    jobs = [_job(picture, prometheus, live_from_s, force) for picture in pictures]
    browser = shutil.which("chromium") or program("Chromium", "google-chrome")
    done = subprocess.run(
        [program("Node", "node"), "shoot.mjs"],
        input=json.dumps(jobs), cwd=RENDER, env={**os.environ, "CHROMIUM": browser},
        capture_output=True, text=True, check=False, timeout=DRAWN_WITHIN_S,
    )  # fmt: skip
    if done.returncode:
        raise WorkFailed(f"grafana/render/shoot.mjs ended with {done.returncode}:\n{done.stderr}")
    drawn: list[dict[str, Any]] = json.loads(done.stdout)
    return drawn


def faults(drawn: Mapping[str, Any], *, is_live: bool) -> list[str]:
    """The faults of one picture, as far as a program can tell.

    Args:
        drawn: As `draw` returns it.
        is_live: Whether measures are published at this moment: then every panel has something to show, else none of
            a measure may show a number, and nothing may say that all is normal.
    """
    name = Path(drawn["out"]).name
    found = [f"{name}: {text}" for text in (*drawn["failures"], *drawn["complaints"])]
    is_platform = "platform" in Path(drawn["board"]).stem  # it says what works and what does not, at all times
    for panel in drawn["panels"]:
        place = f"{name}: panel {panel['id']} “{panel['title']}”"
        found += [f"{place}: {error}" for error in panel["errors"]]
        found += [f"{place}: cut off: {text!r}" for text in panel["cut"]]
        if not panel["isDrawn"]:
            found.append(f"{place}: type {panel['type']} is not drawn here")
        if is_live and panel["asked"] and not panel["series"]:
            found.append(f"{place}: no series")
        if not is_live and not is_platform and (lie := _lie(panel)):
            found.append(f"{place}: {lie}")
    return found


def _lie(panel: Mapping[str, Any]) -> str:
    """What a panel pretends while no measure is published; empty when it is honest. Graphs show the past."""
    if panel["type"] not in VALUES or not panel["asked"]:
        return ""
    if panel["title"] == AGE:
        return f"says “{panel['text']}” while nothing is published" if "NORMAL" in panel["text"] else ""
    return "" if "NO DATA" in panel["text"] else f"shows “{panel['text']}” while nothing is published"


def texts(drawn: Iterable[Mapping[str, Any]]) -> str:
    """What every panel says, to be read alongside the pictures."""
    lines = []
    for picture in drawn:
        lines.append(f"{Path(picture['out']).name} (content {picture['contentHeight']:.0f} px high)")
        lines += [f"  {panel['id']:>3} {panel['type']:<12} {panel['text']}" for panel in picture["panels"]]
    return "\n".join(lines) + "\n"


def _job(picture: Picture, prometheus: str, live_from_s: float, force: str) -> dict[str, Any]:
    looks_back_s = range_s(json.loads(picture.board.read_text()), time.time() - live_from_s)
    return {
        "board": str(picture.board),
        "out": str(picture.out),
        "theme": picture.theme,
        "sights": {sight: str(path) for sight, path in picture.sights.items()},
        "prometheus": prometheus,
        "rangeS": looks_back_s,
        "width": WIDTH,
        "height": HEIGHT,
        "variables": {"force": force},
        "note": NOTE,
    }
