"""Rows of months: as they are now and as they were published (`watchroom months`), or what a replay changed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from typing import NamedTuple

from watchroom.entered import month_faults, name_faults
from watchroom.errors import ConfigurationInvalid, Fault
from watchroom.kinds.names import ORPHANS
from watchroom.reports.collect import Collector
from watchroom.reports.held import AsOf
from watchroom.reports.rows import Row, topic_of
from watchroom.settings import Settings
from watchroom.store.compatibility import warn_refused
from watchroom.streams import STREAMS


class Months(NamedTuple):
    """The rows, and by stream until when they are complete (ms since the epoch; None: unknown)."""

    rows: list[Row]
    as_of: AsOf


def read_months(
    settings: Settings,
    *,
    only: Collection[str] = (),
    measures: Collection[str] = (),
    warn: Callable[[str], None] = lambda _: None,
) -> Months:
    """Rows of every month in Redis, with what was published and how often it changed since.

    Args:
        settings: Which Redis, force and catalogue.
        only: Months to show (`2021-11`); empty: all.
        measures: Measures to show; empty: all.
        warn: Called with a sentence on each stream that is left out, because Redis holds it under another definition.

    Raises:
        ConfigurationInvalid: Not a month, a month that is not held, a measure that the catalogue does not have, or a
            catalogue that cannot be used.
        RebuildNeeded: Redis holds every stream, or that of a measure asked for, under another definition.
        StoreUnavailable: Redis did not answer.
        WorkFailed: Redis holds nothing.
    """
    collector = Collector(settings)
    known = collector.catalogue.measures
    _check_request(only, measures, known=(*known, ORPHANS))
    with closing(collector.reader):
        found = collector.check(stream for name in measures if name in known for stream in known[name].streams)
        warn_refused(found, warn)
        _check_held(only, collector.reader.months())
        as_of = collector.as_of()  # read before the rows, which then contain at least this much
        rows = collector.months(only or None, as_of, published=True)
    refused = {measure.id for measure in known.values() if not found.refused.keys().isdisjoint(measure.streams)}
    topics = found.refused_topics(settings)
    shown = [row for row in rows if row["measure"] not in refused and topic_of(row) not in topics]
    return Months(
        [row for row in shown if not measures or row["measure"] in measures],
        {stream: at_ms for stream, at_ms in as_of.items() if stream not in found.refused},
    )


def restatements(
    settings: Settings, *, only: Collection[str] = (), warn: Callable[[str], None] = lambda _: None
) -> list[dict[str, object]]:
    """The log itself: each change to a closed month, in the order in which it was applied.

    Streams are left out, and `warn` is called, as in `read_months`.

    Raises: as `read_months`.
    """
    collector = Collector(settings)
    _check_request(only)
    with closing(collector.reader):
        found = collector.check()
        warn_refused(found, warn)
        topics = found.refused_topics(settings)
        reader = collector.reader
        held = reader.months()
        _check_held(only, held)
        wanted = [month for month in held if not only or month in only]
        entries = [entry for month in wanted for entry in reader.restatements(month)]
        return [dict(entry._asdict()) for entry in entries if entry.topic not in topics]


def moved_rows(settings: Settings, streams: Sequence[str], months: Collection[str], now_ms: int) -> list[Row]:
    """Rows of the months and streams that a replay changed, then the open measures at `now_ms`.

    Args:
        settings: Those of the replay: they name its Redis.
        streams: The streams that it fed.
        months: The months that it changed.
        now_ms: The time of the replay, at which measures are open and months complete.

    Raises:
        ConfigurationInvalid: The catalogue cannot be used.
        RebuildNeeded: Redis holds one of the streams under another definition.
        StoreUnavailable: Redis did not answer.
    """
    collector = Collector(settings)
    with closing(collector.reader):
        collector.check(streams)
        topics = {settings.topic(stream) for stream in streams}
        known = collector.catalogue.measures.values()
        measures = {measure.id for measure in known if set(measure.streams) <= set(streams)}
        rows = [
            row
            for row in collector.months(months, dict.fromkeys(STREAMS, now_ms))
            if row["measure"] in measures or (row["measure"] == ORPHANS and topic_of(row) in topics)
        ]
        return rows + collector.open(streams, rows, now_ms)


def _check_held(only: Collection[str], held: Collection[str]) -> None:
    """Raise ConfigurationInvalid for a month that Redis does not hold: no rows would look like no events."""
    exists = f"one of {', '.join(held)}" if held else "the command without --month: no month is held yet"
    if missing := [month for month in only if month not in held]:
        raise ConfigurationInvalid([Fault("--month", "", f"{month!r}, which is not held", exists) for month in missing])


def _check_request(only: Collection[str], measures: Collection[str] = (), known: Collection[str] = ()) -> None:
    """Raise ConfigurationInvalid with everything in the request that is not a month or a measure."""
    if faults := month_faults("--month", only) + name_faults("--measure", measures, known):
        raise ConfigurationInvalid(faults)
