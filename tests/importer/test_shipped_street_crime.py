"""The shipped mapping of police.uk extracts, on a real one: crimes and anti-social behaviour from the same file."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.events.test_tokeniser import MAKER
from tests.parts import ROOT
from watchroom.importer.convert import Conversion
from watchroom.importer.local_time import rfc3339
from watchroom.importer.mapped import Mapped
from watchroom.importer.mapping import load_mapping, streams_of
from watchroom.importer.mapping_model import MappingConfig
from watchroom.importer.rows import check_files, read_rows

EXTRACT = "crime_policeuk_wakefield_2017-07_2018-07.csv"
MAPPING = ROOT / "schemas" / "mappings" / "policeuk-street-crime.toml"
JULY_2018 = "2018-07"


def converted(mapping: MappingConfig, *files: Path) -> tuple[list[Mapped], Conversion]:
    """Every event of the files, and the conversion that made them; no row may be refused."""
    check_files(files, mapping)
    conversion = Conversion(mapping, lambda row: pytest.fail(str(row)), tokens=MAKER)
    return list(conversion.events(read_rows(files, mapping))), conversion


def of_month(events: list[Mapped], kind: str, month: str) -> list[Mapped]:
    """Events of one type in one month."""
    return [event for event in events if event.type == kind and rfc3339(event.time_ms).startswith(month)]


@pytest.fixture(scope="module")
def july(real_data: Path) -> Any:
    """Independently computed figures for July 2018."""
    return json.loads((real_data / "expected.json").read_text())[EXTRACT]["wakefield 2018-07"]


def test_one_extract_yields_crimes_and_incidents(real_data: Path, july: Any) -> None:
    """Each row is one or the other: none is lost, and equal rows of anti-social behaviour are separate reports."""
    mapping = load_mapping(MAPPING)
    events, conversion = converted(mapping, real_data / EXTRACT)
    assert streams_of(mapping) == ("crimes", "incidents")
    assert conversion.tally.rows == conversion.tally.entities == len(events) == 8_126
    expected = dict(july["types"])
    assert len(of_month(events, "incident.created", JULY_2018)) == expected.pop("Anti-social behaviour") == 757
    crimes = of_month(events, "crime.recorded", JULY_2018)
    assert Counter(event.data["category"] for event in crimes) == expected


def test_importing_the_same_extract_twice_adds_no_crimes_or_incidents(real_data: Path) -> None:
    """Extracts usually overlap, and rows without an id are identified by their content."""
    events, conversion = converted(load_mapping(MAPPING), real_data / EXTRACT, real_data / EXTRACT)
    assert len({event.id for event in events}) == conversion.tally.repeated == 8_126


def test_longitude_and_latitude_together_form_an_address(real_data: Path, july: Any) -> None:
    """541 addresses, 413 of them reported once: the location text or LSOA would give other numbers."""
    events, _ = converted(load_mapping(MAPPING), real_data / EXTRACT)
    incidents = of_month(events, "incident.created", JULY_2018)
    assert {event.data["category"] for event in incidents} == {"asb"}
    assert all(str(event.data["lsoa"]).startswith("E0") for event in incidents)
    reports = Counter(event.data["address_token"] for event in incidents)
    bands = Counter("once" if count == 1 else "2 to 3" if count < 4 else "4 or more" for count in reports.values())
    assert (len(reports), bands) == (541, {"once": 413, "2 to 3": 108, "4 or more": 20})
    assert (bands["2 to 3"], bands["4 or more"]) == (july["asb_locations_2_3"], july["asb_locations_4plus"])
