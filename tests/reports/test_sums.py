"""Sums by month: rows like those of other counts, but no row if one of their streams is missing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.flow.servers import RedisServer
from tests.reports.redis_months import NOW_MS, Happened, fill, months, settings_on
from watchroom.errors import RebuildNeeded
from watchroom.reports.months import moved_rows
from watchroom.settings import Settings

pytestmark = pytest.mark.real

CALLS = (
    Happened("call.presented", "a", "2021-11-27T20:00:00Z", {"line": "101"}),
    Happened("call.presented", "b", "2021-11-27T20:01:00Z", {"line": "999", "class": "emergency"}),
    Happened("call.presented", "c", "2021-11-27T20:02:00Z", {"line": "101", "direction": "outbound"}),
    Happened("call.presented", "d", "2021-10-27T20:00:00Z", {"line": "101"}),
)
CONTACTS = (
    Happened("contact.received", "1", "2021-11-27T20:00:00Z", {"channel": "email"}),
    Happened("contact.received", "2", "2021-11-27T20:00:00Z", {"channel": "partner_agency", "class": "emergency"}),
    Happened("contact.received", "3", "2021-11-27T20:00:00Z", {"channel": "twitter", "class": "outgoing"}),
)


def settings(redis_server: RedisServer, *streams: str, **more: Any) -> Settings:
    """Settings of a force that feeds these streams."""
    return settings_on(redis_server.url, streams=streams, **more)


def of(rows: list[Any], measure: str) -> dict[tuple[object, ...], tuple[object, ...]]:
    """(month, label values) -> (value, published value, restatements)."""
    return {
        (row["period"], *row["by"].values()): (row["value"], row.get("published_value"), row.get("restatements"))
        for row in rows
        if row["measure"] == measure
    }


def test_months_have_rows_for_sums(redis_server: RedisServer) -> None:
    """November has both streams. October has only calls, so its sum is unknown and has no row."""
    both = settings(redis_server, "calls", "contacts")
    fill(both, (*CALLS, *CONTACTS))
    rows = months(both)
    assert of(rows, "non_emergency_contacts") == {("2021-11",): (2, 2, 0)}
    assert of(rows, "all_contacts_by_class") == {
        ("2021-11", "emergency"): (2, 2, 0), ("2021-11", "outgoing"): (2, 2, 0), ("2021-11", "unknown"): (2, 2, 0),
    }  # fmt: skip
    (row,) = (row for row in months(both, measures=["non_emergency_contacts"]))
    assert (row["numerator"], row["denominator"], row["unit"]) == (2, None, "1")
    assert (row["closed"], row["as_of"]) == (True, "2022-02-01T12:00:00.000Z")


def test_a_change_to_a_part_restates_the_sum(redis_server: RedisServer) -> None:
    """A contact turned out to be outgoing long after November had closed."""
    both = settings(redis_server, "calls", "contacts")
    fill(both, (*CALLS, *CONTACTS))
    late = {"channel": "email", "class": "outgoing"}
    fill(both, [Happened("contact.received", "1", "2021-12-07T20:00:00Z", late, arrived="2021-12-09T20:00:00Z")])
    assert of(months(both), "non_emergency_contacts") == {("2021-11",): (1, 2, 1)}
    assert of(months(both), "all_contacts_by_class")["2021-11", "outgoing"] == (3, 2, 1)


def test_a_sum_is_closed_when_all_its_streams_are(redis_server: RedisServer) -> None:
    """Calls close a day after the end of the month, contacts seven days after."""
    both = settings(redis_server, "calls", "contacts")
    fill(both, (*CALLS, *CONTACTS))
    third, eighth = 1_638_500_000_000, 1_638_921_600_000  # 3 and 8 December 2021
    for now_ms, closed in ((third, False), (eighth, True)):
        rows = moved_rows(both, ["calls", "contacts"], ["2021-11"], now_ms)
        by_measure = {row["measure"]: row["closed"] for row in rows if row["period"]}
        assert (by_measure["call_volume"], by_measure["non_emergency_contacts"]) == (True, closed)


@pytest.mark.parametrize("streams", [("calls",), ("contacts",)])
def test_a_sum_has_no_rows_while_a_stream_of_it_is_not_fed(redis_server: RedisServer, streams: tuple[str, ...]) -> None:
    """What Redis still holds of that stream is not enough for a sum."""
    fill(settings(redis_server, "calls", "contacts"), (*CALLS, *CONTACTS))
    rows = months(settings(redis_server, *streams))
    assert of(rows, "non_emergency_contacts") == of(rows, "all_contacts_by_class") == {}


def test_only_a_replay_of_all_its_streams_changes_a_sum(redis_server: RedisServer) -> None:
    """After a replay of one stream alone, the sum would be incomplete."""
    both = settings(redis_server, "calls", "contacts")
    fill(both, (*CALLS, *CONTACTS))
    assert of(moved_rows(both, ["contacts"], ["2021-11"], NOW_MS), "non_emergency_contacts") == {}
    found = of(moved_rows(both, ["calls", "contacts"], ["2021-11"], NOW_MS), "non_emergency_contacts")
    assert found == {("2021-11",): (2, None, None)}


def test_a_sum_is_left_out_if_redis_holds_a_part_under_another_definition(redis_server: RedisServer) -> None:
    """Every stream of the sum counts, not only the one that its entry names."""
    both = settings(redis_server, "calls", "contacts")
    fill(both, (*CALLS, *CONTACTS))
    other = settings(redis_server, "calls", "contacts", lateness_days={"calls": 2})
    with pytest.raises(RebuildNeeded, match="calls"):
        months(other, measures=["non_emergency_contacts"])
    assert of(months(other), "non_emergency_contacts") == {}
    assert of(months(other), "contact_volume") != {}
