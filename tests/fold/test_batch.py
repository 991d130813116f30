"""A batch: differences, forgetting after the retention, and the log of changes to closed months."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from tests.fold.pipeline import CALENDAR, catalogue, folder
from tests.fold.said import at, said
from watchroom.events.record import Arrived, Event
from watchroom.fold.batch import Folded, Known, Restatement, difference
from watchroom.kinds.duration import figures
from watchroom.kinds.names import parse_field
from watchroom.rolling.buckets import spread
from watchroom.rolling.calendar import Calendar
from watchroom.rolling.windows import buckets_of

DAY_MS = 86_400_000
QUEUED = said("call.queued", "09:00:00", line="999")
ANSWERED = said("call.answered", "09:00:08")
CREATED = said("incident.created", "09:00:00", grade="1", area="stoke")
REGRADED = said("incident.graded", "09:20:00", grade="3")


def arrived(event: Event, arrival_ms: int | None = None, offset: int = 0, closing_ms: int | None = None) -> Arrived:
    """An event that arrived at its own time unless stated otherwise."""
    arrival = event.time_ms if arrival_ms is None else arrival_ms
    return Arrived(event, arrival, arrival if closing_ms is None else closing_ms, offset)


def fold(stream: str, *batches: Sequence[Arrived]) -> tuple[Folded, dict[str, Known]]:
    """The last batch's result and what is known after it."""
    of_partition, known = folder(stream, f"watchroom.{stream}", 0), dict[str, Known]()
    folded = Folded()
    for batch in batches:
        folded = of_partition.fold(batch, known)
        known |= folded.entities
    return folded, known


def test_the_worked_example_of_the_design_goes_from_events_to_a_figure() -> None:
    """Two events in two batches: the exporter adds up buckets to mean 8.0 s and `8 s, 1 of 1 under 10 s`."""
    first, _ = fold("calls", [arrived(QUEUED)])
    second, _ = fold("calls", [arrived(QUEUED)], [arrived(ANSWERED)])
    counts = ("call_volume|line=999", "call_volume_by_class|class=unknown", "call_volume_by_cli_type|cli_type=unknown")
    assert first.increments == {at("09:00:00"): {f"{series}|count": 1 for series in counts}}
    assert first.open_now() == [("calls_waiting|line=999", "17", at("09:00:00"))]
    assert second.left == {("calls_waiting|line=999", "17")}
    assert second.open_now() == [("calls_in_progress|line=999", "17", at("09:00:08"))]

    now_ms = at("09:00:09")
    window, fields = set(buckets_of("5m", now_ms, CALENDAR)), defaultdict[str, int](int)
    for bucket in spread(second.increments, now_ms, CALENDAR):
        for name, delta in bucket.deltas.items():
            cell = parse_field(name)
            if bucket.name in window and cell.measure == "call_answer_time":
                fields[cell.field] += delta
    value = figures(catalogue().measures["call_answer_time"], fields)
    assert (value.mean_s, value.within, value.observations) == (8.0, 1, 1)


def test_a_repeated_event_changes_nothing() -> None:
    """Old and new state are equal, so the difference is empty; only the last arrival advances."""
    again, known = fold("calls", [arrived(QUEUED), arrived(ANSWERED)], [arrived(ANSWERED, at("09:05:00"))])
    assert (again.increments, again.left, again.restatements) == ({}, set(), [])
    assert known["17"].state is not None
    assert known["17"].state.last_arrival_ms == at("09:05:00")


def test_a_regrade_takes_back_what_was_added_and_adds_it_again() -> None:
    """From grade 1 to grade 3 in the bucket of its creation; nothing is counted twice."""
    folded, _ = fold("incidents", [arrived(CREATED)], [arrived(REGRADED)])
    assert folded.increments == {
        at("09:00:00"): {
            "incident_volume|grade=1,area=stoke|count": -1, "incident_volume|grade=3,area=stoke|count": 1,
            "incident_resourced|grade=1,area=stoke|whole": -1, "incident_resourced|grade=3,area=stoke|whole": 1,
        }
    }  # fmt: skip
    assert folded.left == {
        ("incidents_unresourced|grade=1,area=stoke", "17"), ("incidents_unattended|grade=1,area=stoke", "17"),
    }  # fmt: skip


