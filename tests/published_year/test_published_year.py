"""The published year through the worker's own parts and the report: every printed number is reproduced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import pytest

from tests.flow.servers import RedisServer
from tests.parts import ROOT, PartMissing, missing
from tests.published_year.applied import NOW_MS, apply_year, import_baselines, settings_on
from tests.published_year.compare import Line
from tests.published_year.read import read_lines
from tests.reports.redis_months import months
from watchroom.settings import Settings
from watchroom.simulator.published_year import TENTH, load_printed

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(400)]  # about a minute of CPU
PRINTED: Final = load_printed(ROOT / "schemas")


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Incidents, crimes and figures of the year, and a tenth of its calls and contacts, in a real Redis."""
    try:
        server = RedisServer(tmp_path_factory.mktemp("redis"))
    except PartMissing as error:
        missing(str(error))
    try:
        server.start()
        settings = settings_on(server.url)
        apply_year(settings, PRINTED, TENTH)
        import_baselines(settings, PRINTED, TENTH)
        yield settings
    finally:
        server.kill()


@pytest.fixture(scope="module")
def found(held: Settings) -> list[Line]:
    """Our numbers and the printed ones."""
    return read_lines(held, PRINTED, TENTH, NOW_MS)


def test_every_printed_number_is_reproduced_at_the_printed_rounding(found: list[Line]) -> None:
    """Or it differs by as much as the table says, with a reason."""
    wrong = [f"{line.entry.row} {line.name}: {line.printed}, ours {line.ours}" for line in found if not line.is_right]
    assert wrong == []


def test_every_row_is_present(found: list[Line]) -> None:
    """Rows 1 to 64; those that differ give a reason."""
    assert {line.entry.row for line in found} == set(range(1, 65))
    assert [line.name for line in found if line.entry.differs and not line.entry.why] == []


def test_july_2021_has_the_most_999_calls(held: Settings) -> None:
    """The published report says so in its text: exceptional volumes."""
    rows: Sequence[Mapping[str, Any]] = months(held, measures=["call_volume"])
    assert max((row["value"], row["period"]) for row in rows if row["by"] == {"line": "999"})[1] == "2021-07"


def test_the_five_most_frequent_callers_are_hospitals(found: list[Line]) -> None:
    """The published report says so in its text, about all five."""
    (line,) = (line for line in found if line.name == "top_callers")
    assert line.row is not None
    assert {each["word"] for each in line.row["ranked"][:5]} == {"hospital"}
    assert line.row["ranked"][5]["word"] == "unknown"
