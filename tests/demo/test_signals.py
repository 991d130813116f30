"""The signals that end the demo."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys

import pytest

from watchroom.demo.signals import end_requested, term_is_interrupt

# A Ctrl-C that arrives while an object is being finalised: an exception raised there is printed and lost.
IN_A_FINALISER = """
import os, signal
from watchroom.demo.signals import end_requested
class Finalised:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        sum(range(1000))
with end_requested() as asked:
    Finalised()
    print("asked" if asked() else "not asked")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_recorded_and_raises_nothing(number: signal.Signals) -> None:
    """An exception raised at any point could leave a half-drawn screen or be lost."""
    with term_is_interrupt(), end_requested() as asked:
        assert not asked()
        os.kill(os.getpid(), number)
        gc.collect()
        assert asked()


def test_a_signal_in_a_finaliser_is_not_lost() -> None:
    """`KeyboardInterrupt` would be: Python prints it and continues."""
    done = subprocess.run([sys.executable, "-c", IN_A_FINALISER], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("asked\n", "")


def test_signal_handlers_are_restored_afterwards() -> None:
    """A demo that has ended by itself must leave them as they were."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with end_requested():
        pass
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
