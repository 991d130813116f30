"""The changelog is made from fragments: each has a type and a text, and a release lists them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

from tests.parts import ROOT

FOLDER = ROOT / "changelog.d"
TYPES = [
    each["directory"] for each in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["towncrier"]["type"]
]
NAME = re.compile(rf"(\d+|\+[a-z0-9-]+)\.({'|'.join(TYPES)})(\.\d+)?\.md")


def faults(fragments: Iterable[Path]) -> list[str]:
    """Fragments that no release would list, or that are empty."""
    named = [path for path in fragments if path.name != "README.md"]
    return [path.name for path in named if not NAME.fullmatch(path.name) or not path.read_text("utf-8").strip()]


def test_every_fragment_has_a_type_and_a_text() -> None:
    """Towncrier leaves out a file whose name it does not understand."""
    assert faults(FOLDER.iterdir()) == []


def test_a_fragment_that_would_be_left_out_is_found(tmp_path: Path) -> None:
    """The check above in cases where it must fail."""
    for name, text in (
        ("+new.added.md", "New."),
        ("+new.feature.md", "New."),
        ("12.fixed.md", " "),
        ("new.md", "New."),
    ):
        (tmp_path / name).write_text(text)
    assert sorted(faults(tmp_path.iterdir())) == ["+new.feature.md", "12.fixed.md", "new.md"]


def test_the_readme_of_the_fragments_lists_their_types() -> None:
    """Colleagues look up the types there."""
    assert re.findall(r"^\| `(\w+)` \|", (FOLDER / "README.md").read_text("utf-8"), re.MULTILINE) == TYPES


def test_a_release_is_written_above_the_older_ones(tmp_path: Path) -> None:
    """`towncrier build`, run on a copy."""
    for name in ("pyproject.toml", "CHANGELOG.md"):
        shutil.copy(ROOT / name, tmp_path)
    before = (tmp_path / "CHANGELOG.md").read_text("utf-8")
    (tmp_path / "changelog.d").mkdir()
    (tmp_path / "changelog.d" / "+planted.fixed.md").write_text("A planted fault.\n")
    command = [sys.executable, "-m", "towncrier", "build", "--yes", "--version", "9.9.9", "--dir", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    after = (tmp_path / "CHANGELOG.md").read_text("utf-8")
    introduction, _, releases = before.partition("\n## ")
    assert after.startswith(introduction.rstrip())
    assert releases in after
    assert after.index("## 9.9.9") < after.index(releases)
    assert "### Fixed\n\n- A planted fault.\n" in after
    assert list((tmp_path / "changelog.d").iterdir()) == []
