"""The timer of idle partitions: their freshness is written, and their offsets compared, every few seconds."""

from __future__ import annotations

import asyncio

from watchroom.errors import Moved, OtherDefinitions, StoreUnavailable
from watchroom.intake.intake import Intake, now_ms
from watchroom.intake.lanes import Lane

LOOK_S = 0.5  # how often to look which lanes are to be touched
SILENT_S = 5.0  # a fetch is answered within 0.5 s, records or not
SHORT_LOG_S = 5.0  # a new leader may not know its high watermark for a moment; a shorter log stays shorter


async def touch_forever(intake: Intake, touch_s: float) -> None:
    """Every `touch_s` seconds: write each idle lane's freshness, and compare its offset with Redis's.

    Each lane for itself: one that has to wait keeps no other from being fresh.
    """
    look_s = min(touch_s / 2, LOOK_S)
    under_way: set[asyncio.Task[None]] = set()
    try:
        while True:
            await asyncio.sleep(look_s)
            for lane in intake.lanes.where(lambda lane: lane.due(touch_s - look_s)):
                task = asyncio.create_task(_touch(intake, lane))
                under_way.add(task)
                task.add_done_callback(under_way.discard)
            for lane in intake.lanes:
                lane.behind()
            _notice_silence(intake)
    finally:
        for task in under_way:
            task.cancel()


def _notice_silence(intake: Intake) -> None:
    """Say that Kafka is silent, or that it answers again."""
    silent_s = [lane.silent_s(now_ms()) for lane in intake.lanes if lane.placed]
    if silent_s and min(silent_s) > SILENT_S and (refused := intake.login_refused()):
        intake.status.waiting("kafka", refused, is_whole=True)
    elif silent_s and min(silent_s) > SILENT_S:
        intake.status.waiting("kafka", f"no answer to a fetch for {min(silent_s):.0f} s")
    elif silent_s:
        intake.status.answered("kafka")


async def _touch(intake: Intake, lane: Lane) -> None:
    if lane.lock.locked():
        return  # a batch came meanwhile; its step is the touch
    async with lane.lock:
        if not lane.placed:
            return
        try:
            await lane.applier.touch(lane.fresh_ms(lane.stands), now_ms())
        except Moved as moved:
            intake.moved(lane, moved)
        except OtherDefinitions as other:
            intake.leave(other.streams)
            return
        except StoreUnavailable as error:
            intake.wait_for("redis", error)
        except Exception as error:  # noqa: BLE001  # a timer that dies silently would freeze freshness
            intake.fail(error)
        else:
            lane.touched()
            intake.status.answered("redis")
        if lane.short_for_s() > SHORT_LOG_S:
            intake.other_log(lane, lane.stands)
