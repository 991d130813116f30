"""Open tiles: how many, the oldest, due and overdue, each at its exact millisecond."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from tests.store.steps import NOW_MS
from watchroom.kinds.open_now import OpenQuestion, OpenTile
from watchroom.store.keys import Keys
from watchroom.store.read import Reader

MIN_MS = 60_000
TARGET_MS, GIVE_UP_MS = 15 * MIN_MS, 60 * MIN_MS
SERIES = "incidents_unattended|grade=1,area=stoke"
Tile = Callable[..., OpenTile]


@pytest.fixture
def tile(client: Redis, keys: Keys, reader: Reader) -> Tile:
    """The tile of members of these ages, ms."""

    def of(*ages_ms: int, target_ms: int | None = TARGET_MS, give_up_ms: int = GIVE_UP_MS) -> OpenTile:
        client.delete(keys.open_set(SERIES))
        if ages_ms:
            client.zadd(keys.open_set(SERIES), {f"{n}": NOW_MS - age for n, age in enumerate(ages_ms)})
        return reader.open_tiles([OpenQuestion(SERIES, target_ms, give_up_ms)], NOW_MS)[0]

    return of


def test_with_nobody_open_the_count_is_zero_and_there_is_no_oldest(tile: Tile) -> None:
    """A fresh and alive stream without open incidents shows 0, and no age."""
    assert tile() == OpenTile(0, None, 0, 0, 0, 0)


def test_the_oldest_member_is_the_one_open_longest(tile: Tile) -> None:
    """Its age, in ms."""
    assert tile(1_000, 90_000, 5_000).oldest_ms == 90_000


@pytest.mark.parametrize(
    ("age_ms", "due_5", "due_15", "overdue"),
    [
        (0, 0, 1, 0),  # deadline in 15 min exactly
        (-1, 0, 0, 0),
        (10 * MIN_MS - 1, 0, 1, 0),
        (10 * MIN_MS, 1, 1, 0),  # deadline = now + 5 min
        (TARGET_MS, 1, 1, 0),  # deadline = now: due, not overdue
        (TARGET_MS + 1, 0, 0, 1),  # now > deadline
        (GIVE_UP_MS, 0, 0, 1),
    ],
)
def test_due_and_overdue_meet_exactly_at_the_deadline(
    age_ms: int, due_5: int, due_15: int, overdue: int, tile: Tile
) -> None:
    """Due in 5: deadline in [now, now + 5 min]; 15 includes 5; overdue: now > deadline; never both."""
    found = tile(age_ms)
    assert (found.due_5min, found.due_15min, found.overdue) == (due_5, due_15, overdue)


@pytest.mark.parametrize(("age_ms", "open_now"), [(GIVE_UP_MS, 1), (GIVE_UP_MS + 1, 0)])
def test_an_entity_older_than_give_up_is_counted_separately(age_ms: int, open_now: int, tile: Tile) -> None:
    """Not closed by the feed: neither open nor overdue, nor the oldest."""
    found = tile(age_ms)
    assert (found.open, found.gave_up) == (open_now, 1 - open_now)
    assert found.overdue == open_now
    assert (found.oldest_ms is None) == (open_now == 0)


def test_nothing_is_due_without_a_target(tile: Tile) -> None:
    """None rather than 0: labels without a target have no deadline to miss."""
    assert tile(0, 10 * MIN_MS, GIVE_UP_MS + 1, target_ms=None) == OpenTile(2, 10 * MIN_MS, None, None, None, 1)


def test_a_member_close_to_give_up_is_not_due_before_its_deadline(tile: Tile) -> None:
    """With a target beyond give-up, the deadline of the oldest member shown is still far ahead."""
    assert tile(10 * MIN_MS, target_ms=60 * MIN_MS, give_up_ms=10 * MIN_MS) == OpenTile(1, 10 * MIN_MS, 0, 0, 0, 0)


def test_tiles_are_returned_in_the_order_of_the_queries(client: Redis, keys: Keys, reader: Reader) -> None:
    """One round trip for a whole board; none without a query."""
    for n in range(3):
        client.zadd(keys.open_set(f"s{n}"), {str(k): NOW_MS for k in range(n)} or {"x": 1})
    questions = [OpenQuestion(f"s{n}", None, GIVE_UP_MS) for n in (2, 1, 0, 3)]
    assert [(tile.open, tile.gave_up) for tile in reader.open_tiles(questions, NOW_MS)] == [
        (2, 0),
        (1, 0),
        (0, 1),
        (0, 0),
    ]
    assert reader.open_tiles([], NOW_MS) == []


AGES = st.lists(st.integers(-5 * MIN_MS, 2 * GIVE_UP_MS), max_size=12)


@given(ages=AGES, target_ms=st.integers(1, 2 * GIVE_UP_MS))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_tile_equals_a_count_by_hand(ages: list[int], target_ms: int, tile: Tile) -> None:
    """The definitions in schemas/measures, member by member."""
    shown = [age for age in ages if age <= GIVE_UP_MS]
    left = [target_ms - age for age in shown]  # until the deadline, ms
    assert tile(*ages, target_ms=target_ms) == OpenTile(
        open=len(shown),
        oldest_ms=max(shown) if shown else None,
        due_5min=sum(0 <= ms <= 5 * MIN_MS for ms in left),
        due_15min=sum(0 <= ms <= 15 * MIN_MS for ms in left),
        overdue=sum(ms < 0 for ms in left),
        gave_up=len(ages) - len(shown),
    )
