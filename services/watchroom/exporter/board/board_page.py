"""The page at `/`: the wall, and below it every measure that is on no tile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from watchroom.catalogue.formatting import NO_DATA, NONE, NOT_FED, plain, window_text
from watchroom.events.times import to_text
from watchroom.exporter.board.document import document
from watchroom.exporter.board.markup import Html, tag
from watchroom.exporter.board.tiles import age_tile, tile
from watchroom.exporter.numbers import Number
from watchroom.exporter.top_list import has_top
from watchroom.exporter.wall import Board, Line, MeasureView
from watchroom.kinds import kind_of
from watchroom.kinds.figure import UNIT, text
from watchroom.kinds.kind import Reads
from watchroom.kinds.labels import title_of, value_title, where_titles
from watchroom.kinds.note import TEXT


def board_page(board: Board, zone: ZoneInfo) -> str:
    """The whole page."""
    wall = tag(
        "section",
        tag("h2", "Wall", class_="quiet-text"),
        tag("ul", age_tile(board.age), *(tile(view) for view in board.tiles), class_="tiles", role="list"),
        class_="wall",
    )
    others = tag(
        "section",
        tag("h2", "Other measures"),
        tag("div", *(_card(view) for view in board.others), class_="cards"),
        id="others",
        class_="others",
    )
    said = tag("p", _announcement(board), class_="quiet-text", role="status", aria_live="polite")
    main = tag("div", wall, *([others] if board.others else []))
    return document("Live", board.force, main, now_ms=board.now_ms, zone=zone, notices=[said, *_withheld(board)])


def _announcement(board: Board) -> str:
    """For a screen reader: changes when a state does, not when a number does."""
    found: dict[str, list[str]] = {}
    for view in board.tiles:
        if view.state in ("warning", "critical"):
            word = next(view.state_text(each) for each in view.numbers if each.state == view.state)
            found.setdefault(word, []).append(view.tile.title)
    if board.withheld:
        found[NO_DATA] = board.withheld
    said = [f"{word}: {', '.join(titles)}." for word, titles in sorted(found.items())]
    return " ".join(said) or "No tile is beyond its limits."


def _withheld(board: Board) -> Iterator[Html]:
    if board.withheld:
        yield tag("p", f"{NO_DATA} for {', '.join(board.withheld)}", class_="notice")


def _card(view: MeasureView) -> Html:
    measure = view.measure
    heading = tag("h3", tag("a", measure.brief, href=f"/measures/{measure.id}", id=f"link-{measure.id}"))
    figures = _by_reads(view)
    if not view.is_fed:
        figures = tag("p", f"{NOT_FED} (stream {' or '.join(measure.streams)})", class_="unfed")
    elif view.faults:
        figures = tag("p", f"{NO_DATA}: {view.faults[0]}", class_="nodata")
    of_what = tag("span", f" of {measure.brief}", class_="quiet-text")
    more = tag(
        "details",
        tag("summary", "Definition", of_what, id=f"about-{measure.id}"),
        tag("p", measure.definition),
        id=f"details-{measure.id}",
    )
    return tag("article", heading, tag("div", figures, data_figures=""), more, class_="card", id=f"card-{measure.id}")


def _by_reads(view: MeasureView) -> Html:
    reads = kind_of(view.measure).reads
    if has_top(view.measure):
        return tag("p", tag("a", "The ten most frequent", href=f"/top/{view.measure.id}"))
    if reads is Reads.FIGURES:
        return _figures(view) if view.figures else tag("p", "No figure has been reported.", class_="quiet-text")
    if reads is Reads.NOTHING:
        return tag("p", TEXT.of(view.measure))
    return _table(view)


def _figures(view: MeasureView) -> Html:
    """Each figure with its own period and its as-at; an old one says so."""
    head = [tag("th", name, scope="col") for name in ("", "latest", "period", "as at")]
    rows = []
    for (by, period, _, figure), is_old in view.figures:
        named = where_titles(view.measure, by) or "all"
        as_at = to_text(figure.as_at_ms or 0)[:10] + (" OLD" if is_old else "")
        cells = (NONE if figure.value is None else text(view.measure, figure.value), period, as_at)
        rows.append(tag("tr", tag("th", named, scope="row"), *(tag("td", cell) for cell in cells)))
    caption = tag("caption", UNIT.of(view.measure))
    return tag("table", caption, tag("thead", tag("tr", *head)), tag("tbody", *rows))


def _table(view: MeasureView) -> Html:
    """Rows: label values, then all of them. Columns: the quantities. Over the shortest window."""
    label = view.measure.labels[0] if view.measure.labels else None
    when = window_text(view.lines[0].window if view.lines else "")
    values = list(dict.fromkeys(number.label for line in view.lines for number in line.numbers))
    head = [tag("th", tag("span", title_of(label) if label else "all", class_="quiet-text"), scope="col")]
    head += [tag("th", line.quantity.meaning, scope="col") for line in view.lines]
    rows = [
        tag(
            "tr",
            tag("th", value_title(label, value) if label and value else "all", scope="row"),
            *_row(view.lines, value),
        )
        for value in values
    ]
    caption = tag("caption", when)
    return tag("table", caption, tag("thead", tag("tr", *head)), tag("tbody", *rows))


def _row(lines: Sequence[Line], value: str) -> Iterator[Html]:
    for line in lines:
        number = next((each for each in line.numbers if each.label == value), None)
        missing = "no target" if value else "not summed"
        yield tag("td", missing if number is None else _said(line, number))


def _said(line: Line, number: Number) -> str:
    if number.value is None:
        return NONE
    said = plain(number.value, line.quantity.unit, tenths=line.quantity.tenths)
    return f"{said} ({number.part:,} of {number.whole:,})" if number.whole is not None else said
