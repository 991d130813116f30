"""The reference of the metrics: every metric that Watchroom publishes, with its labels and meaning."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from watchroom.catalogue.load import load_catalogue
from watchroom.catalogue.metrics import PLATFORM, Family, families
from watchroom.reference_rows import table
from watchroom.settings import Settings

_INTRODUCTION: Final = """\
<!-- Derived from services/watchroom/catalogue/metrics.py and schemas/measures by `make generate`; do not edit. -->
# Metrics

All metrics are gauges except those that end in `_total`, which are counters of one worker. Prometheus adds the label
`force`. A figure that is unknown or withheld has no sample; that does not mean 0
([causes, and what to do](../no-data.md)). Several exporters may publish the same metric: use `max by`.
"""
_OF_MEASURES: Final = """
## Measures

The suffix after the measure's id says which number it is. What each measure counts is in
[The measures](../../schemas/measures/README.md). For a share, the part and the whole are published;
if the whole is 0, there is no share. A mean or percentile without observations has no sample.

`missing_start` and `negative` are about entities that are known: their first event has arrived, but the start of this
duration has not, or is later than its end. Entities whose first event has not arrived are counted in
`watchroom_orphans` only ([in any order](../architecture.md#a-calls-events-in-any-order)).
"""


def text(root: Path) -> str:
    """The page."""
    catalogue = load_catalogue(root / "schemas" / "measures", Settings.model_fields["areas"].default)
    of_measures = [family for measure in catalogue.measures.values() for family in families(measure)]
    lines = [_INTRODUCTION, "## Platform", "", *_table(PLATFORM, has_publisher=True), _OF_MEASURES]
    return "\n".join([*lines, *_table(of_measures)]) + "\n"


def _table(found: Iterable[Family], *, has_publisher: bool = False) -> Iterator[str]:
    head = ("metric", "labels", "meaning", *(("published by",) if has_publisher else ()))
    yield from table(head, [_line(family, has_publisher=has_publisher) for family in found])


def _line(family: Family, *, has_publisher: bool) -> tuple[str, ...]:
    # Of a measure's HELP the definition is left out: it is the same for all of its metrics.
    about = family.about if has_publisher else family.about.partition(". ")[0] + "."
    labels = ", ".join(f"`{label}`" for label in family.labels)
    return (f"`{family.name}`", labels, about, *((family.by,) if has_publisher else ()))
