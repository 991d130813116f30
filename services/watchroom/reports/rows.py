"""Figures as rows: one for each measure, label set and month of the reporting zone, or open now. Pure.

Programs rely on the keys of a row (schemas/measures/ANALYSTS.md): `measure`, `by`, `period`, `value`, `numerator`,
`denominator`, `unit`, then those of its kind, then `as_of` and `closed`. A share or a mean without any count
is null, never 0. There are no totals and no overlapping periods, so rows can be added up, except those of figures,
which have a `period` and `span` of their own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from watchroom.catalogue.model import Catalogue
from watchroom.events.times import to_text
from watchroom.fold.batch import Restatement
from watchroom.kinds import figure, kind_of, names
from watchroom.kinds.columns import PUBLISHED_VALUE, VALUE
from watchroom.kinds.count import KIND as COUNT
from watchroom.kinds.kind import Kind, Reads, Stored
from watchroom.kinds.measure import Measure
from watchroom.kinds.open_now import OpenTile
from watchroom.reports.figure import six_decimals
from watchroom.reports.held import AsOf, Fields, StoredMonth, added_up, series_of, streams_in
from watchroom.rolling.periods import known_period
from watchroom.store.bands import ReportedBands


class Row(dict[str, object]):
    """A row's columns by name; `kind` says how a table shows them."""

    def __init__(self, kind: Kind, columns: Mapping[str, object]) -> None:
        super().__init__(columns)
        self.kind = kind


class Month(NamedTuple):
    """What is stored about one month, and for which streams it is closed."""

    name: str  # 2021-11
    fields: Fields  # the bucket as stored
    log: Sequence[Restatement]  # changes after the month was closed
    closed: Mapping[str, bool]  # by stream
    topics: Mapping[str, str]  # topic -> stream: orphans are known by their topic
    fed: Collection[str] = ()  # streams that the force feeds: a sum needs all of its own
    bands: Mapping[str, ReportedBands] = {}  # by measure of tokens


def month_rows(catalogue: Catalogue, month: Month, as_of: AsOf, *, published: bool = False) -> Iterator[Row]:
    """The rows of one month, in catalogue order; label sets in which nothing happened are left out.

    Args:
        catalogue: The measures.
        month: Its bucket and log.
        as_of: How far each stream is applied.
        published: Also say what was published (today's figures minus the log; null while the month is not closed),
            and how many events have changed it since.
    """
    held = added_up([StoredMonth(month.name, month.fields, month.log)], (month.name,), {}, month.closed, as_of)
    fed = streams_in(catalogue, month.fields) & {*month.fed}  # an incomplete sum would look complete
    for measure, label_sets in _counted(catalogue, month, {*held.today, *held.restated}):
        if (bands := month.bands.get(measure.id)) is not None:
            bands = bands._replace(both=held.with_left_out(measure, bands.both))
            yield _bands_row(measure, month.name, bands, as_of, published=published)
            continue
        if measure.sum_of and not set(measure.streams) <= fed:
            continue
        for by in label_sets:
            series, fields = series_of(measure, [by]), held.stored(measure, [by])
            if not any(fields.values()) and held.restated.keys().isdisjoint(series):
                continue
            row = _row(measure, by, month.name, fields)
            closed = held.is_closed(measure)
            as_of_ms = held.applied_until(measure)
            if kind_of(measure).reads is Reads.FIGURES:
                row |= _own_period(measure, by, fields, as_of_ms)
            row |= {"as_of": _moment(as_of_ms), "closed": closed}
            if published:
                before, restated = held.stored_then(measure, [by]), held.restatements(series)
                row |= _published(measure, by, before, restated, closed=closed)
            yield row


def _bands_row(measure: Measure, period: str, bands: ReportedBands, as_of: AsOf, *, published: bool) -> Row:
    """The row of a measure of tokens. How often it was restated is not known, only that it was.

    Until the bands of a closed month are written, nothing was published, so nothing is restated.
    """
    then, today = bands.both
    row = _row(measure, {}, period, today)
    row |= {"as_of": _moment(as_of.get(measure.stream)), "closed": bands.closed}
    if published:
        row |= _published(measure, {}, then, int(bands.closed and today != then), closed=bands.closed)
    return row


def open_rows(measure: Measure, tiles: Iterable[tuple[Mapping[str, str], OpenTile]], now_ms: int) -> Iterator[Row]:
    """The rows of an open measure as it was at `now_ms`."""
    for by, tile in tiles:
        row = _row(measure, by, None, tile)
        row["as_of"] = _moment(now_ms)
        yield row


def topic_of(row: Row) -> object:
    """The topic of a row of orphans; None for other rows."""
    by = row["by"]
    return by.get("topic") if row["measure"] == names.ORPHANS and isinstance(by, dict) else None


def _counted(
    catalogue: Catalogue, month: Month, found: Iterable[str]
) -> Iterator[tuple[Measure, Iterable[Mapping[str, str]]]]:
    """Every measure that months have, with its label sets; then the orphans, as a count of their topic's stream.

    Orphans are entities of which only later events are known. No other row counts them.
    """
    for measure in catalogue.measures.values():
        reads = kind_of(measure).reads
        if reads is Reads.BUCKETS:
            yield measure, measure.label_sets()
        elif measure.id in month.bands:
            yield measure, ()
        elif reads is Reads.FIGURES:
            yield measure, [by for name, by in map(names.parse_series, sorted(found)) if name == measure.id]
    for name, by in sorted((names.parse_series(series) for series in found), key=str):
        if name == names.ORPHANS:
            yield _orphans(month.topics.get(by.get("topic", ""), "")), [by]


def _own_period(measure: Measure, by: Mapping[str, str], fields: Fields, as_of_ms: int | None) -> dict[str, object]:
    """What only a figure's row has: its own period, not the month in which that ends."""
    period = by[names.PERIOD]
    as_at_ms = figure.figures(measure, fields).as_at_ms
    return {
        "by": {name: value for name, value in by.items() if name != names.PERIOD},
        "period": period,
        "span": known_period(period).span,
        "as_at": _moment(as_at_ms),
        "old": None if as_at_ms is None or as_of_ms is None else figure.is_old(measure, as_at_ms, as_of_ms),
    }


def _orphans(stream: str) -> Measure:
    """A measure of orphans, which the catalogue does not have."""
    return Measure(
        id=names.ORPHANS,
        kind=COUNT.name,
        stream=stream,
        at="",
        labels=(),
        windows=(),
        brief="",
        definition="",
        source="",
    )


def _row(measure: Measure, by: Mapping[str, str], period: str | None, stored: Stored) -> Row:
    return Row(
        kind_of(measure),
        {"measure": measure.id, "by": dict(by), "period": period, **_figures(measure, by, stored)},
    )


def _figures(measure: Measure, by: Mapping[str, str], stored: Stored) -> dict[str, object]:
    """The columns of a kind: value, counts and unit first; null if there is none."""
    kind = kind_of(measure)
    figures = kind.figures(measure, stored, measure.target_for(by) is not None)
    found = {column.name: six_decimals(kind.figure(figures, column.figure)) for column in kind.columns}
    return {**dict.fromkeys(VALUE), **found, "unit": measure.unit}


def _published(
    measure: Measure, by: Mapping[str, str], before: Stored, restated: int, *, closed: bool
) -> dict[str, object]:
    figures = _figures(measure, by, before)
    keys = (*PUBLISHED_VALUE, *kind_of(measure).published)
    return {f"published_{key}": figures[key] if closed else None for key in keys} | {"restatements": restated}


def _moment(ms: int | None) -> str | None:
    return None if ms is None else to_text(ms)
