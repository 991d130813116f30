"""`watchroom token` as people run it: lines in, lines out, and no input text on standard error."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.events.test_tokeniser import KEY, MAKER
from tests.parts import ROOT

OTHERS = {name: value for name, value in os.environ.items() if not name.startswith("WATCHROOM_")}
WITH_KEY = {"WATCHROOM_TOKEN_KEY": KEY.decode()}


def run(kind: str, lines: bytes, **environment: str) -> tuple[int, list[str], str]:
    """Exit code, printed lines, and standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "watchroom", "token", "--kind", kind], input=lines, capture_output=True, check=False,
        env={**OTHERS, "PYTHONPATH": str(ROOT / "services"), **environment}, timeout=60,
    )  # fmt: skip
    return done.returncode, done.stdout.decode().splitlines(), done.stderr.decode()


def test_each_line_becomes_a_token_and_an_empty_one_stays_empty() -> None:
    """So `paste` can put tokens next to the lines they came from; a byte order mark is not part of a name."""
    code, made, said = run("person", "\ufeffZoë Example\r\n\n  zoë  example".encode(), **WITH_KEY)
    token = MAKER.token("person", "Zoë Example")
    assert (code, made, said) == (0, [token, "", token], "")


def test_a_line_without_a_normal_form_is_reported_by_number_and_the_others_are_converted() -> None:
    """Standard error often ends in a log."""
    code, made, said = run("telephone", b"01632 960001\n01632960001234567\nzoe\n\xff\n01632 960001\n", **WITH_KEY)
    token = MAKER.token("telephone", "01632 960001")
    assert (code, made) == (1, [token, "", "", "", token])
    assert [line.split(":")[0] for line in said.splitlines()] == ["line 2", "line 3", "line 4"]
    assert not any(text in said for text in ("96000", "zoe", KEY.decode()))


def test_key_id_and_country_are_settings() -> None:
    """A force that changes its key gives the new one a new id."""
    more = {"WATCHROOM_TOKEN_KEY_ID": "k2", "WATCHROOM_TOKEN_COUNTRY": "FR"}
    _, made, _ = run("telephone", b"+44 1632 960001\n", **WITH_KEY, **more)
    assert made == ["k2" + MAKER.token("telephone", "01632 960001")[2:]]


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({}, "WATCHROOM_TOKEN_KEY: found nothing; write a secret of at least 32 bytes"),
        (
            {**WITH_KEY, "WATCHROOM_TOKEN_COUNTRY": "UK"},
            "WATCHROOM_TOKEN_COUNTRY: found 'UK'; write a two-letter country code",
        ),
    ],
)
def test_without_a_key_or_a_country_nothing_is_read(environment: dict[str, str], says: str) -> None:
    """Tokens of an unknown key would match no others."""
    code, made, said = run("telephone", b"01632 960001\n", **environment)
    assert (code, made) == (2, [])
    assert says in said


@pytest.mark.parametrize("command", [["token", "--kind", "car"], ["months", "--format", "car"], ["demo", "--for", "x"]])
def test_a_value_that_an_option_does_not_accept_is_reported_in_plain_words(command: list[str]) -> None:
    """The library that checks values puts a prefix before the message."""
    done = subprocess.run(
        [sys.executable, "-m", "watchroom", *command], capture_output=True, check=False, text=True, timeout=60,
        env={**OTHERS, "PYTHONPATH": str(ROOT / "services")},
    )  # fmt: skip
    assert done.returncode == 2
    assert "Invalid value for '--" in done.stderr
    assert "Value error" not in done.stderr
