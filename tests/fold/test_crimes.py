"""What crimes contribute: the definitions in schemas/measures, sentence by sentence."""

from __future__ import annotations

import pytest

from tests.fold.said import adds, contribution, open_in, placed, said, state_of
from watchroom.events.record import Event
from watchroom.streams import STREAMS

RECORDED = said("crime.recorded", "09:00:00", group="Public order offences", category="public-order", area="stoke")
RECLASSED = said("crime.reclassified", "10:00:00", group="Robbery", category="robbery")
CANCELLED = said("crime.cancelled", "12:00:00")
CHARGED = said("crime.outcome_assigned", "11:00:00", outcome="1")


def test_a_crime_counts_at_the_time_it_was_recorded_by_group_and_by_category() -> None:
    """Names become values: lower case, joined by underscores."""
    assert adds("crime_recorded", RECORDED) == {"group=public_order_offences,area=stoke count": 1}
    assert adds("crime_recorded_by_category", RECORDED) == {"category=public_order,area=stoke count": 1}
    assert placed("crime_recorded", RECORDED, said("crime.recorded", "08:00:00")) == {"08:00:00"}


def test_a_reclassified_crime_has_its_latest_class_at_its_recorded_time() -> None:
    """It leaves its old group in the month in which it was recorded."""
    assert adds("crime_recorded", RECORDED, RECLASSED) == {"group=robbery,area=stoke count": 1}
    assert placed("crime_recorded", RECORDED, RECLASSED) == {"09:00:00"}


def test_group_and_category_are_replaced_together() -> None:
    """A new category without a group does not keep the old group, which may no longer hold."""
    found = (RECORDED, said("crime.reclassified", "10:00:00", category="drugs"))
    assert adds("crime_recorded", *found) == {"group=not_stated,area=stoke count": 1}
    assert adds("crime_recorded_by_category", *found) == {"category=drugs,area=stoke count": 1}


def test_an_event_without_a_class_removes_none() -> None:
    """A record that is sent again without its class says nothing about it."""
    again = said("crime.recorded", "11:00:00", "again", area="stoke")
    assert adds("crime_recorded", RECORDED, again) == {"group=public_order_offences,area=stoke count": 1}


def test_classes_given_at_the_same_time_are_ordered_by_event_id() -> None:
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
        ({"offence_code": "34b"}, "robbery", "robbery"),
        ({"offence_code": "8N", "group": "Robbery"}, "robbery", "violence_and_sexual_offences"),
        ({"offence_code": "8N", "category": "drugs"}, "violence_against_the_person", "drugs"),
        ({"offence_code": "AF"}, "other", "other_crime"),
        ({}, "not_stated", "unknown"),
    ],
)
def test_a_group_is_as_stated_or_else_from_the_code_or_else_not_stated(
    data: dict[str, str], group: str, category: str
) -> None:
    """A feed may know only the police.uk category, or only the group."""
    crime = said("crime.recorded", "09:00:00", **data)
    assert adds("crime_recorded", crime) == {f"group={group},area=unknown count": 1}
    assert adds("crime_recorded_by_category", crime) == {f"category={category},area=unknown count": 1}


def test_the_latest_area_counts() -> None:
    """A crime that is moved to another area is counted there."""
    moved = said("crime.reclassified", "10:00:00", group="Robbery", area="tamworth")
    assert adds("crime_recorded", RECORDED, moved) == {"group=robbery,area=tamworth count": 1}


@pytest.mark.parametrize("outcome", ["1", "1A", "2", "2A", "3", "3A", "4", "6", "7", "8", "22"])
def test_a_crime_with_one_of_these_outcomes_is_resolved(outcome: str) -> None:
    """Charge, caution, taken into consideration, penalty notice, warning, community resolution, diversion."""
    found = adds("crime_resolved", RECORDED, said("crime.outcome_assigned", "11:00:00", outcome=outcome))
    assert found == {"area=stoke whole": 1, "area=stoke part": 1}


@pytest.mark.parametrize("outcome", ["1a", " 1A", "01", "2 "])
def test_an_outcome_may_be_written_in_the_way_of_the_feed(outcome: str) -> None:
    """A feed in lower case would otherwise halve the share without any message."""
    found = adds("crime_resolved", RECORDED, said("crime.outcome_assigned", "11:00:00", outcome=outcome))
    assert any("part" in name for name in found)


@pytest.mark.parametrize("outcome", ["5", "9", "14", "15", "18", "21", "99", "1B"])
def test_a_crime_with_another_outcome_is_only_in_the_whole(outcome: str) -> None:
    """`No suspect identified` is an outcome but not a resolution."""
    found = adds("crime_resolved", RECORDED, said("crime.outcome_assigned", "11:00:00", outcome=outcome))
    assert found == {"area=stoke whole": 1}


