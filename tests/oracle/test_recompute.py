"""The oracle compared with worked examples: figures found with a pencil, from the text of docs/architecture.md."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

from tests.oracle.facts import Sent
from tests.oracle.recompute import Content, recompute
from tests.oracle.scales import DAY_MS, HOUR_MS, bin_edges, bin_of


def ms(text: str) -> int:
    """UTC text to milliseconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def sent(type_: str, at: str, number: int = 0, arrival: str | None = None, subject: str = "17", **data: str) -> Sent:
    """One event that arrived at once, unless stated otherwise."""
    stream = type_.partition(".")[0] + "s"
    return Sent(
        stream=stream, type=type_, id=f"id-{number}", subject=subject, time_ms=ms(at),
        arrival_ms=ms(arrival or at), data=data, topic=f"watchroom.{stream}", offset=number,
    )  # fmt: skip


def of(content: Content, bucket: str) -> dict[str, int]:
    """One bucket, empty when absent."""
    return content.buckets.get(bucket, {})


def calls_of_which_nothing_is_known(count: int) -> dict[str, int]:
    """What this many calls contribute that were only presented."""
    series = ("call_volume|line", "call_volume_by_class|class", "call_volume_by_cli_type|cli_type")
    return {f"{name}=unknown|count": count for name in series}


def test_call_17_of_the_design_gives_its_figures() -> None:
    """The example of docs/architecture.md#one-event-in-one-figure-out."""
    events = [sent("call.queued", "2021-11-02T09:00:00", line="999"), sent("call.answered", "2021-11-02T09:00:08")]
    content = recompute(events, ms("2021-11-02T09:00:08"))
    ten_s = of(content, f"10s:{ms('2021-11-02T09:00:00') // 1000}")
    assert ten_s == {
        "call_volume|line=999|count": 1,
        "call_answer_time|line=999|observations": 1,
        "call_answer_time|line=999|sum_ms": 8000,
        "call_answer_time|line=999|within": 1,
        f"call_answer_time|line=999|bin:{bin_of(8000, frozenset())}": 1,
        "call_answer_time_presented|line=999|missing_start": 1,
        "call_abandonment|line=999|whole": 1,
        "call_abandonment_less_short|line=999|whole": 1,
        "call_abandonment_without_short|line=999|whole": 1,
        "call_volume_by_class|class=unknown|count": 1,
        "call_volume_by_cli_type|cli_type=unknown|count": 1,
    }
    assert of(content, "month:2021-11") == of(content, "day:2021-11-02") == ten_s
    assert content.open == {"calls_in_progress|line=999": {"17": ms("2021-11-02T09:00:08")}}


def test_ten_seconds_is_not_below_ten_seconds_but_fifteen_minutes_is_within_fifteen() -> None:
    """`below` and `within` differ exactly at the limit."""
    call = [sent("call.queued", "2021-11-02T09:00:00", line="999"), sent("call.answered", "2021-11-02T09:00:10")]
    month = of(recompute(call, 0), "month:2021-11")
    assert "call_answer_time|line=999|within" not in month
    assert month["call_answer_time|line=999|bin:10000"] == 1
    incident = [
        sent("incident.created", "2021-11-02T09:00:00", grade="1", area="stoke"),
        sent("incident.resource_on_scene", "2021-11-02T09:15:00", unit="A"),
    ]
    assert of(recompute(incident, 0), "month:2021-11")["incident_attendance_time|grade=1,area=stoke|within"] == 1


def test_bins_have_edges_at_targets_and_are_narrow() -> None:
    """A relative error of at most 1 % needs neighbours at most 2 % apart; zero and each target have an edge."""
    edges = bin_edges(frozenset({10_000, 900_001}))
    assert edges[:4] == [0, 1, 2, 3]
    assert {10_000, 900_001} <= set(edges)
    assert all(after <= before * 1.02 or after == before + 1 for before, after in pairwise(edges))
    assert bin_of(10**13, frozenset({10_000, 900_001})) == edges[-1]


def test_a_london_month_ends_at_23_utc_in_summer() -> None:
    """A UTC month would put the first hour of October 2021 in London into September."""
    content = recompute(
        [sent("call.presented", "2021-09-30T23:00:00"), sent("call.presented", "2021-09-30T22:59:59", subject="18")], 0
    )
    assert of(content, "month:2021-10") == of(content, "month:2021-09") == calls_of_which_nothing_is_known(1)


def test_the_repeated_hour_in_october_is_two_hours_of_one_day() -> None:
    """01:30 on 31 October 2021 is 00:30 and 01:30 UTC: 60 minutes apart, one London day."""
    content = recompute(
        [
            sent("incident.created", "2021-10-31T00:30:00", grade="2"),
            sent("incident.resource_on_scene", "2021-10-31T01:30:00", unit="A"),
        ],
        0,
    )
    day = of(content, "day:2021-10-31")
    assert day["incident_attendance_time|grade=2,area=unknown|sum_ms"] == HOUR_MS
    assert day["incident_attendance_time|grade=2,area=unknown|within"] == 1


