"""Where the real extracts are, and what a conversion in a test gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from watchroom.replay.convert import Tally
from watchroom.replay.mapped import Mapped

REPOSITORY = Path(__file__).resolve().parents[2]
DISPATCH = "dispatch_sffd_2020-04-07_20.csv"


class Mapping(NamedTuple):
    """What a conversion gave."""

    events: list[Mapped]
    refused: list[str]
    tally: Tally


MapText = Callable[..., Mapping]
