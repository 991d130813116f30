"""Entries of figures and notes: required keys, forbidden keys, and which keys decide what is stored."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.catalogue.folder import TEXTS, faults, load, the_fault
from tests.parts import ROOT
from watchroom.catalogue.load import load_catalogue
from watchroom.kinds import kind_of
from watchroom.kinds.kind import Reads
from watchroom.settings import Settings
from watchroom.store.definition import definition_of

FIGURE = (
    '[staff]\nkind = "figure"\nstream = "returns"\nby = { area = "area" }\nunit = "people"\nmax_age_days = 400\n'
    f"{TEXTS}"
)
OF_CALLS = FIGURE.replace('"returns"', '"calls"').replace('{ area = "area" }', "{}")
IN_WINDOWS = FIGURE.replace("unit", 'windows = ["24h"]\nunit')
NOTE = f'[outlook]\nkind = "note"\nstream = "returns"\nwords = "Said in words."\n{TEXTS}'
# In the published report rows 1 to 64: those that are figures, and those that are words only.
FIGURES = {22, 27, 28, 30, 32, 36, 37, 38, 39, 40, 42, 43, 45, 48, 49, 56, 57, 58, 60, 61, 62, 63}
NOTES = {13, 29, 31, 34, 41, 59, 64}


def test_every_row_of_figures_and_every_row_of_text_has_an_entry() -> None:
    """A row without an entry would be missing from the printed page."""
    found = load_catalogue(ROOT / "schemas" / "measures", ("stoke", "county")).of_stream("returns")
    by_reads = {
        reads: {row for measure in found if kind_of(measure).reads is reads for row in measure.rows}
        for reads in (Reads.FIGURES, Reads.NOTHING)
    }
    assert by_reads == {Reads.FIGURES: FIGURES, Reads.NOTHING: NOTES}


@pytest.mark.parametrize(
    ("text", "key", "found", "write"),
    [
        (FIGURE.replace('unit = "people"\n', ""), "staff.unit", "nothing", "kind figure needs it"),
        (FIGURE.replace("max_age_days = 400\n", ""), "staff.max_age_days", "nothing", "kind figure needs it"),
        (OF_CALLS, "staff.stream", "'calls'", "one of returns"),
        (FIGURE.replace('{ area = "area" }', '{ area = "place" }'), "staff.by.area", "'place'", "'area'"),
        (IN_WINDOWS, "staff.windows", "['24h']", "an entry without windows: kind figure does not have it"),
        (FIGURE.replace("[staff]", "[figures]"), "figures", "'figures'", "other than orphans, figures, notes"),
        (NOTE.replace('words = "Said in words."\n', ""), "outlook.words", "nothing", "kind note needs it"),
        (
            f'{FIGURE}\n[[staff.tiles]]\ntitle = "Staff"\nplace = 1\nshow = "value"\n',
            "staff.tiles.0.show",
            "'value'",
            "a quantity of kind figure",
        ),
    ],
)  # fmt: skip
def test_an_entry_that_cannot_be_used_is_reported(text: str, key: str, found: str, write: str, tmp_path: Path) -> None:
    """Reported at the start, rather than by a figure that never appears."""
    fault = the_fault(tmp_path, text)
    assert fault.key == key
    assert found in fault.found
    assert write in fault.write


def test_texts_and_ages_do_not_affect_what_is_stored(tmp_path: Path) -> None:
    """A new maximum age must not need a rebuild; other decimals mean other numbers in Redis."""

    def definition(text: str) -> object:
        return definition_of(Settings(), load(tmp_path, measures=text), "returns", 4)

    plain = definition(FIGURE)
    assert definition(FIGURE.replace("= 400", "= 30").replace('"people"', '"FTE"')) == plain
    assert definition(FIGURE.replace("unit", "decimals = 1\nunit")) != plain
    assert definition(FIGURE.replace("unit", "signed = true\nunit")) != plain


def test_a_label_with_the_name_of_a_column_of_figures_is_refused(tmp_path: Path) -> None:
    """`span` is a label of every figure's metric, and `period` is part of its field."""
    for name in ("span", "period", "as_at"):
        labels = f'[area]\nbrief = "Area."\nvalues = ["stoke"]\n\n[{name}]\nbrief = "Taken."\nvalues = ["one"]\n'
        assert [fault.key for fault in faults(tmp_path, labels, measures=FIGURE)] == [name]
