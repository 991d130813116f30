"""What incidents contribute: the definitions in schemas/measures, sentence by sentence."""

from __future__ import annotations

import msgpack
import pytest

from tests.fold.said import adds, contribution, open_in, placed, said, state_of
from watchroom.events.record import Event
from watchroom.streams import STREAMS

CREATED = said("incident.created", "09:00:00", grade="1", area="stoke")
REGRADED = said("incident.graded", "09:20:00", grade="3")
ASSIGNED = said("incident.resource_assigned", "09:02:00", unit="A1")
DIVERTED = said("incident.resource_unassigned", "09:04:00", unit="A1")
ON_SCENE = said("incident.resource_on_scene", "09:10:00", unit="A1")
CLOSED = said("incident.closed", "11:00:00")
CANCELLED = said("incident.cancelled", "11:00:00")
REOPENED = said("incident.reopened", "12:00:00")
LINKED = said("incident.linked", "09:30:00", parent="16")
S1 = "grade=1,area=stoke"
UNRESOURCED, UNATTENDED = "incidents_unresourced", "incidents_unattended"


def test_an_incident_counts_at_the_time_it_was_created() -> None:
    """The earliest creation, if there are several."""
    assert adds("incident_volume", CREATED) == {f"{S1} count": 1}
    assert placed("incident_volume", CREATED, said("incident.created", "08:59:59")) == {"08:59:50"}


def test_the_latest_grade_and_area_of_an_incident_count() -> None:
    """A regrade moves the incident to its new grade, in the month in which it was created."""
    moved = said("incident.closed", "10:00:00", area="county_unknown")
    assert adds("incident_volume", CREATED, REGRADED, moved) == {"grade=3,area=county_unknown count": 1}
    assert placed("incident_volume", CREATED, REGRADED, moved) == {"09:00:00"}


@pytest.mark.parametrize(("said_as", "grade"), [("2", "2"), ("4", "other"), ("E", "other"), ("", "ungraded")])
def test_an_unlisted_grade_is_other_and_an_absent_one_ungraded(said_as: str, grade: str) -> None:
    """Labels are closed lists."""
    created = said("incident.created", "09:00:00", grade=said_as)
    assert adds("incident_volume", created) == {f"grade={grade},area=unknown count": 1}


@pytest.mark.parametrize(
    ("said_as", "area"), [("Stoke", "stoke"), ("COUNTY ", "county_unknown"), ("cheshire", "other")]
)
def test_a_listed_area_is_recognised_in_any_spelling(said_as: str, area: str) -> None:
    """Values are compared in lower case with underscores."""
    created = said("incident.created", "09:00:00", area=said_as)
    assert adds("incident_volume", created) == {f"grade=ungraded,area={area} count": 1}


def test_an_empty_text_does_not_remove_a_value() -> None:
    """A feed that sends an empty area later says nothing about the area."""
    empty = said("incident.closed", "11:00:00", area="")
    assert adds("incident_volume", CREATED, empty) == {f"{S1} count": 1}


def test_grades_given_at_the_same_time_are_ordered_by_event_id() -> None:
    """A tie in time must not depend on which event arrived first."""
    a = said("incident.graded", "09:05:00", "a", grade="2")
    b = said("incident.graded", "09:05:00", "b", grade="3")
    assert adds("incident_volume", CREATED, b, a) == {"grade=3,area=stoke count": 1}


def test_attendance_is_timed_from_creation_to_the_first_resource_on_scene() -> None:
    """The second unit on scene changes nothing."""
    second = said("incident.resource_on_scene", "09:12:00", unit="B2")
    found = adds("incident_attendance_time", CREATED, ON_SCENE, second)
    assert found == {f"{S1} observations": 1, f"{S1} sum_ms": 600_000, f"{S1} within": 1, f"{S1} bin:594967": 1}
    assert placed("incident_attendance_time", CREATED, ON_SCENE, second) == {"09:10:00"}


@pytest.mark.parametrize(
    ("grade", "last_within", "first_miss"),
    [("1", "09:15:00", "09:15:00.001"), ("2", "10:00:00", "10:00:00.001"), ("3", "+1 09:00:00", "+1 09:00:00.001")],
)
def test_the_target_includes_exactly_its_limit(grade: str, last_within: str, first_miss: str) -> None:
    """Within 15 min, 60 min and 24 h for grades 1, 2 and 3."""
    created = said("incident.created", "09:00:00", grade=grade, area="stoke")
    for when, within in ((last_within, 1), (first_miss, 0)):
        found = adds("incident_attendance_time", created, said("incident.resource_on_scene", when, unit="A1"))
        assert found.get(f"grade={grade},area=stoke within", 0) == within


