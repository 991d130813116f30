"""What every simulation guarantees, whatever its levels."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice, pairwise

import pytest

from tests.fold.pipeline import catalogue
from watchroom.admission.admit import Admission
from watchroom.admission.parse import parse
from watchroom.admission.returns import checks
from watchroom.errors import EventRefused
from watchroom.events import reasons
from watchroom.events.partitioner import partition_of
from watchroom.events.record import Record
from watchroom.settings import Settings
from watchroom.simulator import GOOD, PUBLISHED, SOURCES, Force, Simulated, Surge, simulate
from watchroom.simulator.demand import EMERGENCY, OFFICE, Demand
from watchroom.streams import STREAMS

MONDAY_MS = 1_767_571_200_000  # 2026-01-05T00:00:00Z, a Monday, no summer time
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
PARTITIONS = 4


@pytest.fixture(scope="module")
def week() -> list[Simulated]:
    """Seven days of the published force."""
    return list(simulate(seed=11, start_ms=MONDAY_MS, end_ms=MONDAY_MS + 7 * DAY_MS))


def admission_counts(events: Iterable[Simulated]) -> Counter[str]:
    """How many are admitted ("ok") and refused, by reason, under the shipped bounds."""
    settings = Settings()
    admissions = {
        (stream, partition): Admission(
            stream,
            partition,
            PARTITIONS,
            history_sources=SOURCES.values(),
            lateness_ms=settings.lateness_days.ms(stream),
            future_ms=round(settings.future_s * 1000),
            keeping_ms=settings.keeping_days.ms(stream),
            checks=checks(catalogue().measures.values()),
        )
        for stream in STREAMS
        for partition in range(PARTITIONS)
    }
    seen: Counter[str] = Counter()
    for offset, event in enumerate(events):
        key = event.subject.encode()
        admission = admissions[event.stream, partition_of(key, PARTITIONS)]
        try:
            admission.admit(Record(offset, MONDAY_MS + 900 * DAY_MS, key, event.value))
            seen["ok"] += 1
        except EventRefused as refused:
            seen[refused.reason] += 1
    return seen


def test_every_event_is_admitted_at_its_own_arrival(week: list[Simulated]) -> None:
    """Kafka's time is 900 days later here: only `recordedtime` from a history source makes them fit."""
    assert admission_counts(week) == {"ok": len(week)}


def test_events_later_than_their_stream_allows_are_refused_as_late() -> None:
    """The check above would prove nothing if it could not fail."""
    delivery = {stream: replace(rates, too_late=0.05) for stream, rates in PUBLISHED.delivery.items()}
    force = replace(PUBLISHED, delivery=delivery)
    seen = admission_counts(simulate(force, seed=1, start_ms=MONDAY_MS, end_ms=MONDAY_MS + 9 * DAY_MS))
    assert set(seen) == {"ok", reasons.LATE}
    assert 0.02 < seen[reasons.LATE] / seen.total() < 0.06


def test_the_same_seed_and_start_give_the_same_bytes() -> None:
    """Back-tests and bug reports that name a seed must mean the same events."""
    first = list(simulate(seed=7, start_ms=MONDAY_MS, end_ms=MONDAY_MS + DAY_MS))
    assert first == list(simulate(seed=7, start_ms=MONDAY_MS, end_ms=MONDAY_MS + DAY_MS))


def test_another_seed_or_start_shares_no_entity() -> None:
    """Two runs into one Kafka must not write to the same call. Figures are the same in both."""
    runs = [(7, MONDAY_MS), (8, MONDAY_MS), (7, MONDAY_MS + DAY_MS)]
    subjects = [
        {e.subject for e in islice(simulate(seed=seed, start_ms=start), 2000) if e.stream != "returns"}
        for seed, start in runs
    ]
    assert len(set.union(*subjects)) == sum(map(len, subjects))


def test_a_longer_run_begins_with_the_shorter_one() -> None:
    """When the demo starts, it does not know when it will end."""
    short = list(simulate(seed=3, start_ms=MONDAY_MS, end_ms=MONDAY_MS + DAY_MS))
    assert list(islice(simulate(seed=3, start_ms=MONDAY_MS), len(short))) == short


