"""`watchroom report`: reads what the report is made of, and hands it to the parts that compute rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, assert_never
from zoneinfo import ZoneInfo

from watchroom.catalogue.model import Catalogue
from watchroom.errors import ConfigurationInvalid, Fault
from watchroom.kinds import kind_of, names, note, tokens, top
from watchroom.kinds.figure import AS_AT_MS
from watchroom.kinds.kind import Reads
from watchroom.kinds.measure import Measure
from watchroom.kinds.tokens import LEFT_OUT
from watchroom.reports.baselines import Baseline, baselines_named, load_baselines
from watchroom.reports.collect import Collector
from watchroom.reports.compare import BaselineHeld
from watchroom.reports.figure_rows import AsAt, Asking, Kept, figure_rows, note_row
from watchroom.reports.freshness import Line, clock, freshness
from watchroom.reports.held import Held, StoredMonth, added_up
from watchroom.reports.report import Ranked, ReportRow, Source, rows_of
from watchroom.reports.returned import Note, notes, notes_of_figures
from watchroom.reports.rows import AsOf, by_series, streams_in
from watchroom.reports.sections import Layout, Section, load_layout
from watchroom.reports.token_rows import Bands, BaselineBands, bands_row, has_bands, ranked_row
from watchroom.rolling.buckets import KEEP_TOKENS_OF_MONTH_MONTHS as TOKENS_KEPT_MONTHS
from watchroom.rolling.calendar import Calendar, is_month
from watchroom.rolling.periods import DAY, period_of
from watchroom.settings import Settings
from watchroom.store.bands import Held as HeldTokens
from watchroom.store.compatibility import warn_refused
from watchroom.streams import STREAMS
from watchroom.streams.returns import STREAM


class Asked(NamedTuple):
    """The command line."""

    to: str | None = None  # last month; None: the last one held that is over
    months: int = 12
    as_at: str | None = None  # day; None: the end of the last month
    baselines: Sequence[str] = ()
    sections: Collection[str] = ()


class Report(NamedTuple):
    """Everything that is printed."""

    force: str
    months: tuple[str, ...]
    as_at: str
    baselines: Mapping[str, str]  # name -> words
    small_below: int
    notes: Sequence[str]  # about all measures
    sections: Sequence[tuple[Section, Sequence[ReportRow]]]
    applied: Sequence[Line] = ()  # when it was printed, and how far the events of each stream were applied by then


def read_report(settings: Settings, asked: Asked, now_ms: int, warn: Callable[[str], None] = lambda _: None) -> Report:
    """The rows of the report by section.

    Args:
        settings: Which Redis, force, catalogue and layout.
        asked: What the command line says.
        now_ms: The wall clock; which month is over is judged at it.
        warn: Called with a sentence on each stream that is left out, because Redis holds it under another definition.

    Raises:
        ConfigurationInvalid: An unknown section, baseline or month, or a file that cannot be used; all are listed.
        RebuildNeeded: Redis holds every stream under another definition.
        StoreUnavailable: Redis did not answer.
        WorkFailed: Redis holds nothing.
    """
    collector = Collector.of(settings)
    try:
        layout, baselines = _checked(settings, asked)
        found = collector.check()
        warn_refused(found, warn)
        reading = _Reading(collector, now_ms)
        is_refused = bool({STREAM.name} & {*found.refused})  # then its entities are not ours to read
        figures = reading.figures({} if is_refused else notes_of_figures(collector.reader, settings))
        months = reading.months_asked(asked, has_figures=bool(figures))
        as_at = asked.as_at or Calendar.days_before(f"{Calendar.months_after(months[-1], 1)}-01", 1)
        source = Source(
            reading.held(months),
            {name: reading.baseline(name, baseline, months) for name, baseline in baselines.items()},
            layout.small_below,
            collector.catalogue.areas.groups,
        )
        of_tokens = reading.of_tokens(source.held, baselines, layout.small_below)
        told = [] if is_refused else reading.notes(months)
        cut = AsAt(as_at, reading.day_end_ms(as_at))
    finally:
        collector.reader.close()
    catalogue = collector.catalogue

    def rows_of_measure(measure: Measure, rows: tuple[int, ...]) -> Iterator[ReportRow]:
        reads = kind_of(measure).reads
        match reads:
            case Reads.BUCKETS:
                yield from rows_of(measure, rows, source)
            case Reads.OPEN_SET:
                return  # who is open now is of no month
            case Reads.FIGURES:
                kept, as_of_ms = figures.get(measure.id, []), source.held.as_of.get(measure.stream)
                yield from figure_rows(measure, rows, kept, Asking(cut, baselines, as_of_ms, layout.small_below))
            case Reads.TOKENS:
                yield replace(of_tokens[measure.id], rows=rows, as_of_ms=source.held.as_of.get(measure.stream))
            case Reads.NOTHING:
                yield note_row(measure, rows, note.WORDS.of(measure), baselines)
            case _:
                assert_never(reads)

    sections = [
        (section, [
            row
            for measure, rows in section.measures(catalogue)
            if found.refused.keys().isdisjoint(measure.streams)
            for row in _with_notes(rows_of_measure(measure, rows), told, measure.id)
        ])
        for section in layout.only(asked.sections)
    ]  # fmt: skip
    return Report(
        settings.force,
        months,
        as_at,
        {name: each.words for name, each in baselines.items()},
        layout.small_below,
        [_words(each, why) for each in told if (why := _why_on_top(each, catalogue, found.refused)) is not None],
        [(section, rows) for section, rows in sections if rows or section.name in asked.sections],
        _applied(sections, source.held.as_of, settings, now_ms),
    )


def _applied(
    sections: Iterable[tuple[Section, Sequence[ReportRow]]], as_of: AsOf, settings: Settings, now_ms: int
) -> list[Line]:
    """When the report was printed, and how far each stream of its rows is applied."""
    shown = {stream for _, rows in sections for row in rows for stream in row.measure.streams}
    of_shown = {stream: at_ms for stream, at_ms in as_of.items() if stream in shown}
    printed = Line(f"printed {clock(now_ms, ZoneInfo(settings.zone))}", is_fresh=True)
    return [printed, *freshness(of_shown, settings, now_ms)]


def _with_notes(rows: Iterable[ReportRow], notes: Sequence[Note], measure: str) -> Iterator[ReportRow]:
    """The rows of a measure, the first of them with the notes about it."""
    about = tuple(_words(each) for each in notes if each.measure == measure)  # `_why_on_top`: of those without a row
    for number, row in enumerate(rows):
        yield replace(row, notes=about) if number == 0 and about else row


def _why_on_top(told: Note, catalogue: Catalogue, refused: Collection[str]) -> str | None:
    """Why a note stands at the top: it is about all measures (nothing to say), or about one that has no row.

    None: it stands with its measure.
    """
    if not told.measure:
        return ""
    measure = catalogue.measures.get(told.measure)
    if measure is None:
        return f"about {told.measure}, which is not in the catalogue"
    has_row = kind_of(measure).reads is not Reads.OPEN_SET and not {*refused} & {*measure.streams}
    return None if has_row else f"about {told.measure}, which has no row here"


def _words(told: Note, more: str = "") -> str:
    """`From March 2020 on ... (2020-03 to 2020-07)`."""
    period = f"from {told.since} on" if not told.until else " to ".join(dict.fromkeys((told.since, told.until)))
    turned = "it ends before it begins" if told.is_turned else ""
    return f"{told.text} ({'; '.join(filter(None, (more, period, turned)))})"


def _checked(settings: Settings, asked: Asked) -> tuple[Layout, Mapping[str, Baseline]]:
    """What the files say, and every word of the command line that cannot be; months are checked against Redis later."""
    faults: list[Fault] = []
    if asked.to is not None and not is_month(asked.to):
        faults.append(Fault("--to", "", repr(asked.to), "a month such as 2021-11"))
    if asked.as_at is not None and not _is_day(asked.as_at):
        faults.append(Fault("--as-at", "", repr(asked.as_at), "a day such as 2022-01-27"))
    layout, known = load_layout(settings.schemas), load_baselines(settings.schemas)
    for check in (lambda: layout.only(asked.sections), lambda: baselines_named(known, asked.baselines)):
        try:
            check()
        except ConfigurationInvalid as error:
            faults += error.faults
    if faults:
        raise ConfigurationInvalid(faults)
    return layout, baselines_named(known, asked.baselines)


def _is_day(text: str) -> bool:
    found = period_of(text)
    return found is not None and found.span == DAY


class _Reading:
    """Months out of Redis, each read once."""

    def __init__(self, collector: Collector, now_ms: int) -> None:
        self._collector, self._reader = collector, collector.reader
        self._calendar = Calendar(collector.settings.zone)
        self._running = self._calendar.month_of(now_ms)
        self._as_of: AsOf = collector.as_of()  # before the months: they then hold at least what it says
        self._stored = self._reader.months()
        self._read: dict[str, StoredMonth] = {}

    def months_asked(self, asked: Asked, *, has_figures: bool) -> tuple[str, ...]:
        """The report's months, oldest first.

        Figures have periods of their own, so with them there is a report of months without events too.

        Raises:
            ConfigurationInvalid: The last month is yet to come; or none of them is held, and there are no figures.
        """
        with_events = [month for month in self._stored if self._fed(month) - {STREAM.name}]
        held = with_events or self._stored
        last = asked.to or max(
            (month for month in held if month < self._running), default=Calendar.months_before(self._running, 1)
        )
        months = tuple(Calendar.months_before(last, back) for back in range(asked.months - 1, -1, -1))
        if last <= self._running and (has_figures or set(months) & set(held)):
            return months
        there = [month for month in held if month <= self._running]
        write = f"one of {', '.join(there)}" if there else f"a month that is held, {self._running} at the latest"
        several = f"and none of the {asked.months} months that end with it is held"
        why = "which is not held" if asked.months == 1 else several
        found = f"{last!r}, {why if last <= self._running else 'which is yet to come'}"
        raise ConfigurationInvalid([Fault("--to", "", found, write)])

    def held(self, months: tuple[str, ...]) -> Held:
        """These months as they stand."""
        complete = {stream: self._complete(stream, months) for stream in STREAMS}
        return added_up(
            [self._month(month) for month in months if month in self._stored],
            months,
            complete,
            self._collector.closed(months[-1], self._as_of),
            self._as_of,
        )

    def baseline(self, name: str, baseline: Baseline, report: tuple[str, ...]) -> BaselineHeld:
        """What is held of a baseline, our own months and imported ones apart."""
        months, reason = baseline.months_for(report)
        if reason:
            return BaselineHeld(baseline.words, (), None, (), reason)
        imported = [by_series(fields) for fields in self._reader.baseline_months(name, months)]
        return BaselineHeld(baseline.words, months, self.held(months), imported)

    def figures(self, their_notes: Mapping[str, str]) -> dict[str, list[Kept]]:
        """By measure: the figures that were produced elsewhere, of whatever period, with the notes of these series."""
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

    def of_tokens(self, held: Held, baselines: Mapping[str, Baseline], small_below: int) -> dict[str, ReportRow]:
        """By measure of tokens: its row. Bands are of these months together, or of none."""
        of_tokens = self._reader.held_tokens()
        found: dict[str, ReportRow] = {}
        for measure in self._collector.catalogue.measures.values():
            kind = kind_of(measure)
            if kind.reads is Reads.TOKENS and kind.published:
                now = self._bands(of_tokens, measure, held)
                then = {
                    name: self._baseline_bands(of_tokens, measure, each, held.months)
                    for name, each in baselines.items()
                }
                found[measure.id] = bands_row(measure, held, now, then, small_below=small_below)
            elif kind.reads is Reads.TOKENS:
                words = {name: each.words for name, each in baselines.items()}
                found[measure.id] = self._ranked(of_tokens, measure, held, words)
        return found

    def _bands(self, of_tokens: HeldTokens, measure: Measure, held: Held) -> Bands | None:
        if not has_bands(held.months):
            return None
        of = of_tokens.month if len(held.months) == 1 else of_tokens.twelve
        standing = of(measure.id, held.months[-1], self._reader.token_hash)
        if standing is None:
            return None
        # Bands know nothing of the tokens left out of them: those are counted in the months, as of now.
        left_out = held.stored(measure, [{}]).get(LEFT_OUT, 0)
        today, then = (bands._replace(left_out=left_out) for bands in (standing.both.today, standing.both.published))
        return Bands(today, then if standing.closed else None)

    def _baseline_bands(
        self, of_tokens: HeldTokens, measure: Measure, baseline: Baseline, report: tuple[str, ...]
    ) -> BaselineBands:
        months, reason = baseline.months_for(report)
        if reason:
            return BaselineBands(baseline.words, (), None, reason)
        held = self.held(months)
        if missing := held.missing(measure):
            return BaselineBands(baseline.words, months, None, missing)
        return BaselineBands(baseline.words, months, self._bands(of_tokens, measure, held))

    def _ranked(self, of_tokens: HeldTokens, measure: Measure, held: Held, baselines: Mapping[str, str]) -> ReportRow:
        hashes = {month: names.token_month(measure.id, month) for month in held.months}
        there = [month for month, name in hashes.items() if name in of_tokens.versions]
        counts = tokens.together(tokens.today(self._reader.token_hash(hashes[month])) for month in there)
        ranked = [Ranked(*each) for each in top.most_frequent(counts, top.MOST_LISTED.of(measure))]
        # A younger month that is held and has no tokens had none; of an older one nobody knows any more.
        kept = [month for month in held.months if Calendar.months_after(month, TOKENS_KEPT_MONTHS) >= self._running]
        deleted = [month for month in held.states(measure) if month not in {*there, *kept}]
        return ranked_row(measure, held, deleted, ranked, baselines)

    def notes(self, months: tuple[str, ...]) -> list[Note]:
        """Notes about any day of these months."""
        last = Calendar.days_before(f"{Calendar.months_after(months[-1], 1)}-01", 1)
        found = notes(self._reader, self._collector.settings)
        return [each for each in found if each.is_about(f"{months[0]}-01", last)]

    def day_end_ms(self, day: str) -> int:
        """First moment after a day of the reporting zone."""
        return self._calendar.day_end_ms(day)

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
        """By month that holds anything of the stream: whether everything up to its end is in."""
        as_of_ms = self._as_of.get(stream)  # None: nobody knows how far
        return {
            month: as_of_ms is not None and as_of_ms >= self._calendar.month_end_ms(month)
            for month in months
            if stream in self._fed(month)
        }
