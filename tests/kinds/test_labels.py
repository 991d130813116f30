"""Labels, their values and durations as people say them: one function each, for pages, boards and reports."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.parts import ROOT
from watchroom.catalogue.load import load_catalogue
from watchroom.kinds.labels import title_of, value_title, where_text, where_titles
from watchroom.kinds.measure import Label, Target
from watchroom.wording import exact_duration

CATALOGUE = load_catalogue(ROOT / "schemas" / "measures", Path("areas.toml"))
LABELS = {label.name: label for measure in CATALOGUE.measures.values() for label in measure.labels}
OF_FIGURES = CATALOGUE.measures["gun_crime_published"]


@pytest.mark.parametrize(
    ("label", "value", "said"),
    [
        ("grade", "1", "Grade 1"),
        ("line", "999", "999"),
        ("group", "theft_offences", "Theft offences"),
        ("class", "non_emergency", "Non-emergency"),
        ("incident_category", "asb", "Anti-social behaviour"),
        ("incident_category", "unknown", "Unknown"),
        ("area", "newcastle_under_lyme", "Newcastle-under-Lyme"),
        ("area", "east_staffordshire", "East Staffordshire"),
        ("area", "cannock_chase", "Cannock Chase"),
        ("area", "county_unknown", "County, district not known"),
        ("area", "out_of_force", "Out of force"),
    ],
)
def test_a_label_value_is_shown_as_people_say_it(label: str, value: str, said: str) -> None:
    """Proper names keep their capitals and hyphens; a grade on its own would be a bare digit."""
    assert value_title(LABELS[label], value) == said


def test_each_part_of_a_district_name_is_capitalised() -> None:
    """The plain words of the slug would give East staffordshire."""
    districts = CATALOGUE.areas.groups["county"][:-1]
    assert len(districts) == 8
    for value in districts:
        words = value_title(LABELS["area"], value).replace("-", " ").split()
        assert all(word[0].isupper() for word in words if word != "under"), value


def test_a_label_whose_name_is_not_plain_english_has_a_title() -> None:
    """`cli type` is jargon of telephone engineers."""
    assert title_of(LABELS["cli_type"]) == "type of calling number"
    assert title_of(LABELS["grade"]) == "grade"


def test_several_labels_are_shown_in_one_line() -> None:
    """In a sentence each value follows its label; in a list, `unknown` on its own would be meaningless."""
    attendance = CATALOGUE.measures["incident_attendance_time"]
    by = {"grade": "1", "area": "cannock_chase"}
    assert where_text(attendance, by) == "grade 1, area Cannock Chase"
    assert where_titles(attendance, by) == "Grade 1, Cannock Chase"
    assert where_titles(attendance, {"grade": "2", "area": "unknown"}) == "Grade 2, area unknown"
    assert where_text(OF_FIGURES, {"area": "county"}) == "area county"


def test_a_title_in_the_schema_overrides_the_slug() -> None:
    """Without one, the words of the slug are shown."""
    plain = Label("kind", "kind", ("pcda",), "unknown")
    assert value_title(plain, "pcda") == "Pcda"
    assert value_title(Label("kind", "kind", ("pcda",), "unknown", titles={"pcda": "PCDA"}), "pcda") == "PCDA"


@pytest.mark.parametrize(
    ("length_s", "said"),
    [
        (0.5, "0.5 s"), (10, "10 s"), (60, "60 s"), (90, "90 s"), (120, "2 min"), (630, "10 min 30 s"),
        (900, "15 min"), (3_600, "1 h"), (5_400, "1 h 30 min"), (86_400, "24 h"), (172_800, "48 h"),
        (259_200, "3 d"), (266_400, "3 d 2 h"), (2_592_000, "30 d"),
    ],
)  # fmt: skip
def test_a_limit_is_shown_in_hours_and_days(length_s: float, said: str) -> None:
    """Nobody says 172,800 seconds; and it is exact, because performance is measured by it."""
    assert exact_duration(length_s) == said


def test_a_target_shows_whether_its_limit_is_included() -> None:
    """`within` includes it, `below` does not."""
    assert Target({}, 172_800_000, inclusive=True).said == "within 48 h"
    assert Target({}, 10_000, inclusive=False).said == "below 10 s"
