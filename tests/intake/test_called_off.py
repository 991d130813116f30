"""A worker that is stopped while it is still joining its group."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.flow.servers import Stack
from tests.intake.worker_process import WorkerProcess


@pytest.mark.embedded
def test_a_signal_ends_a_worker_that_is_still_joining(embedded_stack: Stack, tmp_path: Path) -> None:
    """Tansu delays a join for half a session, here 40 s; a broker that has gone delays it for ever."""
    with WorkerProcess(embedded_stack, tmp_path / "worker.log", session_timeout_s=80) as worker:
        worker.until(lambda: "has not joined the consumer group yet" in worker.get("/readyz")[1])
        worker.signal(signal.SIGTERM)
        assert worker.exit_code(within_s=30) == 0
    assert "Traceback" not in worker.log()
