"""Own keys of a kind: what the loader makes of them, and their part in the definition of a stream."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import pytest
from pydantic import Field, ValidationError

from tests.catalogue.folder import COUNT, load
from watchroom.catalogue import own
from watchroom.catalogue.model import Catalogue
from watchroom.kinds import KINDS, own_said
from watchroom.kinds.kind import OwnKey
from watchroom.settings import read_settings
from watchroom.store.definition import as_json, definition_of

LIMIT_S: Final = OwnKey("limit_s", Annotated[float, Field(gt=0)], example=60.0)
LINES: Final = OwnKey("lines", list[str], example=["999"], default=["101"])


@pytest.fixture(autouse=True)
def late(monkeypatch: pytest.MonkeyPatch) -> None:
    """The registry has a kind with two keys of its own."""
    kind = replace(KINDS["count"], name="late", own_keys=(LIMIT_S, LINES))
    monkeypatch.setitem(KINDS, "late", kind)
    monkeypatch.setitem(own._SHAPES, "late", own.shape_of(kind))


def test_given_keys_are_stored_unless_they_have_the_default_value() -> None:
    """Writing down the default changes nothing."""
    assert own.said_under({"limit_s": 60, "lines": ["999"]}, "late") == {"limit_s": 60.0, "lines": ["999"]}
    assert own.said_under({"limit_s": 60, "lines": ["101"]}, "late") == {"limit_s": 60.0}
    assert own.said_under({}, "count") == {}


@pytest.mark.parametrize(
    "said",
    [
        {}, {"limit_s": "60"}, {"limit_s": 0}, {"limit_s": float("nan")}, {"limit_s": float("inf")}, {"limit_s": True},
        {"limit_s": 60, "lines": "999"}, {"limit_s": 60, "lines": [999]}, {"limit_s": 60, "most": 1},
    ],
    ids=str,
)  # fmt: skip
def test_a_key_that_is_missing_wrong_or_unknown_is_refused(said: dict[str, object]) -> None:
    """NaN too: nothing is above or below it, so the measure would count nothing."""
    with pytest.raises(ValidationError):
        own.said_under(said, "late")


def test_the_kind_reads_the_given_value_or_else_the_default(tmp_path: Path) -> None:
    """A required key has no default."""
    measure = load(tmp_path, measures=COUNT).measures["calls_in"]
    said = replace(measure, kind="late", own={"limit_s": 60.0})
    assert (LIMIT_S.of(said), LINES.of(said)) == (60.0, ["101"])
    assert own_said(said) == ["limit_s = 60.0", 'lines = ["101"]']
    with pytest.raises(KeyError, match="limit_s"):
        LIMIT_S.of(measure)


def test_own_keys_change_the_definition_and_a_kind_without_any_leaves_it_unchanged(tmp_path: Path) -> None:
    """A different limit needs a rebuild; a measure of a kind without own keys needs none for this version."""
    catalogue = load(tmp_path, measures=COUNT)

    def text(**said: object) -> str:
        measure = replace(catalogue.measures["calls_in"], own=said)
        return as_json(definition_of(read_settings(), Catalogue({measure.id: measure}), "calls", 4))

    assert '"own"' not in text()
    assert text(limit_s=60.0) != text()
    assert text(limit_s=61.0) != text(limit_s=60.0)
