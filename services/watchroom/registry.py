"""Tables by name that are built from the modules of kinds and streams. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

Row = TypeVar("Row")


def registry(what: str, rows: Iterable[tuple[str, Row]]) -> dict[str, Row]:
    """Rows by name, in their order.

    Args:
        what: What the rows are, for the message.
        rows: Name and row. The same row may occur again under its name.

    Raises:
        ValueError: Two different rows have one name, so that one of them would be lost without notice.
    """
    found: dict[str, Row] = {}
    for name, row in rows:
        if found.setdefault(name, row) != row:
            raise ValueError(f"two different {what} {name!r}: only one of them would be used")
    return found
