"""The samples of `watchroom_row`; the text of a window whose sums did not change is kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import nan
from typing import Final, NamedTuple

from watchroom.catalogue.metrics import ROW
from watchroom.catalogue.model import Catalogue
from watchroom.catalogue.rows import Row, Table, rows_of, tables
from watchroom.exporter.exposition import labels_text, line
from watchroom.exporter.numbers import Added, Numbers, added_overdue, added_up, number_of
from watchroom.kinds import kind_of
from watchroom.kinds.kind import Quantity, Reads, Unit
from watchroom.kinds.measure import AREA, Measure
from watchroom.rolling.windows import Window

_Version = tuple[int, bool]  # of the sums behind a window's text, and whether it is by area


class _Cell(NamedTuple):
    """One sample of a row."""

    labels: str
    quantity: Quantity


class _Behind(NamedTuple):
    """The series that samples rest on."""

    by_area: Added | None  # where the window is by area
    together: Added | None  # elsewhere; None: not known there, or nothing has the target that is needed
    overdue: Added | None  # of the measure whose overdue count as missed


_Rows = Mapping[_Behind, Sequence[_Cell]]
_NOTHING: Final[_Rows] = {}


class MeasureRows:
    """The rows of one measure's tables."""

    def __init__(self, catalogue: Catalogue, measure: Measure) -> None:
        self.measure = measure
        self._kind = kind_of(measure)
        self._catalogue = catalogue
        self._witnesses = catalogue.witnesses(measure)
        self._always: Mapping[str, _Rows] = {}
        self._on_change: Mapping[str, _Rows] = {}
        if self._kind.reads in (Reads.BUCKETS, Reads.OPEN_SET):
            found = list(tables(measure))
            self._always = self._by_window(table for table in found if self._is_of_now(table))
            self._on_change = self._by_window(table for table in found if not self._is_of_now(table))
        self._kept: dict[Window, tuple[_Version, str]] = {}
        self._text: tuple[object, str] = None, ""

    def text(self, numbers: Numbers) -> str:
        """All rows of the measure, of every window that is known."""
        sums = numbers.sums
        if not self.measure.windows:
            return "".join(self._lines(self._always.get("", _NOTHING), Window(""), numbers))
        known = sums.known(self._witnesses)
        state = sums.changed(self.measure.counted), known
        if self._text[0] != state:
            self._kept = {window: self._window(window, numbers) for window in known if window.name in self._on_change}
            self._text = state, "".join(text for _, text in self._kept.values())
        of_now = (
            self._lines(self._always[window.name], window, numbers) for window in known if window.name in self._always
        )
        return "".join([self._text[1], *map("".join, of_now)])

    def _is_of_now(self, table: Table) -> bool:
        quantity = self._kind.quantities.get(table.what)
        return not self.measure.windows or (quantity is not None and quantity.misses_overdue)

    def _window(self, window: Window, numbers: Numbers) -> tuple[_Version, str]:
        sums = numbers.sums
        by_area = sums.is_by_area(window, self.measure.id)
        version = max(sums.version(window, measure) for measure in self.measure.counted), by_area
        kept = self._kept.get(window)
        if kept and kept[0] == version:
            return kept
        return version, "".join(self._lines(self._on_change[window.name], window, numbers))

    def _lines(self, rows: _Rows, window: Window, numbers: Numbers) -> Iterator[str]:
        by_area = not self.measure.windows or numbers.sums.is_by_area(window, self.measure.id)
        over = f",{labels_text(window.labels())}" if window.name else ""
        for behind, cells in rows.items():
            added = behind.by_area if by_area else behind.together
            if added is None:
                continue
            figures = numbers.figures(self.measure, window, added)
            overdue = 0 if behind.overdue is None else numbers.overdue(self.measure, behind.overdue)
            for labels, quantity in cells:
                value = number_of(self._kind, quantity, figures, overdue).value
                yield line(ROW, labels + over, nan if value is None else value)

    def _by_window(self, found: Iterable[Table]) -> Mapping[str, _Rows]:
        made: dict[str, dict[_Behind, list[_Cell]]] = defaultdict(lambda: defaultdict(list))
        for table in found:
            quantity = self._kind.quantities.get(table.what) or self._excluded(table.what)
            for row in rows_of(self.measure, table):
                labels = labels_text({"measure": self.measure.id, "quantity": table.what, **row.by})
                behind = self._behind(row, table, quantity)
                for window in table.windows:
                    made[window][behind].append(_Cell(labels, quantity))
        return made

    def _behind(self, row: Row, table: Table, quantity: Quantity) -> _Behind:
        measure, group = self.measure, row.group
        needed = {*group.where, group.unlisted.name if group.unlisted else ""}
        is_of_area = any(label.value_of == AREA and label.name in needed for label in table.labels)
        by_area, together = (
            added_up(measure, group, by_area=split, needs_target=quantity.needs_target) for split in (True, False)
        )
        overdue = added_overdue(self._catalogue, measure, group) if quantity.misses_overdue else None
        return _Behind(by_area, None if is_of_area else together, overdue)

    def _excluded(self, suffix: str) -> Quantity:
        """What is excluded and counted separately, as a quantity."""
        family = self._kind.families[suffix]
        return Quantity(family.about, Unit.NUMBER, family.samples[0][1])
