"""`python -m tests.fuzz --for 600`: unexpected bytes, fed to everything that reads them.

Each target has its part of the time. The same seed gives the same inputs, however many the time allows. An input that
ends in anything but events, refusals or an error of ours, or that takes too long or too much memory, is written to
tests/fuzz/inputs, where the tests try it from then on: mend the fault, and commit both. Where the process itself ended,
the last input is watchroom-fuzz-last.json in the folder for temporary files.
"""

from __future__ import annotations

import argparse
import faulthandler
import logging
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

import structlog

from tests.fuzz.found import load, save
from tests.fuzz.mutate import mutated
from tests.fuzz.targets import TARGETS, Input

FUZZ_S = 90  # in CI
MOST_CPU_S = 5.0  # for one input; most take a millisecond
LAST = Path(tempfile.gettempdir()) / "watchroom-fuzz-last.json"  # the input at which native code ended this process
MOST_S = 300  # for a hundred, by the clock: an input may wait for ever
MOST_MEMORY_BYTES = 1024**3  # more than at the start
MOST_KEPT, MOST_KEPT_BYTES = 2000, 16 * 1024  # inputs that led somewhere new, from which others are derived


class TookTooLong(BaseException):
    """Not an Exception: the code under test might catch that."""


def attempt(target: str, given: Input, folder: Path) -> tuple[str, BaseException | None]:
    """The outcome of one input, or what was raised."""
    save(target, given, LAST)
    signal.setitimer(signal.ITIMER_PROF, MOST_CPU_S)
    try:
        return TARGETS[target].run(given, folder), None
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  # the test is that none is raised
        return "", error
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def fuzz(target: str, seconds: float, seed: int, folder: Path) -> tuple[int, int, int]:
    """Test one target for this long.

    Returns:
        Inputs tried, different outcomes, faults; no more than ten of these are looked for.
    """
    chance = random.Random(f"{target} {seed}")
    kept = list(TARGETS[target].seeds)
    outcomes: set[str] = set()
    faults: set[str] = set()
    tried = 0
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s and len(faults) < 10:
        given = kept[tried] if tried < len(TARGETS[target].seeds) else _another(kept, chance)
        if tried % 100 == 0:
            # from now on, instead of the last one
            faulthandler.dump_traceback_later(MOST_S, exit=True, file=2)
        tried += 1
        outcome, error = attempt(target, given, folder)
        if error is not None:
            where = traceback.extract_tb(error.__traceback__)[-1]
            fault = f"{type(error).__name__} {where.filename}:{where.lineno}"
            if fault not in faults:
                faults.add(fault)
                path = save(target, given)
                print(f"{target}: {path}", *traceback.format_exception(error)[-6:], sep="\n", file=sys.stderr)  # noqa: T201 - a tool that prints what it finds
        elif outcome not in outcomes:
            outcomes.add(outcome)
            if len(kept) < MOST_KEPT and sum(map(len, given)) < MOST_KEPT_BYTES:
                kept.append(given)
    faulthandler.cancel_dump_traceback_later()
    return tried, len(outcomes), len(faults)


def _another(kept: list[Input], chance: random.Random) -> Input:
    """An input with one part changed, occasionally two."""
    parts = list(chance.choice(kept))
    for _ in range(chance.choice((1, 1, 1, 2))):
        # the first part is what the target is about
        at = 0 if chance.random() < 0.8 else chance.randrange(len(parts))
        parts[at] = mutated(parts[at], chance.choice(kept), chance)
    return tuple(parts)


def main() -> int:
    """Run as the arguments say; returns 1 if anything was found."""
    options = argparse.ArgumentParser(prog="python -m tests.fuzz", description=(__doc__ or "").partition("\n\n")[2])
    options.add_argument(
        "--for", dest="seconds", type=float, default=FUZZ_S, help="seconds in all; default: 90, as in CI"
    )
    options.add_argument("--seed", type=int, default=1, help="another seed, other inputs; default: 1")
    options.add_argument("--only", choices=TARGETS, help="one target instead of all")
    options.add_argument("--again", type=Path, help="try this file of tests/fuzz/inputs, and show its traceback")
    given = options.parse_args()
    logging.disable()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    signal.signal(signal.SIGPROF, _stop)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if given.again:
            target, content = load(given.again)
            print(TARGETS[target].run(content, folder))  # noqa: T201 - a tool that prints what it finds
            return 0
        names = [given.only] if given.only else list(TARGETS)
        _limit_memory()
        found = 0
        for target in names:
            tried, outcomes, faults = fuzz(target, given.seconds / len(names), given.seed, folder)
            print(f"{target}: {tried:,} inputs, {outcomes:,} different outcomes, {faults} faults", flush=True)  # noqa: T201 - a tool that prints what it finds
            found += faults
    return 1 if found else 0


def _stop(*_: object) -> None:
    raise TookTooLong


def _limit_memory() -> None:
    """Make any request for more memory a MemoryError, which is a fault."""
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if Path("/proc/self/statm").exists() else 0
    if pages:
        most = pages * resource.getpagesize() + MOST_MEMORY_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


if __name__ == "__main__":
    sys.exit(main())