@pytest.mark.parametrize(
    ("grades", "attended_as"),
    [
        (["08:59:00 2", "09:10:00 3"], "3"),  # a grade at that very moment counts
        (["09:00:00 2", "09:10:00.001 3"], "2"),  # the last one before
        (["09:10:01 2", "09:20:00 3"], "2"),  # none before: the first after
        (["09:11:00 9"], "other"),
        ([], "ungraded"),
    ],
)
def test_attendance_is_measured_under_the_grade_at_that_moment(grades: list[str], attended_as: str) -> None:
    """A regrade after arrival must not turn a miss into a success."""
    created = said("incident.created", "09:00:00", area="stoke")
    given = [said("incident.graded", text.split()[0], grade=text.split()[1]) for text in grades]
    found = adds("incident_attendance_time", created, ON_SCENE, *given)
    assert found[f"grade={attended_as},area=stoke observations"] == 1


def test_volume_and_attendance_may_have_different_grades() -> None:
    """Created Grade 1, attended, then regraded 3: volume counts 3, the response time stays with Grade 1."""
    events = (CREATED, ON_SCENE, REGRADED)
    assert adds("incident_volume", *events) == {"grade=3,area=stoke count": 1}
    assert adds("incident_attendance_time", *events)[f"{S1} observations"] == 1


def test_attendance_before_creation_is_negative_and_excluded_from_durations() -> None:
    """Two events disagree; no duration is counted, but the incident is attended."""
    early = said("incident.resource_on_scene", "08:59:00", unit="A1")
    assert adds("incident_attendance_time", CREATED, early) == {f"{S1} negative": 1}
    assert open_in(UNATTENDED, CREATED, early) == {}


def test_assignment_is_timed_to_the_first_unit_even_if_it_is_diverted() -> None:
    """A diverted unit was still assigned."""
    again = said("incident.resource_assigned", "09:30:00", unit="B2")
    found = adds("incident_assignment_time", CREATED, ASSIGNED, DIVERTED, again)
    assert found == {f"{S1} observations": 1, f"{S1} sum_ms": 120_000, f"{S1} bin:119659": 1}


def test_an_arrival_on_scene_alone_gives_no_assignment_time() -> None:
    """There is no moment of assignment to time."""
    assert adds("incident_assignment_time", CREATED, ON_SCENE) == {}


@pytest.mark.parametrize(
    ("events", "part"), [((), 0), ((ASSIGNED,), 1), ((ASSIGNED, DIVERTED), 1), ((ON_SCENE,), 1), ((DIVERTED,), 0)]
)
def test_an_incident_is_resourced_if_a_unit_was_ever_assigned_or_on_scene(events: tuple[Event, ...], part: int) -> None:
    """On scene counts as assigned here, and only here; both counts are at the time of creation."""
    found = adds("incident_resourced", CREATED, *events)
    assert (found[f"{S1} whole"], found.get(f"{S1} part", 0)) == (1, part)
    assert placed("incident_resourced", CREATED, *events) == {"09:00:00"}


@pytest.mark.parametrize(("events", "part"), [((ASSIGNED,), 1), ((ASSIGNED, ON_SCENE), 0), ((ASSIGNED, DIVERTED), 1)])
def test_an_attendance_that_was_never_entered_is_counted(events: tuple[Event, ...], part: int) -> None:
    """Attendance times cover only incidents with an arrival; the number without one must be shown too."""
    found = adds("incident_arrival_missing", CREATED, *events)
    assert (found[f"{S1} whole"], found.get(f"{S1} part", 0)) == (1, part)
    assert adds("incident_arrival_missing", CREATED, ON_SCENE) == {}


def test_an_incident_is_unresourced_until_a_unit_is_assigned_and_again_when_it_is_diverted() -> None:
    """The supervisor must see this at once."""
    assert open_in(UNRESOURCED, CREATED) == {S1: "09:00:00"}
    assert open_in(UNRESOURCED, CREATED, ASSIGNED) == {}
    assert open_in(UNRESOURCED, CREATED, ASSIGNED, DIVERTED) == {S1: "09:00:00"}


def test_one_assigned_unit_of_two_is_enough() -> None:
    """Each unit is evaluated on its own."""
    other = said("incident.resource_assigned", "09:03:00", unit="B2")
    assert open_in(UNRESOURCED, CREATED, ASSIGNED, other, DIVERTED) == {}


