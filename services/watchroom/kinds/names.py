"""Every derived name, made here and nowhere else: Redis fields and Prometheus metrics.

A *series* is one measure under one set of label values, written `measure|label=value,label=value`;
a *field* of a bucket is a series and what is counted: `call_volume|line=999|count`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

METRIC_PREFIX = "watchroom_"
_BETWEEN_WORDS = re.compile(r"[\s_\-/&(),.']+")
_LETTER = re.compile(r"[a-z]")

COUNT = "count"  # the field of a count, and of the orphans
PERIOD = "period"  # of a figure: stands in its fields as one more label
ORPHANS = "orphans"  # entities without their first event; label topic


class FieldName(NamedTuple):
    """A bucket field taken apart."""

    measure: str
    by: dict[str, str]
    field: str


def slug(text: str) -> str:
    """The form in which a feed's text is looked up among listed values: lower case, words joined by `_`.

    "Public order" and "public-order" are public_order, "Stoke-on-Trent (North)" is stoke_on_trent_north. Signs and
    letters of other scripts stay, so that grade "-1" or "É1" is no grade 1: such a text is listed nowhere.
    """
    joined = _BETWEEN_WORDS.sub("_", text.strip().lower())
    return joined.strip("_") if _LETTER.search(joined) else joined


def series(measure: str, by: Mapping[str, str]) -> str:
    """`measure|label=value,...`, labels in the order of `by`."""
    return f"{measure}|" + ",".join(f"{name}={value}" for name, value in by.items())


def parse_series(text: str) -> tuple[str, dict[str, str]]:
    """Measure and labels of a series."""
    measure, _, labels = text.partition("|")
    return measure, dict(pair.split("=", 1) for pair in labels.split(",") if pair)


def field(series_name: str, what: str) -> str:
    """The bucket field for one series."""
    return f"{series_name}|{what}"


def parse_field(text: str) -> FieldName:
    """Inverse of `field`."""
    series_name, _, what = text.rpartition("|")
    measure, by = parse_series(series_name)
    return FieldName(measure, by, what)


def metric(measure: str, suffix: str = "") -> str:
    """Prometheus name: `watchroom_<id>` or `watchroom_<id>_<suffix>`."""
    return f"{METRIC_PREFIX}{measure}_{suffix}" if suffix else f"{METRIC_PREFIX}{measure}"