def test_a_surge_does_not_change_the_events_before_it() -> None:
    """`--busy` scales only the live part."""
    normal = simulate(seed=3, start_ms=MONDAY_MS, end_ms=MONDAY_MS + DAY_MS)
    surge = [Surge(MONDAY_MS + DAY_MS, None, 9)]
    busy = simulate(seed=3, start_ms=MONDAY_MS, end_ms=MONDAY_MS + DAY_MS, surges=surge)
    assert list(normal) == list(busy)


def test_events_come_in_arrival_order_and_never_before_they_happen(week: list[Simulated]) -> None:
    """A sender that follows the clock can rely on the order, and no event is from the future."""
    assert all(a.arrival_ms <= b.arrival_ms for a, b in pairwise(week))
    assert all(parse(e.value).time_ms < e.arrival_ms for e in week)


def test_ids_are_unique_except_for_repeats(week: list[Simulated]) -> None:
    """A repeat has exactly the same bytes; anything else with a known id would be lost as a duplicate."""
    by_id: dict[str, bytes] = {}
    assert all(by_id.setdefault(parse(e.value).id, e.value) == e.value for e in week)


def test_delivery_goes_wrong_at_the_stated_rates(week: list[Simulated]) -> None:
    """The rates are part of the product: tests and drills rely on them."""
    for stream, rates in PUBLISHED.delivery.items():
        events = [parse(e.value) for e in week if e.stream == stream]
        first = {event.id: event for event in events}
        delays_s = [((event.recorded_ms or 0) - event.time_ms) / 1000 for event in first.values()]
        late_s = rates.late_s[0]
        for seen, stated in (
            (len(events) - len(first), rates.duplicates),
            (sum(delay >= late_s for delay in delays_s), rates.late),
            (sum(1 <= delay < late_s for delay in delays_s), rates.out_of_order),
        ):
            expected = stated * len(first)
            assert abs(seen - expected) < 3 * expected**0.5
        assert max(delays_s) <= max(rates.late_s)


def test_every_event_type_occurs(week: list[Simulated]) -> None:
    """A type that the simulator never sends would be missing from the demo."""
    beats = islice(simulate(seed=1, start_ms=MONDAY_MS, heartbeats_from_ms=MONDAY_MS), 3)
    types = {parse(e.value).type for e in [*week, *beats]}
    assert types == {
        *(f"call.{name}" for name in ("presented", "queued", "answered", "abandoned", "transferred", "ended")),
        *(f"call.callback_{name}" for name in ("offered", "accepted", "made")),
        *(f"contact.{name}" for name in ("received", "first_reply", "closed")),
        *(
            f"incident.{name}"
            for name in ("created", "graded", "linked", "cancelled", "closed", "reopened", "reclassified")
        ),
        *(f"incident.resource_{name}" for name in ("assigned", "unassigned", "on_scene")),
        *(f"crime.{name}" for name in ("recorded", "reclassified", "cancelled", "outcome_assigned")),
        *(f"crime.{name}" for name in ("validated", "allocated", "victim_informed", "contract_completed")),
        *(f"crime.{name}" for name in ("gateway_transferred", "suspect_linked", "suspect_unlinked")),
        *(f"return.{name}" for name in ("figure", "withdrawn", "note")),
        "feed.heartbeat",
    }


def test_heartbeats_come_every_30_s_from_every_source_once_live() -> None:
    """docs/architecture.md#fresh-alive-absent: if a source is silent for 90 s, its stream is withheld."""
    live_ms = MONDAY_MS + HOUR_MS
    events = simulate(seed=1, start_ms=MONDAY_MS, end_ms=live_ms + 10 * 60_000, heartbeats_from_ms=live_ms)
    beats = [e for e in events if b'"feed.heartbeat"' in e.value]
    for stream, source in SOURCES.items():
        if not STREAMS[stream].is_waited_for:
            continue
        moments = [e.arrival_ms for e in beats if (e.stream, e.subject) == (stream, source)]
        assert moments == list(range(live_ms, live_ms + 10 * 60_000, 30_000))


@pytest.mark.parametrize("force", [PUBLISHED, GOOD], ids=["published", "good"])
def test_the_queue_grows_under_load(force: Force) -> None:
    """Answer times are not random but result from handlers and callers, which is the point of a surge."""
    waits_s = [mean_wait_s(force, busy) for busy in (1, 2, 4)]
    assert waits_s[0] * 1.5 < waits_s[1]
    assert waits_s[1] * 1.5 < waits_s[2]


