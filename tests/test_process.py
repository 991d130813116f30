"""How worker, exporter and watchdog start and end."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

PROGRAM = """
import asyncio, sys
from watchroom.errors import WorkFailed
from watchroom.process import run_until_stopped

async def serve(stop):
    print("running", flush=True)
    if "fail" in sys.argv:
        raise WorkFailed("first\\nsecond")
    await stop.wait()
    return 0

sys.exit(run_until_stopped(serve))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_shuts_the_process_down_cleanly(number: signal.Signals) -> None:
    """Supervisors send SIGTERM, a person at a terminal sends SIGINT; both end the process normally."""
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"running\n"
        process.send_signal(number)
        assert process.wait(10) == 0


def test_an_error_is_logged_line_by_line_and_gives_the_exit_code() -> None:
    """Every fault has its own line and is not hidden by a traceback."""
    done = subprocess.run([sys.executable, "-c", PROGRAM, "fail"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert [line.split("event=")[1].split()[0] for line in done.stderr.splitlines()] == ["first", "second"]
