"""Where the logs no longer hold every month that Redis has, `watchroom rebuild` names them and changes nothing."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, RecordsToDelete

from tests.flow.rebuilt_force import RebuiltForce, settings_on
from tests.flow.servers import KafkaServer, RedisServer
from tests.flow.test_crashes import letters_in_kafka
from tests.flow.wall import now_ms
from tests.oracle.facts import Sent
from tests.oracle.traffic import HISTORY, Outgoing
from tests.oracle.wire import value_of
from watchroom.kafka.topics import ensure_topics
from watchroom.store.partition_counts import PartitionCountStore

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]


def call(number: int, time_ms: int) -> Outgoing:
    """A call presented at that time, from the history source."""
    event = Sent("calls", "call.presented", f"e{number}", f"c{number}", time_ms, time_ms, {"line": "999"}, HISTORY)
    return Outgoing("calls", event.subject.encode(), value_of(event, time_ms), [])


@pytest.fixture
def short(kafka: KafkaServer, redis_server: RedisServer, tmp_path: Path) -> RebuiltForce:
    """A force of one partition with calls in October and November 2021 and now, filled by a first rebuild."""
    settings = settings_on(kafka, redis_server, partitions=1)
    force = RebuiltForce(settings, redis_server.client(), tmp_path)
    times = [1_634_727_600_000, 1_637_409_600_000, now_ms() - 60_000]

    async def produce() -> None:
        await ensure_topics(settings)
        bad = Outgoing("calls", b"c9", b"{", [])
        await force.send([*(call(number, at) for number, at in enumerate(times)), bad])

    asyncio.run(produce())
    done = force.run("rebuild")
    assert (done.code, done.lines) == (0, ["rebuilt from 4 records; 1 of them are dead letters"])
    assert [place[2] for place in asyncio.run(letters_in_kafka(settings))] == [3]  # no worker had sent it
    assert force.months()[:2] == ["2021-10", "2021-11"]
    return force


async def shorten(force: RebuiltForce) -> None:
    """The first two records of the calls are no longer there."""
    admin = AIOKafkaAdminClient(bootstrap_servers=force.settings.kafka)
    await admin.start()
    topic = force.settings.topic("calls")
    await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(before_offset=2)})
    await admin.close()


async def recreate(force: RebuiltForce) -> None:
    """Somebody deleted the topic of the calls, and a worker created it again; it holds only the last call."""
    admin = AIOKafkaAdminClient(bootstrap_servers=force.settings.kafka)
    await admin.start()
    topic = force.settings.topic("calls")
    await admin.delete_topics([topic])
    while topic in await admin.list_topics():  # noqa: ASYNC110 - the broker sends no notification when it is done
        await asyncio.sleep(0.05)
    await admin.close()
    await ensure_topics(force.settings)
    await force.send([call(2, now_ms() - 60_000), *(call(number, now_ms()) for number in range(3, 9))])


async def add_a_partition(force: RebuiltForce) -> None:
    """Give the topic of the calls a second partition: half of the keys now belong there."""
    admin = AIOKafkaAdminClient(bootstrap_servers=force.settings.kafka)
    await admin.start()
    topic = force.settings.topic("calls")
    await admin.create_partitions({topic: NewPartitions(total_count=2)})
    await admin.close()
    while (await ensure_topics(force.settings)).partitions[topic] != 2:  # noqa: ASYNC110 - the broker sends no notification
        await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("how", "said", "left", "kept"),
    [
        (shorten, "no longer begins at offset 0 but at 2", 2, slice(2, None)),
        (recreate, "was deleted and created again", 7, slice(2, None)),
    ],
    ids=["shortened", "created again"],
)
def test_months_that_no_log_holds_any_more_are_named_and_kept(
    short: RebuiltForce, how: Any, said: str, left: int, kept: slice
) -> None:
    """They exist only in Redis: nobody may lose them without having been told which."""
    asyncio.run(how(short))
    before = short.dump()
    months = short.months()
    refused = short.run("rebuild")
    assert refused.code == 1
    assert f"the log of {short.settings.topic('calls')} partition 0 {said}" in refused.said
    assert f"would be lost in whole or in part: {', '.join(months)}." in refused.said
    after = re.findall(r"`watchroom rebuild --lose-before (\d{4}-\d\d)`", refused.said)
    some = short.run("rebuild", "--lose-before", "2021-11")
    assert some.code == 1
    assert f"would be lost in whole or in part: {', '.join(months[1:])}." in some.said
    assert short.dump() == before
    accepted = short.run("rebuild", "--lose-before", *after)
    assert accepted.code == 0
    assert accepted.lines[-1].startswith(f"rebuilt from {left} records")
    assert short.months() == months[kept]


def test_added_partitions_lose_no_month(short: RebuiltForce) -> None:
    """The count of each record is known; the wait is only for producers that do not know the new count yet."""
    months = short.months()
    asyncio.run(add_a_partition(short))
    early = short.run("rebuild")
    assert early.code == 1
    assert "has had 2 partitions since" in early.said
    assert "No figure was changed; run `watchroom rebuild` again after" in early.said
    topic = short.settings.topic("calls")
    store = PartitionCountStore(short.settings.redis, short.settings.force)
    first, second = (known := store.read()[topic]).counts
    assert (first.partitions, second.partitions) == (
        1,
        2,
    )  # stored, or the next attempt would take them for added only now
    assert first.last_ms < second.from_ms
    store.replace(topic, replace(known, is_rebuilding=True))  # as an interrupted one leaves it
    done = short.run("rebuild", WATCHROOM_PARTITIONS_SETTLE_S="0")
    assert not store.read()[topic].is_rebuilding
    assert (done.code, done.lines[-1]) == (0, "rebuilt from 4 records; 1 of them are dead letters")
    assert short.months() == months


def test_without_stored_counts_an_option_gives_the_earlier_number_of_partitions(short: RebuiltForce) -> None:
    """After a loss of Redis: under the present count alone the earlier calls are in a wrong partition."""
    months = short.months()
    asyncio.run(add_a_partition(short))
    short.client.flushall()
    at_once = {"WATCHROOM_PARTITIONS_SETTLE_S": "0"}
    assert "1 of them are" not in short.run("rebuild", **at_once).lines[-1]
    wrong = short.run("rebuild", "--partitions-before", "2", **at_once)
    assert (wrong.code, "--partitions-before" in wrong.said) == (2, True)
    done = short.run("rebuild", "--partitions-before", "1", **at_once)
    assert (done.code, done.lines[-1]) == (0, "rebuilt from 4 records; 1 of them are dead letters")
    assert short.months() == months


def test_an_empty_log_holds_no_month(short: RebuiltForce) -> None:
    """There is no record to show when it begins; the rebuild neither hangs nor concludes that nothing is lost."""

    async def empty() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=short.settings.kafka)
        await admin.start()
        await admin.delete_records({TopicPartition(short.settings.topic("calls"), 0): RecordsToDelete(before_offset=4)})
        await admin.close()

    asyncio.run(empty())
    months = short.months()
    refused = short.run("rebuild")
    assert refused.code == 1
    assert f"lost in whole or in part: {', '.join(months)}." in refused.said
    assert short.months() == months
