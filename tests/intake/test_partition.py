"""From one partition into Redis: steps, states, dead letters, and a Redis that goes back or goes away."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.flow.servers import RedisServer
from tests.fold.said import at
from tests.intake.one_partition import FORCE, NOW_MS, OnePartition, batch, queued, record
from watchroom.errors import BrokerUnavailable, Moved, StoreUnavailable
from watchroom.events import headers
from watchroom.events.partitioner import partition_of
from watchroom.store.clear import clear
from watchroom.store.read import SourceState

pytestmark = pytest.mark.real
DAY_MS = 86_400_000
VOLUME, ANSWERED = "call_volume|line=999|count", "call_answer_time|line=999|observations"
QUEUED_17 = record(0, "call.queued", "09:00:00", line="999")
ANSWERED_17 = record(1, "call.answered", "09:00:08")
LATE = record(2, "call.queued", "-1 08:00:00", "18", arrived=at("09:00:00"))
CALLS = [record(n, "call.queued", "09:00:00", f"call-{n}", line="999") for n in range(5)]


@pytest.fixture
async def one(redis_server: RedisServer) -> AsyncIterator[OnePartition]:
    """One partition, with steps of at most two records."""
    worker = OnePartition(redis_server.url, step_events=2)
    yield worker
    await worker.close()


async def test_a_partition_without_an_offset_starts_at_none_and_continues_from_the_stored_one(
    one: OnePartition,
) -> None:
    """Redis owns the offset: what Kafka has committed is only a hint."""
    applier = one.applier()
    assert await applier.start() is None
    await applier.apply(batch(0, QUEUED_17, ANSWERED_17), NOW_MS, NOW_MS)
    assert await one.applier().start() == 2
    assert one.month()[ANSWERED] == 1


async def test_an_empty_partition_can_be_fresh(one: OnePartition) -> None:
    """Its offset is the log's beginning before any record arrives, or its stream would be withheld for ever."""
    applier = await one.started()
    await applier.write_freshness(NOW_MS, NOW_MS)
    assert one.reader.partitions()["watchroom.calls", 0].fresh_ms is None
    await applier.begin(7, NOW_MS)
    await applier.begin(9, NOW_MS)
    await applier.write_freshness(NOW_MS, NOW_MS)
    state = one.reader.partitions()["watchroom.calls", 0]
    assert (state.next_offset, state.fresh_ms) == (7, NOW_MS)
    assert state.lost == 7  # a log that begins above 0 has dropped records that this force never saw


async def test_a_replayed_letter_does_not_make_its_source_look_alive(one: OnePartition) -> None:
    """Otherwise an operator who replays a dead feed's letters would bring its board back for a while."""
    again = record(
        0, "call.queued", "09:00:00", line="999", arrived=at("09:09:00"),
        headers=((headers.ARRIVED, str(at("09:00:01")).encode()),),
    )  # fmt: skip
    applier = await one.started()
    await applier.apply(batch(0, again), NOW_MS, NOW_MS)
    assert one.month() == queued(1)
    assert one.reader.sources() == {}


async def test_a_letter_replayed_after_its_call_is_forgotten_counts_once(
    one: OnePartition, redis_server: RedisServer
) -> None:
    """Redis no longer has the state: a second replay would count the same call twice, and restate its month."""
    letter = ((headers.ARRIVED, str(at("09:00:01")).encode()),)
    weeks_later_ms = NOW_MS + 25 * DAY_MS
    first = record(0, "call.queued", "09:00:00", line="999", arrived=NOW_MS + 2 * DAY_MS, headers=letter)
    again = record(1, "call.queued", "09:00:00", line="999", arrived=weeks_later_ms, headers=letter)
    applier = await one.started()
    await applier.apply(batch(0, first), None, NOW_MS + 2 * DAY_MS)
    with redis_server.client() as client:
        for key in client.keys("*:state:*"):
            client.delete(key)  # as after the retention of calls and its slack
    applier = await one.started()
    await applier.apply(batch(1, again), None, weeks_later_ms)
    assert one.month()[VOLUME] == 1
    assert one.letters.sent == [(1, "expired")]


