"""Two rows with the same name: whoever adds the second sees the fault at once, in every table."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.parts import ROOT
from watchroom.registry import registry

# A module's row is changed once the package has been read; then the package is read again, and what makes its tables.
PROGRAM = """
from dataclasses import replace
from importlib import import_module, reload
import watchroom.kinds, watchroom.streams
from watchroom.kinds import count, duration, share
from watchroom.streams import calls, crimes, incidents
{change}
reload(watchroom.kinds)
reload(watchroom.streams)
import_module("{module}")
"""
DOUBLES = {
    "two kinds": (
        "share.KIND = replace(share.KIND, name='count')",
        "watchroom.kinds",
        "two different kinds named 'count'",
    ),
    "two streams": (
        "crimes.STREAM = replace(crimes.STREAM, name='calls')",
        "watchroom.streams",
        "two different streams named 'calls'",
    ),
    "two boards": (
        "crimes.STREAM = replace(crimes.STREAM, board=crimes.STREAM.board._replace(name=calls.STREAM.board.name))",
        "watchroom.streams",
        "two different boards named 'demand'",
    ),
    "a stream's board and one of ours": (
        "crimes.STREAM = replace(crimes.STREAM, board=crimes.STREAM.board._replace(name='live'))",
        "watchroom.generate.boards.files",
        "two different boards named 'live'",
    ),
    "one event type of two streams": (
        "crimes.STREAM = replace(crimes.STREAM, models=(*crimes.STREAM.models, calls.STREAM.models[0]))",
        "watchroom.admission.models",
        "two different streams for the event type 'call.presented'",
    ),
    "two models of one event type": (
        (
            "from typing import Literal\n"
            "class Again(calls.STREAM.models[0]):\n    type: Literal['call.presented']\n"
            "calls.STREAM = replace(calls.STREAM, models=(*calls.STREAM.models, Again))"
        ),
        "watchroom.admission.models",
        "two different models of the event type 'call.presented'",
    ),
    "two texts under one suffix": (
        (
            "other = duration.KIND.families['negative']._replace(excluded='Something else.')\n"
            "share.KIND = replace(share.KIND, families={**share.KIND.families, 'negative': other})"
        ),
        "watchroom.generate.boards.platform",
        "two different exclusion texts for the suffix 'negative'",
    ),
    "a stream that takes the topic of dead letters": (
        "crimes.STREAM = replace(crimes.STREAM, name='dead-letters')",
        "watchroom.settings",
        "two different topics named 'dead-letters'",
    ),
    "an own key twice": (
        (
            "from watchroom.kinds.kind import OwnKey\n"
            "share.KIND = replace(share.KIND, own_keys=(OwnKey('limit_s', int, 1), OwnKey('limit_s', str, '')))"
        ),
        "watchroom.catalogue.own",
        "two different 'share' keys named 'limit_s'",
    ),
}


def imported(change: str, module: str) -> subprocess.CompletedProcess[str]:
    """A process that imports a module after some rows were changed."""
    program = PROGRAM.format(change=change, module=module)
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60,
        env={"PYTHONPATH": str(ROOT / "services")},
    )  # fmt: skip


@pytest.mark.parametrize("case", DOUBLES)
def test_a_duplicate_fails_at_import(case: str) -> None:
    """Otherwise one of the two is lost silently, with its measures, events or texts."""
    change, module, told = DOUBLES[case]
    done = imported(change, module)
    assert done.returncode == 1
    assert f"ValueError: {told}" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("module", sorted({module for _, module, _ in DOUBLES.values()}))
def test_without_a_duplicate_nothing_fails(module: str) -> None:
    """The same process with unchanged rows."""
    assert imported("", module).stderr == ""


def test_a_row_may_be_repeated_and_the_order_is_kept() -> None:
    """Streams may share a board, and kinds an exclusion."""
    assert list(registry("things called", [("b", 1), ("a", 2), ("b", 1)]).items()) == [("b", 1), ("a", 2)]
