"""How many series a full scrape has, counted from the catalogue alone."""

from __future__ import annotations

from typing import Final, assert_never

from watchroom.catalogue.metrics import suffixes
from watchroom.catalogue.model import Catalogue
from watchroom.kinds import names
from watchroom.kinds.kind import MetricFamily, Over
from watchroom.kinds.measure import Measure

MONTHS: Final = 13  # the running one and the last 12
MONTHS_BY_AREA: Final = 2  # the running one and the last complete one
LOCAL_HOURS: Final = 7  # the last complete one, and the same one of six weeks


def series_by_metric(catalogue: Catalogue) -> dict[str, int]:
    """The most samples of each measure's metrics."""
    return {
        names.metric(measure.id, suffix): len(family.samples) * _label_sets(measure, family)
        for measure in catalogue.measures.values()
        for suffix, family in suffixes(measure).items()
    }


def most_series(catalogue: Catalogue) -> int:
    """The most samples of all measures."""
    return sum(series_by_metric(catalogue).values())


def _label_sets(measure: Measure, family: MetricFamily) -> int:
    """Label sets of a family, once for each window in which they are published."""
    by_area, together = (
        sum(measure.target_for(by) is not None or not family.of_target for by in measure.label_sets(by_area=split))
        for split in (True, False)
    )
    match family.over:
        case Over.NOW:
            return by_area
        case Over.READING:
            return 1
        case Over.OWN_PERIOD:
            return by_area  # of each span that has one; most figures have one span
        case Over.LOCAL_HOURS:
            return LOCAL_HOURS * together
        case Over.WINDOWS:
            split = [
                name for name in measure.area_windows if family.area_windows is None or name in family.area_windows
            ]
            months = [0, 0] if "month" not in measure.windows else [MONTHS_BY_AREA if "month" in split else 0, MONTHS]
            windows = set(measure.windows) - {"month"}
            often = len(windows & set(split)) + months[0]
            return often * by_area + (len(windows) + months[1] - often) * together
        case _:
            assert_never(family.over)
