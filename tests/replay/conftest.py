"""The real extracts, and a call that maps rows."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.replay.extracts import DISPATCH, REPOSITORY, Mapping, MapText
from watchroom.errors import RowRefused
from watchroom.replay.convert import Conversion
from watchroom.replay.mapping import check_mapping
from watchroom.replay.rows import read_rows


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real extracts; without it tests skip, and fail in CI."""
    folder = Path(os.environ.get("WATCHROOM_REAL_DATA", REPOSITORY.parent / "shared" / "data"))
    if not (folder / DISPATCH).exists():
        message = f"no real extracts in {folder}: set WATCHROOM_REAL_DATA"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return folder


@pytest.fixture
def map_text(tmp_path: Path) -> MapText:
    """Convert texts of files under a mapping document."""

    def convert(document: dict[str, object], *files: str, names: Sequence[str] = ()) -> Mapping:
        words = check_mapping(dict(document), "m.toml")
        paths = []
        for number, text in enumerate(files):
            path = tmp_path / (names[number] if names else f"f{number}.csv")
            path.write_text(text, encoding="utf-8", newline="")
            paths.append(path)
        refused: list[RowRefused] = []
        conversion = Conversion(words, refused.append)
        events = list(conversion.events(read_rows(paths, words)))
        return Mapping(events, [str(item) for item in refused], conversion.tally)

    return convert
