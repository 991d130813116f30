"""Imported baseline months: kept apart from the force's own, replaced rather than added, and left by a rebuild."""

from __future__ import annotations

import pytest
from redis import Redis

from watchroom.store.baselines import put_baseline
from watchroom.store.clear import clear
from watchroom.store.read import Reader

FORCE = "baselines"
A, B = "call_volume|line=999|count", "call_volume|line=101|count"
OTHER = "incident_volume|grade=1,area=stoke|count"


@pytest.fixture
def reader(redis_url: str) -> Reader:
    """A reader of our force."""
    return Reader(redis_url, FORCE)


def test_importing_a_baseline_again_changes_nothing(redis_url: str, reader: Reader) -> None:
    """If imports added up, the second one would double the baseline."""
    for _ in range(2):
        put_baseline(redis_url, FORCE, "2018/19", {("2018-12", A): 5, ("2019-01", A): 0})
    assert reader.baseline_months("2018/19", ["2018-12", "2019-01", "2019-02"]) == [{A: 5}, {A: 0}, {}]


def test_a_file_replaces_only_its_own_measures_and_months(redis_url: str, reader: Reader) -> None:
    """A wrong row that the next file leaves out is gone; other months and measures stay."""
    put_baseline(redis_url, FORCE, "x", {("2018-12", A): 5, ("2018-12", OTHER): 6, ("2019-01", A): 7})
    put_baseline(redis_url, FORCE, "x", {("2018-12", B): 8})
    assert reader.baseline_months("x", ["2018-12", "2019-01"]) == [{B: 8, OTHER: 6}, {A: 7}]


def test_baselines_are_not_listed_as_own_months_and_a_rebuild_leaves_them(
    redis_url: str, reader: Reader, client: Redis
) -> None:
    """No log could restore them."""
    put_baseline(redis_url, FORCE, "y", {("2018-12", A): 5})
    client.hset(f"{{{FORCE}}}:month:2021-11", A, 1)
    assert reader.months() == ["2021-11"]
    clear(redis_url, FORCE)
    assert reader.months() == []
    assert reader.baseline_months("y", ["2018-12"]) == [{A: 5}]
