"""Derived files: up to date in the repository, and found if they are not."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from watchroom.admission.models import MODELS
from watchroom.generate.outputs import generate, texts

ROOT = Path(__file__).resolve().parents[2]


def test_the_committed_files_are_up_to_date() -> None:
    """Somebody may have changed a model without `make generate`, or edited a derived file by hand."""
    said: list[str] = []
    assert generate(ROOT, check=True, say=said.append), "".join(said)


def test_check_shows_the_difference_and_writes_nothing(tmp_path: Path) -> None:
    """The reviewer reads the difference; a check that repaired the file would hide it."""
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


def test_generating_again_writes_nothing(tmp_path: Path) -> None:
    """Derived files depend only on their sources, not on the clock or the order of a set."""
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


def test_a_runbook_of_a_removed_alert_is_found_and_deleted(tmp_path: Path) -> None:
    """A board or rule that is no longer derived would otherwise stay in use."""
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


def test_no_schema_of_a_removed_type_is_left() -> None:
    """A producer would still use it."""
    assert {path.stem for path in (ROOT / "schemas" / "events").glob("*.json")} == set(MODELS)


def test_derived_files_contain_no_paths_of_this_machine() -> None:
    """They are published and must not contain absolute paths of the machine that made them."""
    for path in texts(ROOT):
        assert str(ROOT) not in (ROOT / path).read_text(encoding="utf-8")


def test_derived_files_are_committed() -> None:
    """A file that git ignores would be up to date here and missing in a clone."""
    ignored = subprocess.run(
        ["git", "check-ignore", *texts(ROOT)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ignored.stdout == ""
