"""Times that depend on each other: which alert outlasts which, and the times in the configuration files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.exporter.series import most_series
from tests.generate.rules import limits
from tests.generate.rules.tools import MADE_UP, catalogue_of, shipped
from tests.parts import ROOT
from watchroom.catalogue.metrics import families
from watchroom.catalogue.platform_alerts import FRESH_S
from watchroom.settings import Settings

SETTINGS = Settings.model_fields


@pytest.fixture(scope="module")
def prometheus() -> dict[str, Any]:
    """The configuration of Prometheus."""
    found: dict[str, Any] = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def alertmanager() -> dict[str, Any]:
    """The configuration of Alertmanager."""
    path = ROOT / "deploy/alertmanager/alertmanager.yml"
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def test_a_measures_alert_outlasts_the_alert_that_mutes_it() -> None:
    """Otherwise a surge whose feed dies is reported as over."""
    assert list(limits.false_ends(shipped())) == []


def test_an_alert_that_is_not_kept_long_enough_is_found(tmp_path: Path) -> None:
    """Here for 100 s; a silent source needs 90 s, a scrape, its `for`, an evaluation and the group wait."""
    catalogue = catalogue_of(tmp_path, MADE_UP.replace("keep_s = 121", "keep_s = 100"))
    assert list(limits.false_ends(catalogue))[:1] == [
        "MadeUpSurge is kept 100 s; SourceSilent mutes it after 155 s at most"
    ]


def test_a_silent_source_is_kept_until_the_alert_that_mutes_it_fires() -> None:
    """Its figure is lost when its stream is not fresh. From then on another alert fires after its `for`."""
    of = shipped().platform_alerts
    for name in ("ExporterAbsent", "RedisDown", "WorkerStuck", "AppliedLag"):
        seen_s = limits.SCRAPE_S + limits.EVALUATION_S  # the scrape that loses one figure shows the other's
        needed_s = seen_s + of[name].for_s + limits.GROUP_WAIT_S
        assert of["SourceSilent"].keep_s > needed_s, name


def test_alerts_on_withheld_windows_end_before_the_alert_that_mutes_them() -> None:
    """Both hold until a worker is back. The first partition ends WorkerStuck, the last one ends WindowsStale."""
    of = shipped().platform_alerts
    apart_s = of["AppliedLag"].for_s  # later partitions have that alert
    for name in ("ExporterAbsent", "RedisDown", "WorkerStuck", "AppliedLag", "SourceSilent"):
        assert of["WindowsStale"].keep_s + apart_s < of[name].keep_s, name


def test_a_slower_platform_alert_is_found() -> None:
    """If the alert on workers waits longer, the other alerts must be kept longer."""
    slow = {"WorkerStuck": shipped().platform_alerts["WorkerStuck"].model_copy(update={"for_s": 600})}
    found = list(limits.false_ends(replace(shipped(), platform_alerts=slow)))
    assert len(found) == len(shipped().alerts())
    assert all("WorkerStuck mutes it after 630 s" in text for text in found)


def test_a_drill_can_divide_times_up_to_a_limit() -> None:
    """Limits in expressions stay as shipped: five sixths of the times still hold, tenths do not."""
    assert list(limits.false_ends(shipped(), divide_by=1.2)) == []
    assert list(limits.false_ends(shipped(), divide_by=10)) != []


def test_the_configuration_has_the_times_that_are_assumed(
    prometheus: dict[str, Any], alertmanager: dict[str, Any]
) -> None:
    """Otherwise the arithmetic above would be about another installation."""
    assert prometheus["global"]["scrape_interval"] == f"{limits.SCRAPE_S}s"
    assert prometheus["global"]["evaluation_interval"] == f"{limits.EVALUATION_S}s"
    pages = [route for route in alertmanager["route"]["routes"] if 'severity="page"' in route["matchers"]]
    assert len(pages) == 2
    assert {route["group_wait"] for route in pages} == {f"{limits.GROUP_WAIT_S}s"}


def test_the_limit_of_a_platform_alert_matches_the_settings() -> None:
    """The expression can hold once the exporter withholds figures, plus one scrape."""
    of = {name: alert.limit_s for name, alert in shipped().platform_alerts.items()}
    assert of["SourceSilent"] == SETTINGS["silent_s"].default + limits.SCRAPE_S
    assert SETTINGS["fresh_s"].default == FRESH_S
    assert {of[name] for name in ("RedisDown", "WorkerStuck", "AppliedLag", "WindowsStale")} == {
        FRESH_S + limits.SCRAPE_S
    }


def test_jobs_have_their_names_ports_and_a_force(prometheus: dict[str, Any]) -> None:
    """Rules select by job, and every series has its force."""
    ports = {
        "watchroom-exporter": SETTINGS["exporter_port"].default,
        "watchroom-worker": SETTINGS["health_port"].default,
        "alertmanager": 9093,
    }
    assert [job["job_name"] for job in prometheus["scrape_configs"]] == list(ports)
    for job in prometheus["scrape_configs"]:
        for static in job["static_configs"]:
            assert [target.rsplit(":")[-1] for target in static["targets"]] == [str(ports[job["job_name"]])]
            assert static["labels"] == {"force": SETTINGS["force"].default}


def test_limits_of_a_scrape_have_a_margin_and_stop_a_flood(prometheus: dict[str, Any]) -> None:
    """The shipped areas fit twice; every metric has fewer labels than allowed."""
    (exporter, *_) = prometheus["scrape_configs"]
    every = [family for measure in shipped().measures.values() for family in families(measure)]
    assert max(len(family.labels) for family in every) + 3 <= exporter["label_limit"]  # force, job, instance
    assert max(len(label) for family in every for label in family.labels) <= exporter["label_name_length_limit"]
    assert 2 * most_series(shipped()) < exporter["sample_limit"] < 10 * most_series(shipped())


def test_the_watchdog_repeats_at_least_twice_before_it_counts_as_silent(alertmanager: dict[str, Any]) -> None:
    """One lost message must not count as an outage."""
    (route,) = [each for each in alertmanager["route"]["routes"] if each["receiver"] == "watchdog"]
    group_s, repeat_s = (int(route[key][:-1]) for key in ("group_interval", "repeat_interval"))
    assert repeat_s % group_s, "it would depend on milliseconds whether a flush repeats it"
    assert 2 * (repeat_s // group_s + 1) * group_s < SETTINGS["watchdog_silent_s"].default
    (receiver,) = [each for each in alertmanager["receivers"] if each["name"] == "watchdog"]
    (hook,) = receiver["webhook_configs"]
    assert hook["url"].endswith(f":{SETTINGS['watchdog_port'].default}/watchdog")
