"""`make boards` (`ARGS="--months 1"`): every board drawn on live simulated data, in a surge, and with the feed dead.

Real Kafka, Redis, worker, exporter and Prometheus; the boards are drawn by Grafana's own components in
headless Chromium. The pictures are for people to look at; nothing compares their pixels. Beside them,
`report.txt` holds what each panel says and what a program can find wrong; the exit code is 1 if a query or a
component failed, or a panel showed a number while nothing was published.
"""

from __future__ import annotations

import argparse
import logging
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from tests.parts import ROOT, PartMissing
from tests.pictures.deployment import Deployment, running_deployment
from tests.pictures.drawing import Picture, board_files, draw, faults, texts
from watchroom.demo.signals import term_is_interrupt
from watchroom.errors import WatchroomError

BOARDS, OUT, PUBLIC = ROOT / "grafana" / "dashboards", ROOT / "build" / "boards", ROOT / "grafana" / "pictures"
SIGHTS = ("deuteranopia", "protanopia", "achromatopsia")
LIVE_S, SURGE_S = 150.0, 100.0  # how long each is let run before it is drawn
DEAD_WITHIN_S = 200.0  # a silent source withholds its stream after 90 s
STALE_WITHIN_S = 40.0
FRESH = "max(watchroom_stream_withheld) == 0"
ALL_WITHHELD = "min(watchroom_stream_withheld) == 1"


class Session:
    """The pictures of one deployment, in the order of events."""

    def __init__(self, boards: list[Path], out: Path, console: Console) -> None:
        self._boards = boards
        self._out = out
        self._console = console
        self._drawn: list[dict[str, Any]] = []
        self._faults: list[str] = []

    def run(self, deployment: Deployment, live_s: float) -> list[str]:
        """Draw everything; returns the faults."""
        wall = self._boards[0]
        deployment.let_run(live_s)
        every = [self._picture(board, "normal", theme) for board in self._boards for theme in ("dark", "light")]
        self._shoot(deployment, every, is_live=True)
        self._console.print("a surge of 999 calls begins")
        deployment.surge()
        deployment.let_run(SURGE_S)
        self._shoot(deployment, [self._picture(wall, "surge"), self._picture(wall, "surge", "light")], is_live=True)
        self._console.print("the feed dies")
        deployment.kill_feeds()
        deployment.prometheus.until(ALL_WITHHELD, DEAD_WITHIN_S)
        dead = [self._picture(board, "feed-dead") for board in self._boards]
        self._shoot(deployment, [*dead, self._picture(wall, "feed-dead", "light")], is_live=False)
        self._console.print("the worker dies as well")
        deployment.kill_worker()
        deployment.prometheus.until('up{job="watchroom-worker"} == 0', STALE_WITHIN_S)
        time.sleep(deployment.settings.fresh_s)
        self._shoot(deployment, [self._picture(board, "worker-dead") for board in self._boards], is_live=False)
        return self._faults

    def _picture(self, board: Path, state: str, theme: str = "dark") -> Picture:
        name = f"{board.stem}-{state}-{theme}"
        is_wall = board == self._boards[0] and theme == "dark" and state in ("normal", "surge")
        sights = {sight: self._out / "sights" / f"{name}-{sight}.png" for sight in SIGHTS} if is_wall else {}
        return Picture(board, self._out / f"{name}.png", theme, sights)

    def _shoot(self, deployment: Deployment, pictures: Sequence[Picture], *, is_live: bool) -> None:
        began_s = time.monotonic()
        drawn = draw(pictures, deployment.prometheus.url, deployment.live_from_s, deployment.settings.force)
        self._drawn += drawn
        for each in drawn:
            self._faults += faults(each, is_live=is_live)
        self._console.print(f"drew {len(drawn)} pictures in {time.monotonic() - began_s:.0f} s")
        report = "\n".join([*self._faults, "", texts(self._drawn)])
        (self._out / "report.txt").write_text(report)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0, or 1 with the missing part or the faults on standard error."""
    options = _options(arguments)
    console = Console(stderr=True, highlight=False)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it complains while the broker is starting
    try:
        boards = board_files(options.boards)
        shutil.rmtree(options.out, ignore_errors=True)
        options.out.mkdir(parents=True)
        with (
            term_is_interrupt(),
            tempfile.TemporaryDirectory(prefix="watchroom-boards-") as folder,
            running_deployment(Path(folder), options.months, console.print) as running,
        ):
            found = Session(boards, options.out, console).run(running, options.live)
    except KeyboardInterrupt:
        return 130
    except (WatchroomError, PartMissing) as error:
        console.print(f"make boards: {error}", style="red", markup=False)
        return 1
    for fault in found:
        console.print(fault, markup=False)
    console.print(f"pictures and report.txt in {options.out}", markup=False)
    if options.publish:
        _publish(boards[0], options.out)
    return 1 if any("no series" not in fault and "cut off" not in fault for fault in found) else 0


def _publish(wall: Path, out: Path) -> None:
    """Copy the two pictures of the README to their folder."""
    PUBLIC.mkdir(exist_ok=True)
    for state, name in (("surge", "live-dark"), ("feed-dead", "live-feed-dead")):
        shutil.copy(out / f"{wall.stem}-{state}-dark.png", PUBLIC / f"{name}.png")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make boards", description="Draw every board on live simulated data.")
    parser.add_argument("--months", type=int, default=13, help="complete months before this one (13: what Month shows)")
    parser.add_argument("--live", type=float, default=LIVE_S, metavar="SECONDS", help="live time before drawing")
    parser.add_argument("--boards", type=Path, default=BOARDS, help="folder of dashboards")
    parser.add_argument("--out", type=Path, default=OUT, help="folder for the pictures; emptied first")
    parser.add_argument("--publish", action="store_true", help="also renew the README's pictures in grafana/pictures")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
