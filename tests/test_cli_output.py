"""What commands do if a terminal, a disk or a reader cannot take their output."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchroom.cli.options import Messages
from watchroom.wording import printable


@given(st.text())
def test_no_control_character_reaches_the_terminal(text: str) -> None:
    """Messages quote files; an escape sequence in one could clear the screen or fake a message."""
    shown = printable(text)
    assert not any(unicodedata.category(char) in ("Cc", "Cf", "Cs") and char != "\n" for char in shown)
    assert shown == text or not text.isprintable()
    terminal = io.StringIO()
    Messages(file=terminal, soft_wrap=True, highlight=False, markup=False, emoji=False).print(f"{text}\x1b[2J\x07")
    assert terminal.getvalue().endswith("\\x1b[2J\\x07\n")
    assert "\x1b" not in terminal.getvalue()


FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="this system has no full disk")
@pytest.mark.parametrize("form", ["table", "json"])
def test_a_full_disk_is_reported_in_one_line(form: str) -> None:
    """A script must not mistake half a table for the whole."""
    with FULL.open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "watchroom", "measures", "--format", form],
            stdout=full, stderr=subprocess.PIPE, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr.decode()) == (1, "cannot write the results: No space left on device\n")


def test_a_reader_that_goes_away_is_not_reported() -> None:
    """`watchroom measures | head -1`."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "watchroom", "measures", "--format", "json"],
            stdout=writing, stderr=subprocess.PIPE, check=False,
        )  # fmt: skip
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


def test_a_character_that_the_terminal_lacks_is_escaped(tmp_path: Path) -> None:
    """A container may have no locale; a file name must not cause a traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "watchroom", "replay", "--map", str(tmp_path / "é.toml"), "x.csv"],
        capture_output=True, check=False, env={**os.environ, "PYTHONIOENCODING": "ascii:strict"},
    )  # fmt: skip
    assert done.returncode == 2
    assert b"\\xe9.toml: found No such file or directory" in done.stderr.replace(b"\n", b"")
    assert b"Traceback" not in done.stderr
