"""The addresses of Watchroom's pages: `schemas/links.toml`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import Field, ValidationError

from watchroom.catalogue.faults import of_file, shape_faults
from watchroom.entered import toml_tables
from watchroom.errors import ConfigurationInvalid
from watchroom.kinds import kind_of, quantity_of
from watchroom.kinds.kind import Reads
from watchroom.kinds.measure import Measure
from watchroom.kinds.shown import Alert, Strict

FILE = Path("schemas") / "links.toml"


_Address = Annotated[str, Field(pattern=r"^https?://[^/]")]


class LinksFile(Strict):
    """The keys of the file."""

    exporter: _Address
    """Where people reach the built-in board; alerts and boards link to its lists and runbooks.
    Example: `exporter = "http://127.0.0.1:9464"`."""
    grafana: _Address
    """Where people reach Grafana; alerts link to its boards. Example: `grafana = "http://127.0.0.1:3000"`."""


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
    """The addresses in the file below the repository's root.

    Raises:
        ConfigurationInvalid: It cannot be read, or a key is missing, unknown or not an address; every fault is listed.
    """
    path = root / FILE
    try:
        found = LinksFile.model_validate(toml_tables(path))
    except ValidationError as error:
        faults = shape_faults(tuple(LinksFile.model_fields), str(path), "", error, "every board")
        raise ConfigurationInvalid([of_file(fault, FILE.name) for fault in faults]) from error
    return Links(found.exporter.rstrip("/"), found.grafana.rstrip("/"))


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
