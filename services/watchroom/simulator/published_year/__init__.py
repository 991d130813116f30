"""The published year as events: December 2020 to November 2021. Its true figures are those in the report.

In: `schemas/published_year.toml` (the printed numbers). Out: the same events every time, in the order of arrival, and
the months with which the year is compared (`baselines`). Pure except for reading the table. It may import `simulator`
and what that may import.

Start with `printed` (the table), then `levels` (derived and assumed numbers), `even` (spreading exact counts over a
year), then one module for each stream.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from operator import attrgetter

from watchroom.rolling.calendar import Calendar
from watchroom.simulator.envelope import Simulated
from watchroom.simulator.published_year.baselines import NAMES, baseline_csv
from watchroom.simulator.published_year.calls import emergency_calls, non_emergency_calls, outgoing_calls
from watchroom.simulator.published_year.contacts import contacts
from watchroom.simulator.published_year.crimes import crimes
from watchroom.simulator.published_year.even import Year
from watchroom.simulator.published_year.incidents import incidents
from watchroom.simulator.published_year.levels import TENTH, contact
from watchroom.simulator.published_year.printed import Entry, Printed, load_printed
from watchroom.simulator.published_year.returns import returns

__all__ = ["NAMES", "TENTH", "Entry", "Printed", "baseline_csv", "load_printed", "published_year"]


def published_year(printed: Printed, *, zone: str, scale: float = 1.0) -> Iterator[Simulated]:
    """The events, roughly in the order of their arrival: an entity's later events come together with its first.

    Args:
        printed: The published report.
        zone: Reporting zone of the months.
        scale: Fraction of the calls and contacts; incidents, crimes and figures are always complete.
    """
    year = Year(Calendar(zone), printed.first_month, printed.last_month)
    level = contact(printed, scale)
    return merge(
        emergency_calls(year, printed, level),
        non_emergency_calls(year, printed, level),
        outgoing_calls(year, level),
        contacts(year, level),
        incidents(year, printed),
        crimes(year, printed),
        returns(printed),
        key=attrgetter("arrival_ms"),
    )
