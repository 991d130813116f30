"""The `watchroom` command as people run it: a process, its exit code and its output."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import NamedTuple

from tests.parts import ROOT


class Done(NamedTuple):
    """A command that has ended."""

    code: int
    out: bytes
    said: str  # standard error

    @property
    def lines(self) -> list[str]:
        """Its standard error, line by line."""
        return [line for line in self.said.splitlines() if line.strip()]


class Running:
    """A command that was started; `end` waits for it."""

    def __init__(self, *arguments: str, environment: Mapping[str, str]) -> None:
        self.arguments = arguments
        self._began_s = time.monotonic()
        kept = {name: value for name, value in os.environ.items() if not name.startswith("WATCHROOM_")}
        self._process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT,
            env={**kept, **environment, "PYTHONPATH": f"{ROOT / 'services'}{os.pathsep}{ROOT}"},
        )  # fmt: skip

    def end(self, within_s: float = 60) -> Done:
        """Wait for its end, at most this long after its start; one that hangs or shows a traceback fails the test."""
        try:
            left_s = max(0.1, self._began_s + within_s - time.monotonic())
            out, said = self._process.communicate(timeout=left_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            out, said = self._process.communicate()
            raise AssertionError(f"{self.arguments} still ran after {within_s} s: {said.decode()}") from None
        text = said.decode()
        if "Traceback" in text:
            raise AssertionError(f"{self.arguments} showed a traceback:\n{text}")
        return Done(self._process.returncode, out, text)


def watchroom(*arguments: str, environment: Mapping[str, str], within_s: float = 60) -> Done:
    """Run a command to its end."""
    return Running("watchroom", *arguments, environment=environment).end(within_s)
