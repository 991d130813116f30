"""Records with a header name that is not valid UTF-8, as a producer in another language may send them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.producer import message_accumulator, producer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

NAME = b"\xff\xfetrace"


class _Name(str):
    """A text that is sent as invalid UTF-8."""

    __slots__ = ()

    def encode(self, *_: object, **__: object) -> bytes:
        return NAME


async def send_with_bad_name(
    kafka: str, topic: str, records: Sequence[tuple[bytes, bytes]], *, bad: int, more: Sequence[tuple[str, bytes]] = ()
) -> None:
    """Send (key, value) to partition 0 in one batch; record number `bad` gets such a header before its others.

    Compressed like our topics: otherwise the broker compresses the batch again, and replaces such names.
    """
    with pytest.MonkeyPatch.context() as patch:
        for module in (producer, message_accumulator):
            patch.setattr(module, "DefaultRecordBatchBuilder", _DefaultRecordBatchBuilderPy)
        async with AIOKafkaProducer(bootstrap_servers=kafka, compression_type="zstd", linger_ms=200) as out:
            sent = [
                await out.send(topic, value, key, 0, headers=[*([(_Name("x"), b"1")] if number == bad else []), *more])
                for number, (key, value) in enumerate(records)
            ]
            for future in sent:
                await future
