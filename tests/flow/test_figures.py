"""From a CSV file through Kafka and a worker to the list of figures: the command as a person types it."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import new_name
from tests.flow.commands import watchroom
from tests.parts import ROOT
from watchroom.demo.embedded import EmbeddedStack
from watchroom.demo.server import free_port
from watchroom.importer.figures_csv import COLUMNS

pytestmark = [pytest.mark.timeout(180), pytest.mark.embedded, pytest.mark.slow]
WITHIN_S = 60.0
GOOD = "complaints_retained,2020-12/2021-11,2022-01-21,779,1450,,,PSD\n"
FIGURES = f"{','.join(COLUMNS)}\n{GOOD}complaints,2021,soon,1450,,,,PSD\n"


def listed(environment: dict[str, str]) -> list[dict[str, str]]:
    """The output of `figures list`."""
    done = watchroom("figures", "list", "--format", "csv", environment=environment)
    assert done.code == 0, done.said
    return list(csv.DictReader(io.StringIO(done.out.decode())))


def test_imported_figures_are_listed_and_importing_them_twice_changes_nothing(
    embedded: EmbeddedStack, tmp_path: Path
) -> None:
    """A bad row is reported and the exit code is 1; the good one is counted once, with who reported it."""
    file = tmp_path / "figures.csv"
    file.write_text(FIGURES)
    environment = {
        "WATCHROOM_KAFKA": embedded.kafka,
        "WATCHROOM_REDIS_URL": embedded.redis_url,
        "WATCHROOM_FORCE": new_name(),
        "WATCHROOM_TOPIC_PREFIX": new_name(),
        "WATCHROOM_STREAMS": "returns",
        "WATCHROOM_PARTITIONS": "1",
        "WATCHROOM_HEALTH_PORT": str(free_port()),
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WATCHROOM_")}
    paths = {"PYTHONPATH": f"{ROOT / 'services'}{os.pathsep}{ROOT}"}
    worker = subprocess.Popen(
        [sys.executable, "-m", "watchroom", "worker"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT,
        env={**kept, **environment, **paths},
    )  # fmt: skip
    try:
        until = time.monotonic() + WITHIN_S
        done = watchroom("figures", "import", str(file), environment=environment)
        while "has no topic" in done.said and time.monotonic() < until:
            done = watchroom("figures", "import", str(file), environment=environment)
        assert done.code == 1
        assert f"{file}:3: as_at: found 'soon', which is not a valid time; write a day" in done.said
        assert "sent 1 figure; 1 row could not be used" in done.said
        while not (found := listed(environment)) and time.monotonic() < until:
            time.sleep(0.2)
        assert [row["numerator"] for row in found] == ["779"]
        assert found[0]["reported_by"] == "PSD"
        file.write_text(f"{','.join(COLUMNS)}\n{GOOD}{GOOD.replace('2022-01-21,779', '2022-01-22,780')}")
        assert watchroom("figures", "import", str(file), environment=environment).code == 0
        while listed(environment)[0]["numerator"] != "780" and time.monotonic() < until:
            time.sleep(0.2)
        months = watchroom("months", "--measure", "complaints_retained", "--format", "csv", environment=environment)
        (row,) = csv.DictReader(io.StringIO(months.out.decode()))
        assert (row["period"], row["numerator"], row["denominator"]) == ("2020-12/2021-11", "780", "1450")
    finally:
        worker.terminate()
        worker.wait(WITHIN_S)
