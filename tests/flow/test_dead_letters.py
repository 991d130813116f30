"""Bad input through a real worker: each record becomes a letter that a person can read, fix and replay."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.conftest import new_name
from tests.flow.crash_run import read_all
from tests.flow.rebuilt_force import RebuiltForce
from tests.flow.servers import KafkaServer, RedisServer, Stack
from tests.flow.wall import now_ms
from tests.oracle.facts import Sent
from tests.oracle.scales import DAY_MS, HOUR_MS, month_of
from tests.oracle.wire import content_of, partition_of, refused_records, value_of
from tests.parts import PartMissing, missing
from watchroom.events.headers import ARRIVED
from watchroom.events.reasons import RAW_IDENTIFIER, REASONS, UNREADABLE
from watchroom.kafka.topics import ensure_topics

PARTITIONS = 2
GOOD = 3  # valid calls in the same batch
THEN_MS = now_ms() - 60 * DAY_MS  # its month is closed, and its incidents are still known

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]


@dataclass(frozen=True)
class Bad:
    """A record that must be refused, and the partition it is sent to."""

    reason: str
    stream: str
    key: bytes | None
    value: bytes | None
    partition: int
    timestamp_ms: int | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


def in_partition(partition: int, name: str) -> str:
    """A subject that Kafka's partitioner puts into this partition."""
    return next(s for s in (f"{name}-{n}" for n in range(100)) if partition_of(s, PARTITIONS) == partition)


def call(subject: str, at_ms: int) -> bytes:
    """A call presented."""
    return value_of(Sent("calls", "call.presented", f"e-{subject}", subject, at_ms, at_ms, {"line": "999"}))


def bad_records(at_ms: int) -> list[Bad]:
    """One for each reason, all but the misplaced ones in partition 0 of the calls; one without value and key."""
    subject = in_partition(0, "refused")
    found = [Bad(bad.reason, "calls", bad.key, bad.value, 0) for bad in refused_records("calls", subject, at_ms)]
    late, future, misplaced = (in_partition(0, name) for name in ("late", "future", "misplaced"))
    found += [
        Bad("late", "calls", late.encode(), call(late, at_ms - 25 * HOUR_MS), 0),
        Bad("future", "calls", future.encode(), call(future, at_ms + HOUR_MS), 0),
        Bad("wrong_partition", "calls", misplaced.encode(), call(misplaced, at_ms), 1),
        Bad("bad_json", "calls", None, b"\xff\x00 not text", 0),
        Bad("bad_json", "calls", subject.encode(), None, 0),
    ]
    # a letter sent again by other means than ours, when its call may have been forgotten
    expired, came_ms = in_partition(0, "expired"), at_ms - 4 * DAY_MS
    arrived = ((ARRIVED, str(came_ms).encode()),)
    found.append(Bad("expired", "calls", expired.encode(), call(expired, came_ms), 0, headers=arrived))
    # an incident of two months ago, on time by the clock of its record, in the wrong partition
    incident = in_partition(0, "then")
    created = Sent("incidents", "incident.created", "i1", incident, THEN_MS, THEN_MS, {"grade": "1"})
    misplaced_then = Bad("wrong_partition", "incidents", incident.encode(), value_of(created), 1, THEN_MS + 60_000)
    return [*found, misplaced_then]


class Letters(RebuiltForce):
    """A force whose worker runs, and the records that were sent to it."""

    bad: list[Bad]
    worker_process: Any

    def listed(self, *options: str) -> Any:
        """What `dead-letters list` prints as JSON."""
        done = self.run("dead-letters", "list", "--format", "json", *options)
        assert done.code == 0, done.said
        return json.loads(done.out)

    def records(self, topic: str) -> list[ConsumerRecord]:
        """Everything in a topic."""
        places = [TopicPartition(topic, n) for n in range(PARTITIONS)]
        return [record for of in asyncio.run(read_all(self.settings.kafka, places)).values() for record in of]

    def counts(self) -> Counter[str]:
        """Dead letters by reason, as Redis counts them."""
        found: Counter[str] = Counter()
        for (_, reason), count in content_of(self.client, self.settings.force).dead_letters.items():
            found[reason] += count
        return found

    def applied(self) -> None:
        """Wait until the worker has applied everything."""
        asyncio.run(self.until_applied(self.worker_process))


@pytest.fixture(scope="module")
def force(kafka: KafkaServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Letters]:
    """A worker that has received one bad record of each kind among good ones.

    The incidents' topic takes the producer's timestamps, so that a record may have arrived in 2021.
    """
    try:
        redis = RedisServer(tmp_path_factory.mktemp("redis"))
    except PartMissing as error:
        missing(str(error))
    stack = Stack("real", kafka.address, redis.url, new_name())
    made = Letters(stack.settings(partitions=PARTITIONS), redis.client(), tmp_path_factory.mktemp("room"))
    try:
        redis.start()
        asyncio.run(prepare(made))
        with made.worker() as made.worker_process:
            made.applied()
            yield made
    finally:
        redis.kill()


