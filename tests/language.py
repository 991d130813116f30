"""Finds the phrases that docs/language.md retires in every committed text: `python -m tests.language`."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Final

from tests.parts import ROOT

PAGE: Final = "docs/language.md"
QUOTING: Final = (PAGE, "tests/test_language.py")
HEADING: Final = "## Phrases that `make check` refuses"
# Lines in which a phrase may stay, by file and phrase, with the reason.
ALLOWED: Final[Mapping[tuple[str, str], str]] = {}
BETWEEN_WORDS: Final = r"""(?:[\s"'#*_/-])+"""  # also across lines of a comment or a wrapped text


def retired(page: str) -> dict[str, str]:
    """What to write, by retired phrase: the table under `HEADING`.

    Raises:
        ValueError: The page has no such table.
    """
    _, found, section = page.partition(HEADING)
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    if not found or len(rows) < 2:
        raise ValueError(f"{PAGE}: no table under {HEADING!r}")
    return dict(rows[1:])


def findings(text: str, phrases: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    """Line and phrase of each retired phrase of a text."""
    either = "|".join(f"({BETWEEN_WORDS.join(map(re.escape, phrase.split()))})" for phrase in phrases)
    for found in re.finditer(rf"(?<![a-z])(?:{either})(?![a-z])", text, re.IGNORECASE):
        yield text.count("\n", 0, found.start()) + 1, list(phrases)[(found.lastindex or 0) - 1]


def committed() -> Iterator[tuple[str, str]]:
    """Path and content of every committed text but those that quote the phrases."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.rstrip("\0").split("\0"):
        path = ROOT / name
        if name in QUOTING or path.is_symlink() or not path.is_file():
            continue
        try:
            yield name, path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # pictures and extracts in other encodings


def main() -> int:
    """Print each retired phrase with its line and what to write; 1 if there is one."""
    phrases = retired((ROOT / PAGE).read_text(encoding="utf-8"))
    used = set()
    faults = 0
    for name, text in committed():
        for line, phrase in findings(text, phrases):
            if (name, phrase) in ALLOWED:
                used.add((name, phrase))
                continue
            faults += 1
            sys.stdout.write(f'{name}:{line}: "{phrase}"; write: {phrases[phrase]}\n')
    for name, phrase in sorted(ALLOWED.keys() - used):
        faults += 1
        sys.stdout.write(f'tests/language.py: the exception for "{phrase}" in {name} is not needed; delete it\n')
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
