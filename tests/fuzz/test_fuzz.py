"""Random bytes give events, refusals or one of our errors; inputs that once did not are tested again."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.fuzz import targets
from tests.fuzz.__main__ import FUZZ_S, fuzz
from tests.fuzz.found import FOUND, load
from tests.fuzz.mutate import mutated
from tests.fuzz.targets import TARGETS, Input, Target, Wrong
from tests.parts import ROOT
from watchroom.toml_text import loads


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_no_random_bytes_cause_a_traceback() -> None:
    """As files and mappings, catalogue entries or records: 90 s, always with the same seed."""
    paths = os.pathsep.join((str(ROOT / "services"), str(ROOT)))
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "--seed", "1", "--for", str(FUZZ_S)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.partition(":")[0] for line in done.stdout.splitlines()] == list(TARGETS)
    assert done.stdout.count(" 0 faults") == len(TARGETS)


@pytest.mark.parametrize("path", sorted(FOUND.glob("*.json")), ids=lambda path: path.stem)
def test_an_input_that_once_caused_a_fault_no_longer_does(path: Path, tmp_path: Path) -> None:
    """Found by the run above, and fixed since."""
    target, given = load(path)
    assert TARGETS[target].run(given, tmp_path)


def test_a_fault_is_found_and_stored_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run that cannot fail proves nothing."""

    def faulty(given: Input, _: Path) -> str:
        return str(1 / given[0].count(b"7"))

    monkeypatch.setitem(TARGETS, "csv", Target(((b"77 7 7", b""),), faulty))
    monkeypatch.setattr("tests.fuzz.found.FOUND", tmp_path / "found")
    assert fuzz("csv", 0.5, 1, tmp_path)[2] == 1
    (path,) = (tmp_path / "found").iterdir()
    target, given = load(path)
    assert (target, b"7" in given[0]) == ("csv", False)
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_unreadable_messages_are_faults() -> None:
    """Empty, of many lines, or as long as a whole file."""
    for message in ("", "two\nlines", "x" * 20_000):
        with pytest.raises(Wrong):
            targets._check_message(message)


def test_the_same_seed_gives_the_same_inputs() -> None:
    """What CI finds, a developer can reproduce."""
    first, second = (
        [mutated(b"id,at\n1,2021-11-30T17:45:00\n", [b"x"], chance) for _ in range(500)]
        for chance in (random.Random(1), random.Random(1))
    )
    assert first == second
    assert len(set(first)) > 400


@pytest.mark.parametrize("text", ["a = " + "[" * 3000, f"a = {'9' * 5000}", f"a = [{{ b = -{'9' * 400} }}]", "a ="])
def test_toml_that_python_cannot_read_is_reported_as_invalid_toml(text: str) -> None:
    """Deeply nested tables used to raise a RecursionError, and endless digits a ValueError."""
    with pytest.raises(tomllib.TOMLDecodeError):
        loads(text)
