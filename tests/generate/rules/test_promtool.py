"""promtool accepts the rules, the configuration and the alerts, and finds faults in them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from tests.generate.rules.cases import cases_text
from tests.generate.rules.tools import MADE_UP, RULES, catalogue_of, run, shipped, write
from tests.parts import ROOT
from watchroom.kinds import KINDS

PROMETHEUS = ROOT / "deploy" / "prometheus"
TESTS = ROOT / "tests" / "alerts"

TEXTS = 'brief = "Made up"\ndefinition = "What a test made up."\nsource = "A test"\nboard = "response"\n'
TIME = 'start = "queued"\nat = "answered"\ntargets = [{ where = { line = "999" }, below_s = 10 }]\n'
TARGETS = 'targets = [{ where = { line = "999" }, below_s = 10 }]\n'
OF_KIND = {
    "count": 'at = "offered"\nwindows = ["5m", "1h"]\n',
    "share": 'at = "left_queue"\npart = { left_by = ["abandoned"] }\nwindows = ["5m", "1h"]\n',
    "duration": f'{TIME}windows = ["5m", "1h"]\noverdue_from = "made_opens"\n',
    "open": f'at = "queued"\nstate = "waiting"\ngive_up_s = 3600\n{TARGETS}',
}


def test_rules_and_configuration_pass() -> None:
    """A file that Prometheus refuses at its start stops every alert."""
    for kind, paths in (("rules", sorted(RULES.iterdir())), ("config", [PROMETHEUS / "prometheus.yml"])):
        done = run("promtool", "check", kind, *paths)
        assert done.returncode == 0, done.stdout + done.stderr


def test_rules_and_configuration_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    """An unclosed bracket, a job name that occurs twice."""
    shutil.copytree(PROMETHEUS, tmp_path, dirs_exist_ok=True)
    rules, config = tmp_path / "rules" / "platform.yml", tmp_path / "prometheus.yml"
    rules.write_text(rules.read_text().replace("vector(1)", "vector(1"))
    config.write_text(config.read_text().replace("watchroom-worker", "watchroom-exporter"))
    assert run("promtool", "check", "rules", rules).returncode != 0
    assert "watchroom-exporter" in run("promtool", "check", "config", "--syntax-only", config).stderr


@pytest.mark.timeout(300)  # 45 s of CPU
def test_every_alert_fires_when_it_should_and_not_before(tmp_path: Path) -> None:
    """The files of tests/alerts, and the cases that follow from the catalogue, against the rules as shipped."""
    derived = tmp_path / "measures_test.yml"
    derived.write_text(cases_text(shipped(), str(RULES)))
    done = run("promtool", "test", "rules", derived, *sorted(TESTS.glob("*_test.yml")))
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_in_the_files() -> None:
    """An alert without a test may never fire."""
    names = [alert.name for _, alert in shipped().alerts()] + [*shipped().platform_alerts]
    text = cases_text(shipped(), str(RULES)) + "".join(path.read_text() for path in TESTS.glob("*_test.yml"))
    assert [name for name in names if f"{name} fires" not in text and f"{name} always fires" not in text] == []


@pytest.mark.parametrize(
    ("broken", "pattern", "by"),
    [
        ("fires too early", r"for: \d+s", "for: 0s"),
        ("is not kept", r"keep_firing_for: \d+s", "keep_firing_for: 15s"),
        ("is kept for ever", r"keep_firing_for: \d+s", "keep_firing_for: 999999s"),
        ("fires at its limit", r" > ", " >= "),
        ("fires on too few", r" >= \d+", " >= 0"),
        ("reads another line", "999", "101"),
        ("has lost its severity", "severity: page", "severity: none"),
    ],
)
def test_a_rule_that_differs_from_its_entry_is_found(tmp_path: Path, broken: str, pattern: str, by: str) -> None:
    """The derived tests follow the catalogue, not the rules."""
    done = run(
        "promtool", "test", "rules", write(tmp_path, catalogue_of(tmp_path, MADE_UP), **{pattern: by}), cwd=tmp_path
    )
    assert done.returncode != 0, broken
    assert "MadeUpWait" in done.stdout + done.stderr


def test_the_minimum_count_keeps_an_alert_from_firing(tmp_path: Path) -> None:
    """With the small counts of the derived tests, each such alert fires once its minimum is removed."""
    path = write(tmp_path, shipped(), **{r"\n *and on \([a-z, ]+\) [^>]+ >= \d+": ""})
    document = yaml.safe_load(path.read_text())
    document["tests"] = [test for test in document["tests"] if test["name"].endswith("one too few")]
    path.write_text(yaml.safe_dump(document))
    done = run("promtool", "test", "rules", path, cwd=tmp_path)
    names = [alert.name for _, alert in shipped().alerts() if alert.at_least]
    assert len(document["tests"]) == len(names) > 0
    assert [name for name in names if f'alertname=\\"{name}\\"' not in done.stdout + done.stderr] == []


@pytest.mark.parametrize(
    "old", ["15s", "45s", "60s", "== 0", "> 10", "> 20", "== 1", "[3d]", "[5d]", "offset 15m", "offset 6h", ">= 2"]
)
def test_a_platform_rule_that_differs_is_found(tmp_path: Path, old: str) -> None:
    """There is a test for each duration and each limit."""
    rules, tests = tmp_path / "deploy" / "prometheus" / "rules", tmp_path / "tests" / "alerts"
    shutil.copytree(RULES, rules)
    shutil.copytree(TESTS, tests)
    new = {"15s": "5s", "45s": "40s", "60s": "55s", "> 10": "> 20", "> 20": "> 21"}
    new |= {"[3d]": "[10m]", "[5d]": "[1h]", "offset 15m": "offset 20m", "offset 6h": "offset 2m"}
    path = rules / "platform.yml"
    path.write_text(path.read_text().replace(old, new.get(old, "== 2")))
    cheapest_first = sorted(tests.glob("platform_*test.yml"), reverse=True)
    assert any(run("promtool", "test", "rules", file, cwd=tmp_path).returncode for file in cheapest_first), (
        f"{old} could be {new.get(old)}"
    )


def entries() -> str:
    """A measure of each kind with an alert on each of its quantities, above and below, plain and split."""
    text = ""
    for kind, body in OF_KIND.items():
        text += f'[made_{kind}s]\nkind = "{kind}"\nstream = "calls"\nby = {{ line = "line" }}\n{body}{TEXTS}\n'
        for place, (what, quantity) in enumerate(KINDS[kind].quantities.items()):
            for side, limit in (("above", "0.5"), ("below", "0.9")):
                of = 'where = { line = "999" }' if place % 2 or quantity.needs_target else 'split = "line"'
                name = f"{kind.title()}{what.replace('_', '').capitalize()}{side.title()}"
                text += f'[[made_{kind}s.alerts]]\nname = "{name}"\n'
                text += f'severity = "ticket"\nshow = "{what}"\n{of}\n{side} = {limit}\nfor_s = 12\nkeep_s = 60\n'
                text += 'window = "5m"\n' if kind != "open" else ""
                text += "at_least = 20\n" if quantity.counts else ""
                text += 'meaning = "It means."\nimpact = "It harms."\naction = ["Act."]\n'
    return text


def test_an_alert_can_be_written_on_every_quantity(tmp_path: Path) -> None:
    """Whatever the catalogue accepts becomes a rule that fires."""
    done = run("promtool", "test", "rules", write(tmp_path, catalogue_of(tmp_path, entries())), cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_texts_give_value_counts_and_definition(tmp_path: Path) -> None:
    """The exact texts for a count, a share, a burn rate and a wait, as a telephone shows them."""
    write(tmp_path, catalogue_of(tmp_path, MADE_UP))
    shutil.copy(Path(__file__).with_name("said_test.yml"), tmp_path)
    done = run("promtool", "test", "rules", "said_test.yml", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
