"""The worker process: waits for the servers, runs the Faust app, and ends with an exit code."""

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
from watchroom.intake.assignment import AtStart
from watchroom.intake.background import (
    BANDS_EVERY_S,
    COUNTS_EVERY_S,
    TRANSACTIONS_EVERY_S,
    CountKeeper,
    MonthBandsWriter,
    OpenTransactionNotes,
    end_when_returned,
    repeat,
    write_freshness_forever,
)
from watchroom.intake.dead_letters import DeadLetters
from watchroom.intake.faust_app import BatchApp, make_app, member_name
from watchroom.intake.health import Health, Status, log_to_stderr, servers_of
from watchroom.intake.intake import Intake
from watchroom.intake.partition import Appliers, make_store
from watchroom.kafka.login import limit_logins, refusal_pause, refused_now
from watchroom.kafka.topics import ensure_topics
from watchroom.process import run_until_stopped
from watchroom.settings import Settings
from watchroom.store.backoff import Backoff
from watchroom.store.write import OTHERS, Store
from watchroom.timing import Pause, insist

RETRY_S = 1.0
STOP_WITHIN_S = 20.0  # a batch in hand is finished in this time, or left to the next worker
LONG_S = 60.0  # work that went on for so long was more than a try
LET_GO_WITHIN_S = 2.0  # a start that was cancelled
GC_THRESHOLD = 50_000  # allocations between collections of the youngest objects; states are many and long-lived

T = TypeVar("T")
log = structlog.get_logger("watchroom.worker")


def run(settings: Settings) -> int:
    """Run a worker until SIGTERM or SIGINT, or until it cannot go on.

    Returns:
        0 after a signal, 1 if the work failed, 2 if a person must fix something first.
    """
    limit_logins()
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())  # Faust's consumer thread makes its loop by it too
    code = run_until_stopped(Worker(settings).run, log_to_stderr)
    _leave(code)
    return code


def _leave(code: int) -> None:
    """End now if a thread of Faust's would keep the process running."""
    if any(thread is not threading.main_thread() and not thread.daemon for thread in threading.enumerate()):
        os._exit(code)


class Worker:
    """One run of the worker."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._status = Status(servers_of(settings))
        self._health = Health(self._status)
        self._stop = asyncio.Event()
        self._redis_backoff = Backoff()  # shared by all our clients, because they use one login

    async def run(self, stop: asyncio.Event) -> int:
        """See `run`."""
        self._stop = stop
        try:
            await self._health.start(self._settings)
            return await self._work_on()
        finally:
            await self._health.stop()

    async def _work_on(self) -> int:
        """Work. If Kafka takes a right away, wait and begin again, until the right is given back."""
        pause = refusal_pause()
        while not self._stop.is_set():
            began_s = time.monotonic()
            try:
                return await self._work()
            except BrokerRefuses as error:
                self._health.intake = None
                self._status.waiting("kafka", str(error), is_whole=True)
                self._status.count("kafka_retries")
                if time.monotonic() - began_s > LONG_S:
                    pause.reset()
                await self._pause(pause.next_s())
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
            for finding in store.findings:
                log.warning(str(finding))
            at_start = AtStart(settings.topics, topics.log_ids, left, topics.partitions, added, topics.queried_ms)
            appliers = Appliers(settings, catalogue, topics, store, letters.send)
            intake = Intake(appliers, self._status, at_start, settings.session_timeout_s)
            intake.login_refused = lambda: refused_now(settings)
            await _refuse_all_left(settings, intake, counts)
            self._health.intake = intake
            transactions = OpenTransactionNotes(settings, self._redis_backoff)
            bands = MonthBandsWriter(settings, catalogue, store)
            work = (
                write_freshness_forever(intake, settings.touch_s),
                repeat(intake, COUNTS_EVERY_S, lambda: counts.note(intake)),
                repeat(intake, settings.touch_s, store.check_evictions),
                repeat(intake, settings.touch_s, lambda: end_when_returned(intake, store.agreeing)),
                repeat(intake, TRANSACTIONS_EVERY_S, lambda: transactions.write(intake)),
                repeat(intake, BANDS_EVERY_S, lambda: bands.write_due(intake)),
            )
            tasks = [asyncio.create_task(each) for each in work]
            try:
                return await self._consume(intake)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                transactions.close()
                bands.close()
                await counts.finish(intake)
        finally:
            await letters.stop()
            await store.close()

    async def _insist(self, server: str, call: Callable[[], Awaitable[T]]) -> T | None:
        """Call until the server answers; None if the worker is to stop before."""

        def failed(error: Exception) -> None:
            if not isinstance(error, BrokerUnavailable | StoreUnavailable):
                raise error
            self._status.waiting(server, str(error), is_whole=isinstance(error, BrokerRefuses | StoreRefuses))

        answer = await insist(
            call,
            failed,
            pause=Pause(RETRY_S, RETRY_S),
            refused=refusal_pause(),
            is_wanted=lambda: not self._stop.is_set(),
            sleep=self._pause,
        )
        if answer is not None:
            self._status.answered(server)
        return answer

    async def _pause(self, pause_s: float) -> None:
        """Wait, or less if the worker is to stop."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), pause_s)

    async def _consume(self, intake: Intake) -> int:
        settings = self._settings
        # with the topics of streams that are left: a static member that is back within its session is given what its
        # last process had, and aiokafka's task ends if it is given a topic that is not subscribed to
        app = make_app(settings, intake, settings.streams)
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
            with suppress(TimeoutError, asyncio.CancelledError):
                await asyncio.wait_for(app.stop(), STOP_WITHIN_S)
        log.info("ended", **intake.status.counts)
        if isinstance(intake.failure, BrokerRefuses):
            raise intake.failure
        if isinstance(intake.failure, WatchroomError):
            return intake.failure.exit_code
        return 0 if intake.failure is None else WorkFailed.exit_code

    async def _started(self, app: BatchApp) -> bool:
        """Whether it runs; False if the worker is to stop first: joining a group may take long."""
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
                intake.fail(WorkFailed(f"Faust stopped unexpectedly: {app.crash_reason!r}"))
        for wait in waits:
            wait.cancel()


async def check_redis(settings: Settings, backoff: Backoff) -> bool:
    """Returns True if figures can be kept in this Redis; raises as `Store.check`. Nothing is written before that."""
    store = Store(settings.redis, settings.force, {}, backoff=backoff)
    try:
        await store.check()
    finally:
        await store.close()
    return True


async def _refuse_all_left(settings: Settings, intake: Intake, counts: CountKeeper) -> None:
    """Log the streams that are left alone; raises OtherDefinitions or PartitionsAdded when there are no others."""
    streams = intake.streams
    if streams.left.keys() | streams.added.keys() >= set(settings.streams):
        await counts.finish(intake)
        raise PartitionsAdded(list(streams.added.values())) if streams.added else OtherDefinitions(OTHERS, streams.left)
    for sentence in streams.why_left().values():
        log.error(sentence)


async def _start(app: BatchApp, settings: Settings) -> None:
    try:
        await app.start()
    except (KafkaError, OSError) as error:
        raise WorkFailed(
            f"Kafka at {settings.kafka} stopped answering while the worker was starting"
            f" ({type(error).__name__}: {error})"
        ) from error
