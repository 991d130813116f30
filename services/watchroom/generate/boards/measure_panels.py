"""Panels of one measure: tables by label and window, and lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from math import prod
from typing import Final

from watchroom.catalogue.formatting import window_text
from watchroom.catalogue.rows import ALL, FEW, ORDER, UNLISTED, excluded, labels_of, values_shown, windows_by
from watchroom.generate.boards import describe, queries
from watchroom.generate.boards.board import Sources, links
from watchroom.generate.boards.lines import trend
from watchroom.generate.boards.panels import COUNT, Column, Head, Query, SizedPanel, rows
from watchroom.kinds import is_additive, kind_of
from watchroom.kinds.kind import Over, Unit
from watchroom.kinds.labels import capital, from_slug, title_of, value_title
from watchroom.kinds.measure import AREA, Label, Measure
from watchroom.streams import STREAMS

SHARE: Final = "percentunit"
SECONDS: Final = "suffix: s"  # for short times: answers take seconds, and their targets are about ten seconds
LENGTHS: Final = "dthms"  # of everything else, which takes minutes to days
UNITS: Final = {Unit.NUMBER: COUNT, Unit.SHARE: SHARE, Unit.SECONDS: SECONDS}  # as Grafana names them
MOST_LINES: Final = FEW  # series that can be told apart by colour and dash
ALL_ROW: Final = f"**Rows.** Listed values, then `{UNLISTED}`; `{ALL}` counts all of them."


class MeasurePanels:
    """Panels of one measure."""

    def __init__(self, sources: Sources, measure: Measure) -> None:
        self.sources, self.measure, self.catalogue = sources, measure, sources.catalogue
        self.kind = kind_of(measure)
        self.windows = [window for window in measure.windows if window != "month"]
        self.labels = labels_of(measure)
        self.first: Label | None = self.labels[0] if self.labels else None
        self.units = {**UNITS, Unit.SECONDS: SECONDS if STREAMS[measure.stream].is_quick else LENGTHS}

    @property
    def window(self) -> str:
        """The window that a board opens with; empty for open measures."""
        windows = windows_by(self.measure, self.first) if self.first else self.windows
        return "1h" if "1h" in windows else next(iter(windows), "")

    @property
    def said(self) -> str:
        """The same in words."""
        return window_text(self.window)

    def title(self, what: str) -> str:
        """A quantity in a panel's title."""
        quantity = self.kind.quantities[what]
        return quantity.title or quantity.meaning

    def head(
        self,
        key: str,
        title: str,
        unit: str,
        threshold: str = "",
        also: tuple[str, ...] = (),
        *,
        on_month: bool = False,
    ) -> Head:
        """A panel's head; `key` within the measure. It links to the Month board, or from there to the stream's."""
        card = describe.measure_card(self.measure, threshold or describe.NO_LIMITS, also)
        board, other = ("month", self.measure.display.board) if on_month else (self.measure.display.board, "month")
        decimals = 1 if unit in (SHARE, SECONDS) else 0
        links_shown = links(self.sources, self.measure, other)
        key = f"{board}/{self.measure.id}/{key}"
        return Head(key, title, card, unit, links_shown, decimals, streams=self.measure.streams)

    def summary(
        self, titles: Mapping[str, str], unit: str, columns: Mapping[str, Column], label: Label | None, height: int
    ) -> SizedPanel:
        """Rows: values of a label. Columns: words of the catalogue, over the window that the board opens with."""
        query_list = [Query(self._by(what, self.window, label), title) for what, title in titles.items()]
        head = self.head("summary", f"{self.measure.brief}: {self.said}", unit, also=(ALL_ROW,))
        written = {titles[what]: column for what, column in columns.items()}
        return self.rows(head, query_list, label, height=height, columns=written)

    def by_window(self, what: str, label: Label | None, *, height: int = 0) -> SizedPanel:
        """Rows: values of a label, or all combined if there is none. Columns: windows."""
        # What is overdue now was not created in complete months: adding it to those would mix two periods.
        is_of_now = self.kind.quantities[what].misses_overdue
        windows = [window for window in windows_by(self.measure, label, what) if not is_of_now or window != "12mo"]
        query_list = [Query(self._by(what, window, label), window_text(window)) for window in windows]
        labels = [label] if label else list(self.labels)
        named = " and ".join(map(title_of, labels))
        head = self.head(
            f"{what}/{'+'.join(each.name for each in labels)}",
            f"{self.measure.brief}: {self.title(what)}{f', by {named}' if named else ''}",
            self.units[self.kind.quantities[what].unit],
            also=(ALL_ROW,),
        )
        count = prod(len(each.values) + 2 * (len(labels) == 1) for each in labels)
        return self.rows(head, query_list, label, height=height or min(20, 4 + count))

    def _by(self, what: str, window: str, label: Label | None) -> str:
        labels = [label] if label else self.labels
        if labels:
            return queries.table(self.measure, what, window, labels)
        return queries.one(self.catalogue, self.measure, what, window=window)

    def now(self, what: str) -> str:
        """The query of a column of what is open now: a quantity, or what is excluded."""
        if what in self.kind.quantities or self.labels:
            return self._by(what, "", None)
        return queries.row(self.measure, what, "", {})

    def rows(
        self, head: Head, query_list: Sequence[Query], label: Label | None, *, height: int,
        columns: Mapping[str, Column] | None = None
    ) -> SizedPanel:  # fmt: skip
        """A table by a label, or of all combined if there is none."""
        labels = [label] if label else list(self.labels)
        return rows(
            head, query_list, [(each.name, describe.column(each)) for each in labels], order=ORDER,
            hide=(ORDER,), width=12, height=height, columns=columns, names=value_titles(labels),
        )  # fmt: skip

    def excluded(self) -> SizedPanel:
        """Rows: what is excluded and counted separately. Columns: windows."""
        suffixes = excluded(self.measure, Over.WINDOWS)
        query_list = [
            Query(queries.excluded(self.measure, suffixes, window), window_text(window)) for window in self.windows
        ]
        title = f"{self.measure.brief}: excluded from the times above, counted separately"
        names = {"Counted": {suffix: capital(from_slug(suffix)) for suffix in suffixes}}
        head = self.head("beside", title, COUNT)
        return rows(head, query_list, [("quantity", "Counted")], width=12, height=6, names=names)

    def line(self, what: str, *, is_wide: bool = False, height: int = 9) -> SizedPanel:
        """A quantity over time, by the first label where its values can be told apart."""
        quantity, window, label = self.kind.quantities[what], self.window, self.first
        unit, title = self.units[quantity.unit], self.title(what) + (f", {self.said}" if window else "")
        listed = values_shown(self.measure, label, what) if label else []
        is_split = label is not None and (len(listed) <= MOST_LINES or not is_additive(self.measure, what))
        split = label.name if label and is_split else ""
        query = partial(queries.one, self.catalogue, self.measure, what, window=window)
        words = {value: value_title(label, value) for value in listed} if label and is_split else {}
        lines = [Query(query(where={split: value}), said) for value, said in words.items()]  # in their order
        names = list(words.values())
        if label is None or not is_split:
            lines, names = [Query(query(), self.measure.brief)], [self.measure.brief]
        elif label.value_of == AREA:  # a setting: whatever Prometheus has
            lines, names = [Query(query(split=split), f"{{{{{label.name}}}}}")], list(words)
        objectives = {share for _, share in self.measure.display.objectives} if quantity.is_met_share else set()
        limit = objectives.pop() if len(objectives) == 1 else None
        threshold = f"dashed line at {limit:g} ({limit:.0%})" if limit is not None else ""
        head = self.head(f"{what}/trend", f"{self.measure.brief}: {title}", unit, threshold)
        return trend(head, lines, lines=names, words=words, limit=limit, is_wide=is_wide, height=height)


def value_titles(labels: Sequence[Label]) -> dict[str, dict[str, str]]:
    """Column -> its values in words."""
    return {describe.column(label): {value: value_title(label, value) for value in label.values} for label in labels}
