"""The year's calls: joined the queue, and answered or abandoned. On 999 everybody is answered; the 28% are of 101.

Waits have the printed means over an exponential distribution, which is an assumption.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from watchroom.simulator.envelope import Simulated
from watchroom.simulator.published_year.even import Allocation, Year, exponential
from watchroom.simulator.published_year.levels import Contact
from watchroom.simulator.published_year.printed import Printed
from watchroom.simulator.published_year.putting import put, token_of

STREAM: Final = "calls"
BUSY_MONTH, BUSY = "2021-07", 1.3  # "exceptional volumes" in July 2021; how much is assumed
SHORT_MS: Final = 60_000
LONG_MEAN_MS: Final = 240_000  # waited beyond a minute before it was abandoned; assumed
WITHHELD: Final = 0.05  # assumed
HOSPITALS: Final = (0.006, 0.0055, 0.005, 0.0045, 0.004)  # parts of the calls on 101; five, as printed; parts assumed
CLASSES: Final = ("non_emergency", "non_emergency", "general_enquiry", "non_emergency")  # of 101; assumed


class _Line(NamedTuple):
    name: str
    number: int
    mean_ms: float
    abandoned_within: int
    abandoned: int


def emergency_calls(year: Year, printed: Printed, level: Contact) -> Iterator[Simulated]:
    """999, busier in July."""
    line = _Line("999", level.emergency, printed.number("emergency_answer_time") * 1000, 0, 0)
    yield from _calls(line, year, year.busier(BUSY_MONTH, BUSY).position, printed, level)


def non_emergency_calls(year: Year, printed: Printed, level: Contact) -> Iterator[Simulated]:
    """101, the same all year."""
    mean_ms = printed.number("non_emergency_answer_time") * 1000
    line = _Line("101", level.non_emergency, mean_ms, level.abandoned_within, level.abandoned)
    yield from _calls(line, year, float, printed, level)


def outgoing_calls(year: Year, level: Contact) -> Iterator[Simulated]:
    """Calls that the force makes: they are in the measures of classes only."""
    for i in range(level.outgoing):
        at_ms = year.moment((i + 0.5) / level.outgoing)
        yield put(STREAM, "call.presented", f"c-out-{i}", at_ms, '"direction":"outbound","class":"outgoing"')


def _calls(
    line: _Line, year: Year, position: Callable[[float], float], printed: Printed, level: Contact
) -> Iterator[Simulated]:
    """Calls whose positions in the year are those of even demand, changed by `position`."""
    answered = line.number - line.abandoned
    ends = Allocation(
        [(answered, "answered"), (line.abandoned_within, "short"), (line.abandoned - line.abandoned_within, "long")], 0
    )
    callers = _Callers(line, printed, level)
    for i in range(line.number):
        end = ends.at(i)
        if end.what == "answered":
            wait_ms = exponential(end.quantile, line.mean_ms)
        elif end.what == "short":
            wait_ms = end.quantile * SHORT_MS
        else:
            wait_ms = SHORT_MS + 1 + exponential(end.quantile, LONG_MEAN_MS)
        queued_ms = year.moment(position((i + 0.5) / line.number), wait_ms)
        subject = f"c-{line.name}-{i}"
        class_ = "emergency" if line.name == "999" else CLASSES[i % len(CLASSES)]
        yield put(STREAM, "call.queued", subject, queued_ms, f'"line":"{line.name}","class":"{class_}"{callers.at(i)}')
        kind = "call.answered" if end.what == "answered" else "call.abandoned"
        yield put(STREAM, kind, subject, queued_ms + round(wait_ms))


class _Callers:
    """Callers: 13% of the calls and of the different numbers are landlines, five of them hospitals'."""

    def __init__(self, line: _Line, printed: Printed, level: Contact) -> None:
        withheld = round(line.number * WITHHELD)
        landline = round((line.number - withheld) * printed.number("landline_share") / 100)
        self._types = Allocation(
            [(withheld, "withheld"), (landline, "landline"), (line.number - withheld - landline, "mobile")], 1
        )
        hospitals = HOSPITALS if line.name == "101" else ()
        self._hospital_calls = [
            number for number, part in enumerate(hospitals) for _ in range(round(part * line.number))
        ]
        self._pool = {"landline": level.landlines - len(HOSPITALS), "mobile": level.mobiles}

    def at(self, i: int) -> str:
        found = self._types.at(i)
        if found.what == "withheld":
            return ',"cli_type":"withheld"'
        if found.what == "landline" and found.number < len(self._hospital_calls):
            who, org = f"hospital {self._hospital_calls[found.number]}", ',"caller_org":"hospital"'
        else:
            who, org = f"{found.what} {found.number % self._pool[found.what]}", ""
        return f',"cli_type":"{found.what}","caller_token":"{token_of(who)}"{org}'