def test_attendance_has_the_grade_of_its_moment_and_volume_has_the_latest_grade() -> None:
    """A downgrade after arrival must not change the target that the crew had to meet."""
    events = [
        sent("incident.created", "2021-11-02T09:00:00", 1),
        sent("incident.graded", "2021-11-02T09:05:00", 2, grade="1"),
        sent("incident.resource_on_scene", "2021-11-02T09:10:00", 3, unit="A"),
        sent("incident.graded", "2021-11-02T09:30:00", 4, grade="3"),
    ]
    month = of(recompute(events, 0), "month:2021-11")
    assert month["incident_attendance_time|grade=1,area=unknown|observations"] == 1
    assert month["incident_volume|grade=3,area=unknown|count"] == 1


def test_a_diverted_unit_leaves_the_incident_unresourced_but_ever_resourced() -> None:
    """`incidents_unresourced` is about now, `incident_resourced` about ever."""
    events = [
        sent("incident.created", "2021-11-02T09:00:00", 1, grade="1"),
        sent("incident.resource_assigned", "2021-11-02T09:01:00", 2, unit="A"),
        sent("incident.resource_unassigned", "2021-11-02T09:02:00", 3, unit="A"),
    ]
    content = recompute(events, 0)
    assert set(content.open) == {
        "incidents_unresourced|grade=1,area=unknown",
        "incidents_unattended|grade=1,area=unknown",
    }
    assert of(content, "month:2021-11")["incident_resourced|grade=1,area=unknown|part"] == 1


def test_an_entity_without_its_first_event_is_one_orphan_at_its_earliest_event() -> None:
    """Orphans are counted, and nothing else about them is."""
    content = recompute([sent("call.ended", "2021-11-02T09:00:20"), sent("call.answered", "2021-11-02T09:00:00")], 0)
    assert of(content, f"10s:{ms('2021-11-02T09:00:00') // 1000}") == {"orphans|topic=watchroom.calls|count": 1}
    assert not content.open


def test_a_linked_child_and_a_cancelled_crime_are_excluded_from_everything() -> None:
    """The parent's figures count for the child; the cancelled crime has none."""
    content = recompute(
        [
            sent("incident.created", "2021-11-02T09:00:00"),
            sent("incident.linked", "2021-11-02T09:01:00", parent="16"),
            sent("crime.recorded", "2021-11-02T09:00:00"),
            sent("crime.cancelled", "2021-11-02T09:00:00"),
        ],
        0,
    )
    assert content == Content({}, {}, [], {})


def test_a_change_after_closing_is_logged_once_for_each_field() -> None:
    """October 2021 closes for incidents on 8 November 00:00 London; then a regrade moves one incident."""
    events = [
        sent("incident.created", "2021-10-20T09:00:00", 1, grade="1", area="stoke"),
        sent("incident.graded", "2021-11-07T23:59:59", 2, grade="2"),
        sent("incident.graded", "2021-11-08T00:00:01", 3, grade="3"),
    ]
    log = recompute(events, 0).restatements
    assert [(e.offset, e.month, e.series, e.field, e.delta) for e in log] == [
        (3, "2021-10", "incident_resourced|grade=2,area=stoke", "whole", -1),
        (3, "2021-10", "incident_resourced|grade=3,area=stoke", "whole", 1),
        (3, "2021-10", "incident_volume|grade=2,area=stoke", "count", -1),
        (3, "2021-10", "incident_volume|grade=3,area=stoke", "count", 1),
    ]


def test_late_and_future_depend_on_arrival_alone() -> None:
    """A call that is 24 h late is accepted, one a millisecond later is not; likewise 5 min in the future."""
    on_time, late = (
        sent("call.presented", "2021-11-02T09:00:00", arrival="2021-11-03T09:00:00"),
        "2021-11-03T09:00:00.001",
    )
    content = recompute(
        [
            on_time,
            sent("call.presented", "2021-11-02T09:00:00", arrival=late, subject="18"),
            sent("call.presented", "2021-11-02T09:05:00", arrival="2021-11-02T09:00:00", subject="19"),
            sent("call.presented", "2021-11-02T09:05:00.001", arrival="2021-11-02T09:00:00", subject="20"),
        ],
        0,
    )
    assert of(content, "month:2021-11") == calls_of_which_nothing_is_known(2)
    assert content.dead_letters == {("watchroom.calls", "late"): 1, ("watchroom.calls", "future"): 1}


def test_a_bucket_exists_until_its_end_plus_retention() -> None:
    """At exactly end + retention it is gone (docs/architecture.md#retention)."""
    event, end = sent("call.presented", "2021-11-02T09:00:03"), ms("2021-11-02T09:00:10") + 2 * HOUR_MS
    name = f"10s:{ms('2021-11-02T09:00:00') // 1000}"
    assert name in recompute([event], end - 1).buckets
    assert name not in recompute([event], end).buckets
    assert set(recompute([event], end + 500 * DAY_MS).buckets) == {"month:2021-11"}
