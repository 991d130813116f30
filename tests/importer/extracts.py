"""Where the real extracts are, and what a conversion in a test gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tests.parts import ROOT
from watchroom.importer.mapped import Mapped
from watchroom.importer.tally import Tally

DISPATCH_MAPPING = ROOT / "schemas" / "mappings" / "sffd-dispatch.toml"
DISPATCH = "dispatch_sffd_2020-04-07_20.csv"


class Mapping(NamedTuple):
    """What a conversion gave."""

    events: list[Mapped]
    refused: list[str]
    tally: Tally


MapText = Callable[..., Mapping]
