"""Who belongs to a part, by facts of one value and of several."""

from __future__ import annotations

import pytest

from watchroom.kinds.measure import Condition, holds

ANY_FLAG = holds(Condition({"flags": ("knife", "firearm")}))
ALL_CODES = holds(Condition({"codes": ("1", "4.1", "4.2")}))


@pytest.mark.parametrize(
    ("flags", "belongs"),
    [(("knife",), True), (("online", "firearm"), True), (("online",), False), ((), False), (("kni", "fe"), False)],
)
def test_one_of_a_tuple_is_enough(flags: tuple[str, ...], belongs: bool) -> None:
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
def test_all_of_a_set_must_be_accepted(codes: set[str], belongs: bool) -> None:
    """A composite row may be any of its codes, so a list that leaves one out cannot claim it."""
    assert ALL_CODES({"codes": frozenset(codes)}) is belongs


@pytest.mark.parametrize(("value", "belongs"), [("knife", True), ("online", False), (None, False)])
def test_a_fact_of_one_value_must_be_accepted(value: str | None, belongs: bool) -> None:
    """As of every other word."""
    assert ANY_FLAG({"flags": value}) is belongs
