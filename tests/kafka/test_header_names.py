"""Header names that are not valid UTF-8, on a real broker: every reader of a topic gets past them."""

from __future__ import annotations

import asyncio

import pytest

from tests.flow.servers import Stack
from tests.intake.recorder import Recorder, consuming
from tests.kafka.bad_names import send_with_bad_name
from watchroom.intake.letters import read_letters
from watchroom.intake.rebuild import Rebuilt, rebuild
from watchroom.kafka.topics import ensure_topics

pytestmark = [pytest.mark.real, pytest.mark.timeout(90)]
RECORDS = [
    (b"17", str(number).encode() * 200) for number in range(4)
]  # a batch that does not shrink is sent uncompressed
READ = "\ufffd\ufffdtrace"


async def test_the_worker_reads_every_record_of_a_batch_with_a_bad_header_name_once(real_stack: Stack) -> None:
    """An error would abort the fetch at each attempt: the partition would be stuck, and the worker would end."""
    settings = real_stack.settings(partitions=1, touch_s=0.2)
    place = settings.topic("calls"), 0
    await ensure_topics(settings)
    for bad in (2, 0):  # in the middle of a batch, then at the beginning of one
        await send_with_bad_name(settings.kafka, place[0], RECORDS, bad=bad)
    recorder = Recorder()
    async with consuming(settings, recorder):
        await recorder.until(lambda r: r.stored.get(place) == 8)
    found = [record for batch in recorder.batches for record in batch.records]
    assert [(record.offset, record.key, record.value) for record in found] == [
        (offset, *RECORDS[offset % 4]) for offset in range(8)
    ]
    assert [(record.offset, *record.headers[0]) for record in found if record.headers] == [
        (2, READ, b"1"),
        (4, READ, b"1"),
    ]


def test_a_rebuild_and_the_list_of_letters_read_bad_header_names_too(real_stack: Stack) -> None:
    """A rebuild that failed there would leave an empty Redis behind: it has already cleared it."""
    settings = real_stack.settings(partitions=1)

    async def prepare() -> None:
        await ensure_topics(settings)
        await send_with_bad_name(settings.kafka, settings.topic("calls"), RECORDS, bad=1)
        about = [("topic", b"t"), ("partition", b"0"), ("offset", b"7"), ("reason", b"late")]
        said = [(f"watchroom-{name}", value) for name, value in about]
        await send_with_bad_name(settings.kafka, settings.dead_letter_topic, RECORDS[:1], bad=0, more=said)

    asyncio.run(prepare())
    assert [letter.offset for letter in read_letters(settings, lambda _: True)] == [7]
    assert rebuild(settings, None, lambda *_: None) == Rebuilt(records=4, refused=4)
