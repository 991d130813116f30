"""The comparison of our numbers with the printed ones, in cases where it must fail."""

from __future__ import annotations

from typing import Any

import pytest

from tests.parts import ROOT
from tests.published_year.compare import Line, lines
from tests.published_year.page import PAGE, page
from watchroom.catalogue.load import load_catalogue
from watchroom.kinds import kind_of, repeat
from watchroom.settings import read_settings
from watchroom.simulator.published_year import Entry, Printed, load_printed

NUMBER: dict[str, Any] = {
    "row": 27,
    "what": "Collisions",
    "text": "214",
    "number": 214,
    "measure": "m",
    "read": ["value"],
}


def line(row: dict[str, Any] | None, *, scale: float = 1.0, kept: dict[str, Any] | None = None, **more: Any) -> Line:
    """The line for one entry and one row of the report."""
    printed = Printed("2020-12", "2021-11", "2022-01-27", {"one": Entry.model_validate({**NUMBER, **more})})
    rows = [[{"measure": "m", "by": {}, "period": "2021", **each}] if each is not None else [] for each in (row, kept)]
    (found,) = lines(printed, {12: rows[0], 1: []}, rows[1], scale)
    return found


@pytest.mark.parametrize(
    ("ours", "more", "is_right"),
    [
        (214, {}, True),
        (213, {}, False),
        (None, {}, False),
        (213.5, {}, True),  # half away from zero
        (-0.5, {"number": -1}, True),
        (24.149, {"number": 24.1, "step": 0.1}, True),
        (24.15, {"number": 24.1, "step": 0.1}, False),
        (0.28, {"number": 28, "times": 100}, True),
        (102_629, {"number": 102_600, "step": 60}, True),
        (102_630, {"number": 102_600, "step": 60}, False),
        (217, {"differs": 3, "why": "75 of 78"}, True),
        (214, {"differs": 3, "why": "75 of 78"}, False),
        (21, {"volume": True}, True),  # at a tenth
        (214, {"period": "2020"}, False),  # the row is of another period
    ],
)
def test_a_number_is_right_if_it_is_equal_when_rounded_or_differs_as_declared(
    ours: float | None, more: dict[str, Any], is_right: bool
) -> None:
    """A missing number is never right."""
    scale = 0.1 if "volume" in more else 1.0
    assert line({"value": ours}, scale=scale, **more).is_right is is_right


def test_a_missing_row_is_wrong_also_if_it_is_printed_as_text() -> None:
    """Its measure may have been removed."""
    in_words: dict[str, Any] = {"number": None, "words": "no number"}
    assert not line(None).is_right
    assert not line(None, **in_words).is_right
    assert line({"value": 3}, **in_words).is_right


def test_a_figure_of_an_earlier_period_is_found_among_the_stored_ones() -> None:
    """The report itself shows only the latest of each span."""
    assert line({"value": 9}, kept={"value": 214, "period": "2016"}, period="2016").is_right


def test_bands_are_added_up_and_converted_to_shares() -> None:
    """The three bands have 4, 2 and 4 tokens."""
    row = {"bands": {"tokens_1": 4, "tokens_2_3": 2, "tokens_4_plus": 4}}
    assert line(row, bands=["2_3", "4_plus"], number=6).is_right
    assert line(row, bands=["2_3", "4_plus"], number=60, share=True).is_right
    assert not line(row, bands=["4_plus"], number=6).is_right


def test_the_page_counts_equal_numbers_and_says_why_the_others_differ() -> None:
    """One number is 3 too high."""
    printed = load_printed(ROOT / "schemas")
    found = line({"value": 217, "fed_by": "events", "unit": "1", "ranked": []}, differs=3, why="Three are missing.")
    text = page([found], printed, 1000, 1.0)
    assert "1,000 events. 0 of 1 numbers that the report prints or implies are equal" in text
    assert text.endswith("| 27 | Collisions (`m`) | 214 | 217 | +3 | Three are missing. |\n")


def test_the_committed_page_has_every_line_of_the_table() -> None:
    """Run `make published-year` after a change to the table."""
    text = PAGE.read_text(encoding="utf-8")
    entries = load_printed(ROOT / "schemas").entries.values()
    assert [entry for entry in entries if f" | {entry.text or entry.words} | " not in text] == []
    assert len([each for each in text.splitlines() if each.startswith("| ")]) == len(entries) + 1


def test_the_table_names_measures_and_rows_of_the_catalogue() -> None:
    """A line about a measure that does not belong to its row would prove nothing about that row."""
    settings = read_settings()
    measures = load_catalogue(settings.schemas / "measures", settings.areas).measures
    entries = load_printed(settings.schemas).entries
    wrong = [name for name, entry in entries.items() if entry.row not in measures[entry.measure].rows]
    assert wrong == []
    assert [
        name for name, entry in entries.items() if entry.bands and kind_of(measures[entry.measure]) is not repeat.KIND
    ] == []
    assert [name for name, entry in entries.items() if entry.differs and not entry.why] == []