async def prepare(force: Letters) -> None:
    """Create the topics and send everything at once, before the worker starts: one batch."""
    settings = force.settings
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    await admin.start()
    own_clock = {"message.timestamp.type": "CreateTime", "retention.ms": "-1"}
    await admin.create_topics([NewTopic(settings.topic("incidents"), PARTITIONS, 1, topic_configs=own_clock)])
    await admin.close()
    await ensure_topics(settings)
    force.bad = bad_records(now_ms())
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka, linger_ms=200, max_request_size=1 << 20) as out:
        sent = []
        for number, bad in enumerate(force.bad):
            topic = settings.topic(bad.stream)
            sent.append(await out.send(topic, bad.value, bad.key, bad.partition, bad.timestamp_ms, list(bad.headers)))
            if number < GOOD:
                good = in_partition(0, f"good-{number}")
                sent.append(await out.send(settings.topic("calls"), call(good, now_ms()), good.encode()))
        await asyncio.gather(*sent)


def test_each_reason_gives_a_letter_and_the_rest_of_the_batch_is_applied(force: Letters) -> None:
    """The letter holds the record's key and bytes, and says why it was refused, where it came from and when."""
    settings = force.settings
    expected = Counter(bad.reason for bad in force.bad)
    assert set(expected) == set(REASONS) - {UNREADABLE}  # a fault of ours, which no record is known to cause
    assert force.counts() == expected
    month = force.dump()[f"month:{month_of(now_ms())}"]
    assert month["call_volume|line=999|count"] == str(GOOD)
    originals = {
        (topic, record.partition, record.offset): record
        for topic in (settings.topic("calls"), settings.topic("incidents"))
        for record in force.records(topic)
    }
    letters = force.records(settings.dead_letter_topic)
    assert Counter(dict(letter.headers)["watchroom-reason"].decode() for letter in letters) == expected
    for letter in letters:
        said = {name.removeprefix("watchroom-"): value.decode() for name, value in letter.headers}
        record = originals[said["topic"], int(said["partition"]), int(said["offset"])]
        (bad,) = [b for b in force.bad if (b.key, b.value, b.reason) == (record.key, record.value, said["reason"])]
        kept = (b"", None) if bad.reason == RAW_IDENTIFIER else (bad.key, bad.value)
        assert (letter.key, letter.value) == kept
        assert (said["topic"], int(said["partition"])) == (settings.topic(bad.stream), bad.partition)
        assert said["arrived"] == dict(record.headers).get(ARRIVED, str(record.timestamp).encode()).decode()
        assert len(said["detail"]) > 20


def test_the_list_shows_each_letter_once_even_if_a_crash_wrote_it_twice(force: Letters) -> None:
    """A letter is identified by topic, partition and offset."""
    before = force.listed()
    assert Counter(row["reason"] for row in before) == Counter(bad.reason for bad in force.bad)
    topic = force.settings.dead_letter_topic
    letters = force.records(topic)

    async def write_again() -> None:
        async with AIOKafkaProducer(bootstrap_servers=force.settings.kafka, max_request_size=1 << 21) as out:
            for letter in letters[:3]:
                await out.send_and_wait(topic, letter.value, letter.key, headers=list(letter.headers))

    asyncio.run(write_again())
    assert len(force.records(topic)) == len(letters) + 3
    assert force.listed() == before
    assert {row["reason"] for row in force.listed("--reason", "late")} == {"late"}
    incidents = force.settings.topic("incidents")
    assert [row["topic"] for row in force.listed("--topic", incidents)] == [incidents]


def test_the_list_is_a_table_for_people_and_csv_for_programs(force: Letters) -> None:
    """All three say the same."""
    rows = force.listed()
    printed = force.run("dead-letters", "list", "--format", "csv")
    assert printed.code == 0
    found = list(csv.DictReader(io.StringIO(printed.out.decode(), newline="")))
    assert found == [{name: str(value) for name, value in row.items()} for row in rows]
    table = force.run("dead-letters", "list", COLUMNS="400")
    assert table.code == 0
    assert all(row["detail"] in table.out.decode() for row in rows)


