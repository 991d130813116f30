"""Writes samples of the past into the storage of Prometheus, with `promtool tsdb create-blocks-from openmetrics`."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path

from watchroom.backtest.prometheus import program_path
from watchroom.errors import WorkFailed

LONGEST = "--max-block-duration=744h"  # 31 days; otherwise it reads the whole text again for every two hours


def write(lines: Iterable[str], folder: Path) -> None:
    """Write OpenMetrics lines, oldest first, into blocks below `folder/data`; without lines nothing is written.

    Raises:
        WorkFailed: promtool is missing, or refused them.
    """
    program = program_path("promtool")
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    text = folder / "samples.om"
    with text.open("w", encoding="utf-8") as file:
        file.writelines(lines)
        is_empty = file.tell() == 0
        file.write("# EOF\n")
    if not is_empty:
        command = [program, "tsdb", "create-blocks-from", "--quiet", LONGEST, "openmetrics", str(text), str(data)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # found by name
        if done.returncode:
            raise WorkFailed(f"promtool could not write the month's samples: {done.stderr.strip()[-500:]}")
    text.unlink()