def test_the_latest_outcome_counts_at_its_own_time() -> None:
    """A charge after `no suspect` moves the crime to the day of the charge, part and whole."""
    first = said("crime.outcome_assigned", "10:00:00", outcome="18")
    assert adds("crime_resolved", RECORDED, first, CHARGED) == {"area=stoke whole": 1, "area=stoke part": 1}
    assert placed("crime_resolved", RECORDED, first, CHARGED) == {"11:00:00"}


def test_outcomes_assigned_at_the_same_time_are_ordered_by_event_id() -> None:
    """By time, then id."""
    a = said("crime.outcome_assigned", "11:00:00", "a", outcome="1")
    b = said("crime.outcome_assigned", "11:00:00", "b", outcome="18")
    assert adds("crime_resolved", RECORDED, b, a) == {"area=stoke whole": 1}


def test_a_crime_without_an_outcome_is_in_no_share() -> None:
    """Resolved is a share of outcomes assigned, not of crimes recorded."""
    assert adds("crime_resolved", RECORDED) == {}


def test_a_cancelled_crime_is_excluded_from_everything() -> None:
    """Also with an outcome and with later events; and it is not an orphan."""
    assert contribution(RECORDED, CHARGED, CANCELLED, said("crime.reclassified", "13:00:00", group="Robbery")) == (
        {},
        {},
        {},
    )
    assert contribution(CANCELLED) == ({}, {}, {})


@pytest.mark.parametrize("event", [RECLASSED, CHARGED], ids=lambda event: event.type)
def test_a_crime_without_its_recorded_event_is_one_orphan_and_nothing_else(event: Event) -> None:
    """Counted at its earliest event, until the recorded event arrives."""
    assert adds("orphans", event) == {"topic=watchroom.crimes count": 1}
    assert len(contribution(event).increments) == 1
    assert adds("orphans", event, RECORDED) == {}


# ------------------------------------------------------------------------------------ codes and flags


@pytest.mark.parametrize(
    ("code", "measures"),
    [
        ("1/4.1/4.10/4.2", {"crime_homicide"}),
        ("4/1", {"crime_homicide"}),
        ("28E", {"crime_acquisitive"}),
        ("34A", {"crime_acquisitive", "crime_robbery"}),
        ("037/2", {"crime_acquisitive"}),
        ("126", set()),
        ("ZZ9", set()),
    ],
)
def test_the_offence_code_decides_which_kinds_a_crime_belongs_to(code: str, measures: set[str]) -> None:
    """Interference with a vehicle is not acquisitive crime; an unknown code belongs to no kind."""
    crime = said("crime.recorded", "09:00:00", offence_code=code)
    kinds = ("crime_acquisitive", "crime_robbery", "crime_homicide", "crime_knife", "crime_keyless_vehicle_theft")
    assert {name for name in kinds if adds(name, crime)} == measures


def test_acquisitive_crime_is_split_into_its_parts() -> None:
    """The sum of the parts is acquisitive crime."""
    crime = said("crime.recorded", "09:00:00", offence_code="48", area="stoke")
    assert adds("crime_acquisitive", crime) == {"acquisitive_part=theft_of_a_motor_vehicle count": 1}
    assert adds("crime_recorded_by_subgroup", crime) == {"subgroup=theft_of_a_motor_vehicle count": 1}


KNIFE = said("crime.recorded", "09:00:00", offence_code="8N", area="stoke", flags=["knife", "Domestic abuse"])


def test_each_flag_of_a_crime_counts() -> None:
    """A stabbing at home is knife crime and domestic abuse."""
    assert adds("crime_knife", KNIFE) == {"area=stoke count": 1}
    assert adds("crime_domestic_abuse", KNIFE) == {"area=stoke count": 1}
    assert adds("crime_firearm", KNIFE) == {}


@pytest.mark.parametrize("flags", [[], ["online"], ["drone"]], ids=str)
def test_the_latest_list_of_flags_counts_and_an_empty_one_clears_them(flags: list[str]) -> None:
    """A correction sends the complete list that holds now."""
    assert adds("crime_knife", KNIFE, said("crime.validated", "10:00:00", flags=flags)) == {}


def test_an_event_without_flags_leaves_them_unchanged() -> None:
    """An absent list says nothing."""
    assert adds("crime_knife", KNIFE, said("crime.validated", "10:00:00")) == {"area=stoke count": 1}


