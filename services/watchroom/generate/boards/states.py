"""States of a number: limits and words, in the form that Grafana reads."""

from __future__ import annotations

from collections.abc import Mapping
from math import isinf
from typing import Final, NamedTuple

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import dashboard as model

from watchroom.catalogue.formatting import NO_DATA, NONE, NOT_FED
from watchroom.generate.boards import palette


class Limits(NamedTuple):
    """The limits from which a number is a warning or critical (the limit included), each with its word."""

    warning: float
    critical: float
    warning_text: str
    critical_text: str

    @property
    def is_low_bad(self) -> bool:
        """Whether the number is bad when it is small."""
        return self.critical < self.warning


class StateText(NamedTuple):
    """A number that is a state: 1 is "UP"."""

    text: str
    colour: str | None = None  # None: as the panel's other texts


def steps(limit: float | None = None) -> build.ThresholdsConfig:
    """Nothing is filled by a threshold (the limits are exact mappings); `limit` is drawn as a line."""
    found = [model.Threshold(value=None, color=palette.QUIET)]
    if limit is not None:
        found.append(model.Threshold(value=limit, color=palette.LIMIT_INK))
    return build.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(found)


LITTLE: Final = 1e-9
NO_FIGURE: Final = "none reported"  # nobody has to report a figure, so its absence is no fault


NOT_FED_TEXT: Final[Mapping[int, StateText]] = {-1: StateText(NOT_FED, palette.QUIET)}
"""Shown instead of the figures of a stream that the force does not feed: none of our figures is negative."""


def mappings(
    words: Mapping[int, StateText] | Mapping[str, StateText], limits: Limits | None, empty: str = ""
) -> list[model.ValueMapping]:
    """Words first, then limits, then nothing to measure (NaN), then no data: the first that matches is used.

    Args:
        words: The words for exact values.
        limits: The limits from which a number is filled with colour.
        empty: What a cell says that can have no number at all, such as a share within a target that is not set.
    """
    found: list[model.ValueMapping] = []
    if words:
        options = {str(at): model.ValueMappingResult(text=word.text, color=word.colour) for at, word in words.items()}
        found.append(model.ValueMap(options=options))
    for limit, colour in ((limits.critical, palette.CRITICAL), (limits.warning, palette.WARNING)) if limits else ():
        if isinf(limit):
            continue
        # Grafana's ranges include their ends; a number at a low limit meets it.
        low, high = (None, limit - LITTLE) if limits and limits.is_low_bad else (limit, None)
        result = model.ValueMappingResult(color=colour)
        found.append(model.RangeMap(options=model.DashboardRangeMapOptions(from_val=low, to=high, result=result)))
    found.append(_special(model.SpecialValueMatch.NA_N, NONE, palette.QUIET))
    if empty:
        found.append(_special(model.SpecialValueMatch.NULL, empty, palette.QUIET))
    found.append(_special(model.SpecialValueMatch.NULL_AND_NAN, NO_DATA, palette.NO_DATA))
    return found


def line_mappings() -> list[model.ValueMapping]:
    """For lines: an absent series has no line at all; a line of NaN means NONE."""
    return [_special(model.SpecialValueMatch.NULL_AND_NAN, NONE, palette.QUIET)]


def _special(match: model.SpecialValueMatch, text: str, colour: str) -> model.SpecialValueMap:
    result = model.ValueMappingResult(text=text, color=colour)
    return model.SpecialValueMap(options=model.DashboardSpecialValueMapOptions(match=match, result=result))
