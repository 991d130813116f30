"""Months and measures made by hand, for tests of the report's pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from watchroom.fold.batch import Restatement
from watchroom.kinds.measure import Condition, Label, Measure, Target
from watchroom.reports.compare import BaselineHeld
from watchroom.reports.held import Held, StoredMonth, added_up
from watchroom.reports.report import ReportRow, Source, rows_of

STREAM = "made_up"
AREA = Label("area", "area", ("stoke", "county", "out_of_force"), "unknown")
GRADE = Label("grade", "grade", ("1", "2"), "ungraded")
AS_OF_MS = 1_650_000_000_000


def measure(kind: str, *labels: Label, **more: Any) -> Measure:
    """A measure of a kind called m."""
    return Measure(
        "m", kind, STREAM, "ended", labels, ("month",), "Made up", "What a test made up.", "A test", start="begun",
        part=Condition({"how": ("well",)}), edges_ms=(10_000, 60_000), **more,
    )  # fmt: skip


COUNT = measure("count")
SHARE = measure("share")
TIMED = measure("duration", GRADE, targets=(Target({"grade": "1"}, 900_000, inclusive=True),))


def months(first: str, *contents: Mapping[str, int]) -> list[StoredMonth]:
    """Consecutive months, starting with the first."""
    year, number = (int(part) for part in first.split("-"))
    names = [f"{year + (number + i - 1) // 12}-{(number + i - 1) % 12 + 1:02}" for i in range(len(contents))]
    return [StoredMonth(name, fields, ()) for name, fields in zip(names, contents, strict=True)]


def restated(month: str, by: Mapping[str, str], field: str, delta: int) -> Restatement:
    """An entry of a month's log."""
    return Restatement("topic", 0, 0, 0, "made.up", month, "m", by, field, delta)


def held(
    stored: Sequence[StoredMonth],
    *,
    of: Sequence[str] = (),
    partly: Sequence[str] = (),
    closed: bool = True,
) -> Held:
    """What is held of these months; `of` are the requested months, `partly` those that are not held to their end."""
    request = tuple(of) or tuple(month.name for month in stored)
    complete = {month.name: month.name not in partly for month in stored}
    return added_up(stored, request, {STREAM: complete}, {STREAM: closed}, {STREAM: AS_OF_MS})


def baseline(
    own: Held | None = None, *imported: Mapping[str, Mapping[str, int]], of: Sequence[str] = ()
) -> BaselineHeld:
    """A baseline of own or imported months."""
    months_of = tuple(of) or (own.months if own else ())
    return BaselineHeld("words", months_of, own or held([], of=months_of), imported or [{} for _ in months_of])


def rows(
    what: Measure, now: Held, *, small_below: int = 50, groups: Mapping[str, Sequence[str]] | None = None,
    **baselines: BaselineHeld,
) -> list[ReportRow]:  # fmt: skip
    """The rows of a measure."""
    return list(rows_of(what, Source(now, baselines, small_below, groups or {})))