def test_a_knife_counts_only_in_the_selected_offences() -> None:
    """Possession of a blade is not knife crime as the Office for National Statistics defines it."""
    blade = said("crime.recorded", "09:00:00", offence_code="10D", flags=["knife"])
    assert adds("crime_knife", blade) == {}


def test_violence_against_women_counts_only_violence_against_the_person() -> None:
    """Sexual offences are another group, and are excluded as in the report."""
    woman = said("crime.recorded", "09:00:00", offence_code="105A", victim_gender="Female", area="county")
    assert adds("crime_violence_female_victim", woman) == {"area=county_unknown count": 1}
    assert adds("crime_violence_female_victim", woman, said("crime.validated", "10:00:00", victim_gender="male")) == {}
    assert adds("crime_violence_female_victim", woman, said("crime.reclassified", "10:00:00", offence_code="20A")) == {}


# -------------------------------------------------------------------------------------------- victims


@pytest.mark.parametrize(
    ("reported_at", "found"),
    [
        ("2021-11-26T09:00:00Z", {"observations", "within"}),
        ("2021-11-26T08:59:59.999Z", {"observations"}),
        ("2021-11-27T09:00:00.001Z", {"negative"}),
        ("", {"missing_start"}),
    ],
)
def test_a_crime_should_be_recorded_within_24_hours_of_its_report(reported_at: str, found: set[str]) -> None:
    """A crime without a time of report is excluded and counted separately."""
    crime = said("crime.recorded", "09:00:00", reported_at=reported_at)
    counted = {name.strip() for name in adds("crime_recording_time", crime) if ":" not in name}
    assert counted - {"sum_ms"} == found


def test_the_latest_time_of_report_counts() -> None:
    """A later event corrects it."""
    crime = said("crime.recorded", "09:00:00", reported_at="2021-11-20T09:00:00Z")
    later = said("crime.validated", "10:00:00", reported_at="2021-11-27T08:00:00Z")
    assert adds("crime_recording_time", crime, later)["sum_ms"] == 3_600_000


# 27 November 2021 is a Saturday.
VALIDATED = said("crime.validated", "-1 12:00:00")


@pytest.mark.parametrize(
    ("transferred", "elapsed", "working"),
    [
        ("+1 12:00:00", True, True),
        ("+1 12:00:01", False, True),
        ("+3 12:00:00", False, True),
        ("+3 12:00:01", False, False),
    ],
)
def test_a_transfer_is_timed_in_all_days_and_in_working_days(transferred: str, elapsed: bool, working: bool) -> None:
    """From Friday noon, 48 hours end on Sunday, and 48 hours of working days on Tuesday at noon."""
    crime = (RECORDED, VALIDATED, said("crime.gateway_transferred", transferred))
    assert ("within" in adds("crime_gateway_transfer_time", *crime)) is elapsed
    found = adds("crime_gateway_transfer_working", *crime)
    assert found == {"whole": 1} | ({"part": 1} if working else {})


@pytest.mark.parametrize("before", [(), (said("crime.validated", "13:00:00"),)], ids=["never validated", "later"])
def test_a_transfer_without_an_earlier_validation_is_in_no_share(before: tuple[Event, ...]) -> None:
    """The measure of the time to transfer counts it separately."""
    crime = (RECORDED, *before, said("crime.gateway_transferred", "12:00:00"))
    assert adds("crime_gateway_transfer_working", *crime) == {}
    assert adds("crime_gateway_transfer_time", *crime) == {"negative" if before else "missing_start": 1}


def test_a_validated_crime_is_open_until_it_is_transferred() -> None:
    """The earliest of each counts."""
    assert open_in("crime_gateway_untransferred", RECORDED) == {}
    assert open_in("crime_gateway_untransferred", RECORDED, VALIDATED) == {"": "12:00:00"}
    assert (
        open_in("crime_gateway_untransferred", RECORDED, VALIDATED, said("crime.gateway_transferred", "13:00:00")) == {}
    )
    assert open_in("crime_gateway_untransferred", RECORDED, VALIDATED, CANCELLED) == {}


ALLOCATED = said("crime.allocated", "10:00:00")


@pytest.mark.parametrize(("informed", "is_so"), [("09:59:59", False), ("10:00:00", True), ("11:00:00", True)])
def test_a_victim_counts_as_informed_at_or_after_the_allocation(informed: str, is_so: bool) -> None:
    """The text message goes out with the allocation."""
    found = adds("crime_victim_informed", RECORDED, ALLOCATED, said("crime.victim_informed", informed))
    assert found == {"whole": 1} | ({"part": 1} if is_so else {})