def test_an_increment_that_moves_in_time_leaves_its_old_bucket() -> None:
    """An earlier creation arrives: the incident moves to the earlier 10 s."""
    folded, _ = fold("incidents", [arrived(CREATED)], [arrived(said("incident.created", "08:00:00", grade="1"))])
    field = "incident_volume|grade=1,area=stoke|count"
    volume = {start: deltas.get(field) for start, deltas in folded.increments.items()}
    assert volume == {at("09:00:00"): -1, at("08:00:00"): 1}


def test_differences_name_each_field_once_or_twice() -> None:
    """Unchanged, changed in the same bucket, moved, new, gone."""
    old = {"same": (0, 1), "more": (0, 1), "moved": (0, 1), "gone": (10, 2)}
    new = {"same": (0, 1), "more": (0, 4), "moved": (20, 1), "new": (30, 1)}
    assert sorted(difference(old, new)) == [
        ("gone", (10, -2)), ("more", (0, 3)), ("moved", (0, -1)), ("moved", (20, 1)), ("new", (30, 1)),
    ]  # fmt: skip


def test_folding_does_not_modify_the_known_entities() -> None:
    """A step that was refused is computed again from the same states."""
    of_partition = folder("calls", "watchroom.calls", 0)
    known = dict(of_partition.fold([arrived(QUEUED)], {}).entities)
    before = dict(known)
    of_partition.fold([arrived(ANSWERED)], known)
    assert known == before


def test_an_entity_that_left_and_came_back_within_a_batch_has_not_left() -> None:
    """Closed and reopened at once, it stays in the open set, even if each event is folded on its own."""
    for later_ms in (0, 40 * DAY_MS):  # in time, and after November has closed
        events = [said("incident.closed", "10:00:00"), said("incident.reopened", "10:00:01")]
        late = [arrived(event, event.time_ms + later_ms) for event in events]
        folded, _ = fold("incidents", [arrived(CREATED)], late)
        assert folded.left == set()
        assert ("incidents_unattended|grade=1,area=stoke", "17", at("09:00:00")) in folded.open_now()


KEEPING_MS = 3 * DAY_MS  # of calls


def test_an_arrival_exactly_at_the_retention_still_finds_its_call() -> None:
    """Known means: this arrival - the last one <= retention."""
    folded, _ = fold("calls", [arrived(QUEUED)], [arrived(ANSWERED, QUEUED.time_ms + KEEPING_MS)])
    assert folded.increments[at("09:00:00")]["call_answer_time|line=999|observations"] == 1


def test_an_arrival_one_ms_after_the_retention_finds_no_call() -> None:
    """The call is unknown again: an orphan; what it added stays, and it no longer waits."""
    folded, known = fold("calls", [arrived(QUEUED)], [arrived(ANSWERED, QUEUED.time_ms + KEEPING_MS + 1)])
    assert folded.increments == {at("09:00:00"): {"orphans|topic=watchroom.calls|count": 1}}
    assert folded.left == {("calls_waiting|line=999", "17")}
    assert known["17"].state is not None
    assert known["17"].state.queued_ms is None


def test_the_gap_is_between_arrivals_and_the_latest_one_counts() -> None:
    """An older arrival that is folded later neither shortens nor ends the retention."""
    steps = [arrived(QUEUED, DAY_MS), arrived(QUEUED, 0), arrived(ANSWERED, DAY_MS + KEEPING_MS)]
    folded, _ = fold("calls", *([step] for step in steps))
    assert "call_answer_time|line=999|observations" in folded.increments[at("09:00:00")]


def test_an_entity_is_forgotten_within_one_batch_too() -> None:
    """A restart that reads months in one batch must forget as the live worker did."""
    late = arrived(ANSWERED, QUEUED.time_ms + KEEPING_MS + 1)
    folded, _ = fold("calls", [arrived(QUEUED), late])
    assert folded.increments[at("09:00:00")]["orphans|topic=watchroom.calls|count"] == 1
    assert folded.increments[at("09:00:00")]["call_volume|line=999|count"] == 1
    assert ("calls_waiting|line=999", "17") in folded.left


