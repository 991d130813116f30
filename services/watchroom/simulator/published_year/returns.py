"""The printed figures and notes, as they were at the meeting, and the levels before that follow from them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final

from watchroom.events.times import to_ms
from watchroom.kinds import names
from watchroom.simulator.envelope import Simulated
from watchroom.simulator.published_year.levels import NOTES
from watchroom.simulator.published_year.printed import Printed
from watchroom.simulator.published_year.putting import put

STREAM: Final = "returns"
YEAR: Final = "2020-12/2021-11"
BEFORE: Final = "2018-12/2019-11"
VALUE: Final = ("value",)
OWN_AS_AT: Final = ("2022-01-21", "2021-12-31")  # periods that are days: each is its own as-at
OUT_OF: Final = {"complaints_retained": (779, 1450)}  # printed with both counts


def returns(printed: Printed) -> Iterator[Simulated]:
    """Everything, reported on the day of the meeting."""
    for name, entry in printed.entries.items():
        if entry.period and entry.read == VALUE and entry.number is not None:
            numbers = OUT_OF.get(name, (entry.number,))
            yield _figure(printed, entry.measure, entry.by, entry.period, numbers)
    for measure, period, number in _levels(printed):
        yield _figure(printed, measure, {}, period, (number,))
    for name, note in NOTES.items():
        yield put(STREAM, "return.note", f"note|{name}", _meeting_ms(printed), json.dumps(note)[1:-1])


def _levels(printed: Printed) -> Iterator[tuple[str, str, float]]:
    """Levels that follow by arithmetic from a printed change."""
    change = printed.number("enforcements_change")
    before = round(change / printed.number("enforcements_percent") * 100)
    yield "speed_enforcements", YEAR, before + change
    yield "speed_enforcements", BEFORE, before
    for measure, name, change_name in (
        ("action_fraud_cases", "fraud_cases", "fraud_cases_change"),
        ("fraud_investigations", "investigations", "investigations_change"),
        ("crimes_prosecuted", "prosecuted", "prosecuted_change"),
        ("crimes_convicted", "convicted", "convicted_change"),
    ):
        yield measure, BEFORE, round(printed.number(name) - printed.number(change_name), 1)


def _figure(
    printed: Printed, measure: str, by: Mapping[str, str], period: str, numbers: tuple[float, ...]
) -> Simulated:
    as_at = period if period in OWN_AS_AT else printed.as_at
    data = {
        "measure": measure, "period": period, "as_at": as_at, "by": dict(by), "reported_by": "published report",
        **dict(zip(("numerator", "denominator"), map(_plain, numbers), strict=False)),
    }  # fmt: skip
    return put(
        STREAM, "return.figure", f"{names.series(measure, by)}|{period}", _meeting_ms(printed), json.dumps(data)[1:-1]
    )


def _meeting_ms(printed: Printed) -> int:
    return to_ms(f"{printed.as_at}T09:00:00Z")


def _plain(number: float) -> float:
    return int(number) if float(number).is_integer() else number