async def test_a_repeated_event_after_a_long_stop_finds_its_entity(
    one: OnePartition, redis_server: RedisServer
) -> None:
    """By the arrivals the call is still known, so its state must outlive a stop longer than the retention."""
    applier = await one.started()
    await applier.apply(batch(0, QUEUED_17), NOW_MS, NOW_MS)
    (key,) = redis_server.client().keys("*:state:*")
    kept_s = redis_server.client().ttl(key)
    assert 16 * 86_400 < kept_s <= 17 * 86_400


async def test_a_batch_is_split_into_steps_and_fresh_once_all_are_written(one: OnePartition) -> None:
    """Five records in steps of two are three steps; the end may be beyond the last record (a compacted log)."""
    applier = await one.started()
    await applier.apply(batch(0, *CALLS, end=9), NOW_MS, NOW_MS)
    meta = one.reader.meta()
    assert meta is not None
    assert meta.seq == 3
    assert one.next_offset() == 9
    assert one.month() == queued(5)
    assert one.reader.partitions()["watchroom.calls", 0].fresh_ms == NOW_MS


async def test_a_batch_without_records_advances_the_offset(one: OnePartition) -> None:
    """Transaction markers and compacted tails leave gaps."""
    applier = await one.started()
    await applier.apply(batch(0, end=4), NOW_MS, NOW_MS)
    assert one.next_offset() == 4
    assert one.month() == {}


async def test_a_partly_applied_batch_continues_from_the_stored_offset(one: OnePartition) -> None:
    """Records below the stored offset are not applied again."""
    applier = await one.started()
    await applier.apply(batch(0, *CALLS[:3]), NOW_MS, NOW_MS)
    await applier.apply(batch(0, *CALLS), NOW_MS, NOW_MS)
    assert one.month() == queued(5)


@pytest.mark.parametrize(("base", "end"), [(0, 2), (4, 6)])
async def test_a_batch_that_does_not_reach_the_stored_offset_is_refused_as_moved(
    base: int, end: int, one: OnePartition
) -> None:
    """Entirely before or entirely after it: the worker must fetch from Redis's next offset."""
    applier = await one.started()
    await applier.apply(batch(0, *CALLS[:3]), NOW_MS, NOW_MS)
    with pytest.raises(Moved) as moved:
        await applier.apply(batch(base, end=end), NOW_MS, NOW_MS)
    assert moved.value.stored_offset == 3
    assert one.next_offset() == 3


async def test_refused_records_are_sent_before_the_step_that_counts_them(one: OnePartition) -> None:
    """A crash in between repeats a letter but never loses one; the other records are applied."""
    stood: list[int | None] = []
    one.letters.before = lambda: stood.append(one.next_offset())
    applier = await one.started()
    bad = record(3, "call.queued", "09:00:00", "19", key="20")
    unknown = record(4, "call.rung", "09:00:00", "19")
    await applier.apply(batch(0, QUEUED_17, ANSWERED_17, LATE, bad, unknown), NOW_MS, NOW_MS)
    assert one.letters.sent == [(2, "late"), (3, "wrong_key"), (4, "unknown_type")]
    assert stood == [2, 4]
    counted = {reason: n for (_, reason), n in one.reader.dead_letters().items()}
    assert counted == {"late": 1, "wrong_key": 1, "unknown_type": 1}
    assert one.month()[VOLUME] == 1


async def test_letters_that_cannot_be_sent_delay_the_step(one: OnePartition) -> None:
    """Nothing is written; a retry sends them again and counts them once."""
    applier = await one.started()

    def no_kafka() -> None:
        raise BrokerUnavailable("no Kafka")

    one.letters.before = no_kafka
    for _ in range(2):
        with pytest.raises(BrokerUnavailable):
            await applier.apply(batch(2, LATE), NOW_MS, NOW_MS)
    assert (one.next_offset(), one.reader.dead_letters()) == (None, {})
    one.letters.before = lambda: None
    await applier.apply(batch(2, LATE), NOW_MS, NOW_MS)
    assert one.letters.sent == [(2, "late")]
    assert one.reader.dead_letters() == {("watchroom.calls", "late"): 1}


async def test_the_next_owner_reads_the_stored_states(one: OnePartition) -> None:
    """The call is queued under one worker and answered under another."""
    await (await one.started()).apply(batch(0, QUEUED_17), NOW_MS, NOW_MS)
    await (await one.started()).apply(batch(1, ANSWERED_17), NOW_MS, NOW_MS)
    assert one.month()[ANSWERED] == 1
    assert one.reader.open_sets() == ["calls_in_progress|line=999"]


