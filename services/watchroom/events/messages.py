"""How a message shows what was found. Pure."""

from __future__ import annotations

from typing import Final

MOST_SHOWN: Final = 60


def shown(text: str) -> str:
    """A text in quotes, with escapes; a long one is cut."""
    return repr(text if len(text) <= MOST_SHOWN else text[: MOST_SHOWN - 3] + "...")
