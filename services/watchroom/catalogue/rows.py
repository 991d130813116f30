"""The rows of tables: which quantities of a measure are shown by its labels, and over which windows.

The exporter publishes each row as a sample of `watchroom_row`, and the boards ask for these samples: rows that add up
several label sets ("All", "Unknown or other"), shares, means and percentiles need no arithmetic in a query.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Final, NamedTuple

from watchroom.kinds import area_windows, is_additive, kind_of
from watchroom.kinds.kind import Form, Over, Quantity, Reads, Unit
from watchroom.kinds.measure import AREA, Label, Measure
from watchroom.kinds.queries import total
from watchroom.rolling.windows import MONTH

ALL: Final = "All"
UNLISTED: Final = "Unknown or other"
ORDER: Final = "order"  # label by which the rows of a table are ordered
BEFORE_LAST: Final = "zzy"
LAST: Final = "zzz"
NOW: Final = ("",)  # the windows of what is open now
FEW: Final = 4  # values of a label that are shown one by one where that multiplies the rows


class Group(NamedTuple):
    """The label sets of a measure that are added up for one number."""

    where: Mapping[str, str]
    unlisted: Label | None = None  # only the values that are not listed for this label

    def sets(self, measure: Measure, *, by_area: bool) -> list[dict[str, str]]:
        """A measure's label sets in this group, for each area or for all areas combined."""
        return [by for by in measure.label_sets(by_area=by_area) if self._has(by)]

    def _has(self, by: Mapping[str, str]) -> bool:
        if self.unlisted is not None and by[self.unlisted.name] in self.unlisted.values:
            return False
        return all(by[name] == value for name, value in self.where.items())


class Row(NamedTuple):
    """One row: the labels of its sample, `order` among them, and what is added up for it."""

    by: Mapping[str, str]
    group: Group


class Table(NamedTuple):
    """A quantity by one label of a measure, by all of them, or by none."""

    what: str  # a quantity of the kind, or the suffix of what is excluded
    labels: tuple[Label, ...]
    windows: tuple[str, ...]


def has(measure: Measure, quantity: Quantity) -> bool:
    """Whether a measure has a quantity of its kind: one about a target, or overdue, only if the measure has these."""
    return (not quantity.needs_target or bool(measure.targets)) and (
        not quantity.misses_overdue or bool(measure.display.overdue_from)
    )


def windows_by(measure: Measure, label: Label | None, what: str = "") -> list[str]:
    """The windows, other than months, in which a measure or quantity is published by a label; None: by all labels."""
    windows = [window for window in measure.windows if window != MONTH]
    if not measure.area_label or (label is not None and label.value_of != AREA):
        return windows
    kind = kind_of(measure)
    published = area_windows(measure, kind.quantities[what or kind.base].suffix)
    return [window for window in windows if window in published]


def labels_of(measure: Measure) -> list[Label]:
    """The labels by which a measure is shown."""
    return [label for label in measure.labels if not measure.windows or windows_by(measure, label)]


def month_labels(measure: Measure) -> list[Label]:
    """The labels by which its months are published: by area only if its entry says so."""
    return [label for label in measure.labels if label.value_of != AREA or MONTH in measure.area_windows]


def decides_targets(measure: Measure, label: Label) -> bool:
    """Whether a target is known from this label alone."""
    return all(set(target.where) <= {label.name} for target in measure.targets)


def values_shown(measure: Measure, label: Label, what: str) -> list[str]:
    """The listed values under which a quantity has a meaning: of a target only those that have one."""
    values = sorted(label.values) if label.value_of == AREA else list(label.values)
    if not kind_of(measure).quantities[what].needs_target:
        return values
    needed = any(label.name in target.where for target in measure.targets)
    return [value for value in values if not needed or measure.target_for({label.name: value})]


def excluded(measure: Measure, over: Over) -> list[str]:
    """The suffixes of what a measure excludes and counts separately."""
    families = kind_of(measure).families.items()
    return [suffix for suffix, family in families if family.excluded and family.over is over]


