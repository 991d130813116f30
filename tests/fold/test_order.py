"""Order does not matter: the fold compared with an oracle that shares no code with it (docs/architecture.md#fold).

`WATCHROOM_TEST_EXAMPLES` multiplies the number of examples (default 1, sized for CI).
"""

from __future__ import annotations

import dataclasses
import os
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fold.pipeline import applied, run
from tests.oracle.facts import Sent
from tests.oracle.histories import TYPES, batches, deliveries, histories, moments
from tests.oracle.recompute import KEEPING_MS, Content, differences, in_partition_order, recompute, restated, whole
from tests.oracle.scales import DAY_MS
from watchroom.fold.batch import Restatement
from watchroom.reports.held import StoredMonth, added_up

pytestmark = pytest.mark.timeout(300)
EXAMPLES = int(os.environ.get("WATCHROOM_TEST_EXAMPLES", "1"))
bulk = settings(
    max_examples=300 * EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES == 1,
    suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,
)


@st.composite
def deliveries_in_batches(draw: st.DrawFn, events: list[Sent]) -> list[list[Sent]]:
    """The same events in any order, repetition, spread over partitions, and batching."""
    placed = in_partition_order(draw(deliveries(events)), partitions=draw(st.integers(1, 3)))
    return draw(batches(placed))


def flat(cut: list[list[Sent]]) -> list[Sent]:
    """The events of all batches."""
    return [sent for batch in cut for sent in batch]


def same(found: Content, expected: Content) -> None:
    """Fail with a list of all differences."""
    assert not (lines := differences(found, expected)), "\n".join(lines)


@bulk
@given(st.data())
def test_any_order_repetition_and_batching_gives_what_the_oracle_computes(data: st.DataObject) -> None:
    """Figures must not depend on which event came first, came twice, or was in which batch."""
    events = data.draw(histories())
    now_ms = data.draw(moments(events))
    expected = recompute(events, now_ms)
    found = run(data.draw(deliveries_in_batches(events)), now_ms, round_trip=data.draw(st.booleans()))
    found = dataclasses.replace(found, tokens=whole(found.tokens))  # the time of a change decides only its field
    same(found, Content(expected.buckets, expected.open, found.restatements, {}, whole(expected.tokens)))


@bulk
@given(st.data())
def test_the_restatement_log_follows_the_order_of_each_partition_whatever_the_batches(data: st.DataObject) -> None:
    """Analysts subtract the log from a month to get what was published: it must not depend on batching.

    A report says how often a month was restated: once for each event, however many fields it changed.
    """
    events = data.draw(histories())
    now_ms = data.draw(moments(events))
    placed = in_partition_order(data.draw(deliveries(events)), partitions=2)
    expected = recompute(placed, now_ms)
    for cut in (data.draw(batches(placed)), [[sent] for sent in placed], [placed]):
        worker = applied(cut, now_ms)
        same(worker.content(), expected)
        assert counted(worker.log) == restated(expected)


def counted(log: Iterable[Restatement]) -> dict[tuple[str, str], int]:
    """(month, series) -> the number of restatements that a report counts."""
    by_month: dict[str, list[Restatement]] = defaultdict(list)
    for entry in log:
        by_month[entry.month].append(entry)
    held = {month: added_up([StoredMonth(month, {}, log)], (month,), {}, {}, {}) for month, log in by_month.items()}
    return {(month, series): of.restatements([series]) for month, of in held.items() for series in of.restated}


