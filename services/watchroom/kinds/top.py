"""The most frequent tokens: a list for reports and the built-in page, never a metric."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Final, NamedTuple

from pydantic import Field

from watchroom.kinds import tokens
from watchroom.kinds.kind import Column, Form, Kind, OwnKey, Reads, Stored
from watchroom.kinds.measure import Measure
from watchroom.kinds.tokens import BETWEEN, Counts

MOST_LISTED: Final = OwnKey[int](
    "listed", Annotated[int, Field(gt=0, le=1000)], 100, default=10, about="The number of entries in the list."
)
_SHOWN: Final = 6  # characters of a token after its key id: enough to distinguish ten, without showing the token


class Ranked(NamedTuple):
    """One of the most frequent."""

    name: str  # shortened, if it is a token
    word: str  # its most frequent label value; empty if entries have no label
    occurrences: int


class TopFigures(NamedTuple):
    """The occurrences of all tokens together."""

    occurrences: int
    different: int


def figures(_: Measure, stored: Stored, timed: bool = False) -> TopFigures:  # noqa: ARG001  # it has no target
    """From the counts of a window."""
    ranked = _by_token(stored or {})
    return TopFigures(sum(each.total() for each in ranked.values()), len(ranked))


def add_up(stored: Iterable[Counts]) -> Counts:
    """Several hashes as one window."""
    return tokens.together(stored)


def most_frequent(counts: Counts, most: int = 10) -> list[Ranked]:
    """The most frequent first; ties in text order."""
    found = sorted(_by_token(counts).items(), key=lambda item: (-item[1].total(), item[0]))
    return [
        Ranked(short(token), min(words, key=lambda word: (-words[word], word)), words.total())
        for token, words in found[:most]
    ]


def short(token: str) -> str:
    """A token as lists show it: its key id and first six characters; any other text unchanged."""
    key_id, point, rest = token.partition(".")
    return f"{key_id}.{rest[:_SHOWN]}" if point else token


def _by_token(counts: Counts) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for field, number in counts.items():
        if number > 0:
            token, _, word = field.partition(BETWEEN)
            found.setdefault(token, Counter())[word] += number
    return found


KIND: Final = Kind(
    name="top",
    about="the most frequent values",
    needs=("at", "tokens", "windows"),
    may=("where",),
    most_labels=1,
    reads=Reads.TOKENS,
    contribution=tokens.contribution,
    figures=figures,
    add_up=add_up,
    own_keys=(MOST_LISTED,),
    families={},
    quantities={},
    base="",
    columns=(Column("value", "occurrences"), Column("numerator", "occurrences")),
    clock=tokens.clock,
    form=Form.LIST,
)
