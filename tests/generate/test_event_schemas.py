"""JSON Schemas: they accept what the parser accepts, as far as a schema can express it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.admission.made import ABSENT, fields
from watchroom.admission.models import MODELS
from watchroom.admission.parse import parse
from watchroom.errors import EventRefused
from watchroom.generate.event_schemas import schema

VALIDATORS = {name: Draft202012Validator(schema(name)) for name in MODELS}
WORDS: st.SearchStrategy[Any] = st.sampled_from(["1", "", "x" * 257, None, 7, ["1"], {}, True])
DATA: st.SearchStrategy[Any] = st.none() | st.just(7) | st.just([]) | st.dictionaries(
    st.sampled_from(["line", "grade", "unit", "parent", "outcome", "group", "area", "reason", "x"]), WORDS, max_size=3
)  # fmt: skip
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "id": st.sampled_from(["a b", "", " a", "a ", "a\x01b", "x" * 256, "x" * 257, 7, None, ABSENT]),
        "subject": st.sampled_from(["é", "", "\u00a0a", "a\x85b", None, ABSENT]),
        "time": st.sampled_from(["2021-10-31T01:30:00", "2021-10-31t01:30:00.5z", "2021-10-31", 7, None, ABSENT]),
        "recordedtime": st.sampled_from(["2021-10-31T01:30:00+01:00", "now", 7, None]),
        "specversion": st.sampled_from(["1.0", "1", 1.0, None, ABSENT]),
        "datacontenttype": st.sampled_from(["application/json", 7, None]),
        "data": DATA | st.just(ABSENT),
        "extra": st.sampled_from([1.5, None, {"a": [1]}]),
    },
)


@given(st.sampled_from(list(MODELS)), CHANGES)
def test_schema_and_parser_accept_the_same_events(name: str, changed: dict[str, Any]) -> None:
    """An event that passes the schema must not be refused later, and the schema must not reject a good one."""
    event = fields(type=name, **changed)
    try:
        parse(json.dumps(event).encode())
    except EventRefused:
        accepted = False
    else:
        accepted = True
    assert VALIDATORS[name].is_valid(event) == accepted


@pytest.mark.parametrize("name", MODELS)
def test_a_schema_is_valid_and_describes_itself(name: str) -> None:
    """Dialect, id, title and a description; every field of the envelope is explained."""
    found = schema(name)
    Draft202012Validator.check_schema(found)
    assert found["$schema"].endswith("2020-12/schema")
    assert found["$id"] == f"urn:watchroom:event:{name}"
    assert found["description"]
    for field in ("id", "source", "subject", "time", "recordedtime"):
        assert found["properties"][field]["description"]


@pytest.mark.parametrize("name", MODELS)
def test_a_schema_tolerates_further_fields(name: str) -> None:
    """`additionalProperties: false` would break every producer that says more."""
    assert '"additionalProperties": false' not in json.dumps(schema(name))
