"""The examples in schemas/events: schema and parser treat each as it says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.admission.made import refused
from watchroom.admission.models import MODELS
from watchroom.admission.parse import parse
from watchroom.events import reasons

FOLDER = Path(__file__).resolve().parents[2] / "schemas" / "events"


def read(path: str) -> Any:
    """A JSON file of the folder."""
    return json.loads((FOLDER / path).read_text(encoding="utf-8"))


def schema_accepts(name: str, event: object) -> bool:
    """Whether the committed schema file accepts an event, as another team would check."""
    return bool(Draft202012Validator(read(f"{name}.json")).is_valid(event))


@pytest.mark.parametrize("folder", ["examples", "refused"])
def test_every_type_has_an_example_file_and_no_file_is_left_over(folder: str) -> None:
    """A new type without an example, or an example of a removed type, is noticed here."""
    assert {path.stem for path in (FOLDER / folder).iterdir()} == set(MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_an_example_is_accepted_by_schema_and_parser(name: str) -> None:
    """Producers begin by copying it."""
    event = read(f"examples/{name}.json")
    assert schema_accepts(name, event)
    assert parse(json.dumps(event).encode()).type == name


@pytest.mark.parametrize("name", MODELS)
def test_an_example_is_accepted_by_its_own_types_schema_only(name: str) -> None:
    """A schema that accepts anything would pass the test above."""
    event = read(f"examples/{name}.json")
    assert [other for other in MODELS if schema_accepts(other, event)] == [name]


@pytest.mark.parametrize("name", MODELS)
def test_a_refused_example_is_refused_for_the_reason_it_names(name: str) -> None:
    """The schema refuses it too, unless the file says that a schema cannot tell."""
    case = read(f"refused/{name}.json")
    assert refused(json.dumps(case["event"]).encode()).reason == case["reason"]
    assert case["why"].endswith((".", ")"))
    assert schema_accepts(name, case["event"]) == (case.get("schema") == "cannot tell")


@pytest.mark.parametrize("name", MODELS)
def test_a_refused_example_differs_from_the_valid_one_only_in_its_fault(name: str) -> None:
    """Correcting one field of the envelope, or the data, must be enough."""
    good, wrong = read(f"examples/{name}.json"), read(f"refused/{name}.json")["event"]
    assert sum(good.get(field) != wrong.get(field) for field in {*good, *wrong}) == 1


def test_refused_examples_cover_every_reason_that_a_schema_can_check() -> None:
    """One for each kind of fault that an event can have on its own, apart from size and syntax."""
    found = {read(f"refused/{name}.json")["reason"] for name in MODELS}
    assert found == {reasons.BAD_ENVELOPE, reasons.UNKNOWN_TYPE, reasons.BAD_TIME, reasons.BAD_DATA}
