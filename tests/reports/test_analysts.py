"""The examples for analysts, run as printed, with a Redis that the worker's own parts have filled."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.flow.servers import RedisServer
from tests.parts import ROOT, missing
from tests.reports.redis_months import NOW_MS, Happened, fill, months, settings_on
from watchroom.reports.month_reader import Request
from watchroom.reports.read_report import read_report
from watchroom.reports.report_columns import as_objects
from watchroom.settings import Settings
from watchroom.store.read import Reader

pytestmark = pytest.mark.real
PAGE = (ROOT / "schemas" / "measures" / "ANALYSTS.md").read_text(encoding="utf-8")
COMMANDS = [line[2:] for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def run(settings: Settings, *command: str, folder: Path = ROOT) -> str:
    """The output of a command with the test's Redis in its environment."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "WATCHROOM_REDIS_URL": settings.redis_url, "PYTHONPATH": str(ROOT / "services")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def redis_cli(settings: Settings, start: str) -> list[str]:
    """The output lines of the one `redis-cli` example that contains this text."""
    (command,) = [line for line in COMMANDS if line.startswith("redis-cli") and start in line]
    if shutil.which("redis-cli") is None:
        missing("no redis-cli; apt-get install redis-tools")
    return run(settings, "sh", "-c", command).splitlines()


def test_the_example_reads_a_field_by_its_name(filled: Settings) -> None:
    """Two Grade 1 incidents in Stoke in November."""
    assert redis_cli(filled, "HGET ") == ["2"]


def test_the_example_reads_a_whole_month_as_fields_and_whole_numbers(filled: Settings) -> None:
    """The month contains only kinds of fields that the page explains."""
    lines = redis_cli(filled, "HGETALL")
    fields = dict(zip(lines[::2], map(int, lines[1::2]), strict=True))
    assert fields["incident_attendance_time|grade=1,area=stoke|sum_ms"] == 1_680_000
    assert fields["call_abandonment|line=999|whole"] == 2
    what = {field.rpartition("|")[2].partition(":")[0] for field in fields}
    explained = PAGE[PAGE.index("| kind | what |") :].partition("\n\n")[0]
    assert [word for word in sorted(what) if f"`{word}" not in explained] == []


def test_the_examples_read_the_restatement_log_and_list_the_months(filled: Settings) -> None:
    """The log has one entry per event and field."""
    log = redis_cli(filled, "LRANGE")
    assert [entry for entry in log if '"measure":"crime_recorded"' in entry and '"delta":-1' in entry]
    assert set(redis_cli(filled, "--scan")) == {"{force}:month:2021-11", "{force}:month:2021-12"}


def test_the_python_example_gives_the_same_share_as_our_command(filled: Settings) -> None:
    """An analyst's script and our command must agree."""
    (example,) = [code for code in EXAMPLES if "import json" in code]
    assert run(filled, sys.executable, "-c", example).splitlines() == [
        "2021-11 today: 1 of 2 Grade 1 incidents attended within 15 minutes",
        "2021-11 published: 1 of 2 Grade 1 incidents attended within 15 minutes",
    ]
    (row,) = months(filled, only=["2021-11"], measures=["incident_attendance_time"])
    assert (row["within_target"], row["count"]) == (0.5, 2)


def test_the_pandas_example_gives_the_same_mean_as_our_command(filled: Settings) -> None:
    """As a table."""
    if importlib.util.find_spec("pandas") is None:
        missing("no pandas; pip install pandas")
    (example,) = [code for code in EXAMPLES if "import pandas" in code]
    assert run(filled, sys.executable, "-c", example).strip().splitlines() == [
        "month,grade,observations,mean_s,within_target",
        "2021-11,1,2,840.0,0.5",
    ]


def test_the_pandas_example_works_if_no_incident_met_the_target(redis_server: RedisServer) -> None:
    """A field that never occurred is 0, even if the whole column is missing."""
    if importlib.util.find_spec("pandas") is None:
        missing("no pandas; pip install pandas")
    settings = settings_on(redis_server.url)
    late = [Happened("incident.created", "2", "2021-11-28T20:00:00Z", {"grade": "1", "area": "stoke"}),
            Happened("incident.resource_on_scene", "2", "2021-11-28T20:20:00Z", {"unit": "U1"})]  # fmt: skip
    fill(settings, late)
    (example,) = [code for code in EXAMPLES if "import pandas" in code]
    assert run(settings, sys.executable, "-c", example).strip().splitlines()[1:] == ["2021-11,1,1,1200.0,0.0"]


SENDS = "watchroom figures import figures.csv"  # to Kafka, and needs the template filled in
OURS = [line for line in COMMANDS if line.startswith("watchroom") and line != SENDS]
TO_FILES = [line for line in OURS if "--output" in line or "months import" in line]


@pytest.mark.parametrize("command", [line for line in OURS if line not in TO_FILES])
def test_our_own_commands_work_as_printed(filled: Settings, command: str) -> None:
    """A command copied from the page must print rows."""
    words = shlex.split(command.partition(">")[0])
    assert run(filled, sys.executable, "-m", *words).strip()


def test_the_example_months_can_be_imported_and_a_workbook_written(filled: Settings, tmp_path: Path) -> None:
    """With the file and the commands as printed; they print nothing."""
    (months_file,) = re.findall(r"```csv\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "months.csv").write_text(months_file)
    for command in TO_FILES:
        assert run(filled, sys.executable, "-m", *shlex.split(command), folder=tmp_path) == ""
    assert (tmp_path / "report.xlsx").stat().st_size > 5_000
    reader = Reader(filled.redis_url, filled.force)
    (imported,) = reader.baseline_months("2018/19", ["2018-12"])
    reader.close()
    assert len(imported) == len(months_file.splitlines()) - 1


def test_the_page_names_every_key_of_a_report(filled: Settings) -> None:
    """Those of a row, its areas and its baselines; those of a kind are named with the columns of months."""
    named = set(re.findall(r"`([a-z0-9_]+)`", PAGE[: PAGE.index("## What is open now")]))
    objects: list[Any] = list(as_objects(read_report(filled, Request("2021-12", 2, baselines=["previous"]), NOW_MS)))
    used = {name for row in objects for name in row if not name.startswith("published_")}
    used |= {name for row in objects for of in row["baselines"].values() for name in of if "target_change" not in name}
    used |= {name for row in objects if row["areas"] for name in (*row["areas"], *row["areas"]["residual"])}
    assert used <= named


def test_the_page_names_every_column(filled: Settings) -> None:
    """A column without an explanation gets misread."""
    columns = {name for row in months(filled) for name in row if name != "by"}
    named = set(re.findall(r"`([a-z0-9_]+)`", PAGE[: PAGE.index("## With `redis-cli`")]))
    assert {name for name in columns if not name.startswith("published_")} <= named
