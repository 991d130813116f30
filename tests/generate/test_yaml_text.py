"""The small YAML writer: what it writes reads back as the same values."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchroom.generate.yaml_text import yaml_text

SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=12)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


def read(text: str) -> Any:
    """Read the part of YAML that the writer uses, by YAML's rules and not by the writer's code."""
    lines = text.split("\n")
    if lines[-1] != "":
        raise ValueError("a document ends with a line break")
    value, rest = block(lines[:-1])
    if rest:
        raise ValueError(f"left over: {rest}")
    return value


def block(lines: list[str]) -> tuple[Any, list[str]]:
    """One node of block style; lists and mappings end where the indentation does."""
    first = lines[0]
    if first.startswith("- "):
        items = []
        while lines and lines[0].startswith("- "):
            inner, lines = indented([f"  {lines[0][2:]}", *lines[1:]])
            items.append(block(inner)[0])
        return items, lines
    if split_key(first) is None:
        return scalar(first), lines[1:]
    found = {}
    while lines and (pair := split_key(lines[0])):
        key, after = pair
        if after:
            found[key], lines = scalar(after), lines[1:]
        else:
            inner, lines = indented(lines[1:])
            found[key] = block(inner)[0]
    return found, lines


def indented(lines: list[str]) -> tuple[list[str], list[str]]:
    """The leading lines that are indented by two, without the two; and the rest."""
    count = next((at for at, line in enumerate(lines) if not line.startswith("  ")), len(lines))
    return [line[2:] for line in lines[:count]], lines[count:]


def split_key(line: str) -> tuple[str, str] | None:
    """Key and what follows, if the line begins with a key."""
    if line.startswith('"'):
        key, end = json.JSONDecoder().raw_decode(line)
        return (key, line[end + 1 :].strip()) if line[end : end + 1] == ":" else None
    key, colon, after = line.partition(":")
    return (key, after.strip()) if colon and not key.startswith(("[", "{")) and (not after or after[0] == " ") else None


def scalar(text: str) -> Any:
    """Quoted, a number or a word of YAML's core schema; else the bare text."""
    if text[0] in '"[{-0123456789' or text in {"true", "false", "null"}:
        return json.loads(text)
    if text.lower() in {"yes", "no", "on", "off", "y", "n", "~", "true", "false", "null"} or text[0] in "&*!|>'%@`#?,":
        raise ValueError(f"a reader could take {text!r} for something else")
    if ": " in text or " #" in text or text.endswith(":"):
        raise ValueError(f"{text!r} must be quoted")
    return text


@given(VALUES)
def test_what_is_written_reads_back(value: object) -> None:
    """Texts that look like numbers, truths or comments included."""
    assert read(yaml_text(value)) == value


@pytest.mark.parametrize(
    "text", ["yes", "No", "null", "1.0", "1e3", "2021-10-31", "a: b", "a #b", "#/x", "", " a", "- a", "é"]
)
def test_a_text_that_could_be_something_else_is_quoted(text: str) -> None:
    """`version: 1.0` would be a number, `no` a truth in YAML 1.1."""
    assert yaml_text(text) == json.dumps(text, ensure_ascii=False) + "\n"


def test_plain_words_stay_readable() -> None:
    """Else it could as well be JSON."""
    assert yaml_text({"title": "Events of calls", "list": ["a", {"b": 1, "c": []}]}) == (
        "title: Events of calls\nlist:\n  - a\n  - b: 1\n    c: []\n"
    )
