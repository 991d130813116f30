"""The names of Redis fields and Prometheus metrics, which are built only here.

A *series* is one measure with one set of label values, written `measure|label=value,label=value`;
a *field* of a bucket is a series and what is counted: `call_volume|line=999|count`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from watchroom.kinds.measure import Measure

METRIC_PREFIX = "watchroom_"

COUNT = "count"  # the field of a count, and of the orphans
PERIOD = "period"  # of a figure: one more label in its fields
ORPHANS = "orphans"  # entities without their first event; label topic


class FieldName(NamedTuple):
    """The parts of a bucket field."""

    measure: str
    by: dict[str, str]
    field: str


def series(measure: str, by: Mapping[str, str]) -> str:
    """`measure|label=value,...`, labels in the order of `by`."""
    return f"{measure}|" + ",".join(f"{name}={value}" for name, value in by.items())


def series_behind(measure: Measure, by: Mapping[str, str], *, by_area: bool = True) -> tuple[str, ...]:
    """The series whose integers make up a measure with these label values: its own, or those that a sum adds up.

    Args:
        measure: The entry.
        by: One of its label sets.
        by_area: Whether the series of a sum are by area, as they are stored, or for all areas together.
    """
    if not measure.sum_of:
        return (series(measure.id, by),)
    return tuple(
        series(each.measure.id, of)
        for each in measure.sum_of
        for of in each.measure.label_sets(by_area=by_area)
        if each.holds(of) and by.items() <= of.items()
    )


def parse_series(text: str) -> tuple[str, dict[str, str]]:
    """Measure and labels of a series."""
    measure, _, labels = text.partition("|")
    return measure, dict(pair.split("=", 1) for pair in labels.split(",") if pair)


def field(series_name: str, what: str) -> str:
    """The bucket field for one series."""
    return f"{series_name}|{what}"


def token_day(measure: str, day: str) -> str:
    """The hash of a measure's tokens on one day of the reporting zone."""
    return f"{measure}:day:{day}"


def token_month(measure: str, month: str) -> str:
    """The hash of a measure's tokens in one month of the reporting zone."""
    return f"{measure}:month:{month}"


def parse_field(text: str) -> FieldName:
    """Inverse of `field`."""
    series_name, _, what = text.rpartition("|")
    measure, by = parse_series(series_name)
    return FieldName(measure, by, what)


def metric(measure: str, suffix: str = "") -> str:
    """Prometheus name: `watchroom_<id>` or `watchroom_<id>_<suffix>`."""
    return f"{METRIC_PREFIX}{measure}_{suffix}" if suffix else f"{METRIC_PREFIX}{measure}"