MONTH_END_MS = Calendar("Europe/London").month_end_ms("2021-11")
CLOSES_MS = MONTH_END_MS + DAY_MS  # calls: 24 h


def changes(closing_ms: int, *, arrival_ms: int | None = None) -> list[Restatement]:
    """The log after a call of November is queued in time, and abandoned by an event with this arrival."""
    abandoned = arrived(said("call.abandoned", "09:00:30"), arrival_ms or closing_ms, 41, closing_ms)
    return fold("calls", [arrived(QUEUED, CLOSES_MS - KEEPING_MS)], [abandoned])[0].restatements


def test_an_arrival_exactly_at_month_end_plus_lateness_bound_is_not_a_restatement() -> None:
    """The month closes after that moment: London month end + 24 h for calls."""
    assert changes(CLOSES_MS) == []


def test_one_ms_later_every_changed_field_is_a_restatement() -> None:
    """Topic, partition, offset, arrival, event type, month, measure, labels, field, delta."""
    found = changes(CLOSES_MS + 1, arrival_ms=CLOSES_MS)
    where = ("watchroom.calls", 0, 41, CLOSES_MS + 1, "call.abandoned", "2021-11")
    assert found == [
        Restatement(*where, measure, {"line": "999"}, field, 1)
        for measure in (
            "call_abandonment", "call_abandonment_less_short", "call_abandonment_without_short",
            "call_abandoned_within_60s",
        )
        for field in ("whole", "part")
    ]  # fmt: skip


def test_months_close_in_the_reporting_zone() -> None:
    """April 2021 ends at 23:00 UTC, so incidents close at 23:00 UTC on 7 May."""
    at_ms = 1_619_823_600_000 - 10_000  # 2021-04-30T22:59:50Z
    created = Event("incident.created", "c", "s", "17", at_ms, None, {})
    closes_ms = 1_619_823_600_000 + 7 * DAY_MS
    assert fold("incidents", [arrived(created, closes_ms)])[0].restatements == []
    found = fold("incidents", [arrived(created, closes_ms + 1)])[0].restatements
    assert {entry.month for entry in found} == {"2021-04"}


def test_the_log_holds_one_entry_for_each_event_and_field_whatever_the_batch() -> None:
    """Two regrades in one batch are two changes, so that the log is the same for any batching."""
    late_ms = MONTH_END_MS + 30 * DAY_MS
    graded = [arrived(said("incident.graded", f"09:2{n}:00", grade=str(n)), late_ms + n, n) for n in (2, 3)]
    whole = fold("incidents", [arrived(CREATED)], graded)[0].restatements
    single = [fold("incidents", [arrived(CREATED)], *([g] for g in graded[: n + 1]))[0].restatements for n in (0, 1)]
    assert whole == single[0] + single[1]
    assert [entry.offset for entry in whole] == [2] * 4 + [3] * 4


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["call.presented", "call.queued", "call.answered", "call.abandoned", "call.ended"]),
        st.sampled_from(["a", "b"]), st.integers(0, 50_000), st.sampled_from([0, DAY_MS, KEEPING_MS, 40 * DAY_MS]),
    ),
    max_size=8,
)  # fmt: skip


@given(EVENTS, st.integers(0, 8))
def test_the_boundaries_of_batches_do_not_matter(rows: list[tuple[str, str, int, int]], cut: int) -> None:
    """Sums, states, open sets and the restatement log, entry for entry."""
    events = [
        arrived(Event(kind, str(n), "s", subject, at("09:00:00") + ms, None, {}), at("09:00:00") + later, n)
        for n, (kind, subject, ms, later) in enumerate(rows)
    ]
    of_partition = folder("calls", "watchroom.calls", 0)
    whole = of_partition.fold(events, {})
    first = of_partition.fold(events[:cut], {})
    second = of_partition.fold(events[cut:], first.entities)
    sums: dict[tuple[int, str], int] = defaultdict(int)
    for sign, folded in ((1, whole), (-1, first), (-1, second)):
        for start_ms, deltas in folded.increments.items():
            for name, delta in deltas.items():
                sums[start_ms, name] += sign * delta
    assert not any(sums.values())
    assert first.entities | second.entities == whole.entities
    assert first.restatements + second.restatements == whole.restatements
