"""The columns of a row of figures, in their order: those of every row, those of kinds, and how final the row is."""

from __future__ import annotations

from typing import Final

from watchroom.kinds import KINDS

HEAD: Final = ("measure", "by", "period")
VALUE: Final = ("value", "numerator", "denominator", "unit")
OF_KINDS: Final = tuple(
    dict.fromkeys(column.name for kind in KINDS.values() for column in kind.columns if column.name not in VALUE)
)
COMPLETENESS: Final = ("as_of", "closed")
PUBLISHED_VALUE: Final = VALUE[:3]
PUBLISHED: Final = (
    *(f"published_{name}" for name in PUBLISHED_VALUE),
    *(f"published_{name}" for name in dict.fromkeys(name for kind in KINDS.values() for name in kind.published)),
    "restatements",
)

OWN_PERIOD: Final = ("span", "as_at", "old")  # for figures only

FIGURES: Final = (*VALUE, *OWN_PERIOD, *OF_KINDS, *COMPLETENESS, *PUBLISHED)
"""What follows the labels of a row; a CSV has one column for each."""
