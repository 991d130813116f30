"""How an offence code is read, and what the reference table says about it."""

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
def test_a_code_is_read_in_every_spelling_that_feeds_use(text: str) -> None:
    """`/` and `.` are equivalent and leading zeros are dropped; `4/1` never means 4 and 1."""
    found = offence(text)
    assert found is not None
    assert (found.codes, found.subgroup) == (frozenset({"4.1"}), "homicide")


@pytest.mark.parametrize("text", ["34b", "034B", " 34B"])
def test_lower_case_letters_are_read_as_upper_case(text: str) -> None:
    """Codes of a feed in lower case must not become unknown."""
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
def test_a_code_that_is_not_in_the_table_is_unknown(text: str) -> None:
    """Nothing is guessed from part of a code."""
    assert offence(text) is None


def test_every_row_of_the_table_is_found_by_its_text_with_its_own_group() -> None:
    """132 rows, and none hides another."""
    with TABLE.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 132
    for row in rows:
        found = offence(row["Offence_Code"])
        assert found is not None
        assert found.group == row["Offence_Group"].lower().replace(" ", "_")
        assert found.codes == {offences.normal(part) for part in row["Offence_Code"].split("/")}


@pytest.mark.parametrize(("text", "shown"), [("008.57", "8/57"), ("99Z", "99Z"), ("34B", None), ("4/1", None)])
def test_an_unknown_code_is_shown_in_its_normal_form(text: str, shown: str | None) -> None:
    """So that two spellings of a missing code are one line of the list."""
    assert unknown_code(text) == shown


@pytest.mark.parametrize("text", ["Jane Smith", "07700900123", "12 High Street", "n/a", " "])
def test_a_text_that_does_not_look_like_a_code_is_never_shown(text: str) -> None:
    """The field may contain anything, even a name."""
    assert unknown_code(text) == NOT_A_CODE


@given(st.text())
def test_any_text_is_known_or_unknown(text: str) -> None:
    """No text from a feed may end a worker, and reading a code again gives the same code."""
    assert (offence(text) is None) is (unknown_code(text) is not None)
    assert offences.normal(offences.normal(text)) == offences.normal(text)


def test_the_codes_that_an_entry_may_list_are_single_codes() -> None:
    """A composite text in an entry would never match."""
    assert set(CODES) >= HOMICIDE
    assert all("/" not in code and len(KNOWN[code].codes) == 1 for code in CODES)


def test_the_tables_in_the_package_are_generated_from_the_reference() -> None:
    """A changed file would be ignored until the tables are generated again."""
    derived = ROOT / "services" / "watchroom" / "streams" / "tables.json"
    assert derived.read_text() == reference_tables.text(ROOT)
