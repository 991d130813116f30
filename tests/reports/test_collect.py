"""Months and open measures as people read them, from a Redis that the worker's own parts have filled."""

from __future__ import annotations

from typing import Any

import pytest

from tests.flow.servers import RedisServer
from tests.reports.redis_months import NOW_MS, Happened, fill, months, settings_on
from watchroom.demo.server import free_port
from watchroom.errors import ConfigurationInvalid, RebuildNeeded, StoreUnavailable, WorkFailed
from watchroom.events.times import to_ms, to_text
from watchroom.reports.collect import Collector
from watchroom.reports.months import moved_rows, restatements
from watchroom.reports.rows import Row
from watchroom.settings import Settings

pytestmark = pytest.mark.real


def row(rows: list[Row], measure: str, period: str | None = "2021-11", **by: str) -> dict[str, Any]:
    """The one row of a measure, month and labels."""
    (found,) = [row for row in rows if row["measure"] == measure and row["period"] == period and row["by"] == by]
    return found


def test_each_kind_of_measure_has_its_figures(filled: Settings) -> None:
    """One object per measure, label set and month, with the keys that others rely on."""
    rows = months(filled)
    head = {"period": "2021-11", "as_of": "2022-02-01T12:00:00.000Z", "closed": True}
    volume = row(rows, "incident_volume", grade="1", area="stoke")
    assert volume == head | {
        "measure": "incident_volume", "by": {"grade": "1", "area": "stoke"},
        "value": 2, "numerator": 2, "denominator": None, "unit": "1",
        "published_value": 2, "published_numerator": 2, "published_denominator": None, "restatements": 0,
    }  # fmt: skip
    abandoned = row(rows, "call_abandonment", line="999")
    assert (abandoned["value"], abandoned["numerator"], abandoned["denominator"]) == (0.5, 1, 2)
    attended = row(rows, "incident_attendance_time", grade="1", area="stoke")
    assert (attended["value"], attended["mean_s"], attended["numerator"], attended["count"]) == (840, 840, 1680, 2)
    assert (attended["within_target"], attended["unit"], attended["denominator"]) == (0.5, "s", 2)
    assert attended["p50_s"] == pytest.approx(480, rel=0.01)
    assert attended["p90_s"] == attended["p95_s"] == attended["max_s"] == pytest.approx(1200, rel=0.01)
    answer = row(rows, "call_answer_time", line="999")
    assert (answer["mean_s"], answer["missing_start"], answer["negative"]) == (8, 1, 0)


def test_a_duration_without_a_target_has_no_share_within_target(filled: Settings) -> None:
    """0 % would mean that all of them missed it."""
    assert row(months(filled), "incident_assignment_time", grade="1", area="stoke")["within_target"] is None


def test_a_share_of_nothing_is_null_and_a_measure_without_events_has_no_row(filled: Settings) -> None:
    """Neither is ever 0 %."""
    rows = months(filled)
    assert not [r for r in rows if r["measure"] == "crime_resolved"]
    only_missing = settings_on(filled.redis_url, force="other")
    fill(only_missing, [Happened("call.answered", "z", "2021-11-27T20:00:08Z"),
                        Happened("call.presented", "z", "2021-11-27T20:00:00Z")])  # fmt: skip
    answer = row(months(only_missing), "call_answer_time", line="unknown")
    assert (answer["value"], answer["mean_s"], answer["p50_s"], answer["within_target"]) == (None, None, None, None)
    assert (answer["count"], answer["missing_start"]) == (0, 1)


def test_a_month_is_closed_once_everything_that_arrived_before_its_closing_is_applied(filled: Settings) -> None:
    """It closes 1, 7 or 30 days after its end in London, and only once the events until then are applied."""
    rows = months(filled)
    assert row(rows, "incident_volume", "2021-12", grade="2", area="tamworth")["closed"] is True
    fill(filled, [Happened("incident.created", "9", "2022-01-31T10:00:00Z")], fresh_ms=NOW_MS + 1)
    january = row(months(filled), "incident_volume", "2022-01", grade="ungraded", area="unknown")
    assert (january["closed"], january["published_value"]) == (False, None)
    assert january["as_of"] == "2022-02-01T12:00:00.001Z"


@pytest.mark.parametrize(("fresh", "closed"), [("2021-12-31T00:00:00Z", True), ("2021-12-30T23:59:59.999Z", False)])
def test_a_month_closes_to_the_millisecond(redis_server: RedisServer, fresh: str, closed: bool) -> None:
    """November's crimes close 30 days after its end."""
    settings = settings_on(redis_server.url)
    fill(settings, [Happened("crime.recorded", "x", "2021-11-10T10:00:00Z")], fresh_ms=to_ms(fresh))
    assert row(months(settings), "crime_recorded", group="not_stated", area="unknown")["closed"] is closed


def test_the_published_value_is_todays_value_minus_the_log(filled: Settings) -> None:
    """The crime cancelled in January was part of November's published figure."""
    rows = months(filled)
    robbery = row(rows, "crime_recorded", group="robbery", area="stoke")
    assert (robbery["value"], robbery["published_value"], robbery["restatements"]) == (1, 2, 1)
    (entry,) = [entry for entry in restatements(filled) if entry["measure"] == "crime_recorded"]
    assert (entry["month"], entry["delta"], entry["event_type"]) == ("2021-11", -1, "crime.cancelled")


