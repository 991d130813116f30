"""Sends heartbeats for a replayed source, as a real feed does, so that its figures stay on a board."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator

from watchroom.importer.mapped import heartbeat
from watchroom.importer.summary import Outcome
from watchroom.kafka.produce import Outgoing, sender
from watchroom.settings import Settings
from watchroom.timing import now_ms

HEARTBEAT_EVERY_S = 30.0
LOOK_EVERY_S = 0.5


def stay_live(outcome: Outcome, for_s: float | None = None, every_s: float = HEARTBEAT_EVERY_S) -> int:
    """Send heartbeats until interrupted, or for `for_s` seconds.

    Args:
        outcome: Of a replay whose servers still run.
        for_s: How long; None: until Ctrl-C.
        every_s: Seconds between heartbeats.

    Returns:
        How many were sent, over all topics.

    Raises:
        BrokerUnavailable: Kafka stopped answering.
        WorkFailed: A part of the stack has ended by itself.
    """
    return asyncio.run(_beat(outcome, for_s, every_s))


async def _beat(outcome: Outcome, for_s: float | None, every_s: float) -> int:
    ends_s = None if for_s is None else time.monotonic() + for_s
    next_s = time.monotonic()
    async with sender(outcome.settings) as out:
        while ends_s is None or time.monotonic() < ends_s:
            outcome.check()
            if time.monotonic() >= next_s:
                next_s += every_s
                for record in heartbeats(outcome.settings, outcome.source, outcome.streams):
                    await out.send(record)
                await out.flush()
            await asyncio.sleep(LOOK_EVERY_S)
        return out.sent


def heartbeats(settings: Settings, source: str, streams: Iterable[str]) -> Iterator[Outgoing]:
    """A heartbeat of a source to the topic of each stream that it feeds."""
    for stream in streams:
        yield Outgoing(settings.topic(stream), source.encode(), heartbeat(source, now_ms()))
