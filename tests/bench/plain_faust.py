"""`python -m tests.bench.plain_faust KAFKA TOPIC EVENTS FOLDER`: a Faust agent as its documentation writes it.

One record an iteration, JSON decoded by Faust, counted by type in memory. It writes nothing anywhere, so
it is flattered: what Watchroom adds (validation, measures, an exact store) it does not do.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterable
from typing import Any

import faust
import uvloop


async def main(kafka: str, topic: str, events: int, folder: str) -> None:
    """Say `ready`, handle this many records, say `done`, and wait to be ended."""
    app = faust.App(
        f"{topic}-plain",
        broker=f"kafka://{kafka}",
        autodiscover=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        store="memory://",
        datadir=folder,
        consumer_auto_offset_reset="earliest",
        broker_session_timeout=60,
        broker_request_timeout=90,
    )
    counts: Counter[str] = Counter()
    done = asyncio.Event()

    async def count(stream: AsyncIterable[dict[str, Any]]) -> None:
        handled = 0
        async for event in stream:
            counts[event["type"]] += 1
            handled += 1
            if handled == events:
                done.set()

    app.agent(app.topic(topic, value_serializer="json"), name="count")(count)
    app.finalize()
    await app.start()
    while not app.consumer.assignment():  # noqa: ASYNC110 - Faust has no event for this
        await asyncio.sleep(0.05)
    await asyncio.sleep(2)  # Faust waits a second for tables before it begins to fetch
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await done.wait()
    sys.stdout.write("done\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]))
