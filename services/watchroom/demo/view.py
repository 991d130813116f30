"""What the demo shows, made from the exporter's page. Pure: text in, rows out.

An absent number is never shown as 0: a measure that is withheld reads NO DATA, and a mean of no
calls reads "none". Numbers are cut, not rounded, as on the board: 9.96 s is not 10 s, and only all are 100 %.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from watchroom.catalogue.metrics import NOT_WAITED_FOR
from watchroom.streams import calls, contacts, crimes, incidents
from watchroom.wording import duration

NO_DATA = "NO DATA"
NONE = "none"
LINES = ("999", "101")
GRADES = {"1": "Grade 1", "2": "Grade 2", "3": "Grade 3", "ungraded": "not graded"}
CALL_ROWS = (
    "waiting", "longest wait", "5 min: under 10 s", "5 min: mean", "1 h: under 10 s", "1 h: mean",
    "28 d: under 10 s", "28 d: mean", "28 d: abandoned",
)  # fmt: skip
INCIDENT_ROWS = (
    "not attended", "nobody assigned", "oldest", "due in 15 min", "overdue", "28 d: in target", "28 d: mean",
)  # fmt: skip
_PUBLISHED: Final = {  # a metric of each simulated stream that is published as soon as the stream is
    calls.STREAM.name: "call_volume",
    contacts.STREAM.name: "contact_volume",
    incidents.STREAM.name: "incidents_unattended",
    crimes.STREAM.name: "crime_recorded",
}
_NOT_WAITED_FOR: Final = tuple(f".{stream}" for stream in NOT_WAITED_FOR)
_WANTED = re.compile(
    r"watchroom_(?:call_answer_time|call_abandonment|call_volume\b|contact_volume\b|crime_recorded\b|calls_waiting|"
    r"incidents_un\w+|incident_attendance_time|applied_timestamp_seconds|dead_letters|stream_fed)"
)
_LABEL = re.compile(r'(\w+)="([^"]*)"')


class Page:
    """The samples of a /metrics page that the demo needs."""

    def __init__(self, text: str) -> None:
        self._samples: dict[str, list[tuple[Mapping[str, str], float]]] = {}
        for line in text.splitlines():
            if _WANTED.match(line):
                series, _, number = line.rpartition(" ")
                name, _, labels = series.partition("{")
                self._samples.setdefault(name, []).append((dict(_LABEL.findall(labels)), float(number)))

    def labelled(self, name: str, **labels: str) -> list[tuple[Mapping[str, str], float]]:
        """All samples of a metric whose labels include these, with all their labels."""
        wanted = labels.items()
        return [
            (found, value) for found, value in self._samples.get(f"watchroom_{name}", ()) if wanted <= found.items()
        ]

    def values(self, name: str, **labels: str) -> list[float]:
        """Their values."""
        return [value for _, value in self.labelled(name, **labels)]

    def total(self, name: str, **labels: str) -> float | None:
        """Their sum; None where there is none."""
        found = self.values(name, **labels)
        return sum(found) if found else None

    @property
    def applied_s(self) -> float | None:
        """As of when the slowest partition that is waited for is, seconds since the epoch."""
        found = self.labelled("applied_timestamp_seconds")
        return min((at for labels, at in found if not labels["topic"].endswith(_NOT_WAITED_FOR)), default=None)

    @property
    def live(self) -> bool:
        """Whether the measures of all streams that are fed are published."""
        return all(self.values(name) for stream, name in _PUBLISHED.items() if self.feeds(stream))

    def feeds(self, stream: str) -> bool:
        """Whether the force feeds this stream; so it is believed while the page says nothing."""
        return self.total("stream_fed", stream=stream) != 0


class View(NamedTuple):
    """The numbers by line and by grade, in the order of the rows above, and the age of the data.

    A stream that is not fed has no lines or grades.
    """

    calls: Mapping[str, tuple[str, ...]]
    incidents: Mapping[str, tuple[str, ...]]
    data_age_s: float | None
    dead_letters: int


def view(text: str, now_s: float) -> View:
    """What a page says that was read at `now_s` (seconds since the epoch)."""
    page = Page(text)
    return View(
        calls={line: _line(page, line) for line in LINES if page.feeds(calls.STREAM.name)},
        incidents={name: _grade(page, grade) for grade, name in GRADES.items() if page.feeds(incidents.STREAM.name)},
        data_age_s=None if page.applied_s is None else max(0.0, now_s - page.applied_s),
        dead_letters=round(page.total("dead_letters") or 0),
    )


def _line(page: Page, line: str) -> tuple[str, ...]:
    windows = [
        text for window in ("5m", "1h", "28d") for text in (_under(page, line, window), _answer(page, line, window))
    ]
    return (
        _number(page.total("calls_waiting", line=line)),
        _oldest(page, "calls_waiting", line=line),
        *windows,
        _share(page, "call_abandonment", line=line, window="28d"),
    )


def _grade(page: Page, grade: str) -> tuple[str, ...]:
    within = page.total("incident_attendance_time_within", grade=grade, window="28d")
    attended = page.total("incident_attendance_time_observations", grade=grade, window="28d")
    return (
        _number(page.total("incidents_unattended", grade=grade)),
        _number(page.total("incidents_unresourced", grade=grade)),
        _oldest(page, "incidents_unattended", grade=grade),
        _number(page.total("incidents_unattended_due", grade=grade, within="15m"), absent="-"),
        _number(page.total("incidents_unattended_overdue", grade=grade), absent="-"),
        "-" if within is None and attended is not None else _percent(within, attended),
        _mean(page, grade),
    )


def _under(page: Page, line: str, window: str) -> str:
    """`17 of 21`: calls answered within the target, of those answered."""
    answered = page.total("call_answer_time_observations", line=line, window=window)
    within = page.total("call_answer_time_within", line=line, window=window)
    if answered is None:
        return NO_DATA
    return f"{within:,.0f} of {answered:,.0f}" if within is not None else f"- of {answered:,.0f}"


def _answer(page: Page, line: str, window: str) -> str:
    mean = page.total("call_answer_time_mean_seconds", line=line, window=window)
    if mean is not None:
        return duration(mean, tenths=True)
    return NO_DATA if page.total("call_answer_time_observations", line=line, window=window) is None else NONE


def _mean(page: Page, grade: str) -> str:
    """Mean over the areas, each weighted by its attended incidents."""
    total = weight = 0.0
    for labels, mean in page.labelled("incident_attendance_time_mean_seconds", grade=grade, window="28d"):
        count = page.total("incident_attendance_time_observations", **labels) or 0.0
        total, weight = total + mean * count, weight + count
    if weight:
        return duration(total / weight, tenths=True)
    known = page.total("incident_attendance_time_observations", grade=grade, window="28d") is not None
    return NONE if known else NO_DATA


def _oldest(page: Page, name: str, **labels: str) -> str:
    if page.total(name, **labels) is None:
        return NO_DATA
    found = page.values(f"{name}_oldest_seconds", **labels)
    return duration(max(found), tenths=True) if found else NONE


def _share(page: Page, name: str, **labels: str) -> str:
    whole = page.total(f"{name}_whole", **labels)
    if whole == 0:
        return NONE
    return _percent(page.total(f"{name}_part", **labels), whole)


def _percent(part: float | None, whole: float | None) -> str:
    if part is None or whole is None:
        return NO_DATA
    if not whole:
        return NONE
    percent = "<1" if 0 < part < whole / 100 else f"{100 * part // whole:.0f}"
    return f"{percent}% of {whole:,.0f}"


def _number(value: float | None, absent: str = NO_DATA) -> str:
    return absent if value is None else f"{value:,.0f}"
