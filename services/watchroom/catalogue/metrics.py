"""Every metric that Watchroom publishes: exporters write these, and boards and rules may use no others.

Gauges of a measure follow from its entry, those of the platform are in `platform_metrics.toml`. No gauge ends in
`_count`, `_sum` or `_bucket`, and `rate()` is never right for one.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final, Literal, NamedTuple, assert_never

from watchroom.catalogue.model import Catalogue
from watchroom.kinds import kind_of, names
from watchroom.kinds.kind import MetricFamily, Over
from watchroom.kinds.measure import Measure
from watchroom.streams import STREAMS

ROW: Final = "watchroom_row"
NOT_WAITED_FOR: Final = tuple(name for name, stream in STREAMS.items() if not stream.is_waited_for)
WAITED_FOR: Final = f'topic!~".*[.]({"|".join(NOT_WAITED_FOR)})"'  # matches the topics that streams wait for


class Family(NamedTuple):
    """One metric name."""

    name: str
    about: str  # HELP
    labels: tuple[str, ...] = ()
    measure: str = ""  # empty: of the platform
    why_unused: str = ""
    by: Literal["exporter", "worker", "alertmanager"] = "exporter"


def suffixes(measure: Measure) -> dict[str, MetricFamily]:
    """The metric families that a measure has, by suffix."""
    return {
        suffix: family
        for suffix, family in kind_of(measure).families.items()
        if (measure.targets or not family.of_target)
        and (measure.display.baseline or family.over is not Over.LOCAL_HOURS)
    }


def about(measure: Measure, family: MetricFamily) -> str:
    """HELP of a family, with the texts of the catalogue."""
    return f"{measure.brief}: {family.about}. {measure.definition}"


def labels_of(measure: Measure, family: MetricFamily) -> tuple[str, ...]:
    """Names of the labels of a family's samples."""
    match family.over:
        case Over.WINDOWS:
            over = ["window", *(["month"] if "month" in measure.windows else [])]
        case Over.LOCAL_HOURS:
            over = ["weeks_ago"]
        case Over.NOW | Over.READING:
            over = []
        case Over.OWN_PERIOD:
            over = ["span"]
        case _:
            assert_never(family.over)
    return (*(label.name for label in measure.labels), *over, *family.further_labels)


def families(measure: Measure) -> list[Family]:
    """The metrics of one measure."""
    return [
        Family(
            names.metric(measure.id, suffix),
            about(measure, family),
            labels_of(measure, family),
            measure.id,
            measure.display.why_unused.get(suffix, ""),
        )
        for suffix, family in suffixes(measure).items()
    ]


def _read() -> list[Family]:
    text = Path(__file__).with_name("platform_metrics.toml").read_text(encoding="utf-8")
    return [
        Family(
            name,
            table["about"],
            tuple(table.get("labels", ())),
            why_unused=table.get("why_unused", ""),
            by=table.get("by", "exporter"),
        )
        for name, table in tomllib.loads(text).items()
    ]


_READ: Final = _read()
PLATFORM: Final = tuple(family for family in _READ if family.by != "alertmanager")
FOREIGN: Final = tuple(family for family in _READ if family.by == "alertmanager")
"""What rules read from other programs: their counters, so `increase()` is right for them."""


def all_families(catalogue: Catalogue) -> dict[str, Family]:
    """Every metric that Watchroom publishes, by name."""
    of_measures = (family for measure in catalogue.measures.values() for family in families(measure))
    return {family.name: family for family in (*of_measures, *PLATFORM)}
