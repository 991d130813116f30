"""What a board shows of one measure, by its kind; a measure that is added later gets the same.

Open on the board stands one line: a table of now or of the last hour, and beside it how that has gone. The other
windows and words are below, behind a heading that a click opens.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from watchroom.catalogue.model import Label
from watchroom.catalogue.shown import PERCENTILES, WORDS
from watchroom.generate.boards import against, ask, describe
from watchroom.generate.boards.board import Section
from watchroom.generate.boards.maker import MOST_LINES, Maker, in_words
from watchroom.generate.boards.panels import COUNT, Column, Placed, Query, ranking, rows

MOST_BARS = 10
LEAST_HEIGHT = 8  # of a graph with its legend
LIVE = "share within the target, overdue counted as missed"
NO_TARGET = "no target"


class Parts(NamedTuple):
    """Everything about one measure."""

    shown: Sequence[Placed]  # one or two lines of the grid
    more: Section


def of_measure(make: Maker) -> Parts:
    """What is open, and what is behind a heading."""
    by_kind = {"count": (_count, _more_count), "share": (_share, _more_share), "duration": (_duration, _more_duration)}
    if make.measure.kind == "open":
        return Parts(list(_open(make)), Section(make.measure.brief, list(_more_open(make)), is_closed=True))
    shown, more = by_kind[make.measure.kind]
    return Parts(list(shown(make)), Section(make.measure.brief, list(more(make)), is_closed=True))


def _short(make: Maker) -> Label | None:
    """The label with the fewest values: the one that fits beside a graph."""
    return min(make.measure.labels, key=lambda label: len(label.values), default=None)


def _height(label: Label | None) -> int:
    return max(LEAST_HEIGHT, 4 + len(label.values if label else ()))


def _count(make: Maker) -> Iterator[Placed]:
    label = make.first if make.measure.display.baseline else _short(make)
    height = _height(label)
    long = next((each for each in make.measure.labels if len(each.values) > MOST_LINES), None)
    if make.measure.display.baseline:
        yield against.table(make, height)
        yield make.line("number", make.window, f"number, {make.said}", height=height)
    elif long:
        yield make.by_window("number", "number", COUNT, label, width=12, height=10)
        yield _ranking(make, long)
    else:
        yield make.by_window("number", "number", COUNT, label, width=12, height=height)
        yield make.line("number", make.window, f"number, {make.said}", height=height)


def _more_count(make: Maker) -> Iterator[Placed]:
    measure = make.measure
    is_long = any(len(each.values) > MOST_LINES for each in measure.labels)
    if measure.display.baseline:
        yield from against.graphs(make)
    for label in measure.labels or (None,):
        if measure.display.baseline or (label is not _short(make)):
            yield make.by_window("number", "number", COUNT, label)
    if len(measure.labels) == 2 and len(measure.labels[0].values) <= MOST_LINES:
        yield make.by_window("number", "number", COUNT, None)
    if is_long and not measure.display.baseline:
        yield make.line("number", make.window, f"number, {make.said}")


def _ranking(make: Maker, label: Label) -> Placed:
    window = "28d" if "28d" in make.windows else make.windows[-1]
    expr = ask.one(make.catalogue, make.measure, "number", window=window, split=label.name)
    title = f"{make.measure.brief}: most by {label.name}, {describe.WINDOW_WORDS[window]}"
    head = make.head(f"ranking/{label.name}", title, COUNT)
    names = {value: describe.label_value(label, value) for value in label.values}
    query = Query(f"sort_desc(topk({MOST_BARS}, {expr}))", f"{{{{{label.name}}}}}")
    return ranking(head, query, names, height=10)


def _share(make: Maker) -> Iterator[Placed]:
    label = _short(make)
    columns = {"part": Column(COUNT), "whole": Column(COUNT)}
    titles = {"share": "Share", "part": "The part", "whole": "Of"}
    yield make.summary(titles, "percentunit", columns, make.first or label, height=_height(make.first))
    yield make.line("share", make.window, f"share, {make.said}", height=_height(make.first))


def _more_share(make: Maker) -> Iterator[Placed]:
    for label in make.measure.labels or (None,):
        yield make.by_window("share", "share", "percentunit", label)
    for what, title in (("part", "the part, number"), ("whole", "the whole, number")):
        yield make.by_window(what, title, COUNT, make.first)
    if len(make.measure.labels) == 2:
        yield make.by_window("share", "share", "percentunit", None)


def _duration(make: Maker) -> Iterator[Placed]:
    measure = make.measure
    titles, columns = {}, {}
    if measure.targets:
        titles = {"within": "Within the target", "met": "Number within it"}
        columns = {
            "within": Column("percentunit", decimals=1, empty=NO_TARGET),
            "met": Column(COUNT, empty=NO_TARGET),
        }
        if measure.display.overdue_from:
            titles["live_within"] = "Overdue counted as missed"
            columns["live_within"] = Column("percentunit", decimals=1, empty=NO_TARGET)
    titles |= {"observations": "How many", "mean": "Mean"}
    columns["observations"] = Column(COUNT)
    if len(measure.labels) < 2:  # ranks cannot be added over a label
        titles |= {what: WORDS["duration"][what].meaning.capitalize() for what in PERCENTILES}
        columns |= {what: Column(make.seconds, decimals=1, empty="by value only") for what in PERCENTILES}
    height = _height(make.first)
    yield make.summary(titles, make.seconds, columns, make.first, height=height)
    what = "live_within" if measure.display.overdue_from else "within" if measure.targets else "mean"
    yield make.line(what, make.window, f"{WORDS['duration'][what].meaning}, {make.said}", height=height)


def _more_duration(make: Maker) -> Iterator[Placed]:
    measure = make.measure
    words = ["within", "live_within"] if measure.display.overdue_from else ["within"]
    titles = {"within": "share within the target", "live_within": LIVE}
    if measure.targets:
        for what in words:
            yield make.by_window(what, titles[what], "percentunit", make.first)
        yield make.by_window("met", "number within the target", COUNT, make.first)
    yield make.by_window("observations", "how many", COUNT, make.first)
    yield make.by_window("mean", "mean", make.seconds, make.first)
    for what in PERCENTILES:
        yield make.by_window(what, WORDS["duration"][what].meaning, make.seconds, None)
    if measure.targets and len(measure.labels) == 2:
        for what in words:
            yield make.by_window(what, titles[what], "percentunit", None)
    if measure.targets:
        for what in words[:-1]:
            yield make.line(what, make.window, f"{WORDS['duration'][what].meaning}, {make.said}")
        yield make.line("mean", make.window, f"mean, {make.said}")
    yield make.beside()


def _open(make: Maker) -> Iterator[Placed]:
    measure = make.measure
    told = [what for what in WORDS["open"] if measure.targets or what in ("open", "oldest")]
    words = [what for what in told if what.partition("_")[0] not in measure.display.why_unused]
    queries = [Query(ask.by_all(make.catalogue, measure, what), _title(what)) for what in words]
    queries.append(Query(ask.never_closed(measure), "Never closed by the feed, not shown"))
    labels = [(label.name, describe.column(label.name)) for label in measure.labels]
    count = 1
    for label in measure.labels:
        count *= len(label.values)
    columns = {_title("oldest"): Column("dtdhms" if make.seconds == "dthms" else "dthms")}
    judged = [tile for tile in measure.display.tiles if tile.warning is not None and tile.shown.what.startswith("due_")]
    for tile in judged:
        columns[_title(tile.shown.what)] = Column(COUNT, warning=tile.warning)
    threshold = "; ".join(f"{_title(tile.shown.what)} is filled from {tile.warning:g}" for tile in judged)
    head = make.head("now", f"{measure.brief}: now", COUNT, threshold)
    height = max(LEAST_HEIGHT, 4 + count)
    yield rows(
        head, queries, labels, order=ask.PLACE, hide=(ask.PLACE,), width=12, height=height, columns=columns,
        names=in_words(measure.labels),
    )  # fmt: skip
    yield make.line("open", "", "open now", is_wide=True, height=height)


def _more_open(make: Maker) -> Iterator[Placed]:
    yield make.line("oldest", "", "age of the oldest", is_wide=True)
    if make.measure.targets:
        yield make.line("overdue", "", "past the deadline", is_wide=True)


def _title(what: str) -> str:
    said = WORDS["open"][what].meaning
    return said[:1].upper() + said[1:]
