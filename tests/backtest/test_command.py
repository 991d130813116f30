"""`watchroom backtest` as people type it: a whole month at a coarse step."""

from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from tests.fold.pipeline import catalogue
from tests.parts import missing
from watchroom.backtest.prometheus import program_path
from watchroom.cli import events
from watchroom.errors import ConfigurationInvalid, WorkFailed

APP = typer.Typer()
APP.command()(events.backtest)


@pytest.mark.slow
@pytest.mark.timeout(400)  # 25 s alone on the machine, two minutes with three other runs
def test_a_normal_month_of_the_default_force_pages_nobody() -> None:
    """The thresholds were chosen with the back-test, although the force misses most of its targets all month."""
    try:
        program_path("promtool")
    except WorkFailed as error:
        missing(str(error))
    done = CliRunner().invoke(APP, ["--month", "2026-10", "--step", "300", "--format", "json"])
    assert done.exit_code == 0, done.output
    alerts = {each["alert"]: each for each in json.loads(done.stdout)}
    assert set(alerts) == {alert.name for _, alert in catalogue().alerts()} | catalogue().platform_alerts.keys()
    assert [name for name, each in alerts.items() if each["severity"] == "page" and each["firings"]] == []
    tickets = sum(each["firings"] for each in alerts.values() if each["severity"] == "ticket")
    assert 0 < tickets < 5 * 4, "some, and a few a week at most"
    assert f"published force, seed 1: 0 pages and {tickets} tickets" in done.stderr


def test_something_other_than_a_month_is_refused() -> None:
    """The message says what to write."""
    done = CliRunner().invoke(APP, ["--month", "October"])
    assert isinstance(done.exception, ConfigurationInvalid)
    assert "a month such as 2021-04" in str(done.exception)


@pytest.mark.parametrize("option", ["--month", "--force", "--seed", "--bad-day", "--step", "--rules", "--format"])
def test_help_names_every_option(option: str) -> None:
    """Every option in the documentation exists."""
    assert option in CliRunner().invoke(APP, ["--help"], env={"COLUMNS": "200"}).stdout