async def test_a_worker_that_lost_its_partition_is_refused_and_discards_its_memory(one: OnePartition) -> None:
    """When it comes back it reads what the other one wrote, instead of its own memory of the call."""
    first = await one.started()
    await first.apply(batch(0, QUEUED_17), NOW_MS, NOW_MS)
    await (await one.started()).apply(batch(1, ANSWERED_17), NOW_MS, NOW_MS)
    ended = record(2, "call.ended", "09:05:00")
    with pytest.raises(Moved) as moved:
        await first.apply(batch(1, ANSWERED_17), NOW_MS, NOW_MS)
    assert moved.value.stored_offset == 2
    with pytest.raises(Moved):
        await first.write_freshness(NOW_MS, NOW_MS)
    assert first._entities == {}
    assert await first.start() == 2
    await first.apply(batch(2, ended), NOW_MS, NOW_MS)
    assert one.month()[ANSWERED] == 1
    assert one.reader.open_sets() == []


async def test_a_worker_that_is_assigned_its_partition_again_discards_its_memory(one: OnePartition) -> None:
    """It may not have noticed the other owner: an assignment alone is reason enough."""
    first = await one.started()
    await first.apply(batch(0, QUEUED_17), NOW_MS, NOW_MS)
    await (await one.started()).apply(batch(1, ANSWERED_17), NOW_MS, NOW_MS)
    await first.start()
    await first.apply(batch(2, record(2, "call.ended", "09:05:00")), NOW_MS, NOW_MS)
    assert one.month()[ANSWERED] == 1
    assert one.reader.open_sets() == []


