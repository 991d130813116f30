"""Figures as rows: one for each measure, label set and London month, or open now. Pure.

The keys of a row are a contract (design section 6): `measure`, `by`, `period`, `value`, `numerator`,
`denominator`, `unit`, then those of its kind, then `as_of` and `closed`. A share or a mean of nothing is
null, never 0. There are no totals and no overlapping periods, so rows can be added up.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from watchroom.catalogue import names
from watchroom.catalogue.model import Catalogue, Measure
from watchroom.events.times import to_text
from watchroom.fold.batch import Restatement
from watchroom.rolling.bins import Bins
from watchroom.rolling.values import DurationValue, ShareValue
from watchroom.store.read import OpenTile

Row = dict[str, object]
Fields = Mapping[str, int]
PERCENTILES = (50, 90, 95)
DIGITS = 6  # of seconds and shares: below what was measured, so that nothing is lost by rounding


class Month(NamedTuple):
    """What is stored about one month, and when its figures stop being provisional."""

    name: str  # 2021-11
    fields: Fields  # the bucket as stored
    log: Sequence[Restatement]  # changes after the month was closed
    closed: Mapping[str, bool]  # by stream
    topics: Mapping[str, str]  # topic -> stream: orphans are known by their topic


AsOf = Mapping[str, int | None]
"""Stream -> ms since the epoch up to which every partition is applied; None: not known."""


def month_rows(catalogue: Catalogue, month: Month, as_of: AsOf, *, published: bool = False) -> Iterator[Row]:
    """The rows of one month, in catalogue order; label sets in which nothing happened are left out.

    Args:
        catalogue: The measures.
        month: Its bucket and log.
        as_of: How far each stream is applied.
        published: Also say what was published (today's figures minus the log) and how many entries the
            log has for the row; null while the month is not closed.
    """
    today = by_series(month.fields)
    log = _restated(month.log)
    for measure, label_sets in _counted(catalogue, month, {*today, *log}):
        bins = Bins.for_measure(measure)
        for by in label_sets:
            series = names.series(measure.id, by)
            fields, (entries, deltas) = today.get(series, {}), log.get(series, (0, {}))
            if not any(fields.values()) and not entries:
                continue
            row = _head(measure, by, month.name) | _figures(measure, by, fields, bins)
            closed = month.closed.get(measure.stream, False)
            row |= {"as_of": _moment(as_of.get(measure.stream)), "closed": closed}
            if published:
                before = {what: fields.get(what, 0) - deltas.get(what, 0) for what in {*fields, *deltas}}
                row |= _published(measure, by, before, bins, entries, closed=closed)
            yield row


def open_rows(measure: Measure, tiles: Iterable[tuple[Mapping[str, str], OpenTile]], now_ms: int) -> Iterator[Row]:
    """The rows of an open measure as it was at `now_ms`."""
    for by, tile in tiles:
        yield _head(measure, by, None) | {
            "value": tile.open,
            "numerator": tile.open,
            "denominator": None,
            "unit": measure.unit,
            "oldest_s": None if tile.oldest_ms is None else max(0, tile.oldest_ms) / 1000,
            "due_5min": tile.due_5min,
            "due_15min": tile.due_15min,
            "overdue": tile.overdue,
            "gave_up": tile.gave_up,
            "as_of": _moment(now_ms),
        }


def by_series(fields: Fields) -> dict[str, dict[str, int]]:
    """A bucket's fields by series: series -> what is counted -> how much."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for name, count in fields.items():
        series, _, what = name.rpartition("|")
        found[series][what] = count
    return found


def topic_of(row: Row) -> object:
    """The topic of a row of orphans; None of any other."""
    by = row["by"]
    return by.get("topic") if row["measure"] == names.ORPHANS and isinstance(by, dict) else None


def _counted(
    catalogue: Catalogue, month: Month, found: Iterable[str]
) -> Iterator[tuple[Measure, Iterable[Mapping[str, str]]]]:
    """Every measure that months have, with its label sets; after them the orphans, a count of their topic's stream.

    Orphans are entities of which only later events are known; they are in no other row.
    """
    for measure in catalogue.measures.values():
        if measure.kind != "open":
            yield measure, measure.label_sets()
    for name, by in sorted((names.parse_series(series) for series in found), key=str):
        if name == names.ORPHANS:
            yield _orphans(month.topics.get(by.get("topic", ""), "")), [by]


def _orphans(stream: str) -> Measure:
    """What no entry of the catalogue says, as if one did."""
    return Measure(
        id=names.ORPHANS, kind="count", stream=stream, at="", labels=(), windows=(), brief="", definition="", source=""
    )


def _head(measure: Measure, by: Mapping[str, str], period: str | None) -> Row:
    return {"measure": measure.id, "by": dict(by), "period": period}


def _figures(measure: Measure, by: Mapping[str, str], fields: Fields, bins: Bins) -> Row:
    if measure.kind == "count":
        count = fields.get(names.COUNT, 0)
        return {"value": count, "numerator": count, "denominator": None, "unit": measure.unit}
    if measure.kind == "share":
        share = ShareValue.from_fields(fields)
        value = _round(share.share)
        return {"value": value, "numerator": share.part, "denominator": share.whole, "unit": measure.unit}
    duration = DurationValue.from_fields(fields, bins)
    within = None
    if measure.target_for(by) is not None and duration.observations:
        within = _round(duration.within / duration.observations)
    mean_s = _round(duration.mean_s)
    return {
        "value": mean_s,
        "numerator": duration.sum_ms / 1000,
        "denominator": duration.observations,
        "unit": "s",
        "count": duration.observations,
        "mean_s": mean_s,
        **{f"p{p}_s": _round(duration.percentile_s(p)) for p in PERCENTILES},
        "max_s": _round(duration.max_s),
        "within_target": within,
        "missing_start": duration.missing_start,
        "negative": duration.negative,
    }


def _published(
    measure: Measure, by: Mapping[str, str], before: Fields, bins: Bins, entries: int, *, closed: bool
) -> Row:
    figures = _figures(measure, by, before, bins)
    keys = ("value", "numerator", "denominator") + (("within_target",) if measure.kind == "duration" else ())
    return {f"published_{key}": figures[key] if closed else None for key in keys} | {"restatements": entries}


def _restated(log: Iterable[Restatement]) -> dict[str, tuple[int, dict[str, int]]]:
    """Series -> number of log entries, and the sum of their deltas by field."""
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    entries: Counter[str] = Counter()
    for entry in log:
        series = names.series(entry.measure, entry.by)
        sums[series][entry.field] += entry.delta
        entries[series] += 1
    return {series: (entries[series], dict(deltas)) for series, deltas in sums.items()}


def _moment(ms: int | None) -> str | None:
    return None if ms is None else to_text(ms)


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)
