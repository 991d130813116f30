"""Transactions that producers leave open: what comes after them may not be read, so it must be said which they are."""

from __future__ import annotations

import asyncio

import structlog

from watchroom.errors import StoreUnavailable
from watchroom.intake.intake import Intake, now_ms
from watchroom.intake.lanes import Lane
from watchroom.settings import Settings
from watchroom.store.backoff import Backoff
from watchroom.store.keys import Keys
from watchroom.store.noted import NotedHash
from watchroom.store.open_transactions import OpenTransaction, field, value

NAMED_AFTER_MS = 5_000  # producers that work commit several times a second
ANSWERED_WITHIN_MS = 5_000  # fetches are answered within half a second
EVERY_S = 2.0

log = structlog.get_logger("watchroom.intake")


def open_transaction(lane: Lane, at_ms: int) -> OpenTransaction | None:
    """The transaction that hides the rest of a lane's log, once it has been open for a while.

    Only by what Kafka answered lately: while it is silent, nobody knows whether the transaction has ended.
    """
    if lane.held_up_ms(at_ms) < NAMED_AFTER_MS or lane.stable is None or lane.open_since_ms is None:
        return None
    if lane.answered_ms is None or at_ms - lane.answered_ms > ANSWERED_WITHIN_MS:
        return None
    return OpenTransaction(lane.stable, lane.open_since_ms, lane.answered_ms)


async def note_forever(settings: Settings, intake: Intake, backoff: Backoff | None = None) -> None:
    """Keep what Redis says of open transactions up to date, for the partitions that are ours.

    Args:
        settings: Which Redis and force.
        intake: Of this worker.
        backoff: Of all clients of Redis that it has.
    """
    noted = NotedHash(settings.redis, Keys(settings.force).open_transactions, backoff)
    said: dict[str, OpenTransaction] = {}
    try:
        while True:
            await asyncio.sleep(EVERY_S)
            found = {lane.place: one for lane in intake.lanes if (one := open_transaction(lane, now_ms()))}
            now_said = {field(*place): one for place, one in found.items()}
            for place, one in found.items():
                if field(*place) not in said:
                    log.error(one.said(*place, settings.kafka_tools), topic=place.topic, partition=place.partition)
            if not said and not now_said:
                continue
            texts = {name: value(one) for name, one in now_said.items()}
            try:
                await asyncio.to_thread(noted.change, texts, said.keys() - now_said.keys())
            except StoreUnavailable:
                continue  # the step says so
            said = now_said
    except Exception as error:  # noqa: BLE001  # nobody awaits this task
        intake.fail(error)
    finally:
        noted.close()
