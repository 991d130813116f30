"""Copies of the product with a planted kind and a planted stream, and the outputs of such a copy.

Everything runs in processes with the copy's own code; each output, or the reason for its failure, is stored.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from tests.parts import ROOT
from watchroom.streams import STREAMS

HERE = Path(__file__).parent
Planted = Literal["kind", "stream"]
BOTH: tuple[Planted, ...] = ("kind", "stream")
# The registry, what its modules call their row, and the module that is planted.
REGISTRIES: Mapping[Planted, tuple[str, str, str]] = {
    "kind": ("kinds", "KIND", "spread"),
    "stream": ("streams", "STREAM", "visits"),
}
LAST_TILE = re.compile(r"\n\[\[calls_in_progress\.tiles]]\n(?:.+\n)+")
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.egg-info")
WITHIN_S = 100


class Refused(Exception):
    """A process of the copy ended with an error; `code` is its exit code, the text its output."""

    def __init__(self, code: int, said: str) -> None:
        self.code = code
        super().__init__(said)


class Copy:
    """One copy.

    Args:
        folder: Where it is made.
        rows: The registries that get their row.
        entries: Which of the two have entries; an entry that uses both needs both.
        modules: Which of the two modules are planted.
        by_default: Whether every force feeds the stream; else the environment says that this one does.
    """

    def __init__(
        self, folder: Path, rows: Collection[Planted] = BOTH, entries: Collection[Planted] = BOTH, *,
        modules: Collection[Planted] = BOTH, by_default: bool = False,
    ) -> None:  # fmt: skip
        self.root = folder / "copy"
        self._made: dict[str, object] = {}
        feeds = [*STREAMS, *(["visits"] if "stream" in rows else [])]
        self._environment = {"WATCHROOM_AREAS": '["stoke", "county"]'}
        if not by_default:
            self._environment["WATCHROOM_STREAMS"] = ",".join(feeds)
        for name in ("services", "schemas"):
            shutil.copytree(ROOT / name, self.root / name, ignore=LEFT_OUT)
        for what in modules:
            self._plant(what, has_row=what in rows)
        if by_default:
            self.change("services/watchroom/streams/visits.py", "keeping_days=10,", "keeping_days=10, by_default=True,")
        self._enter(entries)
        if "stream" in rows:
            shutil.copytree(HERE / "events", self.root / "schemas" / "events", dirs_exist_ok=True)

    def _plant(self, what: Planted, *, has_row: bool) -> None:
        package, constant, module = REGISTRIES[what]
        folder = self.root / "services" / "watchroom" / package
        shutil.copy(HERE / f"{module}.py", folder / f"{module}.py")
        if has_row:
            registry = f"services/watchroom/{package}/__init__.py"
            row = f"from watchroom.{package}.{module} import {constant} as PLANTED\n"
            self.change(registry, "\n\nROWS: ", f"\n{row}\nROWS: ")
            self.change(registry, ",\n)\n\n", ",\n    PLANTED,\n)\n\n")

    def _enter(self, entries: Collection[Planted]) -> None:
        measures = self.root / "schemas" / "measures"
        names = [*entries, *(["both"] if set(entries) == set(BOTH) else [])]
        for name in names:
            shutil.copy(HERE / f"{name}.toml", measures / f"planted_{name}.toml")
        if "both" in names:  # its tile takes the place of another: the wall is full
            shipped = (measures / "calls.toml").read_text(encoding="utf-8")
            cut, count = LAST_TILE.subn("", shipped)
            assert count == 1
            (measures / "calls.toml").write_text(cut, encoding="utf-8")

    def change(self, path: str, was: str, by: str) -> None:
        """Replace a text that occurs once in a file."""
        file = self.root / path
        text = file.read_text(encoding="utf-8")
        assert text.count(was) == 1, f"{path} no longer has {was!r} once"
        file.write_text(text.replace(was, by), encoding="utf-8")

    # ------------------------------------------------------------------------------------- running it

    def run(self, *arguments: str, **environment: str) -> str:
        """Standard output of `python -m ...` with the copy's code; raises `Refused` if it ends with an error."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("WATCHROOM_")}
        done = subprocess.run(
            [sys.executable, "-m", *arguments], capture_output=True, text=True, timeout=WITHIN_S, check=False,
            env={
                **kept, **self._environment, **environment, "COLUMNS": "200", "PYTHONSAFEPATH": "1",
                "PYTHONPATH": f"{self.root / 'services'}{os.pathsep}{ROOT}",
            },
        )  # fmt: skip
        if done.returncode:
            raise Refused(done.returncode, done.stdout[-3000:] + done.stderr)
        return done.stdout

    def _once(self, what: str, make: Callable[[], object]) -> Any:
        """What `make` returns or raises; it is called only once."""
        if what not in self._made:
            try:
                self._made[what] = make()
            except Refused as refused:
                self._made[what] = refused
        found = self._made[what]
        if isinstance(found, Refused):
            raise found
        return found

    def read(self, path: str) -> str:
        """A derived file; empty if none was made."""
        self._once("generate", lambda: self.run("watchroom", "generate"))
        file = self.root / path
        return file.read_text(encoding="utf-8") if file.is_file() else ""

    def figures(self, redis_url: str) -> dict[str, Any]:
        """What the exporter shows, after filling the force `planted...` of that Redis."""
        arguments = ("tests.planted.inside", "figures", redis_url, self.force)
        found: dict[str, Any] = self._once("figures", lambda: json.loads(self.run(*arguments)))
        return found

    def months(self, redis_url: str, form: str) -> str:
        """What `watchroom months` prints of the same force."""
        with suppress(Refused):  # where nothing can be filled, the command says so itself
            self.figures(redis_url)
        arguments = ("watchroom", "months", "--month", "2022-01", "--redis", redis_url, "--format", form)
        environment = {"WATCHROOM_FORCE": self.force, "WATCHROOM_PARTITIONS": "1"}  # as it was filled
        return str(self._once(f"months {form}", lambda: self.run(*arguments, **environment)))

    def replayed(self) -> list[dict[str, Any]]:
        """The rows of a replay of two calls and five visits, on an embedded stack of its own."""
        files = ("--map", str(HERE / "reception.toml"), str(HERE / "reception.csv"))
        found: list[dict[str, Any]] = self._once(
            "replay", lambda: json.loads(self.run("watchroom", "replay", *files, "--format", "json"))
        )
        return found

    def backtested(self) -> dict[str, Any]:
        """Every alert over a simulated hour."""
        with suppress(Refused):  # where no rules can be made, the back-test says so itself
            self.read("")
        found: dict[str, Any] = self._once("backtest", lambda: json.loads(self.run("tests.planted.inside", "backtest")))
        return found

    def promtool_cases(self) -> str:
        """The promtool test file of its alerts."""
        return str(self._once("cases", lambda: json.loads(self.run("tests.planted.inside", "cases"))))

    def linted(self) -> list[str]:
        """Faults of the boards."""
        self.read("")
        found: list[str] = self._once("lint", lambda: json.loads(self.run("tests.planted.inside", "lint")))
        return found

    @property
    def force(self) -> str:
        """Its own force in a shared Redis."""
        return f"planted-{self.root.parent.name}".lower()
