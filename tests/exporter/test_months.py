"""Months on the page: always the running one; past ones from the first with any event of their stream."""

from __future__ import annotations

from datetime import datetime

from tests.exporter.store import ExporterStore, value

NOW_MS = round(datetime.fromisoformat("2021-11-24T10:20:00Z").timestamp() * 1000)
AUGUST_MS = round(datetime.fromisoformat("2021-08-10T12:00:00Z").timestamp() * 1000)
SHOWN = ["2021-07", "2021-08", "2021-09", "2021-10", "2021-11"]


def months(store: ExporterStore, metric: str, **labels: str) -> list[float | None]:
    """The metric for each of the months above."""
    samples = store.scrape(NOW_MS)
    return [value(samples, metric, window="month", month=month, **labels) for month in SHOWN]


def test_a_month_before_the_first_event_is_absent_and_a_quiet_month_after_it_is_0(store: ExporterStore) -> None:
    """Otherwise "0 crimes" would be read out in public for a month before the feed was connected."""
    store.begin(NOW_MS)
    store.add(AUGUST_MS, {"call_answer_time|line=101|observations": 1})
    assert months(store, "call_volume", line="999") == [None, 0, 0, 0, 0]
    assert months(store, "crime_recorded", group="robbery", area="stoke") == [None, None, None, None, 0]


OLDEST_MS = round(datetime.fromisoformat("2020-11-20T12:00:00Z").timestamp() * 1000)


def test_the_sum_of_twelve_months_is_published_only_once_there_are_twelve(store: ExporterStore) -> None:
    """The sum of three months, or 0, would be read out as the year's figure."""
    store.begin(NOW_MS)
    store.add(AUGUST_MS, {"call_volume|line=999|count": 7})
    assert value(store.scrape(NOW_MS), "call_volume", line="999", window="12mo") is None
    store.add(OLDEST_MS, {"call_volume|line=999|count": 5})
    samples = store.scrape(NOW_MS)
    assert value(samples, "call_volume", line="999", window="12mo") == 12
    assert value(samples, "call_volume", line="101", window="12mo") == 0
    assert value(samples, "crime_recorded", group="robbery", area="stoke", window="12mo") is None
