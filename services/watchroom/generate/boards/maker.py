"""Panels of one measure: tables by label and window, and lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final, assert_never

from watchroom.generate.boards import ask, describe
from watchroom.generate.boards.board import Sources, links
from watchroom.generate.boards.lines import trend
from watchroom.generate.boards.panels import COUNT, Column, Head, Placed, Query, rows
from watchroom.kinds import adds_up, area_windows, kind_of
from watchroom.kinds.kind import Over, Unit
from watchroom.kinds.labels import capital, from_slug, title_of, value_words
from watchroom.kinds.measure import AREA, Label, Measure
from watchroom.streams import STREAMS

SHARE: Final = "percentunit"
SECONDS: Final = "suffix: s"  # of what is quick: answers are a matter of seconds, and their targets of ten
LENGTHS: Final = "dthms"  # of everything else, which takes minutes to days
MOST_LINES: Final = 4  # series that can be told apart by colour and dash
ALL_ROW: Final = f"**Rows.** Listed values, then `{ask.UNLISTED}`; `{ask.ALL}` counts all of them."


class Maker:
    """Panels of one measure."""

    def __init__(self, sources: Sources, measure: Measure) -> None:
        self.sources, self.measure, self.catalogue = sources, measure, sources.catalogue
        self.kind = kind_of(measure)
        self.windows = [window for window in measure.windows if window != "month"]
        self.labels = [label for label in measure.labels if not measure.windows or self.by(label)]
        self.first: Label | None = self.labels[0] if self.labels else None
        self.seconds = SECONDS if STREAMS[measure.stream].is_quick else LENGTHS

    def by(self, label: Label | None, what: str = "") -> list[str]:
        """The windows in which it, or one of its quantities, can be asked for by a label; None: by all of them."""
        if not self.measure.area_label or (label is not None and label.value_of != AREA):
            return self.windows
        suffix = self.kind.quantities[what].suffix if what else self.kind.quantities[self.kind.base].suffix
        return [window for window in self.windows if window in area_windows(self.measure, suffix)]

    @property
    def window(self) -> str:
        """The window that a board opens with; empty for open measures."""
        windows = self.by(self.first) if self.first else self.windows
        return "1h" if "1h" in windows else next(iter(windows), "")

    @property
    def said(self) -> str:
        """The same in words."""
        return describe.WINDOW_WORDS[self.window]

    def head(self, key: str, title: str, unit: str, threshold: str = "", also: tuple[str, ...] = ()) -> Head:
        """A panel's head; `key` within the measure."""
        card = describe.measure_card(self.measure, threshold or describe.NO_LIMITS, also)
        full = f"{self.measure.display.board}/{self.measure.id}/{key}"
        decimals = 1 if unit in (SHARE, SECONDS) else 0
        return Head(
            full, title, card, unit, links(self.sources, self.measure, "month"), decimals, streams=self.measure.streams
        )

    def summary(
        self, titles: Mapping[str, str], unit: str, columns: Mapping[str, Column], label: Label | None, height: int
    ) -> Placed:
        """Rows: values of a label. Columns: words of the catalogue, over the window that the board opens with."""
        queries = [Query(self._by(what, self.window, label), title) for what, title in titles.items()]
        head = self.head("summary", f"{self.measure.brief}: {self.said}", unit, also=(ALL_ROW,))
        written = {titles[what]: column for what, column in columns.items()}
        return self._rows(head, queries, label, width=12, height=height, columns=written)

    def by_window(
        self, what: str, title: str, unit: str, label: Label | None, *, width: int = 12, height: int = 0
    ) -> Placed:
        """Rows: values of a label, or without one of all. Columns: windows."""
        # What is overdue now was not created in months that are complete: added to those it would mix two times.
        is_of_now = self.kind.quantities[what].misses_overdue
        windows = [window for window in self.by(label, what) if not is_of_now or window != "12mo"]
        queries = [Query(self._by(what, window, label), describe.WINDOW_WORDS[window]) for window in windows]
        labels = [label] if label else list(self.labels)
        named = " and ".join(map(title_of, labels))
        head = self.head(
            f"{what}/{'+'.join(each.name for each in labels)}",
            f"{self.measure.brief}: {title}{f', by {named}' if named else ''}",
            unit,
            also=(ALL_ROW,),
        )
        count = 1
        for each in labels:
            count *= len(each.values) + 2 * (len(labels) == 1)
        return self._rows(head, queries, label, width=width, height=height or min(20, 4 + count))

    def _by(self, what: str, window: str, label: Label | None) -> str:
        if label:
            return ask.by_label(self.catalogue, self.measure, what, window, label)
        return ask.by_all(self.catalogue, self.measure, what, window)

    def _rows(
        self, head: Head, queries: Sequence[Query], label: Label | None, *, width: int, height: int,
        columns: Mapping[str, Column] | None = None
    ) -> Placed:  # fmt: skip
        labels = [label] if label else list(self.labels)
        return rows(
            head, queries, [(each.name, describe.column(each)) for each in labels], order=ask.PLACE,
            hide=(ask.PLACE,), width=width, height=height, columns=columns, names=in_words(labels),
        )  # fmt: skip

    @property
    def excluded(self) -> dict[str, str]:
        """What is excluded and counted separately over the windows: suffix -> a name."""
        families = self.kind.families.items()
        found = [suffix for suffix, family in families if family.excluded and family.over is Over.WINDOWS]
        return {suffix: capital(from_slug(suffix)) for suffix in found}

    def beside(self) -> Placed:
        """Rows: what is excluded and counted separately. Columns: windows."""
        queries = []
        for window in self.windows:
            parts = (
                ask.put(ask.beside(self.measure, suffix, window), "counted", text)
                for suffix, text in self.excluded.items()
            )
            queries.append(Query(" or ".join(parts), describe.WINDOW_WORDS[window]))
        head = self.head("beside", f"{self.measure.brief}: counted separately, in none of the times above", COUNT)
        said = {"Counted": {text: text for text in self.excluded.values()}}
        return rows(head, queries, [("counted", "Counted")], width=12, height=6, names=said)

    def panel_unit(self, unit: Unit) -> str:
        """What Grafana writes a quantity of the measure in."""
        match unit:
            case Unit.NUMBER:
                return COUNT
            case Unit.SHARE:
                return SHARE
            case Unit.SECONDS:
                return self.seconds
            case _:
                assert_never(unit)

    def line(self, what: str, window: str, title: str, *, is_wide: bool = False, height: int = 9) -> Placed:
        """How one word has gone, by the first label where its values can be told apart."""
        quantity = self.kind.quantities[what]
        unit = self.panel_unit(quantity.unit)
        label = self.first
        listed = ask.values_shown(self.measure, label, what) if label else []
        is_split = label is not None and (len(listed) <= MOST_LINES or not adds_up(self.measure, what))
        split = label.name if label and is_split else ""
        asked = partial(ask.one, self.catalogue, self.measure, what, window=window)
        words = {value: value_words(label, value) for value in listed} if label and is_split else {}
        queries = [Query(asked(where={split: value}), said) for value, said in words.items()]  # in their order
        names = list(words.values())
        if label is None or not is_split:
            queries, names = [Query(asked(), self.measure.brief)], [self.measure.brief]
        elif label.value_of == AREA:  # a setting: whatever Prometheus has
            queries, names = [Query(asked(split=split), describe.label_legend(label))], list(words)
        objectives = {share for _, share in self.measure.display.objectives} if quantity.is_met_share else set()
        limit = objectives.pop() if len(objectives) == 1 else None
        threshold = f"dashed line at {limit:g} ({limit:.0%})" if limit is not None else ""
        head = self.head(f"{what}/trend", f"{self.measure.brief}: {title}", unit, threshold)
        return trend(head, queries, lines=names, words=words, limit=limit, is_wide=is_wide, height=height)


def in_words(labels: Sequence[Label]) -> dict[str, dict[str, str]]:
    """Column -> its values as people say them."""
    return {describe.column(label): {value: value_words(label, value) for value in label.values} for label in labels}
