"""Packages and their imports, the lock file, and texts that the repository must not contain; each check can fail."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.parts import ROOT

SERVICES = ROOT / "services"
PURE_PACKAGES = ("events", "streams", "rolling", "kinds", "catalogue", "admission", "fold")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())

# ----------------------------------------------------------------------------------- import contract

PLANTED = {
    "a stream reads the catalogue": ("streams/planted.py", "import watchroom.catalogue", "Imports run downwards only"),
    "a kind reads a stream": ("kinds/planted.py", "import watchroom.streams", "Imports run downwards only"),
    "a kind reads the catalogue": ("kinds/planted.py", "import watchroom.catalogue", "Imports run downwards only"),
    "an event's form depends on a stream": (
        "events/planted.py",
        "import watchroom.streams",
        "Imports run downwards only",
    ),
    "the fold reads a setting": ("fold/planted.py", "import watchroom.settings", "Imports run downwards only"),
    "a kind reads the environment": ("kinds/planted.py", "import os", "What is below the settings"),
    "a stream draws lots": ("streams/planted.py", "import random", "What is below the settings"),
    "a pure package opens the store": ("fold/planted.py", "import watchroom.store", "Imports run downwards only"),
    "a process imports another": ("exporter/planted.py", "import watchroom.intake", "Imports run downwards only"),
    "a process is examined by itself": (
        "importer/planted.py",
        "import watchroom.doctor",
        "Imports run downwards only",
    ),
    "the simulator starts the demo": ("simulator/planted.py", "import watchroom.demo", "Imports run downwards only"),
    "the demo imports the importer": ("demo/planted.py", "import watchroom.importer", "Imports run downwards only"),
    "a process imports the demo": ("exporter/planted.py", "import watchroom.demo", "Only commands, importer and"),
    "a process imports the simulator": (
        "intake/planted.py",
        "import watchroom.simulator",
        "Only commands, importer and",
    ),
    "a module in no layer": ("utils.py", "", "Imports run downwards only"),
    "redis outside the store": ("exporter/planted.py", "import redis", "Only store imports redis"),
    "faust outside intake": ("importer/planted.py", "import faust", "Only intake imports faust"),
    "prometheus_client in a report": (
        "reports/planted.py",
        "import prometheus_client",
        "Only exporter, intake and demo",
    ),
    "the Grafana SDK in an exporter": (
        "exporter/planted.py",
        "import grafana_foundation_sdk",
        "Only generate imports the Grafana SDK",
    ),
    "typer outside the command line": ("reports/planted.py", "import typer", "Only cli imports typer"),
    "a pure package reads a clock": ("rolling/planted.py", "import time", "What is below the settings"),
    "a pure package opens a socket": ("events/planted.py", "import socket", "What is below the settings"),
}


def contract(services: Path) -> subprocess.CompletedProcess[str]:
    """Run the import contract of pyproject.toml over a copy of the services."""
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); from importlinter.cli import lint_imports; "
        "sys.exit(lint_imports(config_filename=sys.argv[2], no_cache=True))"
    )
    command = [sys.executable, "-c", program, str(services), str(ROOT / "pyproject.toml")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def broken(answer: subprocess.CompletedProcess[str]) -> list[str]:
    """Names of the broken contracts."""
    return [line.removesuffix(" BROKEN") for line in answer.stdout.splitlines() if line.endswith(" BROKEN")]


def test_the_import_contract_holds() -> None:
    """Imports run downwards, and each engine is used in one package, so that it can be replaced."""
    answer = contract(SERVICES)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "0 broken" in answer.stdout


@pytest.mark.parametrize("case", PLANTED)
def test_a_planted_import_breaks_its_contract(case: str, tmp_path: Path) -> None:
    """A contract that has never failed in a test may be switched off by a misspelt name."""
    file, line, name = PLANTED[case]
    services = tmp_path / "services"
    shutil.copytree(SERVICES, services, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    planted = services / "watchroom" / file
    planted.write_text(f"{line}\n")
    answer = contract(services)
    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert [contract_name for contract_name in broken(answer) if contract_name.startswith(name)], answer.stdout


# ------------------------------------------------------------------------------------ time is passed in


def clock_reads(source: str) -> list[int]:
    """Lines that read the current time from `datetime` or `date`."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    names = {"now", "utcnow", "today"}
    return [call.lineno for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr in names]


def test_pure_packages_do_not_read_the_clock() -> None:
    """The contract forbids the module `time`, but `datetime` also gives the current time."""
    files = [path for package in PURE_PACKAGES for path in (SERVICES / "watchroom" / package).rglob("*.py")]
    assert len(files) > len(PURE_PACKAGES)
    assert {str(path.relative_to(ROOT)): lines for path in files if (lines := clock_reads(path.read_text()))} == {}


def test_a_clock_read_is_found() -> None:
    """The check above in a case where it must fail."""
    assert clock_reads("from datetime import UTC, datetime\nx = 1\ny = datetime.now(UTC)\n") == [3]


# -------------------------------------------------------------------------------------- the lock file


def locked() -> dict[str, str]:
    """Versions of constraints.txt by canonical name."""
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in (line.split("==") for line in lines)}


def needed(name: str, extras: frozenset[str], seen: set[tuple[str, frozenset[str]]]) -> Iterator[str]:
    """Every package that a distribution needs on this machine, directly or indirectly."""
    if (name, extras) in seen:
        return
    seen.add((name, extras))
    for text in metadata.requires(name) or ():
        requirement = Requirement(text)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in {"", *extras}):
            yield canonicalize_name(requirement.name)
            yield from needed(requirement.name, frozenset(requirement.extras), seen)