def tables(measure: Measure) -> Iterator[Table]:
    """Every table of a measure."""
    labels, kind = labels_of(measure), kind_of(measure)
    windows = tuple(window for window in measure.windows if window != MONTH)
    yield from (Table(what, (), windows) for what in excluded(measure, Over.WINDOWS))
    yield from (Table(what, (), NOW) for what in excluded(measure, Over.NOW))
    if not labels:
        joint = [what for what in kind.summary if is_joint(measure, what)] if kind.reads is Reads.BUCKETS else []
        yield from (Table(what, (), measure.windows) for what in joint)
        return
    match kind.form:
        case Form.TALLY:
            yield from (Table(kind.base, (label,), tuple(windows_by(measure, label))) for label in labels)
            if len(labels) == 2 and len(labels[0].values) <= FEW:
                yield Table(kind.base, tuple(labels), tuple(windows_by(measure, None)))
        case Form.SUMMARY:
            yield from _summary(measure, labels)
        case Form.NOW:
            shown = [what for what in kind.summary if has(measure, kind.quantities[what])]
            yield from (Table(what, tuple(labels), NOW) for what in (*shown, *excluded(measure, Over.NOW)))
    yield from _by_month(measure)


def _summary(measure: Measure, labels: Sequence[Label]) -> Iterator[Table]:
    kind = kind_of(measure)
    for what in kind.summary:
        quantity = kind.quantities[what]
        if not has(measure, quantity):
            continue
        if quantity.unit is Unit.SHARE:
            yield from (
                Table(what, (label,), tuple(windows_by(measure, label, what)))
                for label in deciding_labels(measure, what)
            )
        elif quantity.is_additive or len(labels) == 1:
            yield Table(what, (labels[0],), tuple(windows_by(measure, labels[0], what)))
        if len(labels) == 2 and (quantity.unit is Unit.SHARE or not quantity.is_additive):
            yield Table(what, tuple(labels), tuple(windows_by(measure, None, what)))


def is_joint(measure: Measure, what: str) -> bool:
    """Whether a measure has a quantity that is more than a metric added up over labels."""
    quantity = kind_of(measure).quantities[what]
    return has(measure, quantity) and (quantity.counts is not None or quantity.promql is not total)


def deciding_labels(measure: Measure, what: str) -> list[Label]:
    """The labels by which a share is shown: a share within target is shown by the label that selects the target."""
    labels = labels_of(measure)
    if not kind_of(measure).quantities[what].needs_target:
        return labels
    needed = {name for target in measure.targets for name in target.where}
    return ([label for label in labels if needed <= {label.name}] or labels)[:1]


def _by_month(measure: Measure) -> Iterator[Table]:
    """Quantities that Prometheus could not add up itself."""
    kind = kind_of(measure)
    for what in kind.by_month if MONTH in measure.windows else ():
        quantity = kind.quantities[what]
        if not is_joint(measure, what):
            continue
        if not quantity.is_additive and len(measure.labels) > 1:
            continue  # ranks cannot be added over a label
        for label in month_labels(measure):
            if not quantity.needs_target or decides_targets(measure, label):
                yield Table(what, (label,), (MONTH,))


def rows_of(measure: Measure, table: Table) -> Iterator[Row]:
    """The listed values; of one label whose numbers add up then all others together, and last the sum of all."""
    if len(table.labels) != 1:
        yield from _each_set(table.labels) if table.labels else (Row({}, Group({})),)
        return
    (label,) = table.labels
    quantity = kind_of(measure).quantities.get(table.what)
    for place, value in enumerate(values_shown(measure, label, table.what) if quantity else label.values):
        yield Row({label.name: value, ORDER: f"{place:02}"}, Group({label.name: value}))
    if quantity is None or not is_additive(measure, table.what):
        return
    if not quantity.needs_target and table.windows != (MONTH,):
        yield Row({label.name: UNLISTED, ORDER: BEFORE_LAST}, Group({}, label))
    yield Row({label.name: ALL, ORDER: LAST}, Group({}))


def _each_set(labels: Sequence[Label]) -> Iterator[Row]:
    for places in product(*(range(len(label.values)) for label in labels)):
        by = {label.name: label.values[place] for label, place in zip(labels, places, strict=True)}
        yield Row({**by, ORDER: " ".join(f"{place:02}" for place in places)}, Group(by))
