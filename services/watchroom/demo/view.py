"""What the demo shows, from the exporter's page. Pure: text in, rows out.

An absent number is never shown as 0: a measure that is withheld reads NO DATA, and a mean of no calls reads "none".
Numbers are cut, not rounded, as on the board: 9.96 s is not 10 s, and only all are 100 %.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from watchroom.catalogue.formatting import NO_DATA
from watchroom.catalogue.metrics import NOT_WAITED_FOR
from watchroom.streams import calls, contacts, crimes, incidents
from watchroom.wording import duration

NONE: Final = "none"
LINES: Final = ("999", "101")
GRADES: Final = {"1": "Grade 1", "2": "Grade 2", "3": "Grade 3", "ungraded": "not graded"}
_PUBLISHED: Final = {  # a metric of each simulated stream that is published as soon as the stream is
    calls.STREAM.name: "call_volume",
    contacts.STREAM.name: "contact_volume",
    incidents.STREAM.name: "incidents_unattended",
    crimes.STREAM.name: "crime_recorded",
}
_NOT_WAITED_FOR: Final = tuple(f".{stream}" for stream in NOT_WAITED_FOR)
_READ: Final = tuple(
    f"watchroom_{name}"
    for name in (
        "call_answer_time", "call_abandonment", "call_volume{", "contact_volume{", "crime_recorded{", "calls_waiting",
        "incidents_un", "incident_attendance_time", "applied_timestamp_seconds", "dead_letters", "stream_fed",
    )
)  # fmt: skip


class Page:
    """The samples of a /metrics page that the demo needs."""

    def __init__(self, text: str) -> None:
        self._samples: dict[str, list[tuple[Mapping[str, str], float]]] = {}
        read = "".join(f"{line}\n" for line in text.splitlines() if line.startswith(_READ))
        for family in text_string_to_metric_families(read):
            for sample in family.samples:
                self._samples.setdefault(sample.name, []).append((sample.labels, sample.value))

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
        """Their sum; None if there is no sample."""
        found = self.values(name, **labels)
        return sum(found) if found else None

    @property
    def applied_s(self) -> float | None:
        """Up to when the slowest partition that is waited for is applied, in seconds since the epoch."""
        found = self.labelled("applied_timestamp_seconds")
        return min((at for labels, at in found if not labels["topic"].endswith(_NOT_WAITED_FOR)), default=None)

    @property
    def live(self) -> bool:
        """Whether the measures of all streams that are fed are published."""
        return all(self.values(name) for stream, name in _PUBLISHED.items() if self.feeds(stream))

    def feeds(self, stream: str) -> bool:
        """Whether the force feeds this stream; true as long as the page does not say."""
        return self.total("stream_fed", stream=stream) != 0


class View(NamedTuple):
    """The rows of each line and each grade, and the age of the data.

    A stream that is not fed has no lines or grades.
    """

    calls: Mapping[str, Mapping[str, str]]
    incidents: Mapping[str, Mapping[str, str]]
    data_age_s: float | None
    dead_letters: int


def view(text: str, now_s: float) -> View:
    """The view of a page that was read at `now_s` (seconds since the epoch)."""
    page = Page(text)
    return View(
        calls={line: _of_line(page, line) for line in LINES if page.feeds(calls.STREAM.name)},
        incidents={name: _of_grade(page, grade) for grade, name in GRADES.items() if page.feeds(incidents.STREAM.name)},
        data_age_s=None if page.applied_s is None else max(0.0, now_s - page.applied_s),
        dead_letters=round(page.total("dead_letters") or 0),
    )


def _of_line(page: Page, line: str) -> dict[str, str]:
    found = {
        "waiting": _number(page.total("calls_waiting", line=line)),
        "longest wait": _oldest(page, "calls_waiting", line=line),
    }
    for name, window in (("5 min", "5m"), ("1 h", "1h"), ("28 d", "28d")):
        answered = page.total("call_answer_time_observations", line=line, window=window)
        within = page.total("call_answer_time_within", line=line, window=window)
        mean_s = page.total("call_answer_time_mean_seconds", line=line, window=window)
        found[f"{name}: under 10 s"] = NO_DATA if answered is None else f"{_number(within, '-')} of {answered:,.0f}"
        found[f"{name}: mean"] = _mean(mean_s, is_known=answered is not None)
    of = {"line": line, "window": "28d"}
    found["28 d: abandoned"] = _percent(
        page.total("call_abandonment_part", **of), page.total("call_abandonment_whole", **of)
    )
    return found


def _of_grade(page: Page, grade: str) -> dict[str, str]:
    of = {"grade": grade, "window": "28d"}
    within = page.total("incident_attendance_time_within", **of)
    attended = page.total("incident_attendance_time_observations", **of)
    means = [  # of the areas, each with the number of its attended incidents
        (mean_s, page.total("incident_attendance_time_observations", **labels) or 0.0)
        for labels, mean_s in page.labelled("incident_attendance_time_mean_seconds", **of)
    ]
    weight = sum(count for _, count in means)
    mean_s = sum(mean_s * count for mean_s, count in means) / weight if weight else None
    return {
        "not attended": _number(page.total("incidents_unattended", grade=grade)),
        "nobody assigned": _number(page.total("incidents_unresourced", grade=grade)),
        "oldest": _oldest(page, "incidents_unattended", grade=grade),
        "due in 15 min": _number(page.total("incidents_unattended_due", grade=grade, within="15m"), absent="-"),
        "overdue": _number(page.total("incidents_unattended_overdue", grade=grade), absent="-"),
        "28 d: within target": "-" if within is None and attended is not None else _percent(within, attended),
        "28 d: mean": _mean(mean_s, is_known=attended is not None),
    }


def _mean(mean_s: float | None, *, is_known: bool) -> str:
    """A mean time; `is_known`: whether it is known of how many."""
    if mean_s is not None:
        return duration(mean_s, tenths=True)
    return NONE if is_known else NO_DATA


def _oldest(page: Page, name: str, **labels: str) -> str:
    found = page.values(f"{name}_oldest_seconds", **labels)
    return _mean(max(found) if found else None, is_known=page.total(name, **labels) is not None)


def _percent(part: float | None, whole: float | None) -> str:
    if whole == 0:
        return NONE
    if part is None or whole is None:
        return NO_DATA
    percent = "<1" if 0 < part < whole / 100 else f"{100 * part // whole:.0f}"
    return f"{percent}% of {whole:,.0f}"


def _number(value: float | None, absent: str = NO_DATA) -> str:
    return absent if value is None else f"{value:,.0f}"
