"""promtool and amtool, and the rules in parsed form, for the tests in this folder."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.catalogue.folder import with_platform_alerts
from tests.generate.rules.cases import cases_text
from tests.parts import ROOT, SET_UP, missing
from watchroom.catalogue.load import load_catalogue
from watchroom.catalogue.model import Catalogue
from watchroom.generate.rules.files import rules_text
from watchroom.generate.rules.links import Links

RULES = ROOT / "deploy" / "prometheus" / "rules"
LINKS = Links("http://exporter.example", "http://grafana.example")
AREAS = Path("areas.toml")

MADE_UP = (Path(__file__).with_name("made_up.toml")).read_text(encoding="utf-8")


def run(program: str, *arguments: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a tool of Prometheus or Alertmanager and return its output."""
    found = shutil.which(program)
    if found is None:
        missing(f"no {program}; {SET_UP}")
    return subprocess.run([found, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False)


def shipped() -> Catalogue:
    """The catalogue of this repository."""
    return load_catalogue(ROOT / "schemas" / "measures", AREAS)


def catalogue_of(folder: Path, measures: str) -> Catalogue:
    """A catalogue of these entries, with the shipped labels."""
    shutil.copy(ROOT / "schemas" / "measures" / "labels.toml", folder)
    (folder / "made.toml").write_text(measures)
    return load_catalogue(with_platform_alerts(folder), ("stoke", "county"))


def write(folder: Path, catalogue: Catalogue, **changes: str) -> Path:
    """Write the derived rules and their promtool tests below `folder`, and return the path of the tests.

    `changes` (regular expression -> text) are made only in the text of the rules, so that the tests can fail.
    """
    rules = folder / "rules"
    rules.mkdir(exist_ok=True)
    for name, text in rules_text(catalogue, LINKS).items():
        changed = text
        for pattern, by in changes.items():
            changed = re.sub(pattern, by, changed)
        (rules / name).write_text(changed)
    test = folder / "measures_test.yml"
    test.write_text(cases_text(catalogue, "rules"))
    return test


def divided(rules: Mapping[str, str], by: float) -> dict[str, str]:
    """Rule files with `for` and `keep_firing_for` divided, for drills.

    Limits within expressions stay as shipped, so what `limits.muted_after_s` says holds for drills too.
    """

    def shorter(found: re.Match[str]) -> str:
        return f"{found[1]}{round(int(found[2]) * 1000 / by)}ms"

    return {name: re.sub(r"(?m)^( +(?:for|keep_firing_for): )(\d+)s$", shorter, text) for name, text in rules.items()}


def rules_in(text: str) -> list[dict[str, Any]]:
    """Every rule of a rule file's text."""
    return [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]


def shipped_rules() -> list[dict[str, Any]]:
    """Every committed rule."""
    return [rule for path in sorted(RULES.iterdir()) for rule in rules_in(path.read_text(encoding="utf-8"))]


def shipped_alerts() -> list[dict[str, Any]]:
    """Every committed alerting rule."""
    return [rule for rule in shipped_rules() if "alert" in rule]
