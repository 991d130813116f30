"""The months that the published year is compared with, as CSV for `watchroom months import`, one file per baseline.

A year's level is divided evenly over its months. The months that `2018/19` and `pre-covid` share are the same in both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from watchroom.command_output import as_csv
from watchroom.rolling.calendar import Calendar
from watchroom.simulator.published_year import contacts
from watchroom.simulator.published_year.crimes import counted
from watchroom.simulator.published_year.even import shared
from watchroom.simulator.published_year.levels import contact, crime
from watchroom.simulator.published_year.printed import Printed

NAMES: Final = ("2018/19", "pre-covid", "previous")
LABELS: Final = ("line", "channel", "grade", "acquisitive_part", "group")
COLUMNS: Final = ("month", "measure", *LABELS, "field", "value")
ROBBERY: Final = ("robbery_of_business_property", "robbery_of_personal_property")
ACQUISITIVE: Final = (
    "domestic_burglary", "non_domestic_burglary", *ROBBERY, "theft_from_a_vehicle", "theft_of_a_motor_vehicle",
    "theft_from_the_person",
)  # fmt: skip
SHARED: Final = 9  # months from March to November 2019


class _Of(NamedTuple):
    """A year's whole number of a measure."""

    measure: str
    by: Mapping[str, str]
    field: str
    total: int


def baseline_csv(name: str, printed: Printed, scale: float) -> str:
    """The file of one baseline.

    Args:
        name: One of `NAMES`.
        printed: The published report.
        scale: That of calls and contacts.
    """
    return as_csv(_OF[name](printed, scale), COLUMNS)


def _months(first: str) -> tuple[str, ...]:
    return tuple(Calendar.months_after(first, number) for number in range(12))


def _rows(months: tuple[str, ...], levels: Iterable[_Of]) -> Iterator[dict[str, str]]:
    for level in levels:
        for month, number in shared(level.total, dict.fromkeys(months, 1.0)).items():
            yield _row(month, level, number)


def _row(month: str, level: _Of, number: int) -> dict[str, str]:
    return {"month": month, "measure": level.measure, **level.by, "field": level.field, "value": str(number)}


def _before(printed: Printed, scale: float) -> Iterator[dict[str, str]]:
    """December 2018 to November 2019."""
    level = contact(printed, scale)
    levels = [
        _Of("call_volume", {"line": "999"}, "count", level.emergency_before),
        _Of("call_volume", {"line": "101"}, "count", level.non_emergency_before),
    ]
    by_channel = shared(level.digital_before, contacts.BEFORE) | {contacts.PARTNER: level.partner}
    levels += [_Of("contact_volume", {"channel": name}, "count", count) for name, count in by_channel.items()]
    levels.append(_Of("non_emergency_contacts", {}, "count", level.non_emergency_before + level.digital_before))
    months = _months("2018-12")
    yield from _rows(months, levels)
    yield from _acquisitive(printed, months, {})


def _precovid(printed: Printed, _: float) -> Iterator[dict[str, str]]:
    """March 2019 to February 2020."""
    level = crime(printed)
    months = _months("2019-03")
    now = counted(printed, "group")
    known = {"sexual_offences": level.sexual_before, "robbery": level.robbery_before}
    others = {name: float(count) for name, count in now.items() if name not in known}
    by_group = known | shared(level.all_before - sum(known.values()), others)
    levels = [_Of("crime_recorded", {"group": name}, "count", count) for name, count in by_group.items()]
    levels.append(_Of("crime_robbery", {}, "count", level.robbery_before))
    yield from _rows(months, levels)
    first = _by_part(printed, level.acquisitive_before)
    then = {
        part: total - sum(list(shared(first[part], dict.fromkeys(_months("2018-12"), 1.0)).values())[-SHARED:])
        for part, total in _by_part(printed, level.acquisitive_precovid).items()
    }
    yield from _acquisitive(printed, months, then)


def _by_part(printed: Printed, total: int) -> dict[str, int]:
    now = counted(printed, "subgroup")
    return shared(total, {part: float(now[part]) for part in ACQUISITIVE})


def _acquisitive(printed: Printed, months: tuple[str, ...], then: Mapping[str, int]) -> Iterator[dict[str, str]]:
    """Months of 2018/19 as they are there; the rest of each part is spread over the three months after them."""
    of_2018 = _months("2018-12")
    for part, total in _by_part(printed, crime(printed).acquisitive_before).items():
        level = _Of("crime_acquisitive", {"acquisitive_part": part}, "count", total)
        known = shared(total, dict.fromkeys(of_2018, 1.0))
        later = [month for month in months if month not in known]
        known |= shared(then[part], dict.fromkeys(later, 1.0)) if later else {}
        yield from (_row(month, level, known[month]) for month in months)


def _previous(printed: Printed, scale: float) -> Iterator[dict[str, str]]:
    """December 2019 to November 2020: times and rates, of as many as in the year itself."""
    level = contact(printed, scale)
    answered = {"emergency": ("999", level.emergency), "non_emergency": ("101", level.non_emergency - level.abandoned)}
    levels: list[_Of] = []
    for name, (line, count) in answered.items():
        sum_ms = round(count * printed.number(f"{name}_answer_time_before") * 1000)
        levels += _mean("call_answer_time", {"line": line}, count, sum_ms)
    attended = 9_000  # assumed, as the two below
    mean_s = printed.number("grade_3_time") - printed.number("grade_3_change")
    levels += _mean("incident_attendance_time", {"grade": "3"}, attended, round(attended * mean_s * 1000))
    outcomes = crime(printed).all_before
    for measure, now, change in (
        ("crime_resolved", "resolved", "resolved_change"),
        ("crime_victim_does_not_support", "outcome_16", "outcome_16_change"),
        ("crime_unable_to_progress", "unable", "unable_change"),
    ):
        part = round(outcomes * (printed.number(now) - printed.number(change)) / 100)
        levels += [_Of(measure, {}, "part", part), _Of(measure, {}, "whole", outcomes)]
    yield from _rows(_months("2019-12"), levels)


def _mean(measure: str, by: Mapping[str, str], count: int, sum_ms: int) -> Iterator[_Of]:
    yield _Of(measure, by, "observations", count)
    yield _Of(measure, by, "sum_ms", sum_ms)


_OF: Final[Mapping[str, Callable[[Printed, float], Iterator[dict[str, str]]]]] = {
    "2018/19": _before,
    "pre-covid": _precovid,
    "previous": _previous,
}
