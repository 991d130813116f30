"""Shared by kinds that count tokens: what an entity contributes, and how many tokens occur how often.

A token stands for a telephone number, an address or a person. Counts of tokens are kept by day and month in separate
hashes, and a token never becomes a label.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

from watchroom.kinds import names
from watchroom.kinds.kind import Add, By, Contribution
from watchroom.kinds.measure import Facts, Measure
from watchroom.rolling.buckets import ten_seconds_of
from watchroom.rolling.calendar import Calendar
from watchroom.rolling.windows import buckets_of

MOST_TOKENS: Final = 100  # of one entity; the rest is counted and not kept
LEFT_OUT: Final = "left_out"  # bucket field: tokens beyond those
LATE: Final = "+"  # prefix of a month's fields for what arrived after the month had closed
BETWEEN: Final = "|"  # between a token and the label value that it is ranked with
_FIELD: Final = re.compile(r"[A-Za-z0-9_./-]{1,64}")
UNUSABLE: Final = "other"  # for a text that cannot be a field

Counts = Mapping[str, int]  # field of a token hash -> how often it occurs


class Bands(NamedTuple):
    """How many tokens occur once, two or three times, and four times or more; and the occurrences of each band."""

    once: int = 0
    two_or_three: int = 0
    four_or_more: int = 0
    once_occurrences: int = 0
    two_or_three_occurrences: int = 0
    four_or_more_occurrences: int = 0
    token_keys: int = 0  # how many keys the tokens were made with: with more than one, a person may have two tokens
    left_out: int = 0  # tokens of entities with more than 100
    not_restated: int = 0  # events that arrived after the tokens were deleted

    @property
    def tokens(self) -> int:
        """How many different tokens."""
        return self.once + self.two_or_three + self.four_or_more

    @property
    def repeated(self) -> int:
        """How many tokens occur more than once."""
        return self.two_or_three + self.four_or_more

    @property
    def repeated_share(self) -> float | None:
        """The share of tokens that occur more than once, 0 to 1; None without tokens."""
        return self.repeated / self.tokens if self.tokens else None


def bands_of(counts: Counts) -> Bands:
    """The bands of these counts; tokens that no longer occur are in no band."""
    tokens, occurrences = [0, 0, 0], [0, 0, 0]
    for number in counts.values():
        if number > 0:
            band = 0 if number == 1 else 1 if number <= 3 else 2
            tokens[band] += 1
            occurrences[band] += number
    return Bands(*tokens, *occurrences)._replace(token_keys=len(_keys(counts)))


def _keys(counts: Counts) -> set[str]:
    return {token.partition(".")[0] for token, number in counts.items() if number > 0 and "." in token}


def together(hashes: Iterable[Counts]) -> Counter[str]:
    """Add up several hashes."""
    added: Counter[str] = Counter()
    for counts in hashes:
        added.update(counts)
    return added


def hashes_of(measure: str, window: str, now_ms: int, calendar: Calendar) -> list[str]:
    """Names of the hashes of a window at a moment, the oldest first."""
    return [f"{measure}:{bucket}" for bucket in buckets_of(window, now_ms, calendar)]


def published(stored: Counts) -> dict[str, int]:
    """A month's counts when the month closed."""
    return {field: number for field, number in stored.items() if not field.startswith(LATE)}


def today(stored: Counts) -> Counter[str]:
    """A hash's counts, including what arrived after its month had closed."""
    added: Counter[str] = Counter()
    for field, number in stored.items():
        added[field.removeprefix(LATE)] += number
    return added


def contribution(measure: Measure, series: str, by: By) -> Add:
    """Each token of the entity once, at its moment; with its label value if there is a label."""
    at, tokens, name = measure.at, measure.tokens, measure.id
    ending = "".join(f"{BETWEEN}{value}" for value in by.values())
    left_out = names.field(series, LEFT_OUT)

    def add(facts: Facts, into: Contribution) -> None:
        moment = facts[at]
        if not isinstance(moment, int):
            return
        found = texts_of(facts[tokens])
        if found:
            into.tokens[name] = moment, tuple([text + ending for text in found[:MOST_TOKENS]])
        if len(found) > MOST_TOKENS:
            into.increments[left_out] = ten_seconds_of(moment), len(found) - MOST_TOKENS

    return add


def clock(measure: Measure, mention: Callable[[str], str]) -> str:
    """What is counted, and when."""
    return f"each value of {mention(measure.tokens)}, counted at {mention(measure.at)}"


def texts_of(value: object) -> list[str]:
    """The texts of a value, sorted, each once."""
    texts = [value] if isinstance(value, str) else value if isinstance(value, tuple) else ()
    return sorted({text if _FIELD.fullmatch(text) else UNUSABLE for text in texts if text})
