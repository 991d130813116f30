"""Counts that are sums of others: their checks, and how they become measures. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from watchroom.catalogue.checks import Found
from watchroom.catalogue.entry import MeasureEntry, SummandEntry
from watchroom.kinds import kind_of
from watchroom.kinds.measure import Label, Measure, Summand

# A sum has none of these: the counts that it adds up have them, and alerts belong where somebody can act.
NOT_OF_SUMS = ("by", "where", "baseline", "alerts")


def faults(entry: MeasureEntry, measures: Mapping[str, Measure], faulty: Collection[str]) -> Found:
    """Everything that is wrong with a sum.

    Args:
        entry: As written; `sum_of` is not empty.
        measures: All valid measures that are not sums.
        faulty: Names of entries whose faults are already reported.
    """
    for key in NOT_OF_SUMS:
        if getattr(entry, key):
            yield key, repr(getattr(entry, key)), f"an entry without {key}: a sum cannot have it"
    named = [of.measure for of in entry.sum_of]
    of_sum = [measures[name] for name in named if name in measures and _is_additive(measures[name])]
    for number, of in enumerate(entry.sum_of):
        yield from _summand_faults(f"sum_of.{number}", of, measures, faulty)
    for name in sorted({name for name in named if named.count(name) > 1}):
        yield "sum_of", f"{name!r} twice", "each measure once, with all accepted values in its `where`"
    if len(of_sum) < len(named):
        return  # the rest cannot be checked
    shared = [window for window in of_sum[0].windows if all(window in each.windows for each in of_sum)]
    for window in entry.windows:
        if window not in shared:
            yield "windows", repr(window), f"windows that all measures of the sum have: {', '.join(shared)}"
    yield from _area_faults(entry, of_sum)
    streams = dict.fromkeys(each.stream for each in of_sum)
    if entry.stream not in streams and len(set(named)) == len(named):
        yield "stream", repr(entry.stream), f"the stream of one of the measures in the sum: {', '.join(streams)}"


def _area_faults(entry: MeasureEntry, of_sum: Collection[Measure]) -> Found:
    """Measures that are not split by area in the same windows: the sum for an area would be incomplete."""
    label = next((each.area_label for each in of_sum if each.area_label), "")
    if not all(label in (of.name for of in each.labels) for each in of_sum):
        return  # the sum is not split by area
    by_area = {each.id: [window for window in entry.windows if window in each.area_windows] for each in of_sum}
    unlike = [each.id for each in of_sum if each.area_label != label]
    if unlike:
        found = f"{', '.join(unlike)} whose label {label!r} is not the area"
        yield "sum_of", found, f"measures whose label {label!r} is the area"
    elif len(set(map(tuple, by_area.values()))) > 1:
        found = "; ".join(
            f"{name} split by area in {', '.join(windows) or 'no window'}" for name, windows in by_area.items()
        )
        yield "sum_of", found, "measures that are split by area in the same windows: set their area_windows"


def _is_additive(measure: Measure) -> bool:
    """Whether its kind has sums."""
    return "sum_of" in kind_of(measure).may


def _summand_faults(key: str, of: SummandEntry, measures: Mapping[str, Measure], faulty: Collection[str]) -> Found:
    measure = measures.get(of.measure)
    counts = [each.id for each in measures.values() if _is_additive(each)]
    if measure is None or not _is_additive(measure):
        if of.measure not in faulty:
            yield f"{key}.measure", repr(of.measure), f"a count that is not itself a sum: {', '.join(counts)}"
        return
    labels = {label.name: label.all_values() for label in measure.labels}
    for name, accepted in of.where.items():
        if name not in labels:
            yield (
                f"{key}.where.{name}",
                repr(name),
                f"a label of {measure.id}: {', '.join(labels) or 'it has no labels'}",
            )
        elif name == measure.area_label:
            yield f"{key}.where.{name}", repr(name), "another label: most windows are published for all areas combined"
        elif unknown := [value for value in accepted if value not in labels[name]]:
            yield f"{key}.where.{name}", str(unknown), f"one or more of {', '.join(labels[name])}"


def resolved(sum_: Measure, entry: MeasureEntry, measures: Mapping[str, Measure]) -> Measure:
    """The measure of a valid sum: with what it adds up, split by the labels that all of those have."""
    of = tuple(
        Summand(measures[each.measure], {name: tuple(accepted) for name, accepted in each.where.items()})
        for each in entry.sum_of
    )
    by_area = tuple(name for name in sum_.windows if all(name in each.measure.area_windows for each in of))
    return replace(sum_, labels=tuple(_common_labels(of)), area_windows=by_area, sum_of=of)


def _common_labels(of: tuple[Summand, ...]) -> Iterator[Label]:
    first, *others = of
    for label in first.measure.labels:
        if all(label.name in (each.name for each in other.measure.labels) for other in others):
            yield label