def test_the_latest_event_of_a_unit_counts_and_ties_go_by_event_id() -> None:
    """Assigned at 09:02, diverted at 09:04, assigned again: it is assigned."""
    again = said("incident.resource_assigned", "09:05:00", unit="A1")
    assert open_in(UNRESOURCED, CREATED, again, DIVERTED, ASSIGNED) == {}
    on = said("incident.resource_assigned", "09:05:00", "a", unit="A1")
    off = said("incident.resource_unassigned", "09:05:00", "b", unit="A1")
    assert open_in(UNRESOURCED, CREATED, off, on) == {S1: "09:00:00"}


def test_an_attended_incident_is_neither_unresourced_nor_unattended() -> None:
    """Even after its units have left."""
    left = said("incident.resource_unassigned", "10:00:00", unit="A1")
    events = (CREATED, ASSIGNED, ON_SCENE, left)
    assert (open_in(UNRESOURCED, *events), open_in(UNATTENDED, *events)) == ({}, {})


def test_an_assigned_incident_is_still_unattended() -> None:
    """Its deadline runs until a unit is there."""
    assert open_in(UNATTENDED, CREATED, ASSIGNED) == {S1: "09:00:00"}


def test_an_open_incident_moves_to_its_latest_grade() -> None:
    """The deadline is that of the latest grade, counted from creation."""
    assert open_in(UNATTENDED, CREATED, REGRADED) == {"grade=3,area=stoke": "09:00:00"}


@pytest.mark.parametrize("end", [CLOSED, CANCELLED], ids=lambda event: event.type)
def test_a_closed_or_cancelled_incident_leaves_the_open_tiles_until_reopened(end: Event) -> None:
    """The latest of closed, cancelled and reopened decides."""
    for measure in (UNRESOURCED, UNATTENDED):
        assert open_in(measure, CREATED, end) == {}
        assert open_in(measure, CREATED, end, REOPENED) == {S1: "09:00:00"}
        assert open_in(measure, CREATED, said("incident.reopened", "10:00:00"), end) == {}


def test_closed_and_reopened_at_the_same_time_are_ordered_by_event_id() -> None:
    """By time, then id."""
    closed, reopened = said("incident.closed", "11:00:00", "b"), said("incident.reopened", "11:00:00", "a")
    assert open_in(UNATTENDED, CREATED, closed, reopened) == {}


def test_a_cancelled_incident_still_counts_in_volume_resourced_and_times() -> None:
    """It happened, and somebody went."""
    events = (CREATED, ASSIGNED, ON_SCENE)
    assert contribution(*events, CANCELLED).increments == contribution(*events).increments


def test_a_linked_child_is_excluded_from_everything_permanently() -> None:
    """The parent has its own clock; reopening does not bring the child back, and it is not an orphan."""
    events = (CREATED, ASSIGNED, ON_SCENE, LINKED, REOPENED)
    assert contribution(*events) == ({}, {}, {})
    assert contribution(LINKED) == ({}, {}, {})


@pytest.mark.parametrize("event", [REGRADED, ASSIGNED, DIVERTED, ON_SCENE, CLOSED, REOPENED], ids=lambda e: e.type)
def test_an_incident_without_its_creation_is_one_orphan_and_nothing_else(event: Event) -> None:
    """Counted at its earliest event, until the creation arrives."""
    assert contribution(event, said("incident.closed", "13:00:00"))[1] == {}
    assert adds("orphans", event) == {"topic=watchroom.incidents count": 1}
    assert len(contribution(event).increments) == 1
    assert adds("orphans", event, CREATED) == {}


def test_each_grade_is_stored_once() -> None:
    """Attendance is evaluated by the history of grades; a repeated event does not lengthen it."""
    assert [stamp[2] for stamp in state_of(CREATED, REGRADED, CREATED).grades] == ["1", "3"]


def test_a_self_initiated_incident_is_in_the_volume_and_excluded_from_times() -> None:
    """Nobody rang for it, and nobody waits for it; it is counted separately."""
    events = CREATED, ASSIGNED, ON_SCENE, said("incident.graded", "09:00:30", grade="1", self_initiated=True)
    for measure in ("incident_volume", "incidents_self_initiated"):
        assert adds(measure, *events) == {f"{S1} count": 1}
    for measure in ("incident_resourced", "incident_resourced_first_grade"):
        assert adds(measure, *events) == {f"{S1} whole": 1, f"{S1} part": 1}
    for rule in ("", "_first_grade", "_last_grade"):
        assert adds(f"incident_attendance_time{rule}", *events) == {}
    assert adds("incident_assignment_time", *events) == adds("incident_arrival_missing", *events) == {}
    waiting = said("incident.created", "09:00:00", self_initiated=True)
    assert open_in(UNRESOURCED, waiting) == open_in(UNATTENDED, waiting) == {}


