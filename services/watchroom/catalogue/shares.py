"""The shares that alerts read. The exporter publishes their counts, so that no rule adds up a share itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from watchroom.catalogue.model import Catalogue
from watchroom.kinds import quantity_of
from watchroom.kinds.measure import Measure
from watchroom.kinds.shown import Shown

PART: Final = "watchroom_share_part"
WHOLE: Final = "watchroom_share_whole"


def shares(catalogue: Catalogue) -> list[tuple[Measure, Shown]]:
    """Each share that an alert reads, once for each of its windows; of a burn rate the long window and the short."""
    found: list[tuple[Measure, Shown]] = []
    for measure, alert in catalogue.alerts():
        if quantity_of(measure, alert.shown).counts is None:
            continue
        windows = (alert.burn.long, alert.burn.short) if alert.burn else (alert.shown.window,)
        for share in ((measure, replace(alert.shown, window=window)) for window in windows):
            if share not in found:
                found.append(share)
    return found


def labels(measure: Measure, shown: Shown, value: str = "") -> dict[str, str]:
    """The labels of the samples of a share; `value` is that of its split."""
    over = {"window": shown.window} if shown.window else {}
    split = {shown.split: value} if shown.split else {}
    return {"measure": measure.id, "quantity": shown.what, **over, **shown.where, **split}
