"""The derived rule files and runbooks: up to date, complete, and using only known metrics."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.generate.rules import faults
from tests.generate.rules.cases import cases_text
from tests.generate.rules.tools import LINKS, MADE_UP, RULES, catalogue_of, divided, rules_in, shipped, shipped_alerts
from tests.generate.rules.tools import shipped_rules as all_rules
from tests.parts import ROOT
from watchroom.catalogue.metrics import all_families
from watchroom.generate.rules import runbooks
from watchroom.generate.rules.files import rules_text
from watchroom.generate.rules.links import load_links

MOST_CHARS = 750


def test_the_folders_hold_nothing_else() -> None:
    """Prometheus loads every file of the folder of rules; a runbook of a removed alert misleads."""
    assert {path.name for path in RULES.iterdir()} == rules_text(shipped(), load_links(ROOT)).keys()
    assert {path.stem for path in (ROOT / runbooks.FOLDER).iterdir()} == runbooks.pages(shipped()).keys()


def test_every_alert_has_a_runbook_with_every_part() -> None:
    """Somebody who is paged at night opens it first."""
    assert len(shipped_alerts()) == len({rule["alert"] for rule in shipped_alerts()})
    for rule in shipped_alerts():
        page = (ROOT / runbooks.FOLDER / f"{rule['alert']}.md").read_text(encoding="utf-8")
        headings = re.findall(r"^## (.+)$", page, re.MULTILINE)
        assert headings == ["Meaning", "Impact", "What to do now", "Where the number comes from"]
        assert rule["expr"] in page
        assert "\n1. " in page


def too_long(rules: Iterable[Mapping[str, Any]]) -> list[str]:
    """The rules whose expression nobody can read at night."""
    return [rule.get("alert") or rule["record"] for rule in rules if len(rule["expr"]) > MOST_CHARS]


def test_every_expression_is_readable() -> None:
    """A longer one must be split into recording rules, or the exporter must publish the figure."""
    assert too_long(all_rules()) == []
    assert too_long([{"alert": "A", "expr": "up" + " or up" * 130}]) == ["A"]


def test_an_expression_in_a_rule_file_is_promql_over_several_lines() -> None:
    """It has no escaped quotes, and an alert is not all on one line."""
    text = "".join(path.read_text(encoding="utf-8") for path in RULES.iterdir())
    assert '\\"' not in text
    assert max(len(line) for rule in shipped_alerts() for line in rule["expr"].splitlines()) < 250


def test_every_metric_is_published() -> None:
    """A rule on a metric that is never published never fires."""
    assert list(faults.unknown_metrics(all_rules(), [*all_families(shipped()), *faults.FOREIGN_NAMES])) == []


@pytest.mark.parametrize("name", ["watchroom_calls_waitin", "force:watchroom_redis_up:max", "alertmanager_failed"])
def test_a_metric_that_nothing_publishes_is_found(name: str) -> None:
    """In an expression, the name of a recording rule, and a query in a text."""
    rules: list[dict[str, Any]] = [
        {"alert": "A", "expr": f'{name}{{line="999"}} > 1'},
        {"alert": "B", "expr": "vector(1)", "annotations": {"summary": f"{{{{ with query `{name}` }}}}"}},
    ]
    assert list(faults.unknown_metrics(rules, {"watchroom_calls_waiting"})) == [
        f"A: nothing publishes {name}",
        f"B: nothing publishes {name}",
    ]


def test_no_rule_takes_the_rate_of_a_measure() -> None:
    """The figure of a window falls by itself, so its rate means nothing."""
    assert list(faults.changes_of_gauges(all_rules())) == []
    found = faults.changes_of_gauges([{"alert": "A", "expr": "increase(watchroom_call_volume[1h]) > 3"}])
    assert list(found) == ["A: increase() of a gauge"]
    found = faults.changes_of_gauges(
        [{"alert": "A", "expr": f"rate({faults.FOREIGN_NAMES[0]}[1h]) > 0 and rate(watchroom_call_volume[1h]) > 0"}]
    )
    assert list(found) == ["A: rate() of a gauge"], "increase() is for counters of other programs only"


def test_no_rule_mixes_a_number_with_its_absence() -> None:
    """Where absent() is one side of an `or`, the text prints 1 as if it were the number."""
    assert list(faults.absent_with_or(all_rules())) == []
    found = faults.absent_with_or([{"alert": "A", "expr": "age > 30 or absent(age)"}])
    assert list(found) == ["A: `or absent(...)`; write two alerts"]


def test_every_alert_gives_value_counts_definition_and_links() -> None:
    """The text may be all that a person on call has."""
    assert [*faults.incomplete(shipped_alerts()), *faults.unexplained(shipped_alerts(), shipped())] == []


def test_an_alert_on_open_entities_links_to_their_list() -> None:
    """With its own label values, as the page of the exporter reads them; no other alert has such a list."""
    found = {
        rule["alert"]: rule["annotations"]["open_url"] for rule in shipped_alerts() if "open_url" in rule["annotations"]
    }
    exporter = load_links(ROOT).exporter
    assert found["LongestWait999"] == f"{exporter}/open/calls_waiting?line=999"
    by_area = "?grade=1&area={{ $labels.area | urlquery }}"
    assert found["Grade1LongUnresourced"] == f"{exporter}/open/incidents_unresourced{by_area}"
    of_lists = [(m, a) for m, a in shipped().alerts() if m.kind == "open" or a.shown.what == "live_within"]
    assert found.keys() == {alert.name for _, alert in of_lists}
    for name in found:
        assert "open_url" in (ROOT / runbooks.FOLDER / f"{name}.md").read_text(encoding="utf-8")


def test_an_alert_that_says_too_little_is_found() -> None:
    """Each missing part is named."""
    rules = shipped_alerts()
    share = next(rule for rule in rules if rule["alert"] == "Abandonment101")
    share["annotations"]["summary"] = "Many callers give up, look at it."
    share["annotations"]["runbook_url"] = "http://elsewhere"
    del share["annotations"]["dashboard_url"]
    del share["labels"]["severity"]
    assert [*faults.incomplete(rules), *faults.unexplained(rules, shipped())] == [
        "Abandonment101: no runbook_url with /runbook/",
        "Abandonment101: no dashboard_url with /d/watchroom-",
        "Abandonment101: no severity",
        "Abandonment101: the summary does not give the value",
        "Abandonment101: the summary does not give the definition",
        "Abandonment101: the summary does not give both counts",
    ]


def test_every_alert_of_the_catalogue_and_the_platform_has_exactly_one_rule() -> None:
    """None is forgotten and none is duplicated."""
    expected = [alert.name for _, alert in shipped().alerts()] + [*shipped().platform_alerts]
    assert sorted(rule["alert"] for rule in shipped_alerts()) == sorted(expected)


def test_a_runbook_marks_the_placeholders_of_the_link_to_a_list() -> None:
    """An unmarked placeholder would be copied as part of the address."""
    page = (ROOT / runbooks.FOLDER / "Grade1LongUnresourced.md").read_text(encoding="utf-8")
    assert "`/open/incidents_unresourced?grade=1&area=<area>`" in page


def test_a_new_measure_with_an_alert_gets_rule_runbook_and_tests(tmp_path: Path) -> None:
    """One TOML entry is enough."""
    catalogue = catalogue_of(tmp_path, MADE_UP)
    rule = next(
        rule for rule in rules_in(rules_text(catalogue, LINKS)["measures.yml"]) if rule["alert"] == "MadeUpSurge"
    )
    assert rule["labels"] == {"severity": "page", "stream": "calls", "measure": "made_calls"}
    assert (rule["for"], rule["keep_firing_for"]) == ("20s", "121s")
    assert "2. Answer." in runbooks.pages(catalogue)["MadeUpSurge"]
    assert "MadeUpSurge fires after 20 s" in cases_text(catalogue, "rules")


def test_a_burn_rate_that_counts_waiting_entities_has_its_own_recording_rules(tmp_path: Path) -> None:
    """Two alerts on one measure and window may count differently; with the same name each would read both."""
    target, head = 'targets = [{ where = { line = "999" }, below_s = 10 }]\n', "give_up_s = 3600\n"
    plain = MADE_UP[MADE_UP.index("[[made_time.alerts]]") : MADE_UP.index("[made_queue]")]
    live = plain.replace("MadeUpBurn", "MadeUpLive").replace('"within"', '"live_within"')
    measures = MADE_UP.replace(head, head + target).replace(plain, 'overdue_from = "made_queue"\n\n' + plain + live)
    recorded = [
        rule["record"] for rule in rules_in(rules_text(catalogue_of(tmp_path, measures), LINKS)["recording.yml"])
    ]
    level = "force_line:watchroom_made_time"
    names = [f"{level}:{live}miss_ratio_{window}" for live in ("", "live_") for window in ("1h", "5m")]
    assert [name for name in recorded if name.startswith(level)] == names


def test_a_drill_divides_times_and_nothing_else() -> None:
    """The result of a drill must hold for the rules as shipped."""
    as_shipped = rules_text(shipped(), LINKS)
    for name, text in divided(as_shipped, 8).items():
        for drill, rule in zip(rules_in(text), rules_in(as_shipped[name]), strict=True):
            for key in ("for", "keep_firing_for"):
                if key in rule:
                    assert seconds(drill.pop(key)) == pytest.approx(seconds(rule.pop(key)) / 8, abs=0.001)
            assert drill == rule


def seconds(text: str) -> float:
    """`90s` or `7500ms`."""
    return float(text[:-2]) / 1000 if text.endswith("ms") else float(text[:-1])
