"""How an offence code is read, and what the reference table says of it."""

from __future__ import annotations

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.parts import ROOT
from watchroom.generate import reference_tables
from watchroom.streams import offences
from watchroom.streams.offences import CODES, KNOWN, NOT_A_CODE, offence, unknown_code

TABLE = ROOT / "schemas" / "reference" / "offence_codes.csv"
HOMICIDE = frozenset({"1", "4.1", "4.10", "4.2"})


@pytest.mark.parametrize("text", ["4.1", "4/1", "04/1", "004/01", " 4.1 "])
def test_a_code_may_be_written_as_feeds_write_it(text: str) -> None:
    """`/` and `.` are equal and leading zeros go; `4/1` is never 4 and 1."""
    found = offence(text)
    assert found is not None
    assert (found.codes, found.subgroup) == (frozenset({"4.1"}), "homicide")


@pytest.mark.parametrize("text", ["34b", "034B", " 34B"])
def test_letters_are_upper_case(text: str) -> None:
    """A feed in lower case is not a feed of unknown codes."""
    assert offence(text) == KNOWN["34B"]


@pytest.mark.parametrize("text", ["1/4.1/4.10/4.2", "1/4/1/4/10/4/2", "01/4.1/4.10/4.2"])
def test_a_composite_row_is_known_under_its_whole_text(text: str) -> None:
    """The published table counts homicide under four codes together."""
    found = offence(text)
    assert found is not None
    assert (found.codes, found.group) == (HOMICIDE, "violence_against_the_person")


@pytest.mark.parametrize("code", sorted(HOMICIDE))
def test_a_composite_row_is_known_under_each_of_its_codes(code: str) -> None:
    """Forces send the single code; 4.1 and 4.10 differ."""
    found = offence(code)
    assert found is not None
    assert (found.codes, found.subgroup) == (frozenset({code}), "homicide")


@pytest.mark.parametrize("text", ["4", "1/4.1", "4.100", "4.11", "ZZ9", "34", ""])
def test_what_the_table_does_not_have_is_unknown(text: str) -> None:
    """Nothing is guessed from a part of a code."""
    assert offence(text) is None


def test_every_row_of_the_table_is_found_by_its_text_and_means_what_it_says() -> None:
    """132 rows, none of which hides another."""
    with TABLE.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 132
    for row in rows:
        found = offence(row["Offence_Code"])
        assert found is not None
        assert found.group == row["Offence_Group"].lower().replace(" ", "_")
        assert found.codes == {offences.normal(part) for part in row["Offence_Code"].split("/")}


@pytest.mark.parametrize(("text", "shown"), [("008.57", "8/57"), ("99Z", "99Z"), ("34B", None), ("4/1", None)])
def test_an_unknown_code_is_shown_as_it_is_compared(text: str, shown: str | None) -> None:
    """So that two spellings of one missing code are one line of the list."""
    assert unknown_code(text) == shown


@pytest.mark.parametrize("text", ["Jane Smith", "07700900123", "12 High Street", "n/a", " "])
def test_a_text_that_does_not_look_like_a_code_is_never_shown(text: str) -> None:
    """The field may hold anything, a name too."""
    assert unknown_code(text) == NOT_A_CODE


@given(st.text())
def test_any_text_is_known_or_unknown(text: str) -> None:
    """A feed's text ends no worker, and one that is read once more is the same code."""
    assert (offence(text) is None) is (unknown_code(text) is not None)
    assert offences.normal(offences.normal(text)) == offences.normal(text)


def test_codes_that_an_entry_may_list_are_single_ones() -> None:
    """A composite text in an entry would never match."""
    assert set(CODES) >= HOMICIDE
    assert all("/" not in code and len(KNOWN[code].codes) == 1 for code in CODES)


def test_the_tables_in_the_package_are_those_of_the_reference() -> None:
    """A changed file would be ignored until it is derived again."""
    derived = ROOT / "services" / "watchroom" / "streams" / "tables.json"
    assert derived.read_text() == reference_tables.text(ROOT)
