"""`watchroom worker`, observed: it records each step that Redis applied, and dies or waits where it is instructed to.

    python -m tests.flow.observed_worker STEPS-FILE [after_dead_letters|after_step|late_start]

One JSON line for each step that changed an offset. It dies by SIGKILL, as a power cut would end it:
`after_dead_letters`: letters are acknowledged, their step is not written yet; `after_step`: Redis has
applied a step, its reply is never seen. `late_start`: it asks Redis for the next offsets of its first partitions
1 s after they were assigned to it, as on a slow network, so that records wait there whatever the machine's
speed. The product has no such switch: it is put in from outside.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from watchroom.cli import main
from watchroom.intake.admission import Refused
from watchroom.intake.dead_letters import DeadLetters
from watchroom.store.step import Step
from watchroom.store.write import Store

STEPS_BEFORE_DEATH = 10
LATE_S = 1.0


class Observer:
    """Wraps the three calls that matter."""

    def __init__(self, steps: Path, told: str) -> None:
        self._file = os.open(steps, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._told = told
        self._steps = 0
        self._asks_from_s: float | None = None
        self._step, self._send, self._next_offset = Store.step, DeadLetters.send, Store.next_offset

    def install(self) -> None:
        """From now on every step and letter of this process passes through the observer."""
        observer = self

        async def step(self: Store, step: Step, *, again: bool) -> None:
            await observer._step(self, step, again=again)
            if step.base != step.next_offset and step.base is not None:
                observer._written(step)

        async def send(self: DeadLetters, topic: str, partition: int, refused: Sequence[Refused]) -> None:
            await observer._send(self, topic, partition, refused)
            if observer._told == "after_dead_letters" and observer._steps > STEPS_BEFORE_DEATH:
                _die()

        async def next_offset(self: Store, topic: str, partition: int) -> int | None:
            if observer._told == "late_start":
                await observer._late()
            return await observer._next_offset(self, topic, partition)

        Store.step, DeadLetters.send = step, send  # type: ignore[method-assign]  # that is the point
        Store.next_offset = next_offset  # type: ignore[method-assign]  # the same

    async def _late(self) -> None:
        """Wait until 1 s after the first partition's query."""
        now_s = time.monotonic()
        if self._asks_from_s is None:
            self._asks_from_s = now_s + LATE_S
        await asyncio.sleep(max(0.0, self._asks_from_s - now_s))

    def _written(self, step: Step) -> None:
        if self._told == "after_step" and self._steps > STEPS_BEFORE_DEATH and step.states:
            _die()
        self._steps += 1
        line = {
            "worker": os.environ["WATCHROOM_WORKER_NAME"], "pid": os.getpid(), "at_ms": int(time.time() * 1000),
            "topic": step.topic, "partition": step.partition,
            "base": step.base, "next_offset": step.next_offset,
        }  # fmt: skip
        os.write(self._file, (json.dumps(line) + "\n").encode())


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    Observer(Path(sys.argv[1]), "".join(sys.argv[2:3])).install()
    sys.argv[1:] = ["worker"]
    main()
