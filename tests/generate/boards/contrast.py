"""Contrast of two colours, and what Grafana draws them on.

Source: Web Content Accessibility Guidelines 2.2, 1.4.3 (text 4.5:1, large text 3:1) and 1.4.11 (lines 3:1).
"""

from __future__ import annotations

from typing import Final

from watchroom.generate.boards.palette import NO_DATA, WARNING

CANVAS: Final = {"dark": "#181B1F", "light": "#FFFFFF"}  # Grafana's panel background
TEXT_ON_QUIET: Final = {"dark": "#F7F8FA", "light": "#202226"}  # what Grafana writes on a clear background
LIGHT_TEXT: Final = "#F7F8FA"  # on a fill: Grafana takes this one below its limit of brightness, the other above
DARK_TEXT: Final = "#202226"
BRIGHT: Final = 180
TABLE_FILLS: Final = (WARNING, NO_DATA)  # the only fills behind a table's small text


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb`, 0 (black) to 1 (white)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def text_on(fill: str) -> str:
    """The text colour that Grafana chooses on a fill, by brightness as its own code computes it."""
    red, green, blue = (int(fill[at : at + 2], 16) for at in (1, 3, 5))
    return DARK_TEXT if (red * 299 + green * 587 + blue * 114) / 1000 > BRIGHT else LIGHT_TEXT
