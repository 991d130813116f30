"""Stamps: sets that are the same in every order of events, at a cost that does not grow with their size."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from watchroom.streams.stamps import Stamp, with_member

STAMPS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from("ab"), st.sampled_from("12")))


class Counted(tuple[int, str, str]):
    """A stamp that counts how often it is compared."""

    __slots__ = ()
    __hash__ = tuple.__hash__
    compared = 0

    def __lt__(self, other: object) -> bool:
        Counted.compared += 1
        return tuple.__lt__(self, other)  # type: ignore[operator]  # stamps are compared with stamps only

    def __eq__(self, other: object) -> bool:
        Counted.compared += 1
        return tuple.__eq__(self, other)


@given(STAMPS)
def test_the_set_is_sorted_and_holds_each_stamp_once(stamps: list[Stamp]) -> None:
    """So that it is the same whatever the order and repetition of events."""
    known: tuple[Stamp, ...] = ()
    for stamp in stamps:
        known = with_member(known, stamp)
    assert known == tuple(sorted(set(stamps)))


def test_a_new_member_is_inserted_by_binary_search() -> None:
    """An incident that a faulty interface regrades ten thousand times would delay its partition for minutes."""
    known = tuple(Counted((number, "id", "1")) for number in range(10_000))
    Counted.compared = 0
    with_member(known, Counted((5_000, "ie", "1")))
    with_member(known, Counted((5_000, "id", "1")))
    assert Counted.compared < 60
