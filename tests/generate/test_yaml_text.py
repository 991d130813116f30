"""The form of the YAML that we write: what it writes reads back as the same values, in every version of YAML."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from watchroom.generate.yaml_text import yaml_text

SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=12)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


@example({"\x85": "a\u2028\n\u2029"})
@given(VALUES)
def test_what_is_written_reads_back(value: object) -> None:
    """Texts that look like numbers, truths or comments included."""
    assert yaml.safe_load(yaml_text(value)) == value


@pytest.mark.parametrize(
    "text", ["yes", "No", "null", "1.0", "1e3", "y", "2021-10-31", "a: b", "a #b", "#/x", "", " a", "- a"]
)
def test_a_text_that_could_be_something_else_is_quoted(text: str) -> None:
    """`version: 1.0` would be a number, `no` a truth in YAML 1.1, `1e3` a number in YAML 1.2."""
    assert yaml_text(text) == f"'{text}'\n"


def test_plain_words_stay_readable() -> None:
    """Else it could as well be JSON."""
    assert yaml_text({"name": "Events of calls", "list": ["a", {"b": 1, "c": []}]}) == (
        "name: Events of calls\nlist:\n  - a\n  - b: 1\n    c: []\n"
    )


def test_an_expression_reads_as_it_was_written() -> None:
    """Quotes and line breaks need no escapes in a literal block."""
    assert yaml_text({"expr": 'up{job="a"}\nand up'}) == 'expr: |-\n  up{job="a"}\n  and up\n'


def test_a_value_that_occurs_twice_is_written_twice() -> None:
    """An alias saves a line, and is a riddle to the reader."""
    labels = {"line": "101"}
    assert yaml_text([labels, labels]) == "- line: '101'\n- line: '101'\n"
