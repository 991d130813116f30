"""`/top/<measure>`: what occurs most, over each window of the measure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from watchroom.exporter.board.markup import Html, tag
from watchroom.exporter.top_list import TopList, notes
from watchroom.kinds.labels import capital, from_slug


def top_page(lists: Iterable[TopList], faults: Sequence[str]) -> Html:
    """A table for each window.

    Args:
        lists: One for each window.
        faults: Why the stream is withheld from the boards; empty: it is not.
    """
    parts = [tag("p", tag("strong", "NOT LIVE"), f": {'; '.join(faults)}.", class_="nodata")] if faults else []
    parts += [part for found in lists for part in _of_window(found)]
    return tag("article", tag("div", *parts, data_figures=""), class_="text wide")


def _of_window(found: TopList) -> Iterator[Html]:
    head = ["", found.measure.brief, "Occurrences", *map(from_slug, found.columns)]
    rows = [
        tag(
            "tr",
            tag("th", f"{rank}", scope="row"),
            tag("td", each.name),
            tag("td", f"{each.occurrences:,}"),
            *(tag("td", from_slug(each.word)) for _ in found.columns),
        )
        for rank, each in enumerate(found.ranked, 1)
    ]
    yield tag("h2", capital(found.window_said))
    if rows:
        columns = tag("tr", *(tag("th", text, scope="col") for text in head))
        yield tag("table", tag("thead", columns), tag("tbody", *rows))
    yield from (tag("p", note) for note in notes(found))
