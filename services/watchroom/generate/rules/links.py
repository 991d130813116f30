"""The addresses of Watchroom's pages: `schemas/links.toml`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import NamedTuple

from watchroom.kinds import kind_of, quantity_of
from watchroom.kinds.kind import Reads
from watchroom.kinds.measure import Measure
from watchroom.kinds.shown import Alert

FILE = Path("schemas") / "links.toml"


class Links(NamedTuple):
    """Addresses, without a slash at the end."""

    exporter: str
    grafana: str

    def runbook(self, alert: str) -> str:
        """The runbook page of an alert."""
        return f"{self.exporter}/runbook/{alert}"

    def board(self, uid: str) -> str:
        """A board, opened for the force of the alert, as a template of Prometheus."""
        return f"{self.grafana}/d/{uid}?var-force={{{{ $labels.force | urlquery }}}}"

    def behind(self, measure: Measure, alert: Alert) -> str:
        """The list of the entities behind an alert, as a template; empty if there is no list."""
        path = open_path(measure, alert, f"{{{{ $labels.{alert.shown.split} | urlquery }}}}")
        return f"{self.exporter}{path}" if path else ""


def load_links(root: Path) -> Links:
    """The addresses in the file below the repository's root."""
    found = tomllib.loads((root / FILE).read_text(encoding="utf-8"))
    return Links(str(found["exporter"]).rstrip("/"), str(found["grafana"]).rstrip("/"))


def open_path(measure: Measure, alert: Alert, split: str) -> str:
    """Path and filter of the list; `split` is the value of the split, or a template for it.

    An alert that counts those overdue now leads to the open measure that lists them.
    """
    shown = alert.shown
    name = ""
    if kind_of(measure).reads is Reads.OPEN_SET:
        name = measure.id
    elif quantity_of(measure, shown).misses_overdue:
        name = measure.display.overdue_from
    where = [*shown.where.items(), *([(shown.split, split)] if shown.split else [])]
    return f"/open/{name}?{'&'.join(f'{label}={value}' for label, value in where)}".rstrip("?") if name else ""


def board_of(measure: Measure) -> str:
    """The board to look at first: the wall if the measure has a tile there."""
    return "watchroom-live" if measure.display.tiles else f"watchroom-{measure.display.board}"
