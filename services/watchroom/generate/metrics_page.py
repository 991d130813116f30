"""The reference of the metrics: every metric that Watchroom publishes, with its labels and meaning."""

from __future__ import annotations

from collections.abc import Iterable

from watchroom.catalogue.metrics import PLATFORM, Family, families
from watchroom.catalogue.model import Catalogue
from watchroom.generate.pages import page
from watchroom.reference_rows import table


def text(catalogue: Catalogue) -> str:
    """The page."""
    of_measures = [family for measure in catalogue.measures.values() for family in families(measure)]
    return page("metrics.md", platform=_table(PLATFORM, has_publisher=True), measures=_table(of_measures))


def _table(found: Iterable[Family], *, has_publisher: bool = False) -> list[str]:
    head = ("metric", "labels", "meaning", *(("published by",) if has_publisher else ()))
    return table(head, [_line(family, has_publisher=has_publisher) for family in found])


def _line(family: Family, *, has_publisher: bool) -> tuple[str, ...]:
    # The definition in a measure's HELP is left out: it is the same for all of its metrics.
    about = family.about if has_publisher else family.about.partition(". ")[0] + "."
    labels = ", ".join(f"`{label}`" for label in family.labels)
    return (f"`{family.name}`", labels, about, *((family.by,) if has_publisher else ()))
