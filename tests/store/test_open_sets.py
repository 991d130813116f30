"""Open sets: what enters, what leaves, and what is removed because nothing arrived for the retention time."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from tests.store.steps import KEEPING_MS, NOW_MS, TOPIC, WAITING, step
from watchroom.store.keys import Keys
from watchroom.store.read import Reader
from watchroom.store.write import Store

TALKING = "calls_in_progress|line=999"
STRANGE = (
    "17", "a b", " 17", "17 ", "a:b:c", "line\nfeed", "two\r\nlines", "tab\tted", "caf\u00e9", "\U0001f693 42",
    "a|b=c,d", "{tag}", "\u2028", "nul\x00byte", "%S+ (.*)", "*", "", "  ", "\u00a0",
)  # fmt: skip


@pytest.mark.parametrize("subject", STRANGE, ids=ascii)
async def test_any_subject_enters_leaves_and_is_removed(
    subject: str, store: Store, reader: Reader, client: Redis, keys: Keys
) -> None:
    """A subject is any text: spaces, line feeds and colons must not remove another one, or stay for ever."""
    others = {"x": {WAITING: 1}, f"{subject}x": {WAITING: 2}}
    await store.step(step(None, 1, opened={subject: {WAITING: 5}, **others}, states={subject: b"s"}), again=False)
    assert (subject, 5) in reader.open_members(WAITING)
    assert await store.states(TOPIC, [subject]) == [b"s"]
    await store.step(step(1, 2, opened={subject: {TALKING: 7}}, left=[(WAITING, subject)]), again=False)
    assert dict(reader.open_members(WAITING)) == {name: sets[WAITING] for name, sets in others.items()}
    assert reader.open_members(TALKING) == [(subject, 7)]
    await store.step(step(2, 3, now_ms=NOW_MS + KEEPING_MS), again=False)
    assert reader.open_members(WAITING) == reader.open_members(TALKING) == []
    assert not client.exists(keys.open_until)


async def test_the_start_time_of_a_member_is_that_of_its_entity_and_moves_with_it(store: Store, reader: Reader) -> None:
    """If an earlier queueing arrives, the longest wait is longer."""
    await store.step(step(None, 1, opened={"17": {WAITING: NOW_MS}}), again=False)
    await store.step(step(1, 2, opened={"17": {WAITING: NOW_MS - 60_000}}), again=False)
    assert reader.open_members(WAITING) == [("17", NOW_MS - 60_000)]


async def test_members_are_listed_oldest_first(store: Store, reader: Reader) -> None:
    """The board's list begins with the longest wait."""
    opened = {str(n): {WAITING: NOW_MS - n} for n in range(5)}
    await store.step(step(None, 1, opened=opened), again=False)
    assert [subject for subject, _ in reader.open_members(WAITING)] == ["4", "3", "2", "1", "0"]


async def test_a_member_stays_until_its_retention_has_passed_to_the_millisecond(store: Store, reader: Reader) -> None:
    """Its state is gone from Redis at that moment, so nothing could remove it later."""
    await store.step(step(None, 1, opened={"17": {WAITING: NOW_MS}}), again=False)
    await store.step(step(1, 2, now_ms=NOW_MS + KEEPING_MS - 1), again=False)
    assert reader.open_members(WAITING) == [("17", NOW_MS)]
    await store.step(step(2, 3, now_ms=NOW_MS + KEEPING_MS), again=False)
    assert reader.open_members(WAITING) == []
    assert reader.open_sets() == []


async def test_a_member_that_is_seen_again_stays_for_another_retention_period(store: Store, reader: Reader) -> None:
    """Retention counts from the last step in which its entity was written."""
    await store.step(step(None, 1, opened={"17": {WAITING: NOW_MS}}), again=False)
    await store.step(step(1, 2, now_ms=NOW_MS + 1_000, opened={"17": {WAITING: NOW_MS}}), again=False)
    await store.step(step(2, 3, now_ms=NOW_MS + KEEPING_MS), again=False)
    assert reader.open_members(WAITING) == [("17", NOW_MS)]


async def test_an_entity_in_two_sets_is_removed_from_both(store: Store, reader: Reader) -> None:
    """An incident can be unresourced and unattended at once."""
    series = ("incidents_unresourced|grade=1,area=stoke", "incidents_unattended|grade=1,area=stoke")
    opened = {"17": dict.fromkeys(series, NOW_MS)}
    await store.step(step(None, 1, opened=opened), again=False)
    assert reader.open_sets() == sorted(series)
    await store.step(step(1, 2, now_ms=NOW_MS + KEEPING_MS), again=False)
    assert reader.open_sets() == []


async def test_the_same_subject_in_two_topics_is_two_entities(store: Store, reader: Reader) -> None:
    """An entity is (topic, subject): removing call 17 leaves incident 17 in its set."""
    incident = "incidents_unattended|grade=1,area=stoke"
    of_incidents = {"topic": "watchroom.incidents", "keeping_ms": 100 * 86_400_000}
    await store.step(step(None, 1, opened={"17": {WAITING: NOW_MS}}), again=False)
    await store.step(step(None, 1, opened={"17": {incident: NOW_MS}}, **of_incidents), again=False)
    await store.step(step(1, 2, now_ms=NOW_MS + KEEPING_MS), again=False)
    assert reader.open_sets() == [incident]


async def test_many_expired_members_are_removed_in_several_steps(store: Store, reader: Reader) -> None:
    """A worker that was down for days must not stall Redis with its first step."""
    await store.step(step(None, 1, opened={str(n): {WAITING: NOW_MS} for n in range(1_200)}), again=False)
    left = []
    for number in range(1, 4):
        await store.step(step(number, number + 1, now_ms=NOW_MS + KEEPING_MS), again=False)
        left.append(len(reader.open_members(WAITING)))
    assert left == [700, 200, 0]


async def test_a_member_that_has_left_is_not_remembered(store: Store, client: Redis, keys: Keys) -> None:
    """The list of expiry times holds only current members."""
    await store.step(step(None, 1, opened={"17": {WAITING: NOW_MS}}), again=False)
    await store.step(step(1, 2, left=[(WAITING, "17")]), again=False)
    assert not client.exists(keys.open_until)


async def test_leaving_a_set_without_being_in_it_does_nothing(store: Store, reader: Reader) -> None:
    """A call that opened and closed within one batch was never in Redis."""
    await store.step(step(None, 1, left=[(WAITING, "17")]), again=False)
    assert reader.open_sets() == []


@given(subject=st.text(min_size=1, max_size=12), other=st.text(min_size=1, max_size=12))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_removing_one_member_leaves_every_other(subject: str, other: str, store: Store, reader: Reader) -> None:
    """For any two texts: one goes, the other stays."""
    stored = await store.next_offset(TOPIC, 0)
    last = step(stored, 1, now_ms=NOW_MS + 2 * KEEPING_MS)
    await store.step(last, again=False)
    await store.step(step(1, 2, opened={subject: {WAITING: 1}}), again=False)
    if other != subject:
        await store.step(step(2, 2, now_ms=NOW_MS + 1, opened={other: {WAITING: 2}}), again=False)
    await store.step(step(2, 3, now_ms=NOW_MS + KEEPING_MS), again=False)
    assert reader.open_members(WAITING) == ([(other, 2)] if other != subject else [])