def test_the_lock_file_holds_every_package_and_nothing_else() -> None:
    """A clone must install next year what runs here today."""
    wanted = set(needed("watchroom", frozenset({"embedded", "dev"}), set()))
    tools = {canonicalize_name(Requirement(text).name) for text in PROJECT["build-system"]["requires"]}
    # For older Pythons than the one that made the lock file (3.11 before 3.11.3, faust's redis client).
    elsewhere = {"async-timeout"}
    assert wanted - set(locked()) == set()
    assert set(locked()) - wanted - tools - elsewhere == set()


def test_the_locked_versions_are_the_installed_ones() -> None:
    """Tests with other versions would prove nothing about the locked ones."""
    wanted = set(needed("watchroom", frozenset({"embedded", "dev"}), set()))
    versions = locked()  # compared as versions: one package writes its own as v0.0.21
    assert {name: Version(metadata.version(name)) for name in wanted} == {
        name: Version(versions[name]) for name in wanted
    }


# ------------------------------------------------------------------- what may not stand in the repository

# Written with a space for the dot, or this file would hold what it forbids.
REGISTRIES = (
    "pypi org", "python" + "hosted org", "registry npmjs", "repo maven", "repo1 maven", "deb debian", "crates io",
    "proxy golang",
)  # fmt: skip
FORBIDDEN = {
    "a package registry's address": re.compile(
        "|".join(name.replace(" ", r"\.") for name in REGISTRIES) + r"|--(?:extra-)?index-url|--find-links"
    ),
    "a path of one machine": re.compile(r"(?<![\w.$}])/(?:work|root|home|Users)/\w"),
    "a private key": re.compile(r"BEGIN (?:[A-Z]+ )?PRIVATE KEY"),
}
BARE_EXCEPTION = re.compile(
    r"#\s*(?:noqa(?!:\s*[A-Z]+\d+)|type:\s*ignore(?!\[))|#\s*(?:ruff|mypy|flake8):\s*(?:noqa|ignore)"
)
REASONED_EXCEPTION = re.compile(
    r"#\s*(?:(?:ruff:\s*)?noqa:\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*|type:\s*ignore\[[\w, -]+\])\s*[#-]\s*\S+"
)
ANY_EXCEPTION = re.compile(r"#\s*(?:(?:ruff:\s*|flake8:\s*)?noqa|type:\s*ignore|mypy:)")


def tracked() -> list[Path]:
    """Files of the repository except this one, which spells out what it forbids."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [
        ROOT / name for name in names.split("\0") if name and (ROOT / name).is_file() and ROOT / name != Path(__file__)
    ]


def findings(text: str) -> list[str]:
    """What a text contains but must not."""
    return [f"{what}: {found[0]}" for what, pattern in FORBIDDEN.items() if (found := pattern.search(text))]


def unreasoned(source: str) -> list[int]:
    """Lines with an exception to a lint or type rule that lacks its code or its reason."""
    lines = [(n, line) for n, line in enumerate(source.splitlines(), 1) if ANY_EXCEPTION.search(line)]
    return [n for n, line in lines if not REASONED_EXCEPTION.search(line)]


def test_no_file_names_a_registry_a_machine_or_a_key() -> None:
    """A clone must work wherever its packages come from and wherever it is stored."""
    files = tracked()
    assert len(files) > 20
    found = {path.relative_to(ROOT).as_posix(): findings(path.read_text(errors="replace")) for path in files}
    assert {name: list_ for name, list_ in found.items() if list_} == {}


@pytest.mark.parametrize(
    "text",
    ["see https://pypi" + ".org/simple", "--extra-index" + "-url x", "open('/wo" + "rk/main/x')", "/Us" + "ers/anna/x"],
)
def test_a_named_registry_or_machine_is_found(text: str) -> None:
    """The check above in cases where it must fail."""
    assert findings(text)


def test_every_exception_to_a_rule_has_its_code_and_its_reason() -> None:
    """A blanket ignore hides the next fault as well."""
    files = [path for path in tracked() if path.suffix == ".py"]
    assert {path.relative_to(ROOT).as_posix(): lines for path in files if (lines := unreasoned(path.read_text()))} == {}


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        ("x = 1  # noqa", True),
        ("x = 1  # noqa: S603", True),
        ("x = 1  # type: ignore", True),
        ("x = 1  # type: ignore[arg-type]", True),
        ("# ruff: noqa: S603", True),
        ("# mypy: ignore-errors", True),
        ("# ruff: noqa: SLF001, ARG002 - this module is about another's private names", False),
        ("x = 1  # noqa: S603  # the command is ours", False),
        ("x = 1  # type: ignore[arg-type]  # pydantic checks it", False),
    ],
)
def test_an_exception_without_code_or_reason_is_found(line: str, refused: bool) -> None:
    """The check above in cases where it must fail."""
    assert bool(unreasoned(line)) is refused


# ------------------------------------------------------------------------------------------- Makefile


def test_every_make_target_that_others_call_exists_and_is_explained() -> None:
    """`make` without a target prints the manual; CI and people use these names."""
    listed = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = {line.split()[1] for line in listed.splitlines()}
    assert {"install", "check", "test", "demo", "generate", "bench", "boards", "up", "down"} <= names
