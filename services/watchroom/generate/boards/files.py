"""The files of the boards: `grafana/dashboards/watchroom-<name>.json`, classic dashboard JSON."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from watchroom.catalogue.load import load_catalogue
from watchroom.generate.boards import board, live, month, of_streams, platform
from watchroom.generate.boards.board import Board, Sources
from watchroom.generate.rules.links import load_links
from watchroom.registry import registry
from watchroom.settings import Settings

BOARDS: Final = registry(
    "boards named", ((made.name, made) for made in (live.BOARD, *of_streams.BOARDS, month.BOARD, platform.BOARD))
)


def outputs() -> dict[str, Callable[[Path], str]]:
    """Path below the repository's root -> what generates it."""
    return {f"grafana/dashboards/{board.uid(name)}.json": partial(_text, made) for name, made in BOARDS.items()}


def sources_of(root: Path) -> Sources:
    """The catalogue and addresses below the repository's root, with the settings' defaults."""
    fields = Settings.model_fields
    catalogue = load_catalogue(root / "schemas" / "measures", fields["areas"].default)
    return Sources(catalogue, load_links(root).exporter, fields["zone"].default, fields["force"].default)


def _text(made: Board, root: Path) -> str:
    return board.text(made, sources_of(root))
