"""Checks of tiles, alerts and the rest of a display. Each yields (key, what was found, what to write instead)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from watchroom.catalogue.checks import Found
from watchroom.catalogue.metrics import suffixes
from watchroom.kinds import area_windows, kind_of, quantity_of
from watchroom.kinds.measure import Measure
from watchroom.kinds.queries import OVERDUE
from watchroom.kinds.shown import Alert, Shown, Tile

MONTHS = ("month", "12mo")
MOST_TILES = 11  # and Data age: twelve panels fit on the wall and can be read from 3 m


def faults(measures: Mapping[str, Measure], platform_alerts: Iterable[str]) -> Iterator[tuple[str, str, str, str]]:
    """Everything about displays: the id of the measure, then key, what was found and what to write.

    Args:
        measures: All that are sound otherwise.
        platform_alerts: The names that platform alerts have.
    """
    positions: list[int] = []
    names = {*platform_alerts}
    for measure in measures.values():
        for key, found, write in _faults(measure, measures, positions, names):
            yield measure.id, key, found, write


def _faults(measure: Measure, measures: Mapping[str, Measure], positions: list[int], names: set[str]) -> Found:
    """The faults of one measure. Its places on the wall and its names of alerts are added to those already used."""
    display = measure.display
    for number, tile in enumerate(display.tiles):
        yield from _shown_faults(f"tiles.{number}", measure, tile.shown)
        yield from _limits_for_faults(f"tiles.{number}.judged", measure, tile)
        yield from _rest_faults(f"tiles.{number}.rest", measure, tile)
        yield from _position_faults(f"tiles.{number}.place", tile.place, positions)
        positions.append(tile.place)
    for number, alert in enumerate(display.alerts):
        yield from _alert_faults(f"alerts.{number}", measure, alert)
        if alert.name in names:
            yield f"alerts.{number}.name", repr(alert.name), "a name not already used by another alert"
        names.add(alert.name)
    yield from _overdue_faults(measure, measures)
    for suffix in display.why_unused:
        if suffix not in suffixes(measure):
            yield (
                f"why_unused.{suffix}",
                repr(suffix),
                f"one of the suffixes of its metrics: {', '.join(suffixes(measure))}",
            )


def _shown_faults(key: str, measure: Measure, shown: Shown) -> Found:
    quantities = kind_of(measure).quantities
    if shown.what not in quantities:
        yield f"{key}.show", repr(shown.what), f"a quantity of kind {measure.kind}: {', '.join(quantities)}"
        return
    quantity = quantities[shown.what]
    if shown.window not in (measure.windows or ("",)):
        yield (
            f"{key}.window",
            repr(shown.window),
            f"one of the measure's windows: {', '.join(measure.windows) or 'none'}",
        )
    if shown.window in MONTHS:
        yield (
            f"{key}.window",
            repr(shown.window),
            "another window: months are for boards and reports, not for current figures",
        )
    labels = {label.name: label for label in measure.labels}
    for name, value in shown.where.items():
        if name not in labels:
            yield f"{key}.where.{name}", repr(name), f"a label of the measure: {', '.join(labels)}"
        elif value not in labels[name].all_values():
            yield f"{key}.where.{name}", repr(value), f"one of {', '.join(labels[name].all_values())}"
    if shown.split and (shown.split not in labels or shown.split in shown.where):
        yield (
            f"{key}.split",
            repr(shown.split),
            f"a label that is not in `where`: {', '.join(labels.keys() - shown.where)}",
        )
    named = {*shown.where, shown.split}
    if not quantity.is_additive and (open_labels := labels.keys() - named):
        yield (
            f"{key}.show",
            repr(shown.what),
            f"`where` or `split` for {', '.join(open_labels)}: this quantity cannot be added up",
        )
    yield from _area_faults(f"{key}.window", measure, shown, shown.window)
    if quantity.needs_target:
        yield from _target_faults(key, measure, shown, named)


def _area_faults(key: str, measure: Measure, shown: Shown, window: str) -> Found:
    """A number by area in a window that is published for all areas together only."""
    is_by_area = measure.area_label and measure.area_label in {*shown.where, shown.split}
    known = area_windows(measure, quantity_of(measure, shown).suffix)
    if is_by_area and window in measure.windows and window not in known:
        these = ", ".join(name for name in known if name not in MONTHS) or "none"
        yield key, repr(window), f"a window in which `{shown.what}` is published by area: {these} (area_windows)"


def _limits_for_faults(key: str, measure: Measure, tile: Tile) -> Found:
    values = {label.name: label.values for label in measure.labels}
    for name, value in tile.judged.items():
        if name != tile.shown.split or value not in values.get(name, ()):
            yield key, f"{name} = {value!r}", "one of the values listed for the label in `split`"
    if tile.judged and tile.warning is None:
        yield key, str(dict(tile.judged)), "`warning` and `critical` as well"


def _rest_faults(key: str, measure: Measure, tile: Tile) -> Found:
    """Misuse of `rest`: that number has no limits and no target."""
    quantity = kind_of(measure).quantities.get(tile.shown.what)
    needs_target = quantity is not None and quantity.needs_target
    if tile.shown.rest and (not tile.shown.split or tile.warning is not None or needs_target):
        yield key, "true", "`rest` only with `split`, without limits, and for a quantity without a target"


def _target_faults(key: str, measure: Measure, shown: Shown, named: set[str]) -> Found:
    if not measure.targets:
        yield f"{key}.show", repr(shown.what), "targets for the measure, or another quantity"
    needed = {name for target in measure.targets for name in target.where}
    quantity = quantity_of(measure, shown)
    if quantity.is_met_share and needed - named:
        yield f"{key}.show", repr(shown.what), f"`where` or `split` for {', '.join(sorted(needed - named))}"
    elif measure.targets and not shown.split and measure.target_for(shown.where) is None and needed <= named:
        yield f"{key}.where", str(dict(shown.where)), "label values that have a target"
    if quantity.misses_overdue and not measure.display.overdue_from:
        yield f"{key}.show", repr(shown.what), "overdue_from for the measure, or another quantity"


def _alert_faults(key: str, measure: Measure, alert: Alert) -> Found:
    yield from _shown_faults(key, measure, alert.shown)
    kind = kind_of(measure)
    if alert.at_least and not kind.quantities.keys() - {kind.base}:
        yield (
            f"{key}.at_least",
            str(alert.at_least),
            f"an alert without at_least: kind {kind.name} has no base number to compare with it",
        )
    if alert.burn is None:
        return
    met = [name for name, quantity in kind.quantities.items() if quantity.is_met_share]
    if alert.shown.what not in met:
        these = " or ".join(f"`{name}`" for name in met) or "another measure"
        yield f"{key}.show", repr(alert.shown.what), f"{these}: a burn rate is computed from missed targets"
    if alert.shown.window != alert.burn.long:
        yield f"{key}.window", repr(alert.shown.window), f"the long window of the burn rate, {alert.burn.long!r}"
    for name in (alert.burn.long, alert.burn.short):
        if name not in measure.windows:
            yield f"{key}.burn", repr(name), f"one of the measure's windows: {', '.join(measure.windows)}"
    if alert.shown.what in kind.quantities:  # otherwise already reported
        yield from _area_faults(f"{key}.burn", measure, alert.shown, alert.burn.short)


def _overdue_faults(measure: Measure, measures: Mapping[str, Measure]) -> Found:
    name = measure.display.overdue_from
    if not name:
        return
    other = measures.get(name)
    if other is None or OVERDUE not in kind_of(other).families or not other.targets:
        yield "overdue_from", repr(name), "an open measure that has targets"
    elif [label.name for label in other.labels] != [label.name for label in measure.labels]:
        yield "overdue_from", repr(name), "an open measure with the same labels"
    elif other.targets != measure.targets:
        yield (
            "overdue_from",
            repr(name),
            "an open measure with the same targets, because overdue entities count as having missed them",
        )


def _position_faults(key: str, position: int, positions: Collection[int]) -> Found:
    if position in positions:
        yield key, str(position), "a place not used by another tile"
    if len(positions) == MOST_TILES:
        yield (
            key,
            f"a {MOST_TILES + 1}th tile",
            f"at most {MOST_TILES} tiles, so that the wall stays readable: remove this one or another",
        )
