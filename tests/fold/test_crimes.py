"""What crimes add: design section 3, sentence by sentence."""

from __future__ import annotations

import pytest

from tests.fold.said import adds, contribution, placed, said
from watchroom.events.record import Event

RECORDED = said("crime.recorded", "09:00:00", group="Public order offences", category="public-order", area="stoke")
RECLASSED = said("crime.reclassified", "10:00:00", group="Robbery", category="robbery")
CANCELLED = said("crime.cancelled", "12:00:00")
CHARGED = said("crime.outcome_assigned", "11:00:00", outcome="1")


def test_a_crime_counts_where_it_was_recorded_by_group_and_by_category() -> None:
    """Names become values: lower case, joined by underscores."""
    assert adds("crime_recorded", RECORDED) == {"group=public_order_offences,area=stoke count": 1}
    assert adds("crime_recorded_by_category", RECORDED) == {"category=public_order,area=stoke count": 1}
    assert placed("crime_recorded", RECORDED, said("crime.recorded", "08:00:00")) == {"08:00:00"}


def test_a_reclassified_crime_has_its_latest_class_at_its_recorded_moment() -> None:
    """It leaves its old group in the month in which it was recorded."""
    assert adds("crime_recorded", RECORDED, RECLASSED) == {"group=robbery,area=stoke count": 1}
    assert placed("crime_recorded", RECORDED, RECLASSED) == {"09:00:00"}


def test_a_class_is_one_thing() -> None:
    """A new category without group does not keep the old group: nobody said that it still holds."""
    found = (RECORDED, said("crime.reclassified", "10:00:00", category="drugs"))
    assert adds("crime_recorded", *found) == {"group=not_stated,area=stoke count": 1}
    assert adds("crime_recorded_by_category", *found) == {"category=drugs,area=stoke count": 1}


def test_an_event_without_class_takes_none_away() -> None:
    """A record that is sent again without its class says nothing about it."""
    again = said("crime.recorded", "11:00:00", "again", area="stoke")
    assert adds("crime_recorded", RECORDED, again) == {"group=public_order_offences,area=stoke count": 1}


def test_classes_given_at_one_time_are_ordered_by_event_id() -> None:
    """A tie in time must not depend on which event arrived first."""
    a = said("crime.reclassified", "10:00:00", "a", group="Robbery")
    b = said("crime.reclassified", "10:00:00", "b", group="Drug offences")
    assert adds("crime_recorded", RECORDED, b, a) == {"group=drug_offences,area=stoke count": 1}


@pytest.mark.parametrize(
    ("data", "group", "category"),
    [
        ({"category": "burglary"}, "not_stated", "burglary"),
        ({"group": "Theft offences"}, "theft_offences", "unknown"),
        ({"group": "Fraud", "category": "fraud"}, "other", "other"),
        ({"group": "", "category": ""}, "not_stated", "unknown"),
        ({"offence_code": "104/25"}, "not_stated", "unknown"),
        ({}, "not_stated", "unknown"),
    ],
)
def test_an_absent_group_is_not_stated_an_unlisted_one_other(data: dict[str, str], group: str, category: str) -> None:
    """Only a police.uk category may be known, or only a group."""
    crime = said("crime.recorded", "09:00:00", **data)
    assert adds("crime_recorded", crime) == {f"group={group},area=unknown count": 1}
    assert adds("crime_recorded_by_category", crime) == {f"category={category},area=unknown count": 1}


def test_the_area_is_the_latest() -> None:
    """A crime moved to the other area is counted there."""
    moved = said("crime.reclassified", "10:00:00", group="Robbery", area="tamworth")
    assert adds("crime_recorded", RECORDED, moved) == {"group=robbery,area=tamworth count": 1}


@pytest.mark.parametrize("outcome", ["1", "1A", "2", "2A", "3", "3A", "4", "6", "7", "8", "22"])
def test_a_crime_with_such_an_outcome_is_resolved(outcome: str) -> None:
    """Charge, caution, taken into consideration, penalty notice, warning, community resolution, diversion."""
    found = adds("crime_resolved", RECORDED, said("crime.outcome_assigned", "11:00:00", outcome=outcome))
    assert found == {"area=stoke whole": 1, "area=stoke part": 1}


@pytest.mark.parametrize("outcome", ["1a", " 1A", "01", "2 "])
def test_an_outcome_may_be_written_as_feeds_write_it(outcome: str) -> None:
    """A feed in lower case would otherwise halve the share without a word."""
    found = adds("crime_resolved", RECORDED, said("crime.outcome_assigned", "11:00:00", outcome=outcome))
    assert any("part" in name for name in found)


@pytest.mark.parametrize("outcome", ["5", "9", "14", "15", "18", "21", "99", "1B"])
def test_a_crime_with_another_outcome_is_in_the_whole_only(outcome: str) -> None:
    """No suspect identified is an outcome, and no resolution."""
    found = adds("crime_resolved", RECORDED, said("crime.outcome_assigned", "11:00:00", outcome=outcome))
    assert found == {"area=stoke whole": 1}


def test_the_latest_outcome_counts_at_its_own_moment() -> None:
    """A charge after `no suspect` moves the crime to the day of the charge, part and whole."""
    first = said("crime.outcome_assigned", "10:00:00", outcome="18")
    assert adds("crime_resolved", RECORDED, first, CHARGED) == {"area=stoke whole": 1, "area=stoke part": 1}
    assert placed("crime_resolved", RECORDED, first, CHARGED) == {"11:00:00"}


def test_outcomes_assigned_at_one_time_are_ordered_by_event_id() -> None:
    """By time, then id."""
    a = said("crime.outcome_assigned", "11:00:00", "a", outcome="1")
    b = said("crime.outcome_assigned", "11:00:00", "b", outcome="18")
    assert adds("crime_resolved", RECORDED, b, a) == {"area=stoke whole": 1}


def test_a_crime_without_outcome_is_in_no_share() -> None:
    """Resolved is out of outcomes assigned, not out of crimes recorded."""
    assert adds("crime_resolved", RECORDED) == {}


def test_a_cancelled_crime_is_out_of_everything() -> None:
    """Also with an outcome, also when more comes later, and it is no orphan."""
    assert contribution(RECORDED, CHARGED, CANCELLED, said("crime.reclassified", "13:00:00", group="Robbery")) == (
        {},
        {},
        {},
    )
    assert contribution(CANCELLED) == ({}, {}, {})


@pytest.mark.parametrize("event", [RECLASSED, CHARGED], ids=lambda event: event.type)
def test_a_crime_without_its_record_is_one_orphan_and_nothing_else(event: Event) -> None:
    """Placed at its earliest event, until the record comes."""
    assert adds("orphans", event) == {"topic=watchroom.crimes count": 1}
    assert len(contribution(event).cells) == 1
    assert adds("orphans", event, RECORDED) == {}
