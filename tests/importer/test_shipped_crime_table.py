"""The shipped mapping of Home Office tables, on the real table: no crime is lost, and none is counted twice."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.parts import ROOT
from watchroom.events.slug import slug
from watchroom.importer.convert import Conversion
from watchroom.importer.local_time import rfc3339
from watchroom.importer.mapped import Mapped
from watchroom.importer.mapping import load_mapping
from watchroom.importer.rows import check_files, read_rows
from watchroom.streams.offences import offence

TABLE = "crime_homeoffice_staffordshire_2017-18.csv"
MAPPING = ROOT / "schemas" / "mappings" / "homeoffice-recorded-crime.toml"
INVENTED = {"2017-05-15": "1", "2017-08-15": "2", "2017-11-15": "3", "2018-02-15": "4"}


def converted(*files: Path) -> tuple[list[Mapped], Conversion]:
    """Every crime of the files, and the conversion that made them."""
    words = load_mapping(MAPPING)
    check_files(files, words)
    conversion = Conversion(words, lambda row: pytest.fail(str(row)))
    return list(conversion.events(read_rows(files, words))), conversion


def test_the_table_gives_the_expected_numbers_by_group_and_quarter(real_data: Path) -> None:
    """Several Homicide rows of a quarter are identical in every column; each of them counts."""
    expected = json.loads((real_data / "expected.json").read_text())[TABLE]
    events, conversion = converted(real_data / TABLE)
    crimes = {event.subject: event for event in events}.values()
    assert len(crimes) == len(events) == expected["total"] == 83_768
    assert Counter(event.data["group"] for event in crimes) == expected["by_group"]
    assert Counter(INVENTED[rfc3339(event.time_ms)[:10]] for event in crimes) == expected["by_quarter"]
    assert (conversion.tally.entities, conversion.tally.repeated) == (83_768, 0)
    assert conversion.tally.rows == expected["rows"] == conversion.tally.used + conversion.tally.skipped.total()


def test_importing_the_same_table_twice_adds_no_crimes(real_data: Path) -> None:
    """Extracts usually overlap; numbers begin at 1 in each file, so that ids match."""
    events, conversion = converted(real_data / TABLE, real_data / TABLE)
    assert len({event.id for event in events}) == 83_768
    assert (conversion.tally.entities, conversion.tally.repeated) == (83_768, 83_768)


def test_the_offence_codes_of_the_table_match_the_reference_table(real_data: Path) -> None:
    """Looking up a code gives the table's own group and subgroup, so an event may carry only the code."""
    expected = json.loads((real_data / "expected.json").read_text())[TABLE]
    events, _ = converted(real_data / TABLE)
    codes = Counter(event.data["offence_code"] for event in events)
    by_group: Counter[str] = Counter()
    by_subgroup: Counter[str] = Counter()
    for code, crimes in codes.items():
        found = offence(code)
        assert found is not None, code
        by_group[found.group] += crimes
        by_subgroup[found.subgroup] += crimes
    assert by_group == {slug(name): crimes for name, crimes in expected["by_group"].items()}
    assert by_subgroup == {slug(name): crimes for name, crimes in expected["by_subgroup"].items()}
