"""The pages people read: links, headings and references from the code resolve."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from markdown.extensions.toc import slugify

from tests.parts import ROOT

LONGEST_README: Final = 150
REFERENCE: Final = re.compile(r"\b((?:docs|schemas|deploy(?!/runbooks))/[\w/-]+\.md)(?:#([\w-]+))?")
HEADING: Final = re.compile(r"^#+ +(.+?)\s*$", re.MULTILINE)
NAMED: Final = re.compile(r"`([a-z_]+)`")
CODE: Final = ("services", "tests", "Makefile", "pyproject.toml")


def committed(*where: str) -> list[Path]:
    """Text files of the repository."""
    listed = subprocess.run(["git", "ls-files", "--", *where], cwd=ROOT, check=True, capture_output=True, text=True)
    return [ROOT / name for name in listed.stdout.splitlines() if name.endswith((".py", ".toml", ".md", "Makefile"))]


def dead_references(text: str, root: Path) -> Iterator[str]:
    """References to a page or heading that does not exist."""
    for page, heading in REFERENCE.findall(text):
        path = root / page
        if not path.exists():
            yield page
        elif heading and heading not in {slugify(said, "-") for said in HEADING.findall(path.read_text("utf-8"))}:
            yield f"{page}#{heading}"


def build(config: Path, to: Path) -> subprocess.CompletedProcess[str]:
    """Build the site, as `make docs` does."""
    command = [sys.executable, "-m", "mkdocs", "build", "--config-file", str(config), "--site-dir", str(to)]
    return subprocess.run(
        command, cwd=ROOT, check=False, capture_output=True, text=True, env={"NO_MKDOCS_2_WARNING": "1"}
    )


def test_every_page_that_the_code_refers_to_exists() -> None:
    """Somebody who does not understand a line follows its reference to a page."""
    dead = {str(path.relative_to(ROOT)): list(dead_references(path.read_text("utf-8"), ROOT)) for path in _code()}
    assert {name: references for name, references in dead.items() if references} == {}


def _code() -> Iterable[Path]:
    mine = Path(__file__)
    return [path for path in committed(*CODE) if path != mine]


def test_a_dead_reference_is_found() -> None:
    """The check above in a case in which it fails."""
    text = "see docs/architecture.md#fold, docs/architecture.md#folly and docs/nothing.md"
    assert list(dead_references(text, ROOT)) == ["docs/architecture.md#folly", "docs/nothing.md"]


def test_nothing_refers_to_a_design_that_the_repository_does_not_have() -> None:
    """A section number means nothing to somebody who only has the repository."""
    said = re.compile(r"\b[Dd]esign (?:section )?\d")
    assert [str(path.relative_to(ROOT)) for path in _code() if said.search(path.read_text("utf-8"))] == []


def alerts_not_named(page: str) -> set[str]:
    """Alerts without a link to their runbook on a page of the documentation."""
    rules = [rule for path in (ROOT / "deploy/prometheus/rules").glob("*.yml") for rule in _rules(path)]
    names = {rule["alert"] for rule in rules if "alert" in rule}
    return {name for name in names if f"[{name}](../deploy/runbooks/{name}.md)" not in page}


def _rules(path: Path) -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(path.read_text("utf-8"))["groups"] for rule in group["rules"]]


def test_the_page_of_alerts_names_every_alert() -> None:
    """Somebody who gets an alert that is missing from the page stops trusting the page."""
    page = (ROOT / "docs/alerts.md").read_text("utf-8")
    assert alerts_not_named(page) == set()
    assert alerts_not_named(page.replace("[RedisDown]", "[Redis]")) == {"RedisDown"}


def test_the_readme_is_short() -> None:
    """Nobody reads a long one."""
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= LONGEST_README


def test_the_site_is_built_without_a_dead_link(tmp_path: Path) -> None:
    """Built as by `make docs`, in strict mode."""
    built = build(ROOT / "mkdocs.yml", tmp_path)
    assert built.returncode == 0, built.stderr
    assert "Unanswered999" in (tmp_path / "docs" / "alerts.html").read_text("utf-8")


@pytest.mark.parametrize("link", ["docs/nothing.md", "docs/architecture.md#nothing"])
def test_a_dead_link_fails_the_build_of_the_site(link: str, tmp_path: Path) -> None:
    """The check above in cases where it must fail."""
    page = tmp_path / "planted.md"
    page.write_text(f"[a page]({link})\n", encoding="utf-8")
    hook = tmp_path / "planted.py"
    hook.write_text(
        "from mkdocs.structure.files import File\n"
        "def on_files(files, config):\n"
        f"    files.append(File.generated(config, 'planted.md', abs_src_path={str(page)!r}))\n"
        "    return files\n",
        encoding="utf-8",
    )
    config = tmp_path / "mkdocs.yml"
    shipped = (ROOT / "mkdocs.yml").read_text("utf-8")
    shipped = shipped.replace("docs_dir: docs", f"docs_dir: {ROOT / 'docs'}")
    shipped = shipped.replace("!relative $config_dir", str(ROOT))
    config.write_text(shipped.replace("[docs/hooks.py]", f"[{ROOT / 'docs' / 'hooks.py'}, {hook}]"), encoding="utf-8")
    built = build(config, tmp_path / "site")
    assert built.returncode != 0
    assert link.rsplit("#", maxsplit=1)[-1] in built.stderr


def package_docstrings() -> dict[Path, str]:
    """The docstring of each package's `__init__`."""
    packages = (ROOT / "services" / "watchroom").rglob("__init__.py")
    return {path.parent: ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "" for path in packages}


def test_every_package_says_what_it_is_for() -> None:
    """Five to ten lines: its job, its input and output, what it may import, where to start reading."""
    lengths = {package.name: len(text.splitlines()) for package, text in package_docstrings().items()}
    assert {name: lines for name, lines in lengths.items() if not 5 <= lines <= 10} == {}


def modules_gone(package: Path, docstring: str) -> list[str]:
    """Modules that a package's docstring says to start with, and that are not there."""
    named = set(NAMED.findall(docstring.partition("Start")[2]))
    folders = (package, *package.parents[: len(package.relative_to(ROOT / "services").parts)])
    functions = set(re.findall(r"^def (\w+)", (package / "__init__.py").read_text("utf-8"), re.MULTILINE))
    return sorted(named - functions - {path.stem for folder in folders for path in folder.iterdir()})


def test_the_modules_that_a_package_names_exist() -> None:
    """The docstring says where to start reading; a module that has been renamed would send a newcomer nowhere."""
    gone = {package.name: modules_gone(package, text) for package, text in package_docstrings().items()}
    assert {name: modules for name, modules in gone.items() if modules} == {}


def test_a_module_that_is_gone_is_found() -> None:
    """The check above in a case in which it fails."""
    package = ROOT / "services" / "watchroom" / "generate" / "boards"
    assert modules_gone(package, "`in`. Start with `files`, then `maker`, then `kinds`.") == ["maker"]


def layers_missing(page: str) -> set[str]:
    """Modules and packages of the import contract that the page's list of layers does not name."""
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"][0]
    named = {name for line in contract["layers"] for name in re.findall(r"\w+", line)} - {"__main__"}
    layers = page.partition("## Layers")[2].partition("## ")[0]
    return named - set(re.findall(r"\w+", layers))


def test_the_architecture_page_has_every_layer() -> None:
    """A package that is missing there belongs nowhere for a newcomer."""
    page = (ROOT / "docs/architecture.md").read_text("utf-8")
    assert layers_missing(page) == set()
    assert layers_missing(page.replace("doctor", "")) == {"doctor"}
