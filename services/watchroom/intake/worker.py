"""The worker process: wait for the servers, run the Faust app, end in good order with an exit code."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

import structlog
import uvloop
from aiokafka.errors import KafkaError

from watchroom.catalogue.load import load_catalogue
from watchroom.errors import (
    BrokerRefuses,
    BrokerUnavailable,
    OtherDefinitions,
    PartitionsAdded,
    StoreRefuses,
    StoreUnavailable,
    WatchroomError,
    WorkFailed,
)
from watchroom.intake import transactions
from watchroom.intake.app import make_app, member_name
from watchroom.intake.batches import BatchApp
from watchroom.intake.dead_letters import DeadLetters
from watchroom.intake.evicting import end_when_evicting
from watchroom.intake.health import Health
from watchroom.intake.intake import Intake, log_left
from watchroom.intake.logs import log_to_stderr
from watchroom.intake.month_bands import MonthBandsWriter
from watchroom.intake.partition_counts import CountKeeper
from watchroom.intake.pipeline import Appliers, check_redis, make_store
from watchroom.intake.returning import end_when_returned
from watchroom.intake.status import Status, servers_of
from watchroom.intake.topics import ensure_topics
from watchroom.intake.touching import touch_forever
from watchroom.kafka.asking import refused_now
from watchroom.kafka.login_limit import limit_logins
from watchroom.process import run_until_stopped
from watchroom.settings import Settings
from watchroom.store.backoff import Backoff
from watchroom.store.write import OTHERS

RETRY_S = 1.0
REFUSED_RETRY_MOST_S = 16.0  # of a server that refuses us: after 2, 4, 8 s, then so often
STOP_WITHIN_S = 20.0  # a batch in hand is finished in this time, or left to the next worker
LONG_S = 60.0  # work that went on for so long was no try
LET_GO_WITHIN_S = 2.0  # a start that was called off
GC_THRESHOLD = 50_000  # allocations between collections of the young; states are many and long-lived

T = TypeVar("T")
log = structlog.get_logger("watchroom.worker")


def run(settings: Settings) -> int:
    """Run a worker until SIGTERM or SIGINT, or until it cannot go on.

    Returns:
        0 after a signal, 1 when the work failed, 2 when a person must put something right first.
    """
    limit_logins()
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())  # Faust's consumer thread makes its loop by it too
    code = run_until_stopped(Worker(settings).run, log_to_stderr)
    _leave(code)
    return code


def _leave(code: int) -> None:
    """End now, if a thread of Faust's would keep the process."""
    if any(thread is not threading.main_thread() and not thread.daemon for thread in threading.enumerate()):
        os._exit(code)


