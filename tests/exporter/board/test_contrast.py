"""Contrast of every pair of colours on the page, computed from its own style sheet (WCAG 2.2, 1.4.3 and 1.4.11)."""

from __future__ import annotations

import re

import pytest

from tests.parts import ROOT

CSS = (ROOT / "services/watchroom/exporter/board/board.css").read_text()
HEX = re.compile(r"--([a-z-]+): (#[0-9a-f]{6});")
TEXT, LARGE = 4.5, 3.0  # smallest ratios: of text, of large figures and of what is not text

PAIRS = [
    ("ink", "page", TEXT),
    ("ink", "surface", TEXT),
    ("quiet", "page", TEXT),
    ("quiet", "surface", TEXT),
    ("figure", "page", TEXT),  # links
    ("figure", "surface", TEXT),
    ("on-warning", "warning", TEXT),
    ("on-critical", "critical", TEXT),
    ("on-nodata", "nodata", TEXT),
    ("critical", "surface", LARGE),  # a tile beside a quiet one
    ("nodata", "surface", LARGE),
]


def themes(css: str) -> dict[str, dict[str, str]]:
    """The colours of both themes; the light theme is the dark one with some colours changed."""
    head, _, rest = css.partition("@media (prefers-color-scheme: light)")
    dark = dict(HEX.findall(head))
    return {"dark": dark, "light": dark | dict(HEX.findall(rest.partition("\n}\n")[0]))}


def luminance(colour: str) -> float:
    """Relative luminance of an sRGB colour."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_measured_as_the_standard_defines_it() -> None:
    """Black on white is 21; our blue on white gives the figure that other tools give."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#0072b2", "#ffffff") == pytest.approx(5.19, abs=0.01)


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize(("one", "other", "least"), PAIRS)
def test_every_pair_of_colours_has_enough_contrast(theme: str, one: str, other: str, least: float) -> None:
    """It must be readable in a bright room, from three metres, by somebody aged sixty."""
    colours = themes(CSS)[theme]
    assert contrast(colours[one], colours[other]) >= least


def test_every_colour_of_the_sheet_is_in_a_pair_or_is_a_border() -> None:
    """Grey text on grey creeps in through a colour that nobody measures."""
    assert set(themes(CSS)["dark"]) == {name for pair in PAIRS for name in pair[:2]} | {"line"}


def test_no_colour_is_defined_outside_the_themes() -> None:
    """Otherwise the pairs above would be incomplete."""
    rules = CSS.partition("* { box-sizing")[2]
    assert not re.findall(r"#[0-9a-fA-F]{3,8}\b(?![^{]*\{)|rgba?\(|hsl", rules)
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?![^{]*\{)|rgba?\(|hsl", "a { color: #aaa; }")


def test_a_pair_with_too_little_contrast_is_found() -> None:
    """White on vermilion, as it is often drawn, fails for text; it must not pass here."""
    assert contrast("#ffffff", "#d55e00") < TEXT
    assert themes(":root { --ink: #111111; }\n")["light"]["ink"] == "#111111"
