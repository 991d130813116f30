"""The colours of the boards. `tests/generate/boards` computes the contrast of every pair in use.

Chosen so that people who cannot tell red from green can tell them apart. No state is shown by colour alone: each has a
word (HIGH, LOW, CRITICAL, NONE, NO DATA) with it. A fill carries text; an ink is drawn on the panel itself
and must be visible on Grafana's dark and light canvas.

Source: Okabe and Ito, Color Universal Design, 2008 (blue, yellow, vermilion, reddish purple).
"""

from __future__ import annotations

from typing import Final

QUIET: Final = "transparent"  # normal: the panel's own background, so that what is not normal stands out
NORMAL: Final = "#0072B2"
WARNING: Final = "#F0E442"
CRITICAL: Final = "#D55E00"  # large figures only: white on it is 3.6:1
NO_DATA: Final = "#AA4499"

INKS: Final = ("#3A92CC", "#009E73", "#A6761D", "#8A8A8A")
"""Lines and bars, each with its own dash; never the colour of a state, because an ordinary line has no state.

Sky blue #56B4E9 would be brighter on dark, but is 2.3:1 on white, and offices print.
"""
PAST_INK: Final = INKS[3]  # what is compared with
LIMIT_INK: Final = "#D55E00"  # a target's dashed line

FILLS: Final = (NORMAL, WARNING, CRITICAL, NO_DATA)
ALL: Final = frozenset({QUIET, *FILLS, *INKS, LIMIT_INK})
