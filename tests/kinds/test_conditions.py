"""What belongs to a part, by facts with one value and with several."""

from __future__ import annotations

import pytest

from watchroom.kinds.measure import Condition, holds

ANY_FLAG = holds(Condition({"flags": ("knife", "firearm")}))
ALL_CODES = holds(Condition({"codes": ("1", "4.1", "4.2")}))


@pytest.mark.parametrize(
    ("flags", "belongs"),
    [(("knife",), True), (("online", "firearm"), True), (("online",), False), ((), False), (("kni", "fe"), False)],
)
def test_one_accepted_value_of_a_tuple_is_enough(flags: tuple[str, ...], belongs: bool) -> None:
    """A crime with two flags counts under each of them."""
    assert ANY_FLAG({"flags": flags}) is belongs


@pytest.mark.parametrize(
    ("codes", "belongs"),
    [
        ({"1"}, True),
        ({"1", "4.1", "4.2"}, True),
        ({"1", "4.1", "4.2", "4.10"}, False),
        ({"4.10"}, False),
        (set(), False),
    ],
)
def test_all_values_of_a_set_must_be_accepted(codes: set[str], belongs: bool) -> None:
    """A composite row may be any of its codes, so a list that lacks one of them cannot claim it."""
    assert ALL_CODES({"codes": frozenset(codes)}) is belongs


@pytest.mark.parametrize(("value", "belongs"), [("knife", True), ("online", False), (None, False)])
def test_the_value_of_a_single_fact_must_be_accepted(value: str | None, belongs: bool) -> None:
    """As for every other term."""
    assert ANY_FLAG({"flags": value}) is belongs
