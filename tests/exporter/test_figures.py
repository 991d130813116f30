"""Figures on the exporter's page: each has its own period, is never added up and never waited for."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import pytest

from tests.exporter.store import NOON, PARTITIONS, ExporterStore, value
from watchroom.exporter.board.board_page import board_page
from watchroom.store.keys import SEQ

DAY_MS = 86_400_000
SHARE = "complaints_retained"


def report(  # noqa: PLR0917  # read from left to right
    store: ExporterStore, month: str, series: str, at_ms: int, numerator: int, denominator: int | None = None
) -> None:
    """A step that writes one figure, as the worker does."""
    seq = store.client.hincrby(store.keys.meta, SEQ, 1)
    said = {"as_at_ms": at_ms, "numerator": numerator, "has_numerator": 1}
    said |= {} if denominator is None else {"denominator": denominator, "has_denominator": 1}
    for what, number in said.items():
        store.client.hset(store.keys.bucket(f"month:{month}"), f"{series}|{what}", number)
    store.client.zadd(store.keys.changed, {f"month:{month}": seq})


def test_for_each_span_the_period_that_ends_latest_is_shown_whatever_month_it_belongs_to(store: ExporterStore) -> None:
    """A figure may be years old or for a future year; months outside the shown windows are read too."""
    report(store, "2017-03", f"{SHARE}|period=2017-Q1", NOON - DAY_MS, 1, 4)
    report(store, "2021-10", f"{SHARE}|period=2020-11/2021-10", NOON - DAY_MS, 3, 4)
    report(store, "2021-09", f"{SHARE}|period=2020-10/2021-09", NOON, 1, 4)
    report(store, "2023-03", "uplift_projection|period=2023-03-31", NOON - 2 * DAY_MS, 3755)
    samples = store.scrape(NOON)
    assert value(samples, SHARE, span="quarter") == 25
    assert value(samples, SHARE, span="12mo") == 75
    assert value(samples, f"{SHARE}_numerator", span="12mo") == 3
    assert value(samples, f"{SHARE}_denominator", span="12mo") == 4
    assert value(samples, f"{SHARE}_as_at_timestamp_seconds", span="12mo") == (NOON - DAY_MS) / 1000
    assert value(samples, "uplift_projection", span="day") == 375.5
    assert value(samples, "uplift_projection_denominator", span="day") is None
    assert value(samples, SHARE, span="year") is None


def test_a_month_outside_the_windows_is_read_again_only_after_it_has_changed(
    store: ExporterStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restated figure of 2017 is shown at once; an unchanged one costs nothing."""
    report(store, "2017-03", "complaints|period=2017-03", NOON, 7)
    mirror = store.mirror()
    mirror.refresh(NOON)
    read: list[str] = []
    plain = mirror._reader.buckets

    def noted(names: Sequence[str]) -> list[dict[str, int]]:
        read.extend(names)
        return plain(names)

    monkeypatch.setattr(mirror._reader, "buckets", noted)
    mirror.refresh(NOON + 1_000)
    assert "month:2017-03" not in read
    report(store, "2017-03", "complaints|period=2017-03", NOON + 1, 8)
    mirror.refresh(NOON + 2_000)
    assert "month:2017-03" in read
    measure = store.catalogue.measures["complaints"]
    assert [each.figure.numerator for each in mirror.figures.latest(measure)] == [8]
    for what in ("as_at_ms", "numerator", "has_numerator"):  # withdrawn: the fields come to 0
        store.client.hset(store.keys.bucket("month:2017-03"), f"complaints|period=2017-03|{what}", 0)
    store.client.zadd(store.keys.changed, {"month:2017-03": store.client.hincrby(store.keys.meta, SEQ, 1)})
    mirror.refresh(NOON + 3_000)
    assert mirror.figures.latest(measure) == []


def test_figures_are_not_published_for_windows_of_any_length(store: ExporterStore) -> None:
    """Two as-at moments added up would be a moment in the year 2073."""
    report(store, "2021-11", "complaints|period=2021-11", NOON, 7)
    report(store, "2021-10", "complaints|period=2021-10", NOON, 5)
    shown = [dict(labels) for name, labels in store.scrape(NOON) if name == "watchroom_complaints"]
    assert shown == [{"span": "month"}]
    assert value(store.scrape(NOON), "complaints", span="month") == 7


def test_nothing_waits_for_returns(store: ExporterStore) -> None:
    """Neither a stale partition nor a silent source withholds a figure, and neither makes the data age old."""
    report(store, "2021-11", "complaints|period=2021-11", NOON, 7)
    now = NOON + 10**9
    store.fresh(now, "calls", "incidents", "crimes")
    store.source_seen(now, "calls", "incidents", "crimes")
    store.client.hset(store.keys.partition(store.settings.topic("returns"), PARTITIONS - 1), "fresh_ms", NOON)
    samples = store.scrape(now)
    assert value(samples, "complaints", span="month") == 7
    assert value(samples, "stream_withheld", stream="returns") == 0
    waited_for = [dict(labels)["stream"] for name, labels in samples if name == "watchroom_source_silent"]
    assert sorted(waited_for) == ["calls", "crimes", "incidents"]


def test_a_figure_is_old_only_if_no_label_set_has_a_more_recent_one(store: ExporterStore) -> None:
    """`complaints` may be 120 days old; nobody has to renew an old quarter if there is a recent month."""
    limit_ms = 120 * DAY_MS
    assert (
        value(store.scrape(NOON), "figures_old", measure="complaints") is None
    )  # nobody has sent one: no data, no alert
    report(store, "2021-06", "complaints|period=2021-Q2", NOON - 2 * limit_ms, 1)
    assert value(store.scrape(NOON), "figures_old", measure="complaints") == 1
    report(store, "2021-10", "complaints|period=2021-10", NOON - limit_ms, 1)
    assert value(store.scrape(NOON), "figures_old", measure="complaints") == 0
    for area, age_ms in (("stoke", 0), ("county", 401 * DAY_MS)):
        report(store, "2021-10", f"gun_crime_published|area={area},period=2021-10", NOON - age_ms, 1)
    assert value(store.scrape(NOON), "figures_old", measure="gun_crime_published") == 1


def test_the_built_in_page_shows_each_figure_with_its_period_and_says_which_is_old(store: ExporterStore) -> None:
    """Whoever reads it aloud must know which period it is for; a note is shown as its text."""
    report(store, "2021-10", f"{SHARE}|period=2020-11/2021-10", NOON - DAY_MS, 779, 1450)
    report(store, "2019-12", "complaints|period=2019", NOON - 500 * DAY_MS, 1450)
    mirror = store.mirror()
    mirror.refresh(NOON)
    board = store.page(mirror).board(NOON)
    page = board_page(board, ZoneInfo("Europe/London"))
    assert "<td>54</td><td>2020-11/2021-10</td><td>2021-11-26</td>" in page
    assert "<td>1,450</td><td>2019</td><td>2020-07-15 OLD</td>" in page
    assert "No figure has been reported." in page
    assert "Improvements are expected to be seen by April 2022." in page
