"""Samples of the past into Prometheus' own storage, by `promtool tsdb create-blocks-from openmetrics`."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path

from watchroom.backtest.prometheus import found
from watchroom.errors import WorkFailed

LONGEST = "--max-block-duration=744h"  # 31 days; else it reads the whole text again for every two hours


def write(lines: Iterable[str], folder: Path) -> None:
    """Write OpenMetrics lines, oldest first, into the blocks of `folder/data`; nothing if there are none.

    Raises:
        WorkFailed: promtool is missing, or refused them.
    """
    program = found("promtool")
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    text = folder / "samples.om"
    is_empty = True
    with text.open("w", encoding="utf-8") as file:
        for line in lines:
            is_empty = False
            file.write(line)
        file.write("# EOF\n")
    if not is_empty:
        command = [program, "tsdb", "create-blocks-from", "--quiet", LONGEST, "openmetrics", str(text), str(data)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # found by name
        if done.returncode:
            raise WorkFailed(f"promtool could not write the month's samples: {done.stderr.strip()[-500:]}")
    text.unlink()