def test_a_row_that_a_restatement_emptied_still_shows_what_was_published(filled: Settings) -> None:
    """Otherwise a published figure would disappear silently."""
    fill(filled, [Happened("crime.cancelled", "y", "2022-01-11T10:00:00Z")])
    robbery = row(months(filled), "crime_recorded", group="robbery", area="stoke")
    assert (robbery["value"], robbery["published_value"], robbery["restatements"]) == (0, 2, 2)


def test_entities_without_their_first_event_are_counted_separately(filled: Settings) -> None:
    """No figure counts them, so their number must be visible."""
    orphans = row(months(filled, measures=["orphans"]), "orphans", "2021-12", topic="watchroom.incidents")
    assert orphans == {
        "measure": "orphans", "by": {"topic": "watchroom.incidents"}, "period": "2021-12",
        "value": 1, "numerator": 1, "denominator": None, "unit": "1",
        "as_of": "2022-02-01T12:00:00.000Z", "closed": True,
        "published_value": 1, "published_numerator": 1, "published_denominator": None, "restatements": 0,
    }  # fmt: skip


def test_an_orphan_that_leaves_a_closed_month_is_a_restatement(filled: Settings) -> None:
    """If it later proves to be the child of another, the published number still shows, and so does the change."""
    fill(filled, [Happened("incident.linked", "4", "2022-01-20T10:00:00Z", {"parent": "1"})])
    orphans = row(months(filled), "orphans", "2021-12", topic="watchroom.incidents")
    assert (orphans["value"], orphans["published_value"], orphans["restatements"]) == (0, 1, 1)


def test_months_and_measures_can_be_chosen(filled: Settings) -> None:
    """A measure that does not exist is refused, with a list of those that do."""
    assert {r["period"] for r in months(filled, only=["2021-12"])} == {"2021-12"}
    assert {r["measure"] for r in months(filled, measures=["call_volume"])} == {"call_volume"}
    with pytest.raises(ConfigurationInvalid, match=r"--measure: found 'calls'; write one of call_volume, "):
        months(filled, measures=["calls"])


def test_open_measures_are_evaluated_at_the_given_instant(filled: Settings) -> None:
    """A replay ends in the past, and so do its tiles. What is waiting is shown, and 0 if nothing is."""
    now_ms = to_ms("2022-01-01T00:26:00Z")
    rows = moved_rows(filled, ["incidents"], ["2021-11", "2021-12"], now_ms)
    assert {r["measure"] for r in rows if str(r["measure"]).startswith(("call", "crime"))} == set()
    waiting = row(rows, "incidents_unattended", None, grade="2", area="tamworth")
    assert waiting == {
        "measure": "incidents_unattended", "by": {"grade": "2", "area": "tamworth"}, "period": None,
        "value": 1, "numerator": 1, "denominator": None, "unit": "1",
        "oldest_s": 3360, "due_5min": 1, "due_15min": 1, "overdue": 0, "gave_up": 0,
        "as_of": "2022-01-01T00:26:00.000Z",
    }  # fmt: skip
    nobody = row(rows, "incidents_unattended", None, grade="1", area="stoke")
    assert (nobody["value"], nobody["oldest_s"], nobody["overdue"]) == (0, None, 0)
    assert row(rows, "incidents_unresourced", None, grade="2", area="tamworth")["overdue"] is None
    late = moved_rows(filled, ["incidents"], [], now_ms + 40 * 86_400_000)
    assert row(late, "incidents_unattended", None, grade="2", area="tamworth")["gave_up"] == 1


def test_months_of_a_replay_are_evaluated_at_the_replays_own_time(filled: Settings) -> None:
    """Not by the worker's wall clock: a month that the extract does not reach past is not over."""
    november_closes_ms = to_ms("2021-12-08T00:00:00Z")  # incidents: 7 days after its end
    for now_ms, closed in ((november_closes_ms - 1, False), (november_closes_ms, True)):
        rows = moved_rows(filled, ["incidents"], ["2021-11"], now_ms)
        november = row(rows, "incident_volume", grade="1", area="stoke")
        assert (november["as_of"], november["closed"]) == (to_text(now_ms), closed)


def test_as_of_is_unknown_while_a_partition_has_no_time(redis_server: RedisServer) -> None:
    """Half of a topic says nothing about all of it."""
    settings = settings_on(redis_server.url)
    fill(settings, [Happened("call.presented", "z", "2021-11-27T20:00:00Z")])
    with redis_server.client() as redis:
        redis.hset("{force}:meta", "partitions:watchroom.calls", "2")
    collector = Collector(settings)
    assert collector.as_of()["calls"] is None
    assert collector.as_of()["crimes"] == NOW_MS


def test_figures_counted_under_another_catalogue_are_refused(filled: Settings) -> None:
    """A different target makes a different share of the same numbers."""
    other = filled.model_copy(update={"areas": ("stoke",)})
    with pytest.raises(
        RebuildNeeded,
        match=r"with a different catalogue or different settings.*measure incident_volume changed.*rebuild",
    ):
        months(other, measures=["incident_volume"])


def test_an_empty_redis_is_distinguished_from_one_that_is_down(redis_server: RedisServer) -> None:
    """Neither a Redis that was never filled nor one that does not answer means 0."""
    with pytest.raises(WorkFailed, match=r"holds no data for force 'force'; check WATCHROOM_REDIS_URL"):
        months(settings_on(redis_server.url))
    with pytest.raises(StoreUnavailable):
        months(settings_on(f"redis://127.0.0.1:{free_port()}/0"))
