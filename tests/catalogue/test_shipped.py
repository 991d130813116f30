"""The shipped catalogue, and the label values that it may use."""

from __future__ import annotations

import pytest

from tests.parts import ROOT
from watchroom.catalogue.load import load_catalogue
from watchroom.catalogue.model import Catalogue
from watchroom.events.slug import slug
from watchroom.streams import STREAMS

MEASURES = {
    "call_volume": "count", "call_answer_time": "duration", "call_answer_time_presented": "duration",
    "call_abandonment": "share", "call_abandoned_within_60s": "share", "calls_waiting": "open",
    "calls_in_progress": "open", "incident_volume": "count", "incident_attendance_time": "duration",
    "incident_assignment_time": "duration", "incident_resourced": "share", "incidents_unresourced": "open",
    "incidents_unattended": "open", "crime_recorded": "count", "crime_recorded_by_category": "count",
    "crime_resolved": "share",
}  # fmt: skip


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    """The shipped one, with the default areas."""
    return load_catalogue(ROOT / "schemas" / "measures", ("stoke", "county"))


def test_the_shipped_catalogue_has_the_first_measures(catalogue: Catalogue) -> None:
    """Boards, alerts and other services rely on their ids and kinds."""
    assert MEASURES.items() <= {measure.id: measure.kind for measure in catalogue.measures.values()}.items()


def test_each_stream_has_its_measures(catalogue: Catalogue) -> None:
    """A worker of one stream gets exactly that stream's measures."""
    of_streams = [measure.id for stream in STREAMS for measure in catalogue.of_stream(stream)]
    assert sorted(of_streams) == sorted(measure.id for measure in catalogue.measures.values() if not measure.sum_of)
    assert {measure.stream for measure in catalogue.of_stream("calls")} == {"calls"}


def test_label_values_are_slugs_and_each_occurs_once(catalogue: Catalogue) -> None:
    """Listed values are compared with the slugs of what events say."""
    for measure in catalogue.measures.values():
        for label in measure.labels:
            assert [slug(value) for value in label.all_values()] == list(dict.fromkeys(label.all_values()))


def test_every_combination_of_label_values_is_listed_once(catalogue: Catalogue) -> None:
    """Zeros are published for exactly these combinations: 5 grades times 4 areas."""
    sets = [tuple(by.items()) for by in catalogue.measures["incident_volume"].label_sets()]
    assert len(sets) == len(set(sets)) == 20
    assert (("grade", "ungraded"), ("area", "unknown")) in sets


def test_the_first_matching_target_applies(catalogue: Catalogue) -> None:
    """Grades 1, 2, 3 have 15 min, 60 min and 24 h; others have none."""
    measure = catalogue.measures["incident_attendance_time"]
    limits = {grade: measure.target_for({"grade": grade, "area": "stoke"}) for grade in ("1", "2", "3", "other")}
    assert {grade: limit and limit.limit_ms for grade, limit in limits.items()} == {
        "1": 900_000, "2": 3_600_000, "3": 86_400_000, "other": None,
    }  # fmt: skip
