"""The same local hour of past weeks on the page: across clock changes, and never 0 where there was no feed."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.exporter.store import ExporterStore, Samples, parsed, value
from tests.rolling.test_calendar import CALENDARS
from watchroom.exporter.mirror import Mirror
from watchroom.rolling.windows import LOCAL_HOUR
from watchroom.store.read import Reader

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
WEEK_MS = 7 * DAY_MS
MORNING = "2021-11-24T10:20:00Z"  # a Wednesday; the last complete hour is 09:00
CALL = {"call_volume|line=999|count": 1}
ANSWER = {"call_answer_time|line=101|observations": 1}
INCIDENT = {"incident_volume|grade=1,area=stoke|count": 1}


def ms(at: str) -> int:
    """Milliseconds of an RFC 3339 time."""
    return round(datetime.fromisoformat(at).timestamp() * 1000)


def calls(count: int) -> dict[str, int]:
    """999 calls."""
    return {"call_volume|line=999|count": count}


def figures(samples: Samples) -> dict[int, float]:
    """Weeks ago -> 999 calls, for the published weeks."""
    found = ((ago, value(samples, "call_volume_local_hour", line="999", weeks_ago=str(ago))) for ago in range(10))
    return {ago: number for ago, number in found if number is not None}


def at(store: ExporterStore, moment: str) -> dict[int, float]:
    """What a new page shows at a moment."""
    store.begin(ms(moment))
    return figures(store.scrape(ms(moment)))


def seen_on(store: ExporterStore, *days: str) -> None:
    """An answered call at noon on each of these days, so that there was a feed."""
    for day in days:
        store.add(ms(f"{day}T12:00:00Z"), ANSWER)


def seen_before(store: ExporterStore, *moments_ms: int) -> None:
    """The feed was there on the days before these moments."""
    for moment_ms in moments_ms:
        store.add(moment_ms - DAY_MS, ANSWER)


@pytest.mark.parametrize(
    ("now", "same_hour", "hour_168_ago"),
    [
        ("2021-03-29T09:30:00Z", "2021-03-22T09:15:00Z", "2021-03-22T08:15:00Z"),
        ("2021-11-01T10:30:00Z", "2021-10-25T08:15:00Z", "2021-10-25T09:15:00Z"),
    ],
    ids=["after 28 March", "after 31 October"],
)
def test_the_week_after_a_clock_change_compares_the_same_local_hour(
    store: ExporterStore, now: str, same_hour: str, hour_168_ago: str
) -> None:
    """09:00 on both Mondays: five calls then and two now; three calls an hour off belong to another hour."""
    seen_before(store, ms(now), ms(same_hour))
    store.add(ms(now) - HOUR_MS, calls(2))
    store.add(ms(same_hour), calls(5))
    store.add(ms(hour_168_ago), calls(3))
    assert at(store, now) == {0: 2, 1: 5}


def test_a_skipped_hour_has_no_sample_and_a_repeated_hour_shows_its_first_occurrence(store: ExporterStore) -> None:
    """01:00 a week after each change: 28 March had no such hour, 31 October had two, with 4 and 6 calls."""
    seen_on(store, "2021-03-20", "2021-03-21", "2021-03-27", "2021-03-28", "2021-04-03")
    assert at(store, "2021-04-04T01:10:00Z") == {0: 0, 2: 0}
    seen_on(store, "2021-10-30")
    store.add(ms("2021-10-31T00:30:00Z"), calls(4))
    store.add(ms("2021-10-31T01:30:00Z"), calls(6))
    assert at(store, "2021-11-07T02:05:00Z") == {1: 4}


def test_no_calls_is_zero_and_no_feed_is_absent(store: ExporterStore) -> None:
    """The feed began three weeks ago: a quiet hour since then is 0, and the same hour four weeks ago is absent."""
    seen_on(store, "2021-11-23", "2021-11-16", "2021-11-17", "2021-11-09", "2021-11-10", "2021-11-02", "2021-11-03")
    assert at(store, MORNING) == {0: 0, 1: 0, 2: 0, 3: 0}


def test_no_hour_of_the_first_day_is_shown(store: ExporterStore) -> None:
    """The feed may have begun after the hour, or during it: two minutes of calls are not a full hour."""
    seen_on(store, "2021-11-23", "2021-11-17", "2021-11-10")
    store.add(ms("2021-11-10T09:59:59Z"), ANSWER)
    assert at(store, MORNING) == {0: 0}


def test_a_day_without_any_event_is_treated_as_an_outage(store: ExporterStore) -> None:
    """So is the day before: it is unknown when the feed died or came back."""
    seen_on(store, "2021-11-23", "2021-11-16", "2021-11-10")
    assert at(store, MORNING) == {0: 0}


def test_events_of_another_stream_do_not_show_that_a_feed_was_there(store: ExporterStore) -> None:
    """Incidents on these days say nothing about the telephones; they count only for their own measure."""
    store.add(ms("2021-11-16T12:00:00Z"), INCIDENT)
    store.add(ms("2021-11-17T12:00:00Z"), INCIDENT)
    assert at(store, MORNING) == {}
    samples = store.scrape(ms(MORNING))
    assert value(samples, "incident_volume_local_hour", grade="1", area="all", weeks_ago="1") == 0


def test_the_figures_are_withheld_with_their_stream(store: ExporterStore) -> None:
    """Calls of the last hour may be missing from a stale partition."""
    now_ms = ms(MORNING)
    store.begin(now_ms)
    seen_before(store, now_ms)
    store.add(now_ms - HOUR_MS, CALL)
    store.fresh(now_ms - 11_000, "calls")
    assert figures(store.scrape(now_ms)) == {}
    store.fresh(now_ms, "calls")
    assert figures(store.scrape(now_ms)) == {0: 1}


def test_the_figures_move_on_with_the_hour_and_include_late_calls(store: ExporterStore) -> None:
    """An updated copy shows what a new one shows, hour by hour across a clock change."""
    now_ms = ms("2021-10-30T22:30:00Z")
    tokens = store.tokens()
    mirror = store.mirror(tokens)
    seen_before(store, *(now_ms - back_ms for back_ms in (0, 7 * DAY_MS, 6 * WEEK_MS)))
    for hour in range(6):
        for back_ms in (0, 7 * DAY_MS, 6 * WEEK_MS):
            store.add(now_ms - back_ms - HOUR_MS, calls(hour + 1))
        store.begin(now_ms)
        tokens.refresh(now_ms)
        mirror.refresh(now_ms)
        text = store.page(mirror).text(now_ms)
        new = store.scrape(now_ms)
        assert figures(new)
        assert comparable(parsed(text)) == comparable(new)
        now_ms += HOUR_MS


def comparable(samples: Samples) -> dict[object, str]:
    """The same as text, because NaN (a share of nothing) is not equal to itself."""
    return {key: str(number) for key, number in samples.items()}


def test_only_measures_with_a_baseline_are_published_by_local_hour(store: ExporterStore) -> None:
    """Every further family costs seven samples for each of its label values."""
    for back_ms in (HOUR_MS, DAY_MS):
        store.add(ms(MORNING) - back_ms, {**CALL, **INCIDENT, "crime_recorded|group=robbery,area=stoke|count": 1})
    store.begin(ms(MORNING))
    found = {name for name, labels in store.scrape(ms(MORNING)) if "weeks_ago" in dict(labels)}
    expected = {m.id for m in store.catalogue.measures.values() if m.display.baseline}
    assert found == {f"watchroom_{each}_{LOCAL_HOUR}" for each in expected}


def test_a_zone_whose_hours_are_not_aligned_with_utc_publishes_no_local_hours(store: ExporterStore) -> None:
    """Half of two buckets would be a guess."""
    now_ms = ms(MORNING)
    seen_before(store, now_ms)
    store.add(now_ms - HOUR_MS, CALL)
    store.begin(now_ms)
    mirror = Mirror(
        Reader(store.settings.redis_url, store.settings.force, 2.0), store.catalogue, CALENDARS["Asia/Kolkata"]
    )
    mirror.refresh(now_ms)
    assert figures(parsed(store.page(mirror).text(now_ms))) == {}
