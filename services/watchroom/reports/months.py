"""`watchroom months`: every month as it stands, and as it was published."""

from __future__ import annotations

from collections.abc import Collection

from watchroom.errors import ConfigurationInvalid, Fault
from watchroom.reports.collect import Collector
from watchroom.reports.rows import Row
from watchroom.settings import Settings


def months(settings: Settings, *, only: Collection[str] = (), measures: Collection[str] = ()) -> list[Row]:
    """Rows of every month that holds anything, with what was published and how often it changed since.

    Args:
        settings: Which Redis, force and catalogue.
        only: Months to show (`2021-11`); empty: all.
        measures: Measures to show; empty: all.

    Raises:
        ConfigurationInvalid: A measure that the catalogue does not have, or a catalogue that cannot be used.
        RebuildNeeded: Redis was filled under other definitions.
        StoreUnavailable: Redis did not answer.
        WorkFailed: Redis holds nothing.
    """
    collector = Collector.of(settings)
    known = collector.catalogue.measures
    if unknown := [name for name in measures if name not in known]:
        raise ConfigurationInvalid([Fault("--measure", "", repr(n), f"one of {', '.join(known)}") for n in unknown])
    try:
        collector.check()
        rows = collector.months(only or None, published=True)
    finally:
        collector.reader.close()
    return [row for row in rows if not measures or row["measure"] in measures]


def restatements(settings: Settings, *, only: Collection[str] = ()) -> list[dict[str, object]]:
    """The log itself: each change to a closed month, in the order in which it was applied.

    Raises: as `months`.
    """
    collector = Collector.of(settings)
    try:
        collector.check()
        reader = collector.reader
        wanted = [month for month in reader.months() if not only or month in only]
        return [dict(entry._asdict()) for month in wanted for entry in reader.restatements(month)]
    finally:
        collector.reader.close()