def test_the_latest_event_that_says_whether_it_is_self_initiated_counts() -> None:
    """Entered as self-initiated and corrected later: it is timed again."""
    own = said("incident.created", "09:00:00", grade="1", area="stoke", self_initiated=True)
    corrected = said("incident.graded", "09:01:00", grade="1", self_initiated=False)
    assert adds("incidents_self_initiated", own, corrected) == {}
    assert open_in(UNATTENDED, own, corrected) == {S1: "09:00:00"}
    assert adds("incidents_self_initiated", CREATED) == {}


def test_attendance_is_timed_under_the_first_the_last_and_the_grade_at_arrival() -> None:
    """Created as 1, a 3 when attended, a 2 in the end: 10 minutes are within each target."""
    grades = said("incident.graded", "09:05:00", grade="3"), said("incident.graded", "09:30:00", grade="2")
    events = CREATED, *grades, ON_SCENE
    for rule, grade in (("_first_grade", "1"), ("", "3"), ("_last_grade", "2")):
        found = adds(f"incident_attendance_time{rule}", *events)
        assert found[f"grade={grade},area=stoke observations"] == found[f"grade={grade},area=stoke within"] == 1
    assert adds("incident_resourced_first_grade", *events) == {f"{S1} whole": 1, f"{S1} part": 1}
    assert adds("incident_resourced", *events)["grade=2,area=stoke whole"] == 1


def test_the_category_is_that_of_the_latest_event_with_one() -> None:
    """Opened as public safety and closed as anti-social behaviour: it counts as the latter, when it was created."""
    opened = said("incident.created", "09:00:00", category="public_safety", area="stoke")
    closed = said("incident.closed", "11:00:00", category="ASB", asb_type="Neighbour dispute")
    assert adds("incident_volume_by_category", opened) == {"incident_category=public_safety,area=stoke count": 1}
    assert adds("incidents_asb", opened) == {}
    assert adds("incident_volume_by_category", opened, closed) == {"incident_category=asb,area=stoke count": 1}
    assert adds("incidents_asb", opened, closed) == {"asb_type=neighbour_dispute,area=stoke count": 1}
    assert placed("incidents_asb", opened, closed) == {"09:00:00"}
    again = said("incident.reclassified", "12:00:00", category="Lost property")
    assert adds("incidents_asb", opened, closed, again) == {}
    assert adds("incident_volume_by_category", opened, closed, again) == {"incident_category=other,area=stoke count": 1}


def test_a_condition_matches_what_the_label_of_the_same_value_counts() -> None:
    """`where = { incident_category = ["asb"] }` must match, however the feed spells it."""
    words = STREAMS["incidents"].values
    state = state_of(said("incident.created", "09:00:00", category=" Asb ", asb_type="Neighbour-dispute"))
    assert (words["incident_category"].read(state), words["asb_type"].read(state)) == ("asb", "neighbour_dispute")


def test_the_latest_address_and_small_area_count() -> None:
    """Repeats are counted at the final address; an incident without one has none."""
    words = STREAMS["incidents"].values
    first = said("incident.created", "09:00:00", address_token="k1.A", lsoa="E01014257")
    later = said("incident.graded", "09:10:00", grade="1", address_token="k1.B")
    state = state_of(first, later)
    assert (words["address"].read(state), words["lsoa"].read(state)) == ("k1.B", "E01014257")
    assert words["address"].read(state_of(CREATED)) is None
    assert words["lsoa"].read(state_of(CREATED)) is None


def test_only_a_code_is_accepted_as_a_small_area() -> None:
    """Lists show it unchanged, so a telephone number or address that a feed sends there is not stored."""
    for text in ("07700900123", "12 High Street", "k1.ABCDEFGHIJ", "E0101425"):
        state = state_of(said("incident.created", "09:00:00", lsoa=text))
        assert STREAMS["incidents"].values["lsoa"].read(state) == "other"
        assert text not in repr(state)
    state = state_of(said("incident.created", "09:00:00", lsoa=" e01014257"))
    assert STREAMS["incidents"].values["lsoa"].read(state) == "E01014257"


def test_a_state_stored_before_the_newest_fields_is_read_without_them() -> None:
    """They are at its end, so a shorter state has none of them."""
    stored = STREAMS["incidents"].unpack(msgpack.packb(tuple(state_of(CREATED, ON_SCENE))[:10]))
    assert stored == state_of(CREATED, ON_SCENE)
