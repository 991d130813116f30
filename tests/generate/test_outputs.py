"""Derived files: fresh in the repository, and noticed when they are not."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from watchroom.admission.models import MODELS
from watchroom.generate.outputs import generate, texts

ROOT = Path(__file__).resolve().parents[2]


def test_what_is_committed_is_what_is_derived() -> None:
    """A model was changed without `make generate`, or a derived file was edited by hand."""
    said: list[str] = []
    assert generate(ROOT, check=True, say=said.append), "".join(said)


def test_check_shows_the_difference_and_writes_nothing(tmp_path: Path) -> None:
    """The reviewer reads the difference; a check that repairs would hide it."""
    (tmp_path / "a.txt").write_text("old\n")
    said: list[str] = []
    assert not generate(tmp_path, check=True, outputs={"a.txt": "new\n", "b.txt": "b"}, say=said.append)
    text = "".join(said)
    assert "-old\n" in text
    assert "+new\n" in text
    assert "b.txt" in text
    assert "make generate" in text
    assert (tmp_path / "a.txt").read_text() == "old\n"
    assert not (tmp_path / "b.txt").exists()


def test_generating_twice_writes_once(tmp_path: Path) -> None:
    """Derived files depend on their sources only: not on the clock, nor on the order of a set."""
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    for path in texts(ROOT):
        (tmp_path / path).unlink(missing_ok=True)
    said: list[str] = []
    assert generate(tmp_path, check=False, say=said.append)
    assert len(said) == len(texts(ROOT))
    said.clear()
    assert generate(tmp_path, check=False, say=said.append)
    assert generate(tmp_path, check=True, say=said.append)
    assert said == []


def test_a_runbook_of_an_alert_that_is_gone_is_found_and_removed(tmp_path: Path) -> None:
    """A board or rule that nothing makes any more would go on being used."""
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    said: list[str] = []
    generate(tmp_path, check=False, say=said.append)
    old = tmp_path / "deploy" / "runbooks" / "OldAlert.md"
    old.write_text("# OldAlert\n")
    said.clear()
    assert not generate(tmp_path, check=True, say=said.append)
    assert "OldAlert.md any more" in "".join(said)
    assert generate(tmp_path, check=False, say=said.append)
    assert not old.exists()
    assert generate(tmp_path, check=True, say=said.append)


def test_no_schema_of_a_type_that_is_gone_is_left() -> None:
    """A producer would follow it."""
    assert {path.stem for path in (ROOT / "schemas" / "events").glob("*.json")} == set(MODELS)


def test_derived_files_have_no_marks_of_this_machine() -> None:
    """They are published: no absolute path of the one who made them."""
    for path in texts(ROOT):
        assert str(ROOT) not in (ROOT / path).read_text(encoding="utf-8")


def test_derived_files_are_committed() -> None:
    """A file that git ignores would be fresh here and missing in a clone."""
    ignored = subprocess.run(
        ["git", "check-ignore", *texts(ROOT)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ignored.stdout == ""
