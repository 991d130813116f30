"""`watchroom report`: reads the contents of the report from Redis, and computes its rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import NamedTuple, assert_never
from zoneinfo import ZoneInfo

from watchroom.catalogue.formatting import clock
from watchroom.catalogue.model import Catalogue
from watchroom.entered import month_faults, name_faults
from watchroom.errors import ConfigurationInvalid, Fault
from watchroom.kinds import kind_of, note
from watchroom.kinds.kind import Reads
from watchroom.kinds.measure import Measure
from watchroom.reports.baselines import Baseline, load_baselines
from watchroom.reports.collect import Collector
from watchroom.reports.figure_rows import AsAt, Choices, figure_rows, note_row
from watchroom.reports.freshness import PATTERN, Line, freshness
from watchroom.reports.held import AsOf, Held
from watchroom.reports.month_reader import MonthReader, Request
from watchroom.reports.report import ReportRow, Source, rows_of
from watchroom.reports.returned import Note, notes, notes_of_figures
from watchroom.reports.sections import Layout, Section, load_layout
from watchroom.rolling.calendar import Calendar
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
    applied: Sequence[Line] = ()  # when it was printed, and how far each stream was applied


def read_report(
    settings: Settings, request: Request, now_ms: int, warn: Callable[[str], None] = lambda _: None
) -> Report:
    """The rows of the report by section.

    Args:
        settings: Which Redis, force, catalogue and layout.
        request: What the command line says.
        now_ms: The wall clock; it decides which months are over.
        warn: Called with a sentence on each stream that is left out, because Redis holds it under another definition.

    Raises:
        ConfigurationInvalid: An unknown section, baseline or month, or a file that cannot be used; all are listed.
        RebuildNeeded: Redis holds every stream under another definition.
        StoreUnavailable: Redis did not answer.
        WorkFailed: Redis holds nothing.
    """
    collector = Collector(settings)
    with closing(collector.reader):
        layout, baselines = _checked(settings, request)
        found = collector.check()
        warn_refused(found, warn)
        reading = MonthReader(collector, now_ms)
        is_refused = bool({STREAM.name} & {*found.refused})  # then its entities cannot be read
        figures = reading.figures({} if is_refused else notes_of_figures(collector.reader, settings))
        months = reading.months_of_report(request, has_figures=bool(figures))
        last_day = Calendar.days_before(f"{Calendar.months_after(months[-1], 1)}-01", 1)
        source = Source(
            reading.held(months),
            {name: reading.baseline(name, baseline, months) for name, baseline in baselines.items()},
            layout.small_below,
            collector.catalogue.areas.groups,
        )
        of_tokens = reading.of_tokens(source)
        every_note = [] if is_refused else notes(collector.reader, settings)
    sent = [each for each in every_note if each.is_about(f"{months[0]}-01", last_day)]
    as_at = request.as_at or last_day
    cut = AsAt(as_at, Calendar(settings.zone).day_end_ms(as_at))
    catalogue = collector.catalogue

    def rows_of_measure(measure: Measure) -> Iterator[ReportRow]:
        reads = kind_of(measure).reads
        match reads:
            case Reads.BUCKETS:
                yield from rows_of(measure, source)
            case Reads.OPEN_SET:
                return  # it has no months
            case Reads.FIGURES:
                choices = Choices(cut, baselines, layout.small_below)
                yield from figure_rows(measure, figures.get(measure.id, []), choices)
            case Reads.TOKENS:
                yield of_tokens[measure.id]
            case Reads.NOTHING:
                yield note_row(measure, note.TEXT.of(measure), baselines)
            case _:
                assert_never(reads)

    sections = [
        (section, [
            row
            for measure, rows in section.measures(catalogue)
            if found.refused.keys().isdisjoint(measure.streams)
            for row in _completed(rows_of_measure(measure), rows, sent, source.held)
        ])
        for section in layout.only(request.sections)
    ]  # fmt: skip
    return Report(
        settings.force,
        months,
        as_at,
        {name: each.words for name, each in baselines.items()},
        layout.small_below,
        [_note_text(each, why) for each in sent if (why := _why_on_top(each, catalogue, found.refused)) is not None],
        [(section, rows) for section, rows in sections if rows or section.name in request.sections],
        _applied(sections, source.held.as_of, settings, now_ms),
    )


def _applied(
    sections: Iterable[tuple[Section, Sequence[ReportRow]]], as_of: AsOf, settings: Settings, now_ms: int
) -> list[Line]:
    """When the report was printed, and how far the streams of its rows are applied."""
    shown = {stream for _, rows in sections for row in rows for stream in row.measure.streams}
    of_shown = {stream: at_ms for stream, at_ms in as_of.items() if stream in shown}
    printed = Line(f"printed {clock(now_ms, ZoneInfo(settings.zone), PATTERN)}", is_fresh=True)
    return [printed, *freshness(of_shown, settings, now_ms)]


def _completed(
    found: Iterable[ReportRow], rows: tuple[int, ...], sent: Sequence[Note], held: Held
) -> Iterator[ReportRow]:
    """A measure's rows with what does not depend on its kind; the first row has the notes about the measure."""
    for number, row in enumerate(found):
        about = [_note_text(each) for each in sent if each.measure == row.measure.id]  # others: `_why_on_top`
        as_of_ms = held.applied_until(row.measure)
        yield replace(row, rows=rows, as_of_ms=as_of_ms, notes=tuple(about) if number == 0 else ())


def _why_on_top(sent: Note, catalogue: Catalogue, refused: Collection[str]) -> str | None:
    """Why a note is at the top: it is about all measures (an empty text), or about a measure without a row.

    None: it is shown with its measure.
    """
    if not sent.measure:
        return ""
    measure = catalogue.measures.get(sent.measure)
    if measure is None:
        return f"about {sent.measure}, which is not in the catalogue"
    has_row = kind_of(measure).reads is not Reads.OPEN_SET and not {*refused} & {*measure.streams}
    return None if has_row else f"about {sent.measure}, which has no row here"


def _note_text(sent: Note, more: str = "") -> str:
    """`From March 2020 on ... (2020-03 to 2020-07)`."""
    period = f"from {sent.since} onwards" if not sent.until else " to ".join(dict.fromkeys((sent.since, sent.until)))
    turned = "the period ends before it begins" if sent.is_turned else ""
    return f"{sent.text} ({'; '.join(filter(None, (more, period, turned)))})"


def _checked(settings: Settings, request: Request) -> tuple[Layout, Mapping[str, Baseline]]:
    """Layout and baselines, or all faults of the request. Months are checked against Redis later."""
    faults = month_faults("--to", [] if request.to is None else [request.to])
    if request.as_at is not None and not _is_day(request.as_at):
        faults.append(Fault("--as-at", "", repr(request.as_at), "a day such as 2022-01-27"))
    layout, known = load_layout(settings.schemas), load_baselines(settings.schemas)
    faults += name_faults("--section", request.sections, [section.name for section in layout.sections])
    faults += name_faults("--baseline", request.baselines, known)
    if faults:
        raise ConfigurationInvalid(faults)
    return layout, {name: known[name] for name in request.baselines}


def _is_day(text: str) -> bool:
    found = period_of(text)
    return found is not None and found.span == DAY
