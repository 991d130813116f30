"""Where the real extracts are, and the result of a conversion in a test."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tests.parts import ROOT
from watchroom.importer.mapped import Mapped
from watchroom.importer.tally import Tally

DISPATCH_MAPPING = ROOT / "schemas" / "mappings" / "sffd-dispatch.toml"
DISPATCH = "dispatch_sffd_2020-04-07_20.csv"


class Mapping(NamedTuple):
    """The result of a conversion."""

    events: list[Mapped]
    refused: list[str]
    tally: Tally


MapText = Callable[..., Mapping]
