"""How tokens are counted: bands, the most frequent tokens, and what an entity contributes."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from watchroom.kinds import repeat, tokens, top
from watchroom.kinds.kind import Contribution
from watchroom.kinds.measure import Measure
from watchroom.kinds.tokens import LATE, MOST_TOKENS, Bands, bands_of

MEASURE = Measure("m", "repeat", "calls", "at", (), ("28d",), "M", "M.", "A test", tokens="who")
COUNTS = st.dictionaries(st.sampled_from([f"k1.{letter}" for letter in "ABCDEFGH"]), st.integers(0, 6))


def added(who: object, by: dict[str, str] | None = None) -> Contribution:
    """The contribution of an entity whose value `who` is this."""
    into = Contribution({}, {}, {})
    tokens.contribution(MEASURE, "m|", by or {})({"at": 12_345, "who": who}, into)
    return into


def test_the_bands_of_a_worked_example() -> None:
    """Once, two or three times, four times or more; a token that no longer occurs is in no band."""
    found = bands_of({"k1.A": 1, "k1.B": 2, "k1.C": 3, "k1.D": 4, "k1.E": 7, "k1.F": 0})
    assert found == Bands(1, 2, 2, 1, 5, 11, token_keys=1)
    assert (found.tokens, found.repeated, found.repeated_share) == (5, 4, 0.8)


def test_the_share_of_nothing_is_absent() -> None:
    """0 % repeated among no tokens would be a figure that nobody has counted."""
    assert Bands().repeated_share is None


@given(COUNTS)
def test_every_token_and_every_occurrence_is_in_one_band(counts: dict[str, int]) -> None:
    """So that the bands add up to the tokens and to the occurrences."""
    found = bands_of(counts)
    assert found.tokens == sum(number > 0 for number in counts.values())
    assert sum(found[3:6]) == sum(counts.values())


def test_tokens_of_two_keys_are_detected() -> None:
    """After a change of the key, one telephone has two tokens: such a window cannot be trusted."""
    assert bands_of({"k1.A": 1, "k2.A": 1}).token_keys == 2
    assert bands_of({"k1.A": 1, "k2.A": 0}).token_keys == 1


def test_changes_after_closing_count_today_but_not_in_the_published_bands() -> None:
    """They have their own fields, so the published bands never change."""
    stored = {"k1.A": 2, f"{LATE}k1.A": -2, f"{LATE}k1.B": 1, "k1.C": 1}
    assert tokens.published(stored) == {"k1.A": 2, "k1.C": 1}
    assert +tokens.today(stored) == Counter({"k1.B": 1, "k1.C": 1})


def test_an_entity_contributes_each_of_its_tokens_once() -> None:
    """A suspect who is linked twice is still one suspect of the crime."""
    assert added(("k1.B", "k1.A", "k1.B", "")).tokens == {"m": (12_345, ("k1.A", "k1.B"))}
    assert added("k1.A").tokens == {"m": (12_345, ("k1.A",))}
    assert added(None) == added(()) == Contribution({}, {}, {})


def test_an_entity_without_the_moment_contributes_nothing() -> None:
    """There is no day to which it would belong."""
    into = Contribution({}, {}, {})
    tokens.contribution(MEASURE, "m|", {})({"at": None, "who": "k1.A"}, into)
    assert into == Contribution({}, {}, {})


def test_tokens_beyond_the_first_hundred_are_excluded_and_counted() -> None:
    """One entity must not fill Redis, and the number of excluded tokens is known."""
    found = added(tuple(f"k1.{number:03}" for number in range(MOST_TOKENS + 3)))
    assert found.tokens["m"][1] == tuple(f"k1.{number:03}" for number in range(MOST_TOKENS))
    assert found.increments == {"m||left_out": (10_000, 3)}


def test_a_text_that_cannot_be_a_field_becomes_other() -> None:
    """A location may be any text from a feed; it must not contain the separators of fields."""
    assert added(("E01014309", "a|b", "+x", "x" * 65)).tokens["m"][1] == ("E01014309", "other")


def test_the_most_frequent_come_first_with_their_label_and_no_complete_token() -> None:
    """Six characters distinguish ten callers, but nobody can look a caller up with them."""
    counts = {
        "k1.AAAAAAAAAA|hospital": 3, "k1.AAAAAAAAAA|unknown": 1, "k1.BBBBBBBBBB|school": 4, "k1.C|unknown": 0,
    }  # fmt: skip
    assert top.most_frequent(counts) == [("k1.AAAAAA", "hospital", 4), ("k1.BBBBBB", "school", 4)]
    assert top.most_frequent(counts, 1) == [("k1.AAAAAA", "hospital", 4)]
    assert top.figures(MEASURE, counts) == (8, 2)
    assert top.short("E01014309") == "E01014309"


def test_a_label_value_follows_its_token() -> None:
    """So that the callers' organisations can be shown next to them."""
    assert added("k1.A", {"org": "hospital"}).tokens == {"m": (12_345, ("k1.A|hospital",))}


def test_the_columns_of_a_report_match_the_bands() -> None:
    """Each column reads an attribute that the bands have."""
    assert {column.name: repeat.KIND.figure(Bands(1, 2, 3), column.figure) for column in repeat.KIND.columns} | {
        "value": 5 / 6, "numerator": 5, "denominator": 6, "tokens_1": 1, "tokens_2_3": 2, "tokens_4_plus": 3,
    } == {column.name: repeat.KIND.figure(Bands(1, 2, 3), column.figure) for column in repeat.KIND.columns}  # fmt: skip
