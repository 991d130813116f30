"""States of a number: limits and words, and how Grafana is told of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import dashboard as model

from watchroom.generate.boards import palette


class Limits(NamedTuple):
    """From where a number is a warning and where critical, at the limit included, each with its word."""

    warning: float
    critical: float
    warning_word: str
    critical_word: str

    @property
    def is_low_bad(self) -> bool:
        """Whether the number is bad when it is small."""
        return self.critical < self.warning


class Word(NamedTuple):
    """A number that is a state: 1 is "UP"."""

    text: str
    colour: str


def steps(limit: float | None = None) -> build.ThresholdsConfig:
    """Nothing is filled by a threshold (the limits are exact mappings); `limit` is drawn as a line."""
    found = [model.Threshold(value=None, color=palette.QUIET)]
    if limit is not None:
        found.append(model.Threshold(value=limit, color=palette.LIMIT_INK))
    return build.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(found)


def mappings(words: Mapping[int, Word] | Mapping[str, Word], limits: Limits | None) -> list[model.ValueMapping]:
    """Words first, then limits, then nothing to measure (NaN), then no data: the first that fits is taken."""
    found: list[model.ValueMapping] = []
    if words:
        options = {str(at): model.ValueMappingResult(text=word.text, color=word.colour) for at, word in words.items()}
        found.append(model.ValueMap(options=options))
    for limit, colour in ((limits.critical, palette.CRITICAL), (limits.warning, palette.WARNING)) if limits else ():
        low, high = (None, limit) if limits and limits.is_low_bad else (limit, None)
        result = model.ValueMappingResult(color=colour)
        found.append(model.RangeMap(options=model.DashboardRangeMapOptions(from_val=low, to=high, result=result)))
    for match, text, colour in (
        (model.SpecialValueMatch.NA_N, "NONE", palette.QUIET),
        (model.SpecialValueMatch.NULL_AND_NAN, "NO DATA", palette.NO_DATA),
    ):
        result = model.ValueMappingResult(text=text, color=colour)
        found.append(model.SpecialValueMap(options=model.DashboardSpecialValueMapOptions(match=match, result=result)))
    return found
