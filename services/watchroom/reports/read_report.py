"""`watchroom report`: reads what the report is made of, and hands it to the parts that compute rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, assert_never
from zoneinfo import ZoneInfo

from watchroom.catalogue.model import Catalogue
from watchroom.errors import ConfigurationInvalid, Fault
from watchroom.kinds import kind_of, note
from watchroom.kinds.kind import Reads
from watchroom.kinds.measure import Measure
from watchroom.reports.baselines import Baseline, baselines_named, load_baselines
from watchroom.reports.collect import Collector
from watchroom.reports.figure_rows import AsAt, Asking, figure_rows, note_row
from watchroom.reports.freshness import Line, clock, freshness
from watchroom.reports.held import AsOf
from watchroom.reports.month_reader import Asked, MonthReader
from watchroom.reports.report import ReportRow, Source, rows_of
from watchroom.reports.returned import Note, notes_of_figures
from watchroom.reports.sections import Layout, Section, load_layout
from watchroom.rolling.calendar import Calendar, is_month
from watchroom.rolling.periods import DAY, period_of
from watchroom.settings import Settings
from watchroom.store.compatibility import warn_refused
from watchroom.streams.returns import STREAM


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
        reading = MonthReader(collector, now_ms)
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