class Worker:
    """One run of the worker."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._status = Status(servers_of(settings))
        self._health = Health(self._status)
        self._stop = asyncio.Event()
        self._redis_backoff = Backoff()  # of all our clients: they have one login

    async def run(self, stop: asyncio.Event) -> int:
        """See `run`."""
        self._stop = stop
        try:
            await self._health.start(self._settings)
            return await self._work_on()
        finally:
            await self._health.stop()

    async def _work_on(self) -> int:
        """Work; where Kafka has taken a right from a worker that ran, wait and begin again, until it is given back."""
        wait_s = RETRY_S
        while not self._stop.is_set():
            began_s = time.monotonic()
            try:
                return await self._work()
            except BrokerRefuses as error:
                self._health.intake = None
                self._status.waiting("kafka", str(error), is_whole=True)
                self._status.count("kafka_retries")
                wait_s = RETRY_S if time.monotonic() - began_s > LONG_S else wait_s
                wait_s = min(2 * wait_s, REFUSED_RETRY_MOST_S)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), wait_s)
        return 0

    async def _work(self) -> int:
        settings = self._settings
        catalogue = load_catalogue(settings.schemas / "measures", settings.areas)
        topics = await self._insist("kafka", lambda: ensure_topics(settings))
        if topics is None:
            return 0
        for sentence in topics.differing:
            log.warning(sentence)
        if not await self._insist("redis", lambda: check_redis(settings, self._redis_backoff)):
            return 0
        counts = CountKeeper(settings, topics, self._redis_backoff)
        added = await self._insist("redis", counts.open)
        if added is None:
            return 0
        store = make_store(settings, catalogue, topics, added, self._redis_backoff)
        letters = DeadLetters(settings, self._status)
        try:
            left = await self._insist("redis", store.open)
            if left is None or self._stop.is_set():
                return 0
            appliers = Appliers(settings, catalogue, topics, store, letters.send)
            for finding in store.findings:
                log.warning(str(finding))
            intake = Intake(
                appliers,
                self._status,
                settings.session_timeout_s,
                topics.log_ids,
                topics=settings.topics,
                left=left,
                partitions=topics.partitions,
                added=added,
                asked_ms=topics.asked_ms,
            )
            intake.login_refused = lambda: refused_now(settings)
            await _refuse_all_left(settings, intake, counts)
            self._health.intake = intake
            noting = asyncio.create_task(counts.note_forever(intake))
            naming = asyncio.create_task(transactions.note_forever(settings, intake, self._redis_backoff))
            returning = asyncio.create_task(end_when_returned(intake, store.agreeing, settings.touch_s))
            evicting = asyncio.create_task(end_when_evicting(intake, store.check_evictions, settings.touch_s))
            writing = asyncio.create_task(MonthBandsWriter(settings, catalogue, store).write_forever(intake))
            try:
                return await self._consume(intake)
            finally:
                returning.cancel()
                evicting.cancel()
                writing.cancel()
                noting.cancel()
                naming.cancel()
                await counts.finish(intake)
        finally:
            await letters.stop()
            await store.close()

    async def _insist(self, server: str, call: Callable[[], Awaitable[T]]) -> T | None:
        """Call until the server answers; None when we are told to stop before.

        One that refuses us is asked seldom: somebody must change something first, and it may lock a user out.
        """
        wait_s = RETRY_S
        while not self._stop.is_set():
            try:
                answer = await call()
            except (BrokerUnavailable, StoreUnavailable) as error:
                refuses = isinstance(error, (BrokerRefuses, StoreRefuses))
                self._status.waiting(server, str(error), is_whole=refuses)
                wait_s = min(2 * wait_s, REFUSED_RETRY_MOST_S) if refuses else RETRY_S
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), wait_s)
            else:
                self._status.answered(server)
                return answer
        return None

    async def _consume(self, intake: Intake) -> int:
        settings = self._settings
        # of a stream that is left too: a static member that is back within its session is given what its last
        # process had, and aiokafka's task ends at a topic that was not subscribed to
        app = make_app(settings, intake, settings.streams)
        touching = asyncio.create_task(touch_forever(intake, settings.touch_s))
        try:
            if not await self._started(app):
                return 0
            log.info("consuming", kafka=settings.kafka, group=settings.group, member=member_name(settings))
            gc.collect()
            gc.freeze()
            gc.set_threshold(GC_THRESHOLD, 20, 50)
            await self._until_end(app, intake)
            await intake.finish()
        finally:
            touching.cancel()
            with suppress(TimeoutError, asyncio.CancelledError):
                await asyncio.wait_for(app.stop(), STOP_WITHIN_S)
        log.info("ended", **intake.status.counts)
        if isinstance(intake.failure, BrokerRefuses):
            raise intake.failure
        return exit_code(intake.failure)

    async def _started(self, app: BatchApp) -> bool:
        """Whether it runs; False when we are told to stop first, for joining a group may take long."""
        starting = asyncio.create_task(_start(app, self._settings))
        stopping = asyncio.create_task(self._stop.wait())
        await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if starting.done():
            starting.result()
            return True
        starting.cancel()
        await asyncio.wait((starting,), timeout=LET_GO_WITHIN_S)
        return False

    async def _until_end(self, app: BatchApp, intake: Intake) -> None:
        waits = [asyncio.create_task(event.wait()) for event in (self._stop, intake.failed)]
        while not any(wait.done() for wait in waits):
            await asyncio.wait(waits, timeout=0.5, return_when=asyncio.FIRST_COMPLETED)
            if app.should_stop and not self._stop.is_set():
                intake.fail(WorkFailed(f"Faust ended by itself: {app.crash_reason!r}"))
        for wait in waits:
            wait.cancel()


async def _refuse_all_left(settings: Settings, intake: Intake, counts: CountKeeper) -> None:
    """Log the streams that are left alone; raises OtherDefinitions or PartitionsAdded when there are no others."""
    if intake.left.keys() | intake.added.keys() >= set(settings.streams):
        await counts.finish(intake)
        raise PartitionsAdded(list(intake.added.values())) if intake.added else OtherDefinitions(OTHERS, intake.left)
    for stream, changed in intake.left.items():
        log_left(stream, changed)
    for sentence in intake.added.values():
        log.error(sentence)


async def _start(app: BatchApp, settings: Settings) -> None:
    try:
        await app.start()
    except (KafkaError, OSError) as error:
        raise WorkFailed(
            f"Kafka at {settings.kafka} stopped answering while the worker started ({type(error).__name__}: {error})"
        ) from error


def exit_code(failure: Exception | None) -> int:
    """0 for none, 2 for what a person must put right first, 1 for everything else."""
    if failure is None:
        return 0
    return failure.exit_code if isinstance(failure, WatchroomError) else WorkFailed.exit_code
