"""`watchroom months`: every month as it stands, and as it was published."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from watchroom.errors import ConfigurationInvalid, Fault
from watchroom.kinds.names import ORPHANS
from watchroom.reports.collect import Collector
from watchroom.reports.rows import AsOf, Row
from watchroom.rolling.calendar import is_month
from watchroom.settings import Settings


class Months(NamedTuple):
    """The rows, and by stream up to when everything is in them (ms since the epoch; None: not known)."""

    rows: list[Row]
    as_of: AsOf


def months(settings: Settings, *, only: Collection[str] = (), measures: Collection[str] = ()) -> list[Row]:
    """The rows of `read_months`."""
    return read_months(settings, only=only, measures=measures).rows


def read_months(settings: Settings, *, only: Collection[str] = (), measures: Collection[str] = ()) -> Months:
    """Rows of every month that holds anything, with what was published and how often it changed since.

    Args:
        settings: Which Redis, force and catalogue.
        only: Months to show (`2021-11`); empty: all.
        measures: Measures to show; empty: all.

    Raises:
        ConfigurationInvalid: No month, a measure that the catalogue does not have, a catalogue that cannot be used.
        RebuildNeeded: Redis was filled under other definitions.
        StoreUnavailable: Redis did not answer.
        WorkFailed: Redis holds nothing.
    """
    collector = Collector.of(settings)
    _check_asked(only, measures, known=(*collector.catalogue.measures, ORPHANS))
    try:
        collector.check()
        as_of = collector.as_of()  # before the rows: they then hold at least what it says
        rows = collector.months(only or None, as_of, published=True)
    finally:
        collector.reader.close()
    return Months([row for row in rows if not measures or row["measure"] in measures], as_of)


def restatements(settings: Settings, *, only: Collection[str] = ()) -> list[dict[str, object]]:
    """The log itself: each change to a closed month, in the order in which it was applied.

    Raises: as `months`.
    """
    collector = Collector.of(settings)
    _check_asked(only)
    try:
        collector.check()
        reader = collector.reader
        wanted = [month for month in reader.months() if not only or month in only]
        return [dict(entry._asdict()) for month in wanted for entry in reader.restatements(month)]
    finally:
        collector.reader.close()


def _check_asked(only: Collection[str], measures: Collection[str] = (), known: Collection[str] = ()) -> None:
    """Raise ConfigurationInvalid with everything asked for that cannot be."""
    faults = [Fault("--month", "", repr(text), "a month such as 2021-04") for text in only if not is_month(text)]
    one_of = f"one of {', '.join(known)}"
    faults += [Fault("--measure", "", repr(name), one_of) for name in measures if name not in known]
    if faults:
        raise ConfigurationInvalid(faults)
