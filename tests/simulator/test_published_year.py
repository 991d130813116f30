"""The content of the published year: exact counts, moments within the year, files for `months import`."""

from __future__ import annotations

from collections import Counter
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from tests.parts import ROOT
from watchroom.admission.parse import parse
from watchroom.catalogue.load import load_catalogue
from watchroom.demo.command import SIMULATED_SOURCES
from watchroom.errors import BrokerUnavailable, ConfigurationInvalid
from watchroom.events.times import to_ms
from watchroom.reports.baseline_file import parse_baseline
from watchroom.reports.baselines import load_baselines
from watchroom.rolling.calendar import Calendar
from watchroom.settings import read_settings
from watchroom.simulator.command import run_published_year
from watchroom.simulator.published_year import NAMES, TENTH, baseline_csv, load_printed, published_year
from watchroom.simulator.published_year.crimes import plan
from watchroom.simulator.published_year.even import Allocation, Spread, Year, nearest, shared
from watchroom.simulator.published_year.levels import crime

SCHEMAS: Final = ROOT / "schemas"
PRINTED: Final = load_printed(SCHEMAS)
YEAR: Final = Year(Calendar("Europe/London"), PRINTED.first_month, PRINTED.last_month)


@given(st.integers(1, 3000), st.integers(0, 11))
def test_every_rank_occurs_once(n: int, turn: int) -> None:
    """So that exactly k entities have a rank below k."""
    spread = Spread(n, turn)
    assert sorted(map(spread.rank, range(n))) == list(range(n))


@given(st.lists(st.integers(0, 50), min_size=1, max_size=8).filter(any), st.integers(0, 11))
def test_cells_have_the_requested_counts(counts: list[int], turn: int) -> None:
    """Each cell numbers its own entities from 0."""
    cells = Allocation(list(zip(counts, range(len(counts)), strict=True)), turn)
    found = [cells.at(i) for i in range(cells.total)]
    assert Counter(cell.what for cell in found) == {what: count for what, count in enumerate(counts) if count}
    assert sorted((cell.what, cell.number) for cell in found) == [
        (what, number) for what, count in enumerate(counts) for number in range(count)
    ]
    assert all(0 < cell.quantile < 1 for cell in found)


@given(st.integers(0, 10**6), st.dictionaries(st.text(max_size=3), st.floats(0.01, 1), min_size=1))
def test_shared_parts_add_up_to_the_total(total: int, weights: dict[str, float]) -> None:
    """Whatever the weights."""
    parts = shared(total, weights)
    assert parts.keys() == weights.keys()
    assert sum(parts.values()) == total
    assert min(parts.values()) >= 0


@given(st.floats(0, 1), st.floats(0, 3e9))
def test_a_long_duration_begins_early_enough_to_end_within_the_year(place: float, takes_ms: float) -> None:
    """A time to attend is counted at its end: one that ended in December would be missing."""
    begins_ms = YEAR.moment(place, takes_ms)
    assert YEAR.start_ms <= begins_ms
    assert begins_ms + takes_ms < YEAR.end_ms


@given(st.floats(0, 0.999), st.floats(0, 0.999))
def test_a_busier_month_keeps_the_order(one: float, other: float) -> None:
    """It has a larger part of the demand, but the year gets no longer."""
    busy = YEAR.busier("2021-07", 1.3)
    first, second = sorted((one, other))
    assert 0 <= busy.position(first) <= busy.position(second) <= 1
    july = [place for place in map(busy.position, (i / 1000 for i in range(1000))) if busy.start <= place < busy.end]
    assert len(july) == pytest.approx(1000 * 31 * 1.3 / (365 + 31 * 0.3), abs=2)


def test_halves_are_rounded_away_from_zero() -> None:
    """As in the report; Python's `round` turns -7,918.5 into -7,918."""
    assert [nearest(number) for number in (-7918.5, -0.4, 0.5, 2.5)] == [-7919, 0, 1, 3]


def test_the_planned_crimes_add_up_to_all_crime() -> None:
    """What the printed counts need is part of the total."""
    rows = plan(PRINTED)
    assert sum(count for count, _ in rows) == crime(PRINTED).all
    assert min(count for count, _ in rows) >= 0


def test_events_are_valid_repeatable_and_within_the_year() -> None:
    """Checked on the first 3,000; each arrives at the time at which it happened."""
    first, again = (list(islice(published_year(PRINTED, zone="Europe/London", scale=TENTH), 3_000)) for _ in range(2))
    assert first == again
    for event in first:
        parsed = parse(event.value)
        assert parsed.subject == event.subject
        assert YEAR.start_ms <= parsed.time_ms == event.arrival_ms < YEAR.end_ms
        assert parsed.ignored == ()


@pytest.mark.parametrize("scale", [TENTH, 1.0])
@pytest.mark.parametrize("name", NAMES)
def test_every_row_of_the_baseline_files_can_be_imported(name: str, scale: float) -> None:
    """The report's comparisons need all 12 months."""
    settings = read_settings()
    catalogue = load_catalogue(SCHEMAS / "measures", settings.areas)
    found = parse_baseline(name, baseline_csv(name, PRINTED, scale), load_baselines(SCHEMAS)[name], catalogue)
    assert found.faults == []
    assert len({month for month, _ in found.entries}) == 12


def test_months_that_two_baselines_share_are_the_same_in_both() -> None:
    """March to November 2019 are in 2018/19 and in pre-Covid; only the three months after them can differ."""
    rows = [
        {
            line
            for line in baseline_csv(name, PRINTED, 1.0).splitlines()
            if "crime_acquisitive" in line and "2019-0" in line
        }
        for name in ("2018/19", "pre-covid")
    ]
    both = [{line for line in lines if line >= "2019-03"} for lines in rows]
    assert both[0] == both[1]
    assert len(both[0]) == 7 * 7


def test_a_year_that_cannot_be_sent_is_refused_with_the_reasons() -> None:
    """A wrong scale, and sources that the workers would treat as live: all their events would be late."""
    with pytest.raises(ConfigurationInvalid) as refused:
        run_published_year(read_settings(sources={}), scale=2)
    assert [fault.where for fault in refused.value.faults][-1] == "--scale"
    assert len(refused.value.faults) > 1


def test_the_files_to_import_are_written_and_the_command_is_printed(tmp_path: Path) -> None:
    """Before anything is sent: this test has no broker."""
    settings = read_settings(kafka="127.0.0.1:1", sources=SIMULATED_SOURCES)
    said = StringIO()
    with pytest.raises(BrokerUnavailable):
        run_published_year(settings, scale=TENTH, baselines=tmp_path / "months", console=Console(file=said))
    assert (tmp_path / "months" / "2018-19.csv").read_text() == baseline_csv("2018/19", PRINTED, TENTH)
    assert "watchroom months import --baseline pre-covid" in said.getvalue()
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationInvalid) as refused:
        run_published_year(settings, scale=TENTH, baselines=tmp_path / "file")
    assert refused.value.faults[0].where == "--baselines"


def test_a_missing_table_is_reported_by_name() -> None:
    """The folder given here has none."""
    with pytest.raises(ConfigurationInvalid) as refused:
        load_printed(ROOT / "tests")
    assert "published_year.toml" in refused.value.faults[0].where
    assert to_ms(f"{PRINTED.as_at}T00:00:00Z") > YEAR.end_ms