async def test_a_bound_on_entities_in_memory_does_not_change_the_figures(
    one: OnePartition, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything is discarded and read back as needed."""
    monkeypatch.setattr(one._appliers, "entities_held", 1)
    applier = await one.started()
    answers = [record(5 + n, "call.answered", "09:00:08", f"call-{n}") for n in range(5)]
    for sent in (*CALLS, *answers):
        await applier.apply(batch(sent.offset, sent), NOW_MS, NOW_MS)
    assert one.month()[ANSWERED] == 5
    assert len(applier._entities) <= 2


async def test_the_partitions_of_a_worker_share_one_bound_on_memory(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a bound for each, twelve partitions would hold twelve times as much; an idle one makes room too."""
    one = OnePartition(redis_server.url, partitions=2)
    monkeypatch.setattr(one._appliers, "entities_held", 6)
    idle, busy = await one.started(partition=0), await one.started(partition=1)
    subjects: dict[int, list[str]] = {0: [], 1: []}
    for subject in (f"call-{n}" for n in range(40)):
        subjects[partition_of(subject.encode(), 2)].append(subject)
    calls = {
        p: [record(n, "call.queued", "09:00:00", subject, line="999") for n, subject in enumerate(subjects[p][:5])]
        for p in (0, 1)
    }
    await idle.apply(batch(0, *calls[0]), NOW_MS, NOW_MS)
    for sent in calls[1][:3]:
        await busy.apply(batch(sent.offset, sent, partition=1), NOW_MS, NOW_MS)
    await idle.write_freshness(NOW_MS, NOW_MS)
    assert (len(idle._entities), len(busy._entities)) == (0, 3)
    await idle.apply(batch(5, calls[0][0]._replace(offset=5)), NOW_MS, NOW_MS)
    assert one.month()[VOLUME] == 8
    await one.close()


async def test_heartbeats_mark_their_source_as_seen_and_create_no_entity(one: OnePartition) -> None:
    """Sources are dated by Kafka's time, whatever their own clocks say; a refused record proves nothing."""
    beat = record(1, "feed.heartbeat", "09:00:30", "acd", arrived=at("09:00:31"))
    other = record(2, "feed.heartbeat", "09:01:00", "voip", source="voip")
    wrong = record(3, "feed.heartbeat", "09:01:00", "19", source="forged")
    applier = await one.started()
    await applier.apply(batch(0, QUEUED_17, beat, other, wrong), NOW_MS, NOW_MS)
    assert one.reader.sources() == {
        ("watchroom.calls", "acd"): SourceState(at("09:00:00"), at("09:00:31")),
        ("watchroom.calls", "voip"): SourceState(None, at("09:01:00")),
    }
    assert one.letters.sent == [(3, "wrong_key")]
    assert one.month() == queued(1)


async def test_an_entity_in_the_wrong_partition_is_refused_and_one_in_its_own_is_not(redis_server: RedisServer) -> None:
    """Another partitioner would give one incident two states; heartbeats may be in any partition."""
    subjects = {partition_of(str(n).encode(), 4): str(n) for n in range(50)}
    one = OnePartition(redis_server.url, partitions=4)
    applier = await one.started(partition=2)
    sent = [record(n, "call.queued", "09:00:00", subjects[n], line="999") for n in range(4)]
    beat = record(4, "feed.heartbeat", "09:00:00", "acd")
    await applier.apply(batch(0, *sent, beat, partition=2), NOW_MS, NOW_MS)
    assert one.letters.sent == [(0, "wrong_partition"), (1, "wrong_partition"), (3, "wrong_partition")]
    assert one.month() == queued(1)
    assert one.reader.sources()["watchroom.calls", "acd"].heartbeat_ms == at("09:00:00")
    await one.close()


async def test_history_arrives_at_its_recorded_time(redis_server: RedisServer) -> None:
    """Only for sources declared `history`; otherwise Kafka's timestamp decides, and this event would be late."""
    one = OnePartition(redis_server.url, sources={"calls": {"archive": {"history": True}}})
    applier = await one.started()
    years_later = NOW_MS + 2 * 365 * 86_400_000
    told = {"line": "999", "recordedtime": "2021-11-27T09:00:01Z", "arrived": years_later}
    sent = [record(n, "call.queued", "09:00:00", s, source=s, **told) for n, s in enumerate(("archive", "acd"))]
    await applier.apply(batch(0, *sent), NOW_MS, NOW_MS)
    assert (one.month(), one.letters.sent) == (queued(1), [(1, "late")])
    assert one.reader.restatements("2021-11") == []
    await one.close()


async def test_lost_offsets_are_counted_once_even_if_the_step_is_repeated(
    one: OnePartition, redis_server: RedisServer
) -> None:
    """The log was cut above Redis's next offset; the step may have to be sent again."""
    applier = await one.started()
    await applier.apply(batch(0, *CALLS), NOW_MS, NOW_MS)
    redis_server.written()
    redis_server.kill()
    with pytest.raises(StoreUnavailable):
        await applier.lost(5, 12, NOW_MS)
    redis_server.start()
    await applier.lost(5, 12, NOW_MS)
    state = one.reader.partitions()["watchroom.calls", 0]
    assert (state.next_offset, state.lost) == (12, 7)


async def test_ignored_fields_and_raw_identifiers_are_counted_per_record(
    one: OnePartition, redis_server: RedisServer
) -> None:
    """They depend on the log alone: whatever the batches, and again after everything was cleared."""
    records = [
        record(0, "call.queued", "09:00:00", line="999", cli_type=7),
        record(1, "call.queued", "09:00:00", line="999", cli_type=7),
        record(2, "call.queued", "09:00:00", subject="18", line="999", cli_type=["mobile"]),
        record(3, "call.queued", "09:00:00", subject="19", caller_token="01632 960001"),
        record(4, "call.queued", "09:00:00", subject="20", caller_token="01632 960001", source="ivr"),
        record(5, "call.queued", "07:00:00", subject="21", cli_type=7, arrived=at("09:00:00") + 86_400_000),
    ]
    expected = (
        {("watchroom.calls", "cli_type"): 3},
        {("watchroom.calls", "acd"): 1, ("watchroom.calls", "ivr"): 1},
        {("watchroom.calls", "raw_identifier"): 2, ("watchroom.calls", "late"): 1},
    )
    for step in (6, 1):
        clear(redis_server.url, FORCE)
        applier = await one.started()
        await applier.begin(0, NOW_MS)
        for begin in range(0, 6, step):
            await applier.apply(batch(begin, *records[begin : begin + step]), NOW_MS, NOW_MS)
        counts = one.reader.ignored_fields(), one.reader.raw_identifiers(), one.reader.dead_letters()
        assert counts == expected
        assert one.month()["call_volume|line=999|count"] == 2
