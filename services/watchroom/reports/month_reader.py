"""Reads from Redis what a report consists of: months, baselines, figures, tokens and notes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from watchroom.errors import ConfigurationInvalid, Fault
from watchroom.kinds import kind_of, names, tokens, top
from watchroom.kinds.figure import AS_AT_MS
from watchroom.kinds.kind import Reads
from watchroom.kinds.measure import Measure
from watchroom.reports.baselines import Baseline
from watchroom.reports.collect import Collector
from watchroom.reports.compare import BaselineHeld
from watchroom.reports.figure_rows import Kept
from watchroom.reports.held import AsOf, Held, StoredMonth, added_up, by_series, streams_in
from watchroom.reports.report import Ranked, ReportRow, Source
from watchroom.reports.token_rows import Bands, bands_row, has_bands, ranked_row
from watchroom.rolling.buckets import KEEP_TOKENS_OF_MONTH_MONTHS as TOKENS_KEPT_MONTHS
from watchroom.rolling.calendar import Calendar
from watchroom.store.bands import Held as HeldTokens
from watchroom.streams import STREAMS
from watchroom.streams.returns import STREAM


class Request(NamedTuple):
    """What the command line asks for."""

    to: str | None = None  # last month; None: the last complete month in Redis
    months: int = 12
    as_at: str | None = None  # day; None: the end of the last month
    baselines: Sequence[str] = ()
    sections: Collection[str] = ()


class MonthReader:
    """Reads months from Redis, each of them once."""

    def __init__(self, collector: Collector, now_ms: int) -> None:
        self._collector, self._reader = collector, collector.reader
        self._calendar = Calendar(collector.settings.zone)
        self._running = self._calendar.month_of(now_ms)
        self._as_of: AsOf = collector.as_of()  # read before the months, which then contain at least this much
        self._stored = self._reader.months()
        self._read: dict[str, StoredMonth] = {}

    def months_of_report(self, request: Request, *, has_figures: bool) -> tuple[str, ...]:
        """The report's months, oldest first.

        Figures have periods of their own, so if there are any, months without events can be reported too.

        Raises:
            ConfigurationInvalid: The last month is in the future; or no month is held, and there are no figures.
        """
        with_events = [month for month in self._stored if self._fed(month) - {STREAM.name}]
        held = with_events or self._stored
        last = request.to or max(
            (month for month in held if month < self._running), default=Calendar.months_before(self._running, 1)
        )
        months = tuple(Calendar.months_before(last, back) for back in range(request.months - 1, -1, -1))
        if last <= self._running and (has_figures or set(months) & set(held)):
            return months
        there = [month for month in held if month <= self._running]
        write = f"one of {', '.join(there)}" if there else f"a month that is held, up to {self._running}"
        several = f"and none of the {request.months} months ending with it is held"
        why = "which is not held" if request.months == 1 else several
        found = f"{last!r}, {why if last <= self._running else 'which is in the future'}"
        raise ConfigurationInvalid([Fault("--to", "", found, write)])

    def held(self, months: tuple[str, ...]) -> Held:
        """These months as they are today."""
        complete = {stream: self._complete(stream, months) for stream in STREAMS}
        return added_up(
            [self._month(month) for month in months if month in self._stored],
            months,
            complete,
            self._collector.closed(months[-1], self._as_of),
            self._as_of,
        )

    def baseline(self, name: str, baseline: Baseline, report: tuple[str, ...]) -> BaselineHeld:
        """What Redis holds of a baseline, own and imported months kept separate."""
        months, reason = baseline.months_for(report)
        if reason:
            return BaselineHeld(baseline.words, (), None, (), reason)
        imported = [by_series(fields) for fields in self._reader.baseline_months(name, months)]
        return BaselineHeld(baseline.words, months, self.held(months), imported)

    def figures(self, their_notes: Mapping[str, str]) -> dict[str, list[Kept]]:
        """By measure: the figures that are produced elsewhere, of any period, with their notes (by series)."""
        measures = self._collector.catalogue.measures
        ids = {name for name, each in measures.items() if kind_of(each).reads is Reads.FIGURES}
        found: dict[str, list[Kept]] = {}
        for name in self._stored if ids else ():
            month = self._month(name)
            held = self.held((name,))
            for series in sorted({*by_series(month.fields), *held.restated}):
                measure, by = names.parse_series(series)
                if measure in ids:
                    kept = self._kept(series, by, held, measures[measure].stream)
                    found.setdefault(measure, []).append(kept._replace(note=their_notes.get(series, "")))
        return found

    def of_tokens(self, source: Source) -> dict[str, ReportRow]:
        """The row of each measure that counts tokens. Bands are those of the report's months together."""
        held = source.held
        of_tokens = self._reader.held_tokens()
        found: dict[str, ReportRow] = {}
        for measure in self._collector.catalogue.measures.values():
            kind = kind_of(measure)
            if kind.reads is Reads.TOKENS and kind.published:
                now = self._bands(of_tokens, measure, held)
                then = {
                    name: (each, self._bands(of_tokens, measure, each.own) if each.own else None)
                    for name, each in source.baselines.items()
                }
                found[measure.id] = bands_row(measure, held, now, then, small_below=source.small_below)
            elif kind.reads is Reads.TOKENS:
                found[measure.id] = self._ranked(of_tokens, measure, source)
        return found

    def _bands(self, of_tokens: HeldTokens, measure: Measure, held: Held) -> Bands | None:
        if not has_bands(held.months):
            return None
        of = of_tokens.month if len(held.months) == 1 else of_tokens.twelve
        bands = of(measure.id, held.months[-1], self._reader.token_hash)
        if bands is None:
            return None
        then, today = held.with_left_out(measure, bands.both)
        return Bands(today, then if bands.closed else None)

    def _ranked(self, of_tokens: HeldTokens, measure: Measure, source: Source) -> ReportRow:
        held = source.held
        hashes = {month: names.token_month(measure.id, month) for month in held.months}
        there = [month for month, name in hashes.items() if name in of_tokens.versions]
        counts = tokens.together(tokens.today(self._reader.token_hash(hashes[month])) for month in there)
        ranked = [Ranked(*each) for each in top.most_frequent(counts, top.MOST_LISTED.of(measure))]
        # A recent month that is held without tokens had none; those of an older month have been deleted.
        kept = [month for month in held.months if Calendar.months_after(month, TOKENS_KEPT_MONTHS) >= self._running]
        deleted = [month for month in held.states(measure) if month not in {*there, *kept}]
        return ranked_row(measure, held, deleted, ranked, source.baselines)

    def _kept(self, series: str, by: dict[str, str], held: Held, stream: str) -> Kept:
        period, fields = by.pop(names.PERIOD), held.today.get(series, {})
        as_at_ms = fields.get(AS_AT_MS, 0)
        as_at = self._calendar.day_of(as_at_ms) if as_at_ms else ""
        restated = held.restatements([series])
        return Kept(by, period, fields, held.published.get(series, {}), restated, held.closed.get(stream, False), as_at)

    def _month(self, name: str) -> StoredMonth:
        if name not in self._read:
            self._read[name] = StoredMonth(name, *self._reader.month(name))
        return self._read[name]

    def _fed(self, month: str) -> set[str]:
        """The streams of which a month holds anything."""
        return streams_in(self._collector.catalogue, self._month(month).fields) if month in self._stored else set()

    def _complete(self, stream: str, months: Sequence[str]) -> dict[str, bool]:
        """For each month that holds anything of the stream, whether it is complete."""
        as_of_ms = self._as_of.get(stream)  # None: unknown
        return {
            month: as_of_ms is not None and as_of_ms >= self._calendar.month_end_ms(month)
            for month in months
            if stream in self._fed(month)
        }
