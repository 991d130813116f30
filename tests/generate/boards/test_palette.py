"""Every pair of colours in use is readable, on the dark canvas and on the light one."""

from __future__ import annotations

from itertools import combinations

import pytest

from tests.generate.boards.contrast import CANVAS, TABLE_FILLS, TEXT_ON_QUIET, contrast, text_on
from watchroom.generate.boards import palette

TEXT, LARGE = 4.5, 3.0


def test_contrast_is_computed_as_in_the_guidelines() -> None:
    """Black on white is 21:1 and a colour on itself 1:1, by definition."""
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#777777") == pytest.approx(1)
    assert contrast("#767676", "#FFFFFF") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("fill", palette.FILLS)
def test_large_figures_are_readable_on_every_fill(fill: str) -> None:
    """The wall shows such numbers."""
    assert contrast(fill, text_on(fill)) >= LARGE


@pytest.mark.parametrize("fill", TABLE_FILLS)
def test_small_text_is_readable_on_the_fills_of_tables(fill: str) -> None:
    """The cells of a table have small text."""
    assert contrast(fill, text_on(fill)) >= TEXT


def test_the_critical_fill_is_for_large_figures_only() -> None:
    """This is why it is not among the fills of tables."""
    assert contrast(palette.CRITICAL, text_on(palette.CRITICAL)) < TEXT
    assert palette.CRITICAL not in TABLE_FILLS


@pytest.mark.parametrize("theme", CANVAS)
def test_normal_numbers_are_readable_without_a_fill(theme: str) -> None:
    """Most numbers are normal."""
    assert contrast(CANVAS[theme], TEXT_ON_QUIET[theme]) >= TEXT


@pytest.mark.parametrize("theme", CANVAS)
@pytest.mark.parametrize("ink", sorted({*palette.INKS, palette.LIMIT_INK}))
def test_lines_and_bars_are_visible_on_both_canvases(ink: str, theme: str) -> None:
    """Offices print the light one."""
    assert contrast(ink, CANVAS[theme]) >= LARGE


@pytest.mark.parametrize("theme", CANVAS)
@pytest.mark.parametrize("fill", sorted({palette.CRITICAL, palette.NO_DATA, palette.WARNING}))
def test_a_filled_panel_stands_out_or_its_text_does(fill: str, theme: str) -> None:
    """Yellow on white is hardly visible as a fill, but its text and number are black on yellow."""
    assert max(contrast(fill, CANVAS[theme]), contrast(fill, text_on(fill))) >= LARGE


def test_no_two_states_share_a_fill() -> None:
    """Their texts differ too, but cannot be read from across the room."""
    for one, other in combinations(palette.FILLS, 2):
        assert one != other


def test_no_line_has_the_colour_of_a_state() -> None:
    """An ordinary line in vermilion would look like CRITICAL, and one in purple like NO DATA."""
    assert not {*palette.INKS} & {*palette.FILLS}
    assert palette.PAST_INK in palette.INKS