@bulk
@given(st.data())
def test_a_replayed_dead_letter_closes_months_by_its_new_record(data: st.DataObject) -> None:
    """Lateness uses the first record's time, closing the second's, which comes within the retention."""
    events = data.draw(histories(most=2))
    replayed = [
        replace(
            e, replayed_ms=e.arrival_ms + data.draw(st.integers(0, min(80, KEEPING_MS[e.stream] // DAY_MS))) * DAY_MS
        )
        for e in events
    ]
    placed = in_partition_order(data.draw(deliveries(replayed)))
    now_ms = data.draw(moments(events))
    same(run(data.draw(batches(placed)), now_ms), recompute(placed, now_ms))


@bulk
@given(st.data())
def test_after_its_retention_an_entity_is_new_in_partition_order(data: st.DataObject) -> None:
    """What the forgotten state added stays; arrivals decide, so a rebuild forgets at the same event."""
    events = data.draw(histories([stream for stream in TYPES if stream != "returns"], most=2))
    again = [
        replace(
            e, time_ms=e.time_ms + KEEPING_MS[e.stream] + later, arrival_ms=e.arrival_ms + KEEPING_MS[e.stream] + later
        )
        for e in events
        for later in (data.draw(st.sampled_from((0, 1, DAY_MS))),)
    ]
    placed = in_partition_order(data.draw(deliveries([*events, *again])))
    now_ms = data.draw(moments(again))
    same(run(data.draw(batches(placed)), now_ms), recompute(placed, now_ms))


class Enough(Exception):
    """Everything that was wanted has been seen."""


WANTED = {type_ for types in TYPES.values() for type_ in types} | {
    "call_volume", "call_answer_time|within", "call_answer_time|missing_start", "call_answer_time|negative",
    "call_answer_time_presented|within", "call_abandonment|part", "call_abandoned_within_60s|part",
    "calls_waiting", "calls_in_progress", "incident_volume", "incident_attendance_time|within",
    "incident_attendance_time|negative", "incident_assignment_time|observations", "incident_resourced|part",
    "incidents_unresourced", "incidents_unattended", "crime_recorded", "crime_recorded_by_category",
    "crime_recorded_by_subgroup", "subgroup=not_stated", "subgroup=homicide",
    "crime_acquisitive", "acquisitive_part=theft_of_a_motor_vehicle", "crime_robbery", "crime_keyless_vehicle_theft",
    "crime_homicide", "crime_knife", "crime_firearm", "crime_domestic_abuse", "crime_violence_female_victim",
    "crime_online", "crime_recording_time|within", "crime_recording_time|missing_start",
    "crime_recording_time|negative", "crime_contracts_completed", "crime_with_victim",
    "crime_gateway_transfer_time|within", "crime_gateway_transfer_time|negative",
    "crime_gateway_transfer_working|part", "crime_gateway_untransferred", "crime_victim_informed|part",
    "crime_victim_does_not_support|part", "crime_unable_to_progress|part", "crime_other_outcome|part",
    "crime_resolved_by_diversion|part", "restated by crime.validated",
    "crime_resolved|part", "gun_crime_published|as_at_ms", "complaints_retained|has_denominator", "crimes_prosecuted",
    "speed_enforcements_change|numerator", "road_user=pedestrian", "period=2021-Q3", "period=2022", "notes", "figures",
    "area=county", "restated by return.figure", "restated by return.withdrawn",
    "orphans", "tie", "restated by incident.graded", "restated by crime.reclassified",
    "line=other", "line=unknown", "grade=other", "group=not_stated", "area=stoke", "area=other",
    "at 1635640200000", "at 1635643800000",  # 01:30 on 31 October 2021, twice
}  # fmt: skip


def test_the_generated_histories_reach_every_type_every_measure_and_every_trap() -> None:
    """A property over histories in which nothing happens would prove nothing."""
    seen: set[str] = set()

    @settings(
        max_examples=20_000, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.data())
    def collect(data: st.DataObject) -> None:
        events = data.draw(histories())
        content = recompute(in_partition_order(events), max(e.arrival_ms for e in events))
        seen.update(words_of(events, content))
        if seen >= WANTED:
            raise Enough

    with suppress(Enough):
        collect()
    assert not (WANTED - seen), sorted(WANTED - seen)


def words_of(events: list[Sent], content: Content) -> set[str]:
    """What occurs in a history."""
    words = {e.type for e in events} | {f"restated by {entry.type}" for entry in content.restatements}
    words |= {f"at {e.time_ms}" for e in events}
    for cells in (*content.buckets.values(), *({name: 1} for name in content.open)):
        for name in cells:
            measure, _, rest = name.partition("|")
            words |= {
                measure,
                f"{measure}|{rest.rpartition('|')[2].partition(':')[0]}",
                *rest.partition("|")[0].split(","),
            }
    if len({(e.subject, e.time_ms, e.id) for e in events}) > len({(e.subject, e.time_ms) for e in events}):
        words.add("tie")
    return words
