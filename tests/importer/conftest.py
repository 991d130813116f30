"""A fixture that maps the texts of files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.importer.extracts import Mapping, MapText
from watchroom.errors import RowRefused
from watchroom.events.tokeniser import Tokeniser
from watchroom.importer.convert import Conversion
from watchroom.importer.listed import Labels
from watchroom.importer.mapping import check_mapping
from watchroom.importer.rows import read_rows


@pytest.fixture
def map_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MapText:
    """Converts texts of files under a mapping document; `names` may include folders."""
    monkeypatch.chdir(tmp_path)

    def convert(
        document: dict[str, object],
        *files: str,
        names: Sequence[str] = (),
        tokens: Tokeniser | None = None,
        now_ms: int | None = None,
        labels: Labels | None = None,
    ) -> Mapping:
        words = check_mapping(dict(document), "m.toml")
        paths = []
        for number, text in enumerate(files):
            path = Path(names[number] if names else f"f{number}.csv")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="")
            paths.append(path)
        refused: list[RowRefused] = []
        conversion = Conversion(words, refused.append, tokens=tokens, now_ms=now_ms, labels=labels)
        events = list(conversion.events(read_rows(paths, words)))
        return Mapping(events, [str(item) for item in refused], conversion.tally)

    return convert
