"""Follows a how-to page in a copy of the product: writes its files, runs its commands, reads their output.

A page's blocks are its steps:

- ```` ```toml title="path" ```` is a new file; with `title="append to path"` it is added at the end of one;
- ```` ```diff title="path" ```` changes a file: its lines without `+` are there once, its lines without `-` then;
- ```` ```console ```` has commands after `$ `, and below each what is seen then: these lines, in this order, among
  others.

`--8<-- "path"` stands for a file of the repository, as it does on the site.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from tests.parts import ROOT
from tests.planted.copies import LEFT_OUT, Copy

FENCE: Final = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SNIPPET: Final = re.compile(r"^--8<-- \"([^\"]+)\"$", re.MULTILINE)
APPEND: Final = "append to "
WITHIN_S: Final = 120
FAR_S: Final = 4_102_444_800  # 2100: make never takes pyproject.toml for newer, and never installs into the real .venv
COPIED: Final = ("deploy", "grafana", "tests", "Makefile", "pyproject.toml", "constraints.txt")
LEFT_THERE: Final = shutil.ignore_patterns("libs", "node_modules", "pictures", "*.png")


class Block(NamedTuple):
    """One step."""

    language: str
    title: str
    text: str


class StepFailed(AssertionError):
    """A step does not do what the page says."""


def blocks(page: str) -> Iterator[Block]:
    """The steps of a page, in order."""
    for language, title, text in FENCE.findall(page):
        yield Block(language, title, SNIPPET.sub(lambda found: (ROOT / found[1]).read_text("utf-8").rstrip(), text))


class Walk:
    """A copy of the product in which pages are followed."""

    def __init__(self, folder: Path) -> None:
        self.root = Copy(folder, rows=(), entries=(), modules=()).root
        for name in COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, self.root / name, ignore=_left_out, dirs_exist_ok=True)
            else:
                shutil.copy(ROOT / name, self.root / name)
        self._set_up()

    def _set_up(self) -> None:
        """What `make install` installs: the programs of `.venv`, here with the copy's code."""
        programs = self.root / ".venv" / "bin"
        programs.mkdir(parents=True)
        for name, arguments in (("python", ""), ("watchroom", " -m watchroom")):
            program = programs / name
            program.write_text(f'#!/bin/sh\nexec {sys.executable}{arguments} "$@"\n', encoding="utf-8")
            program.chmod(0o755)
        for name in ("ruff", "mypy", "lint-imports", "vulture", "pylint"):
            (programs / name).symlink_to(Path(sys.executable).parent / name)
        for name in (".run", ".dev"):
            stamp = self.root / ".venv" / name
            stamp.touch()
            os.utime(stamp, (FAR_S, FAR_S))

    def follow(self, page: str) -> int:
        """Do every step; returns their number.

        Raises:
            StepFailed: A step cannot be done, or shows something else.
        """
        done = 0
        for done, block in enumerate(blocks(page), start=1):  # noqa: B007  # the number of the last one
            if block.language == "console":
                self._run_all(block.text)
            elif not block.title:
                raise StepFailed(f"a block of {block.language} without a title: {block.text[:80]}")
            elif block.language == "diff":
                self._change(block)
            else:
                self._write(block)
        return done

    def run(self, command: str) -> str:
        """Run a command in the copy; what it printed.

        Raises:
            StepFailed: It ended with another exit code than 0.
        """
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("WATCHROOM_", "PYTEST_"))}
        done = subprocess.run(
            ["sh", "-c", command], cwd=self.root, check=False, text=True, timeout=WITHIN_S,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={
                **kept, "COLUMNS": "120", "PYTHONSAFEPATH": "1",
                "PYTHONPATH": f"{self.root / 'services'}{os.pathsep}{self.root}",
            },
        )  # fmt: skip
        if done.returncode:
            raise StepFailed(f"$ {command}\nended with {done.returncode}\n{done.stdout}")
        return done.stdout

    def _write(self, block: Block) -> None:
        appends = block.title.startswith(APPEND)
        path = self.root / block.title.removeprefix(APPEND)
        if path.exists() is not appends:
            raise StepFailed(f"{path.name}: {'is not there' if appends else 'is there already'}")
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_text("utf-8") + "\n" if appends else ""
        path.write_text(before + block.text, encoding="utf-8")

    def _change(self, block: Block) -> None:
        lines = block.text.splitlines(keepends=True)
        was = "".join(line[1:] for line in lines if line[0] != "+")
        becomes = "".join(line[1:] for line in lines if line[0] != "-")
        path = self.root / block.title
        text = path.read_text("utf-8")
        if text.count(was) != 1:
            raise StepFailed(f"{block.title} has this {text.count(was)} times, not once:\n{was}")
        path.write_text(text.replace(was, becomes), encoding="utf-8")

    def _run_all(self, text: str) -> None:
        for step in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            command, *expected = step.splitlines()
            said = self.run(command)
            left = iter(said.splitlines())
            for line in filter(None, expected):
                if not any(_squeezed(line) in _squeezed(each) for each in left):
                    raise StepFailed(f"$ {command}\ndoes not show, after the lines above it: {line}\n{said}")


def _left_out(folder: str, names: list[str]) -> set[str]:
    return LEFT_OUT(folder, names) | LEFT_THERE(folder, names)


def _squeezed(line: str) -> str:
    """Columns of tables may be wider or narrower."""
    return " ".join(line.split())
