"""The YAML that we write reads back as the same values, in every version of YAML."""

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
def test_written_values_read_back_unchanged(value: object) -> None:
    """Including texts that look like numbers, booleans or comments."""
    assert yaml.safe_load(yaml_text(value)) == value


@pytest.mark.parametrize(
    "text", ["yes", "No", "null", "1.0", "1e3", "y", "2021-10-31", "a: b", "a #b", "#/x", "", " a", "- a"]
)
def test_a_text_that_looks_like_another_type_is_quoted(text: str) -> None:
    """`version: 1.0` would be a number, `no` a boolean in YAML 1.1, `1e3` a number in YAML 1.2."""
    assert yaml_text(text) == f"'{text}'\n"


def test_plain_texts_are_not_quoted() -> None:
    """Otherwise it might as well be JSON."""
    assert yaml_text({"name": "Events of calls", "list": ["a", {"b": 1, "c": []}]}) == (
        "name: Events of calls\nlist:\n  - a\n  - b: 1\n    c: []\n"
    )


def test_an_expression_is_written_as_a_literal_block() -> None:
    """It needs no escapes for quotes and line breaks."""
    assert yaml_text({"expr": 'up{job="a"}\nand up'}) == 'expr: |-\n  up{job="a"}\n  and up\n'


def test_a_value_that_occurs_twice_is_written_twice_without_an_alias() -> None:
    """An alias saves a line but puzzles the reader."""
    labels = {"line": "101"}
    assert yaml_text([labels, labels]) == "- line: '101'\n- line: '101'\n"
