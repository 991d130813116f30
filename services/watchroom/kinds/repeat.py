"""Repeat demand: how many tokens occur once, two or three times, and four times or more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from watchroom.kinds import tokens
from watchroom.kinds.kind import (
    Column,
    Form,
    Kind,
    MetricFamily,
    Over,
    Quantity,
    Reads,
    Stored,
    Unit,
)
from watchroom.kinds.measure import Measure
from watchroom.kinds.tokens import Bands

BANDS: Final = (("1", "once"), ("2_3", "two_or_three"), ("4_plus", "four_or_more"))


def figures(_: Measure, stored: Stored, timed: bool = False) -> Bands:  # noqa: ARG001  # it has no target
    """The bands, which have all figures."""
    found: Bands = stored or Bands()
    return found


def add_up(stored: Iterable[Bands]) -> Bands:
    """A measure without labels has only one."""
    return next(iter(stored), Bands())


def details(row: Mapping[str, Any]) -> Iterator[str]:
    """How many tokens are in each band."""
    counts = [row[f"tokens_{band}"] for band, _ in BANDS]
    yield "once {:,}, two or three times {:,}, four or more {:,}".format(*counts)
    if row["token_keys"] > 1:
        yield f"tokens were made with {row['token_keys']} keys, so some may be counted twice"
    if row["left_out"]:
        yield f"{row['left_out']:,} tokens beyond {tokens.MOST_TOKENS} in one entity (excluded, counted separately)"
    if row["not_restated"]:
        yield f"{row['not_restated']:,} events arrived too late to be counted"


def _tokens_in(band: str, meaning: str, figure: str) -> Quantity:
    return Quantity(meaning, Unit.NUMBER, figure, "tokens", {"band": band})


def _occurrences_of(band: str, meaning: str, figure: str) -> Quantity:
    said = f"total occurrences of tokens that occur {meaning}"
    return Quantity(said, Unit.NUMBER, f"{figure}_occurrences", "occurrences", {"band": band})


KIND: Final = Kind(
    name="repeat",
    about="how often tokens occur, in bands",
    needs=("at", "tokens", "windows"),
    may=("where",),
    most_labels=0,
    reads=Reads.TOKENS,
    contribution=tokens.contribution,
    figures=figures,
    add_up=add_up,
    families={
        "tokens": MetricFamily(
            "number of tokens that occur once (band 1), two or three times (2_3), or four times or more (4_plus)",
            tuple(({"band": band}, figure) for band, figure in BANDS),
        ),
        "occurrences": MetricFamily(
            "total number of occurrences in each band",
            tuple(({"band": band}, f"{figure}_occurrences") for band, figure in BANDS),
        ),
        "as_of_timestamp_seconds": MetricFamily(
            "time up to which all events are included; read every minute, and not published if more than 3 minutes old",
            (({}, "as_of"),),
            over=Over.READING,
        ),
    },
    quantities={
        "once": _tokens_in("1", "once", "once"),
        "two_or_three": _tokens_in("2_3", "two or three times", "two_or_three"),
        "four_or_more": _tokens_in("4_plus", "four times or more", "four_or_more"),
        "once_occurrences": _occurrences_of("1", "once", "once"),
        "two_or_three_occurrences": _occurrences_of("2_3", "two or three times", "two_or_three"),
        "four_or_more_occurrences": _occurrences_of("4_plus", "four times or more", "four_or_more"),
    },
    base="once",
    columns=(
        Column("value", "repeated_share"),
        Column("numerator", "repeated"),
        Column("denominator", "tokens"),
        *(Column(f"tokens_{band}", figure) for band, figure in BANDS),
        *(Column(f"occurrences_{band}", f"{figure}_occurrences") for band, figure in BANDS),
        *(Column(name, name) for name in ("token_keys", "left_out", "not_restated")),
    ),
    nested={
        what: tuple(f"{name}_{band}" for band, _ in BANDS) for what, name in (("bands", "tokens"), ("occurrences",) * 2)
    },
    published=tuple(f"{what}_{band}" for what in ("tokens", "occurrences") for band, _ in BANDS),
    details=details,
    clock=tokens.clock,
    form=Form.SUMMARY,
    unit=Unit.SHARE,
    card=("once", "two_or_three", "four_or_more"),
    trends=("four_or_more", "two_or_three"),
    summary=(
        "once",
        "two_or_three",
        "four_or_more",
        "once_occurrences",
        "two_or_three_occurrences",
        "four_or_more_occurrences",
    ),
    by_month=("once", "two_or_three", "four_or_more"),
)
