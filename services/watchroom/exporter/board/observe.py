"""Takes what the exporter knows at a moment: the only module here that touches the mirror."""

from __future__ import annotations

from collections.abc import Sequence

from watchroom.catalogue.metrics import NOT_WAITED_FOR
from watchroom.catalogue.model import Catalogue
from watchroom.exporter.board.wall import Board, ShownFigure, Silence, other_views, tile_views
from watchroom.exporter.judge import heard_of
from watchroom.exporter.mirror import Mirror, Reading
from watchroom.exporter.numbers import Number, shown_numbers
from watchroom.exporter.page import Page
from watchroom.kinds.figure import is_old
from watchroom.kinds.measure import Measure
from watchroom.kinds.shown import Shown
from watchroom.settings import Settings


def observe(catalogue: Catalogue, mirror: Mirror, page: Page, settings: Settings, now_ms: int) -> Board:
    """The board as of `now_ms`; what `page` withholds from scrapes is withheld here."""
    faults = page.faults(now_ms)
    fresh_ms = round(settings.fresh_s * 1000)
    with mirror.lock:
        reading = mirror.reading

        def ask(measure: Measure, shown: Shown) -> Sequence[Number]:
            return shown_numbers(catalogue, measure, shown, mirror.sums, reading, now_ms) if reading else ()

        def figures(measure: Measure) -> Sequence[ShownFigure]:
            found = mirror.figures.latest(measure)
            return [ShownFigure(each, is_old(measure, each.figure.as_at_ms or 0, now_ms)) for each in found]

        return Board(
            force=settings.force,
            now_ms=now_ms,
            fresh_ms=fresh_ms,
            data_age_ms=_data_age_ms(reading, settings, now_ms) if mirror.up(now_ms, fresh_ms) else None,
            tiles=tile_views(catalogue, faults, ask),
            others=other_views(catalogue, faults, ask, figures),
            faults=faults,
            silence=_silence(page, reading, settings, now_ms) if reading else None,
        )


def _data_age_ms(reading: Reading | None, settings: Settings, now_ms: int) -> int | None:
    """Age of the slowest partition that is waited for; None while one has no moment yet, or there is none."""
    others = {settings.topic(stream) for stream in NOT_WAITED_FOR}
    partitions = reading.partitions.items() if reading else ()
    moments = [state.fresh_ms for (topic, _), state in partitions if topic not in others]
    known = [at_ms for at_ms in moments if at_ms is not None]
    return now_ms - min(known) if known and len(known) == len(moments) else None


def _silence(page: Page, reading: Reading, settings: Settings, now_ms: int) -> Silence | None:
    """Who is silent, as the metric `watchroom_source_silent` says it."""
    streams, latest_ms = [], []
    for stream, faults in page.judged(reading, now_ms):
        heard = heard_of(settings.topic(stream), reading.sources)
        silent = [source for source, fault in faults.items() if fault]
        streams += [stream] if silent else []
        latest_ms += [heard[source].latest_ms for source in silent if source in heard]
    known = [at_ms for at_ms in latest_ms if at_ms is not None]
    return Silence(tuple(streams), now_ms - min(known) if known else None) if streams else None
