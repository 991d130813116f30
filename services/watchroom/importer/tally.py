"""Counts of what a conversion did with the rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

WITHOUT_EVENT = "produces no event: no `when` matches, or its times are empty"


@dataclass(slots=True)
class Tally:
    """What became of the rows; rows = used + skipped + refused."""

    rows: int = 0
    refused: int = 0
    swallowed_lines: int = 0  # by quotes that are not closed: lost, and no rows
    unclosed_files: int = 0  # that end within quotes
    skipped: Counter[str] = field(default_factory=Counter)
    entities: int = 0  # different ones
    events: int = 0
    repeated: int = 0  # events that an earlier row or file already gave; each counts once
    repeating_rows: int = 0  # with an event of a key that an earlier row of the file gave otherwise
    missing: Counter[str] = field(default_factory=Counter)  # rows by column of times that is empty
    passed_over: Counter[tuple[str, str]] = field(default_factory=Counter)  # of these, rows that have the next one
    by_order: int = 0  # rows with times in the repeated hour, read so that they stay in order
    others: Counter[tuple[str, str]] = field(default_factory=Counter)  # rows by label and text that became `other`
    ignored: Counter[tuple[str, str]] = field(default_factory=Counter)  # events by field and text of a wrong form
    unlisted: Counter[tuple[str, str]] = field(default_factory=Counter)  # events by listed field and another text

    @property
    def used(self) -> int:
        """Rows that became events, or belong to an entity that did."""
        return self.rows - self.refused - self.skipped.total()

    def count_missing(self, columns: Sequence[str], cells: Mapping[str, str]) -> None:
        """Note which times of a used row are empty; `columns` are in the order in which they happen."""
        for column in columns:
            self.missing[column] += not cells[column]
        for before, after in pairwise(columns):
            self.passed_over[before, after] += bool(cells[after] and not cells[before])

    @property
    def has_open_quotes(self) -> bool:
        """Whether rows may be lost by quotes that are not closed: the command then ends with 1."""
        return bool(self.swallowed_lines or self.unclosed_files)
