"""Where people reach Watchroom's pages: `schemas/links.toml`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import NamedTuple

from watchroom.catalogue.model import Measure

FILE = Path("schemas") / "links.toml"


class Links(NamedTuple):
    """Addresses without a slash at the end."""

    exporter: str
    grafana: str

    def runbook(self, alert: str) -> str:
        """The runbook page of an alert."""
        return f"{self.exporter}/runbook/{alert}"

    def board(self, uid: str) -> str:
        """A board for the alert's force, as a template of Prometheus."""
        return f"{self.grafana}/d/{uid}?var-force={{{{ $labels.force | urlquery }}}}"


def load_links(root: Path) -> Links:
    """The addresses below the repository's root."""
    found = tomllib.loads((root / FILE).read_text(encoding="utf-8"))
    return Links(str(found["exporter"]).rstrip("/"), str(found["grafana"]).rstrip("/"))


def board_of(measure: Measure) -> str:
    """The board on which a measure is looked at first: the wall if it has a tile there."""
    return "watchroom-live" if measure.display.tiles else f"watchroom-{measure.display.board}"