def test_a_victim_must_be_informed_again_of_a_new_officer() -> None:
    """The latest allocation counts, and sets the time."""
    crime = (RECORDED, ALLOCATED, said("crime.victim_informed", "11:00:00"), said("crime.allocated", "12:00:00"))
    assert adds("crime_victim_informed", *crime) == {"whole": 1}
    assert placed("crime_victim_informed", *crime) == {"12:00:00"}


def test_contracts_and_crimes_with_a_victim_are_separate_counts() -> None:
    """One contract may serve several crimes, so neither is a part of the other."""
    victim = said("crime.recorded", "09:00:00", victim_token="k1." + "A" * 26)
    contract = said("crime.contract_completed", "12:00:00")
    assert adds("crime_with_victim", victim) == adds("crime_contracts_completed", RECORDED, contract) == {"count": 1}
    assert placed("crime_contracts_completed", RECORDED, contract, said("crime.contract_completed", "13:00:00")) == {
        "12:00:00"
    }
    assert adds("crime_with_victim", RECORDED) == {}


# ------------------------------------------------------------------------------------------- outcomes


@pytest.mark.parametrize(
    ("outcome", "part"),
    [
        ("1", "crime_resolved"),
        ("22", "crime_resolved"),
        ("16", "crime_victim_does_not_support"),
        ("18", "crime_unable_to_progress"),
        ("21", "crime_unable_to_progress"),
        ("5", "crime_other_outcome"),
        ("99", "crime_other_outcome"),
        ("17", "crime_other_outcome"),
    ],
)
def test_every_outcome_is_in_one_of_four_parts(outcome: str, part: str) -> None:
    """The four shares add up to 1; an unknown code is in the last one."""
    crime = (RECORDED, said("crime.outcome_assigned", "11:00:00", outcome=outcome))
    four = ("crime_resolved", "crime_victim_does_not_support", "crime_unable_to_progress", "crime_other_outcome")
    found = {name: adds(name, *crime) for name in four}
    assert [name for name in four if any("part" in cell for cell in found[name])] == [part]
    assert all(any("whole" in cell for cell in found[name]) for name in four)


@pytest.mark.parametrize(("outcome", "found"), [("22", {"whole": 1, "part": 1}), ("1", {"whole": 1}), ("18", {})])
def test_diversions_are_a_share_of_resolved_crimes(outcome: str, found: dict[str, int]) -> None:
    """Not of all outcomes."""
    crime = (RECORDED, said("crime.outcome_assigned", "11:00:00", outcome=outcome))
    assert adds("crime_resolved_by_diversion", *crime) == found


# ------------------------------------------------------------------------------------------- suspects

A, B = "k1." + "A" * 26, "k1." + "B" * 26


def suspects(*events: Event) -> object:
    """The suspects who are currently linked."""
    return STREAMS["crimes"].vocabulary["suspects"].read(state_of(RECORDED, *events))


def linked(when: str, token: str, event_id: str = "") -> Event:
    """A suspect is linked."""
    return said("crime.suspect_linked", when, event_id, suspect_token=token)


def unlinked(when: str, token: str, event_id: str = "") -> Event:
    """A suspect is no longer linked."""
    return said("crime.suspect_unlinked", when, event_id, suspect_token=token)


def test_a_suspect_is_linked_if_the_latest_event_links_them() -> None:
    """Of two events for one suspect the later one decides; others are unaffected."""
    assert suspects(linked("10:00:00", B), linked("10:00:00", A)) == (A, B)
    assert suspects(linked("10:00:00", A), unlinked("11:00:00", A), linked("09:00:00", B)) == (B,)
    assert suspects(linked("12:00:00", A), unlinked("11:00:00", A)) == (A,)
    assert suspects(unlinked("11:00:00", A)) == ()


def test_a_link_and_its_end_at_the_same_time_are_ordered_by_event_id() -> None:
    """By time, then id."""
    assert suspects(linked("10:00:00", A, "b"), unlinked("10:00:00", A, "a")) == (A,)
    assert suspects(linked("10:00:00", A, "a"), unlinked("10:00:00", A, "b")) == ()


@pytest.mark.parametrize(("code", "found"), [("ZZ9", "not_a_code"), ("8.57", "8/57"), ("34B", None)])
def test_an_unknown_code_is_a_value_of_its_own(code: str, found: str | None) -> None:
    """So that the most frequent ones can be listed."""
    crime = said("crime.recorded", "09:00:00", offence_code=code)
    assert STREAMS["crimes"].vocabulary["unknown_code"].read(state_of(crime)) == found
