"""Every derived file, in one table: a new output is one function and one row.

Derived files are committed, so that a reviewer sees what a change does to them; `make check`
(`watchroom generate --check`) shows where they no longer match their sources.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from difflib import unified_diff
from pathlib import Path
from types import MappingProxyType
from typing import Final

from watchroom.admission.models import MODELS
from watchroom.generate import (
    asyncapi,
    catalogue_page,
    event_fields_page,
    event_index,
    event_schemas,
    measures_page,
    metrics_page,
    reference_tables,
    settings_page,
)
from watchroom.generate.boards import files as boards
from watchroom.generate.rules import files as rules
from watchroom.generate.rules import runbooks
from watchroom.generate.rules.links import load_links

DERIVED_ONLY: Final = ("deploy/runbooks/*.md", "deploy/prometheus/rules/*.yml", "grafana/dashboards/*.json")
"""Folders in which only derived files may be: a file that nothing generates any more would still be used."""

Output = Callable[[Path], str]
"""Makes the text of a file from the sources below the repository's root."""


def texts(root: Path) -> dict[str, str]:
    """The text of every derived file, by its path below the repository's root."""
    catalogue = rules.shipped_catalogue(root)
    return {
        **{f"schemas/events/{name}.json": event_schemas.text(name) for name in MODELS},
        "schemas/events/asyncapi.yaml": asyncapi.text(),
        "schemas/events/README.md": event_index.text(),
        "schemas/measures/README.md": measures_page.text(catalogue),
        "services/watchroom/streams/tables.json": reference_tables.text(root),
        "deploy/settings.md": settings_page.text(),
        "docs/reference/catalogue.md": catalogue_page.text(),
        "docs/reference/events.md": event_fields_page.text(root),
        "docs/reference/metrics.md": metrics_page.text(catalogue),
        **{f"{rules.FOLDER}/{name}": text for name, text in rules.rules_text(catalogue, load_links(root)).items()},
        **{path: make(root) for path, make in boards.outputs().items()},
        **{f"{runbooks.FOLDER}/{name}.md": text for name, text in runbooks.pages(catalogue).items()},
    }


def generate(
    root: Path,
    check: bool,
    *,
    outputs: Mapping[str, str] | None = None,
    more: Mapping[str, Output] = MappingProxyType({}),
    say: Callable[[str], object] = sys.stdout.write,
) -> bool:
    """Write every derived file, or with `check` only show the differences.

    Args:
        root: The repository's root.
        check: Write nothing.
        outputs: Text by path; defaults to all of `texts`.
        more: Files made by code that this package may not import.
        say: Where differences, or the names of files written, go; whole lines.

    Returns:
        False if `check` found a file that is missing or differs.
    """
    fresh = True
    wanted = {**(texts(root) if outputs is None else outputs), **{path: make(root) for path, make in more.items()}}
    for path in _left_over(root, wanted) if outputs is None else ():
        fresh = False
        say(f"nothing generates {path} any more\n")
        if not check:
            (root / path).unlink()
    for path, text in wanted.items():
        file = root / path
        was = file.read_text(encoding="utf-8") if file.exists() else None
        if was == text:
            continue
        if check:
            fresh = False
            say(_difference(path, was or "", text))
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            say(f"wrote {path}\n")
    if check and not fresh:
        say("derived files are out of date; run `make generate` and commit them\n")
    return fresh or not check


def _left_over(root: Path, wanted: Mapping[str, str]) -> list[str]:
    found = (str(file.relative_to(root)) for pattern in DERIVED_ONLY for file in sorted(root.glob(pattern)))
    return [path for path in found if path not in wanted]


def _difference(path: str, was: str, text: str) -> str:
    lines = unified_diff(
        was.splitlines(keepends=True), text.splitlines(keepends=True), f"{path} (current)", f"{path} (as generated)"
    )
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)