def test_show_prints_exactly_the_original_bytes(force: Letters) -> None:
    """Bytes that are not text must come out unchanged: `> file` is the record."""
    for row in force.listed():
        if row["reason"] not in ("bad_json", "too_large"):
            continue
        place = [str(row[name]) for name in ("topic", "partition", "offset")]
        shown = force.run("dead-letters", "show", *place)
        assert shown.code == 0
        (record,) = [
            r for r in force.records(row["topic"]) if (r.partition, r.offset) == (row["partition"], row["offset"])
        ]
        assert shown.out == (record.value or b"")
        assert f"reason: {row['reason']}" in shown.lines
        assert f"key: {'none' if record.key is None else record.key.decode()}" in shown.lines
        assert "bytes: complete" in shown.lines
    nobody = force.run("dead-letters", "show", force.settings.topic("calls"), "0", "999999")
    assert nobody.code == 1
    assert nobody.lines == [
        (
            f"no dead letter for {force.settings.topic('calls')} partition 0 offset 999999; "
            "`watchroom dead-letters list` lists all"
        )
    ]


def test_a_letter_stored_without_its_value_says_why_and_is_not_replayed(force: Letters) -> None:
    """The value may name a person; its length and SHA-256 still identify the record."""
    (row,) = force.listed("--reason", RAW_IDENTIFIER)
    (bad,) = [bad for bad in force.bad if bad.reason == RAW_IDENTIFIER]
    assert bad.value is not None
    shown = force.run("dead-letters", "show", *(str(row[name]) for name in ("topic", "partition", "offset")))
    assert (shown.code, shown.out) == (0, b"")
    assert f"bytes: not kept, because they may name a person (length: {len(bad.value)})" in shown.lines
    assert f"SHA-256: {hashlib.sha256(bad.value).hexdigest()}" in shown.lines
    assert any(line.startswith("key: not kept") for line in shown.lines)
    assert "96000" not in shown.said
    done = force.run("dead-letters", "replay", "--reason", RAW_IDENTIFIER)
    why = "not sent: 1 stored without bytes because they may name a person (raw_identifier)"
    assert (done.code, done.lines) == (0, [f"sent 0 of 1 dead letters again; {why}"])


def test_a_misplaced_record_is_applied_when_it_is_replayed(force: Letters) -> None:
    """Our producer puts it where it belongs; lateness uses its first arrival, the restatement its second."""
    sent_ms, counts = now_ms(), force.counts()
    done = force.run("dead-letters", "replay", "--reason", "wrong_partition")
    assert (done.code, done.lines) == (0, ["sent 2 of 2 dead letters again"])
    force.applied()
    assert force.counts() == counts  # none came back
    dump = force.dump()
    assert dump[f"month:{month_of(now_ms())}"]["call_volume|line=999|count"] == str(GOOD + 1)
    assert dump[f"month:{month_of(THEN_MS)}"]["incident_volume|grade=1,area=unknown|count"] == "1"
    log = content_of(force.client, force.settings.force).restatements
    assert {(entry.month, entry.type, entry.delta) for entry in log} == {(month_of(THEN_MS), "incident.created", 1)}
    assert all(sent_ms <= entry.arrival_ms <= now_ms() for entry in log)
    assert sent_ms > THEN_MS + 7 * DAY_MS  # by the second arrival it would have been refused as late
    before = without_times(force.dump())
    assert force.run("dead-letters", "replay", "--reason", "wrong_partition").code == 0
    force.applied()
    assert without_times(force.dump()) == before  # the fold knows them


def test_a_letter_whose_entity_may_be_forgotten_is_not_replayed(force: Letters) -> None:
    """It would come back as another letter each time; the command says why it is not sent."""
    done = force.run("dead-letters", "replay", "--reason", "expired")
    assert (done.code, done.lines) == (
        0,
        ["sent 0 of 1 dead letters again; not sent: 1 too old (WATCHROOM_KEEPING_DAYS)"],
    )


def without_times(dump: dict[str, Any]) -> dict[str, Any]:
    """What does not change when a known event comes again; offsets and last-seen times do."""
    passing = ("partition:", "sources:", "state:", "changed", "open-until")
    return {name: value for name, value in dump.items() if not name.startswith(passing)}


def test_each_replayed_letter_that_is_still_wrong_comes_back_exactly_once(force: Letters) -> None:
    """The first arrival is kept, so `future` stays so; letters that came back are not sent beside their original."""
    for time in (1, 2):
        before = force.counts()
        done = force.run("dead-letters", "replay", "--reason", "future")
        repeats = "" if time == 1 else f"; not sent: {time - 1} refused again after an earlier replay"
        assert (done.code, done.lines) == (0, [f"sent 1 of {time} dead letters again{repeats}"])
        force.applied()
        assert force.counts() - before == Counter(future=1)
    arrivals = {row["arrived"] for row in force.listed("--reason", "future")}
    assert len(arrivals) == 1


def test_a_force_that_never_had_a_worker_has_no_letters(force: Letters) -> None:
    """A new deployment: an empty list is not an error, and listing creates no topic."""
    done = force.run("dead-letters", "list", "--format", "json", WATCHROOM_TOPIC_PREFIX=new_name())
    assert (done.code, json.loads(done.out)) == (0, [])
