"""`watchroom measures`: each measure, and which rows of the published report use it."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table
from rich.text import Text

from watchroom.catalogue.model import Catalogue
from watchroom.command_output import table
from watchroom.kinds import kind_of
from watchroom.kinds.measure import Measure
from watchroom.reports.report_text import target_text


def measures(catalogue: Catalogue) -> Iterator[dict[str, object]]:
    """One object for each measure, in catalogue order, on whose keys programs rely."""
    for measure in catalogue.measures.values():
        yield {
            "id": measure.id,
            "rows": list(measure.rows),
            "kind": measure.kind,
            "stream": measure.stream,
            "fed_by": kind_of(measure).fed_by,
            "definition": measure.definition,
            "unit": measure.unit,
            "target": None if (target := target_text(measure)) == "none" else target,
            "windows": list(measure.windows),
            "source": measure.source,
        }


def measures_table(catalogue: Catalogue) -> Table:
    """The same for a terminal."""
    shown = table("measure", "what it is")
    for measure in catalogue.measures.values():
        shown.add_row(Text(measure.id, style="bold", no_wrap=True), Text("\n".join(_lines(measure))), end_section=True)
    return shown


def _lines(measure: Measure) -> Iterator[str]:
    kind = kind_of(measure)
    rows = ", ".join(map(str, measure.rows)) or "none"
    yield measure.definition
    yield f"rows {rows} · {kind.name} of {measure.stream} · fed by {kind.fed_by} · unit {measure.unit}"
    yield f"target: {target_text(measure)}"
    yield f"windows: {' '.join(measure.windows) or 'none'}"
    yield f"source: {measure.source}"
