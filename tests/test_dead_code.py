"""Dead and duplicate code is found: what `make check` runs, with planted faults."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.parts import ROOT

SERVICES = ROOT / "services"


def command(tool: str) -> list[str]:
    """The arguments that the Makefile gives a tool."""
    line = next(each for each in (ROOT / "Makefile").read_text().splitlines() if each.startswith(f"\t$(BIN)/{tool}"))
    return [sys.executable, "-m", *shlex.split(line.strip().removeprefix("$(BIN)/"))]


def run(tool: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a tool as `make check` does, in another folder."""
    return subprocess.run(command(tool), cwd=folder, capture_output=True, text=True, check=False)


def with_modules(folder: Path, modules: dict[str, str]) -> Path:
    """A project with our settings and these modules, by path under `services/watchroom`, each in a package."""
    shutil.copy(ROOT / "pyproject.toml", folder)
    package = folder / "services" / "watchroom"
    for name, source in modules.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(source)
    for each in (package, *(path for path in package.rglob("*") if path.is_dir())):
        (each / "__init__.py").touch()
    return folder


def test_unused_code_is_found(tmp_path: Path) -> None:
    """A function that nothing calls; the one next to it is called."""
    source = "def used() -> int:\n    return 1\n\n\ndef unused() -> int:\n    return used()\n"
    answer = run("vulture", with_modules(tmp_path, {"planted.py": source}))
    assert answer.returncode == 3, answer.stdout + answer.stderr
    assert "planted.py:5: unused function 'unused'" in answer.stdout
    assert "'used'" not in answer.stdout


def test_each_exception_for_unused_code_is_needed() -> None:
    """A leftover exception hides the next dead name."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["vulture"]
    plain = [sys.executable, "-m", "vulture", "--config", "none.toml", "--min-confidence", "60", str(SERVICES)]
    answer = subprocess.run(plain, capture_output=True, text=True, check=False)
    unused = set(re.findall(r"unused \w+ '([^']+)'", answer.stdout))
    assert set(settings["ignore_names"]) - unused == set()


def test_equal_lines_in_two_packages_are_found(tmp_path: Path) -> None:
    """Two modules of different packages with the same ten lines."""
    source = (SERVICES / "watchroom" / "kinds" / "share.py").read_text()
    answer = run("pylint", with_modules(tmp_path, {"kinds/one.py": source, "reports/deep/two.py": source}))
    assert answer.returncode != 0, answer.stdout + answer.stderr
    assert "==watchroom.kinds.one:" in answer.stdout
    assert "==watchroom.reports.deep.two:" in answer.stdout


def test_all_modules_are_compared() -> None:
    """Pylint silently skips a folder that is not a package, so every folder with a module must be one."""
    folders = {path.parent for path in SERVICES.rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []
