"""What a board shows of one measure, by its kind; a measure that is added later gets the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from watchroom.catalogue.model import Label, Measure
from watchroom.catalogue.shown import WORDS
from watchroom.generate import promql
from watchroom.generate.boards import ask, describe
from watchroom.generate.boards.board import Section, Sources, links
from watchroom.generate.boards.panels import Head, Placed, Query, number, ranking, rows, trend
from watchroom.generate.boards.states import Word

MOST_LINES = 4  # series that can be told apart by colour and dash
MOST_BARS = 10
UNITS = {"count": "none", "share": "percentunit", "s": "s"}
COMPARED = (
    "**Compared with.** The same local hour of the last 6 weeks, as far as they are held: an hour of local time, so "
    "that it is the same one across a clock change."
)
LIVE = "share within the target, overdue counted as missed"
BESIDE = {"missing_start": "Missing start", "negative": "Negative"}


def of_measure(sources: Sources, measure: Measure) -> Section:
    """Everything about one measure: windows by each label, both together, and how it has gone."""
    by_kind = {"count": _count, "share": _share, "duration": _duration, "open": _open}
    return Section(measure.brief, list(by_kind[measure.kind](_Maker(sources, measure))))


class _Maker:
    """Panels of one measure."""

    def __init__(self, sources: Sources, measure: Measure) -> None:
        self.sources, self.measure, self.catalogue = sources, measure, sources.catalogue
        self.windows = [window for window in measure.windows if window != "month"]
        self.first: Label | None = measure.labels[0] if measure.labels else None

    def head(self, key: str, title: str, unit: str, threshold: str = "", also: tuple[str, ...] = ()) -> Head:
        """A panel's head; `key` within the measure."""
        board = self.measure.display.board
        card = describe.measure_card(self.measure, threshold or describe.NO_LIMITS, also)
        decimals = 0 if unit == "none" else 1
        full = f"{board}/{self.measure.id}/{key}"
        return Head(full, title, card, unit, links(self.sources, self.measure, "month"), decimals)

    def by_window(self, what: str, title: str, unit: str, label: Label | None, *, width: int = 24) -> Placed:
        """Rows: values of a label. Columns: windows."""
        queries = []
        for window in self.windows:
            if label:
                expr = ask.by_label(self.catalogue, self.measure, what, window, label)
            else:
                expr = ask.by_all(self.catalogue, self.measure, what, window)
            queries.append(Query(expr, describe.WINDOW_WORDS[window]))
        labels = [label] if label else list(self.measure.labels)
        named = " and ".join(each.name for each in labels)
        key = f"{what}/{'+'.join(each.name for each in labels)}"
        also = ("**Rows.** Listed values; `all` counts those that are unlisted or absent as well.",)
        count = 1
        for each in labels:
            count *= len(each.values) + (len(labels) == 1)
        head = self.head(key, f"{self.measure.brief}: {title}{f', by {named}' if named else ''}", unit, also=also)
        columns = [(each.name, describe.column(each.name)) for each in labels]
        return rows(head, queries, columns, width=width, height=min(20, 3 + count), names=in_words(labels))

    def beside(self) -> Placed:
        """Rows: what is counted beside a duration. Columns: windows."""
        queries = []
        for window in self.windows:
            parts = (
                ask.put(ask.beside(self.measure, suffix, window), "counted", text) for suffix, text in BESIDE.items()
            )
            queries.append(Query(" or ".join(parts), describe.WINDOW_WORDS[window]))
        head = self.head("beside", f"{self.measure.brief}: counted beside, in no time above", "none")
        return rows(head, queries, [("counted", "Counted")], height=6)

    def line(self, what: str, window: str, title: str) -> Placed:
        """How one word has gone, by the first label where its values can be told apart."""
        unit = UNITS[WORDS[self.measure.kind][what].unit]
        label = self.first
        listed = ask.values_shown(self.measure, label, what) if label else []
        is_split = label is not None and (len(listed) <= MOST_LINES or not ask.adds_up(self.measure, what))
        split = label.name if label and is_split else ""
        expr = ask.one(self.catalogue, self.measure, what, window=window, split=split)
        name = describe.label_legend(label) if label and is_split else self.measure.brief
        names = [describe.label_value(label, value) for value in listed] if label and is_split else [name]
        objectives = (
            {share for _, share in self.measure.display.objectives} if what in ("within", "live_within") else set()
        )
        limit = objectives.pop() if len(objectives) == 1 else None
        threshold = f"dashed line at {limit:g} ({limit:.0%})" if limit is not None else ""
        head = self.head(f"{what}/trend", f"{self.measure.brief}: {title}", unit, threshold)
        return trend(head, [Query(expr, name)], lines=names, limit=limit)

    def _objective(self, what: str) -> float | None:
        """The one objective of a share, if there is exactly one to draw."""
        objectives = {share for _, share in self.measure.display.objectives if what in ("within", "live_within")}
        return objectives.pop() if len(objectives) == 1 else None


def _count(make: _Maker) -> Iterator[Placed]:
    measure = make.measure
    if measure.display.baseline:
        yield from _baseline(make)
    for label in measure.labels or (None,):
        yield make.by_window("number", "number", "none", label)
    if len(measure.labels) == 2 and len(measure.labels[0].values) <= MOST_LINES:
        yield make.by_window("number", "number", "none", None)
    for label in measure.labels:
        if len(label.values) > MOST_LINES:
            yield _ranking(make, label)
    window = make.windows[0] if "1h" not in make.windows else "1h"
    yield make.line("number", window, f"number, {describe.WINDOW_WORDS[window].lower()}")


def _ranking(make: _Maker, label: Label) -> Placed:
    window = "28d" if "28d" in make.windows else make.windows[-1]
    expr = ask.one(make.catalogue, make.measure, "number", window=window, split=label.name)
    title = f"{make.measure.brief}: most by {label.name}, {describe.WINDOW_WORDS[window].lower()}"
    head = make.head(f"ranking/{label.name}", title, "none")
    names = {value: describe.label_value(label, value) for value in label.values}
    return ranking(head, Query(f"sort_desc(topk({MOST_BARS}, {expr}))", f"{{{{{label.name}}}}}"), names)


def _share(make: _Maker) -> Iterator[Placed]:
    for label in make.measure.labels or (None,):
        yield make.by_window("share", "share", "percentunit", label)
    for what, title in (("part", "the part, number"), ("whole", "the whole, number")):
        yield make.by_window(what, title, "none", make.first, width=12)
    if len(make.measure.labels) == 2:
        yield make.by_window("share", "share", "percentunit", None)
    window = make.windows[0] if "1h" not in make.windows else "1h"
    yield make.line("share", window, f"share, {describe.WINDOW_WORDS[window].lower()}")


def _duration(make: _Maker) -> Iterator[Placed]:
    measure = make.measure
    window = make.windows[0] if "1h" not in make.windows else "1h"
    said = describe.WINDOW_WORDS[window].lower()
    if measure.targets:
        yield make.by_window("within", "share within the target", "percentunit", make.first)
        yield make.by_window("met", "number within the target", "none", make.first)
        words = ["within"]
        if measure.display.overdue_from:
            yield make.by_window("live_within", LIVE, "percentunit", make.first)
            words.append("live_within")
        for what in words:
            yield make.line(what, window, f"{WORDS['duration'][what].meaning}, {said}")
    yield make.by_window("observations", "how many", "none", make.first)
    yield make.by_window("mean", "mean", "s", make.first)
    for what in ("p50", "p90", "p95"):
        yield make.by_window(what, WORDS["duration"][what].meaning, "s", None)
    if measure.targets and len(measure.labels) == 2:
        yield make.by_window("within", "share within the target", "percentunit", None)
        if measure.display.overdue_from:
            yield make.by_window("live_within", LIVE, "percentunit", None)
    yield make.line("mean", window, f"mean, {said}")
    yield make.beside()


def _open(make: _Maker) -> Iterator[Placed]:
    measure = make.measure
    words = [what for what in WORDS["open"] if measure.targets or what in ("open", "oldest")]
    queries = [Query(ask.by_all(make.catalogue, measure, what), _title(what)) for what in words]
    columns = [(label.name, describe.column(label.name)) for label in measure.labels]
    count = 1
    for label in measure.labels:
        count *= len(label.values)
    head = make.head("now", f"{measure.brief}: now", "none")
    units_of: dict[str, tuple[str, dict[int, Word]]] = {_title("oldest"): ("s", {})}
    yield rows(head, queries, columns, height=min(20, 3 + count), column_words=units_of, names=in_words(measure.labels))
    yield make.line("open", "", "open now")
    yield make.line("oldest", "", "age of the oldest")
    if measure.targets:
        yield make.line("overdue", "", "past the deadline")
    head = make.head("gave_up", f"{measure.brief}: never closed by the feed, no longer shown", "none")
    yield number(head, [Query(ask.beside(measure, "gave_up"), "no longer shown")], width=12 if measure.targets else 24)


def in_words(labels: Sequence[Label]) -> dict[str, dict[str, str]]:
    """Column -> its values as people say them."""
    return {
        describe.column(label.name): {value: describe.label_value(label, value) for value in label.values}
        for label in labels
    }


def _title(what: str) -> str:
    said = WORDS["open"][what].meaning
    return said[:1].upper() + said[1:]


def _baseline(make: _Maker) -> Iterator[Placed]:
    """The last complete local hour beside the same local hour of the last six weeks."""
    label = make.first
    split = label.name if label else ""
    labels = [(label.name, describe.column(label.name))] if label else []
    also = (COMPARED,)
    head = make.head(
        "baseline", f"{make.measure.brief}: last complete hour against the last 6 weeks", "none", also=also
    )
    yield rows(
        head,
        list(_against(make.measure, {}, split)),
        labels,
        height=4 + len(label.values if label else ()),
        names=in_words([label] if label else []),
    )
    for value in label.values if label and len(label.values) <= MOST_LINES else []:
        said = describe.label_value(label, value) if label else ""
        title = f"{make.measure.brief}, {said}: complete hour against the last 6 weeks"
        queries = list(_against(make.measure, {split: value}, ""))
        names = ["Last hour", "Median", "Highest", "Lowest"]
        yield trend(
            make.head(f"baseline/{value}", title, "none", also=also),
            queries,
            lines=names,
            band=("Highest", "Lowest"),
            height=10,
        )


def _against(measure: Measure, where: dict[str, str], split: str) -> Iterator[Query]:
    by = ", ".join(["force", *([split] if split else [])])
    last = promql.local_hour(measure, where, split, "0", ask.CHOSEN)
    weeks = promql.local_hour(measure, where, split, "[1-6]", ask.CHOSEN)
    yield Query(f"max by ({by}) ({last})", "Last hour")
    yield Query(f"quantile by ({by}) (0.5, {weeks})", "Median")
    yield Query(f"max by ({by}) ({weeks})", "Highest")
    yield Query(f"min by ({by}) ({weeks})", "Lowest")