def test_the_queue_empties_after_a_surge() -> None:
    """Callers give up when their patience ends, so a bad evening does not spoil the whole night."""
    surge = Surge(MONDAY_MS + 10 * HOUR_MS, MONDAY_MS + 12 * HOUR_MS, 6)
    end_ms = MONDAY_MS + 20 * HOUR_MS
    worst, after = (
        queue_at(simulate(seed=2, start_ms=MONDAY_MS, end_ms=end_ms, surges=[surge]), at_ms)
        for at_ms in (surge.to_ms or 0, MONDAY_MS + 19 * HOUR_MS)
    )
    assert worst > 40
    assert after < 12


def test_open_entities_do_not_pile_up() -> None:
    """An ever growing number of open incidents would be the simulator's fault, not the force's."""
    ends = {b'"incident.created"': 1, b'"incident.reopened"': 1, b'"incident.closed"': -1, b'"incident.cancelled"': -1}
    latest: dict[str, tuple[int, int]] = {}
    calls: Counter[str] = Counter()
    open_by_day: list[int] = []
    for event in simulate(seed=4, start_ms=MONDAY_MS, end_ms=MONDAY_MS + 22 * DAY_MS):
        if event.arrival_ms >= MONDAY_MS + (len(open_by_day) + 1) * DAY_MS:
            open_by_day.append(sum(sign > 0 for _, sign in latest.values()))
        if event.stream == "calls" and any(word in event.value for word in (b"presented", b"ended", b"abandoned")):
            calls[event.subject] += 1
        elif event.stream == "incidents" and (sign := next((n for word, n in ends.items() if word in event.value), 0)):
            latest[event.subject] = max(latest.get(event.subject, (0, 0)), (parse(event.value).time_ms, sign))
    assert 100 < open_by_day[20] < 1.4 * open_by_day[10]
    assert sum(count == 1 for count in calls.values()) < 60


def test_demand_follows_the_local_clock() -> None:
    """When summer time begins, the quiet hour moves with people, an hour earlier in UTC."""
    demand = Demand("Europe/London", [])
    before_ms, after_ms = 1_774_569_600_000, 1_774_828_800_000  # 2026-03-27 and 2026-03-30, 00:00Z
    assert demand.hour_of_week(before_ms) == 4 * 24
    assert demand.hour_of_week(after_ms) == 1


@pytest.mark.parametrize("shape", [EMERGENCY, OFFICE], ids=["emergency", "office"])
def test_shapes_are_factors_with_mean_1(shape: tuple[float, ...]) -> None:
    """Only then do the daily levels hold."""
    assert len(shape) == 168
    assert sum(shape) == pytest.approx(168)
    assert max(shape) < 2.5


def test_a_month_is_simulated_in_seconds() -> None:
    """28 days must load while a person waits; measured in CPU time, so that a busy machine does not fail it."""
    began_s = time.process_time()
    made = sum(1 for _ in simulate(seed=1, start_ms=MONDAY_MS, end_ms=MONDAY_MS + 3 * DAY_MS))
    assert made / (time.process_time() - began_s) > 20_000


def mean_wait_s(force: Force, busy: float) -> float:
    """The mean queueing time of answered 999 calls, over a day."""
    surges = [Surge(MONDAY_MS, None, busy)]
    words = (b'"line":"999"', b'"call.queued"', b'"call.answered"')
    queued: dict[str, int] = {}
    waits_ms: dict[str, int] = {}
    for event in simulate(force, seed=5, start_ms=MONDAY_MS, end_ms=MONDAY_MS + DAY_MS, surges=surges):
        if words[0] in event.value and (words[1] in event.value or words[2] in event.value):
            found = parse(event.value)
            if found.type == "call.queued":
                queued[found.subject] = found.time_ms
            elif found.type == "call.answered" and found.subject in queued:
                waits_ms[found.subject] = found.time_ms - queued[found.subject]
    return sum(waits_ms.values()) / len(waits_ms) / 1000


def queue_at(events: Iterable[Simulated], at_ms: int) -> int:
    """Calls that are still queued at `at_ms`: neither answered, nor abandoned, nor accepted for a call-back."""
    waiting: set[str] = set()
    gone: set[str] = set()
    for event in events:
        if event.arrival_ms > at_ms:
            break
        if b'"call.queued"' in event.value:
            waiting.add(event.subject)
        elif any(end in event.value for end in (b'"call.answered"', b'"call.abandoned"', b'"call.callback_accepted"')):
            gone.add(event.subject)
    return len(waiting - gone)
