"""Window sums kept up to date bucket by bucket: no clock, no I/O.

A window is a set of buckets, and its sum changes only when a bucket enters it, leaves it or is read
again with other content. All three are differences of integers, so the sum stays exactly what adding
up all its buckets would give (a property test compares the two).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from watchroom.catalogue.model import Catalogue
from watchroom.kinds import names
from watchroom.kinds.kind import fields_added_up
from watchroom.kinds.measure import ALL, Measure
from watchroom.rolling import buckets
from watchroom.rolling.windows import LOCAL_HOUR, MONTH, TWELVE_MONTHS, WITNESSES, Window

ORPHANS_WINDOW = "28d"
MONTHS_BY_AREA = 2  # the current month and the last complete one; for older ones, all areas combined

Fields = Mapping[str, int]  # bucket field -> integer


def windows_of(catalogue: Catalogue) -> dict[str, frozenset[str]]:
    """The windows of each measure that has any, and those of the orphans."""
    found = {measure.id: windows_of_measure(measure) for measure in catalogue.measures.values() if measure.windows}
    return {**found, names.ORPHANS: frozenset({ORPHANS_WINDOW})}


def windows_of_measure(measure: Measure) -> frozenset[str]:
    """Those that its entry names, and the local hours if it has a baseline."""
    return frozenset({*measure.windows, *([LOCAL_HOUR] if measure.display.baseline else [])})


class ByArea(NamedTuple):
    """How a measure is split by area: under which label, and in which windows."""

    label: str
    windows: frozenset[str]


def by_area_of(measures: Iterable[Measure]) -> dict[str, ByArea]:
    """How each measure that has an area label is split by it."""
    having = (measure for measure in measures if measure.area_label)
    return {measure.id: ByArea(measure.area_label, frozenset(measure.area_windows)) for measure in having}


def series_behind(measure: Measure, by: Mapping[str, str]) -> tuple[str, ...]:
    """The series held here that make up a measure's: for all areas combined unless `by` names an area."""
    return names.series_behind(measure, by, by_area=by.get(measure.area_label, ALL) != ALL)


NOT_BY_AREA: Final[Mapping[str, ByArea]] = {}


class _Parsed(NamedTuple):
    """A bucket field taken apart."""

    measure: str
    series: str
    what: str
    together: str  # the series of all areas; empty: the measure has none
    area_windows: frozenset[str]


class WindowSums:
    """The sums of all windows, by window and series, and the buckets from which they were computed.

    For a measure with areas, the sum over all of them is kept as a series of its own (`area=all`), by the same
    differences: in every window, because that is all that some windows publish. The series of each area are kept
    in the windows that are split by area.
    """

    def __init__(
        self, windows_of_measure: Mapping[str, frozenset[str]], by_area: Mapping[str, ByArea] = NOT_BY_AREA
    ) -> None:
        self._windows_of_measure = windows_of_measure
        self._by_area = by_area
        self._months_by_area: frozenset[str] = frozenset()
        self._held: dict[str, Fields] = {}
        self._members: dict[Window, frozenset[str]] = {}
        self._in_windows: dict[str, tuple[Window, ...]] = {}
        self._sums: dict[Window, dict[str, dict[str, int]]] = {}
        self._versions: dict[tuple[Window, str], int] = {}
        self._parsed: dict[str, _Parsed] = {}
        self._known: dict[tuple[frozenset[str], ...], tuple[Window, ...]] = {}  # until a bucket changes
        self._changed: dict[str, int] = {}  # version of a measure's latest change in any window
        self._version = 0

    @property
    def windows(self) -> Iterable[Window]:
        """The windows of the last `move`."""
        return self._members.keys()

    def missing(self, members: Mapping[Window, frozenset[str]]) -> set[str]:
        """Buckets that the next `move` needs and that are not held: read these first."""
        return {name for found in members.values() for name in found if name not in self._held}

    def members(self) -> set[str]:
        """Every bucket that is in a window now."""
        return set(self._in_windows)

    def series(self, window: Window, series: str) -> Fields:
        """What a window holds for one series, by what is counted; empty if there is none."""
        return self._sums.get(window, {}).get(series, {})

    def is_by_area(self, window: Window, measure: str) -> bool:
        """Whether this measure is split by area in this window: only the latest months are."""
        split = self._by_area.get(measure)
        if split is None or window.name not in split.windows:
            return False
        return window.name != MONTH or window.month in self._months_by_area

    def together(self, window: Window, behind: Sequence[str]) -> Fields:
        """The same for several series added up."""
        sums = self._sums.get(window, {})
        if len(behind) == 1:
            return sums.get(behind[0], {})
        return fields_added_up(sums[each] for each in behind if each in sums)

    def known(self, witnesses: tuple[frozenset[str], ...]) -> tuple[Window, ...]:
        """The windows whose numbers may be published: see `is_known_of`."""
        found = self._known.get(witnesses)
        if found is None:
            found = tuple(window for window in self._members if self.is_known(window, witnesses))
            self._known[witnesses] = found
        return found

    def is_known(self, window: Window, witnesses: Iterable[frozenset[str]]) -> bool:
        """Whether a window's number may be published: `is_known_of` each stream.

        Args:
            window: One of `windows`.
            witnesses: The measures of each stream that feeds it.
        """
        return all(self.is_known_of(window, of_stream) for of_stream in witnesses)

    def is_known_of(self, window: Window, of_stream: frozenset[str]) -> bool:
        """Whether a window's number may be published, even if it is 0: always, except for local hours and past months.

        A past month is known if it, or one before it that is shown, holds anything of the stream: 0 crimes in
        a month before the first event would be read out in public. Twelve months are known if the oldest is:
        the sum of fewer would be read out as a year's.

        A local hour is known if each of its witnesses holds anything of the stream. So an hour before the
        stream's first event, on its first day (the hour in which it began is a part of one) or within an outage
        of whole days is absent and never 0. The limits: a feed that was dead for some hours between days that
        had events shows 0 (or too little) for these; a stream that is silent for a whole day (no event of any
        kind) loses the hours of that day and of the next.

        Args:
            window: One of `windows`.
            of_stream: The measures of the stream.
        """
        if window.name == MONTH:
            return self._is_known_month(window.month, of_stream)
        if window.name == TWELVE_MONTHS:
            return self._holds_any(min(self._members[window]), of_stream)
        if window.name != LOCAL_HOUR:
            return True
        witnesses = self._members.get(window._replace(name=WITNESSES), frozenset())
        return bool(witnesses) and all(self._holds_any(name, of_stream) for name in witnesses)

    def _is_known_month(self, month: str, of_stream: frozenset[str]) -> bool:
        shown = sorted(window.month for window in self._members if window.name == MONTH)
        if month == shown[-1]:
            return True
        return any(self._holds_any(buckets.month_name(each), of_stream) for each in shown if each <= month)

    def _holds_any(self, name: str, measures: frozenset[str]) -> bool:
        held = self._held.get(name, {})
        return any(number and self._parse(field).measure in measures for field, number in held.items())

    def version(self, window: Window, measure: str) -> int:
        """Changes whenever a sum of this measure in this window may have changed."""
        return self._versions.get((window, measure), 0)

    def changed(self, measures: Iterable[str]) -> int:
        """Changes whenever a sum of any of these measures may have changed in any window."""
        return max(self._changed.get(measure, 0) for measure in measures)

    def move(self, members: Mapping[Window, frozenset[str]]) -> None:
        """Make the windows consist of these buckets, and forget buckets that are in none of them."""
        self._version += 1
        self._known.clear()
        for gone in self._members.keys() - members.keys():
            self._sums.pop(gone, None)
            for key in [key for key in self._versions if key[0] == gone]:
                del self._versions[key]
        for window, names_now in members.items():
            before = self._members.get(window, frozenset())
            for name in before - names_now:
                self._add(window, self._held.get(name, {}), -1)
            for name in names_now - before:
                self._add(window, self._held.get(name, {}), 1)
        if members != self._members:
            self._members = dict(members)
            shown = sorted(window.month for window in members if window.name == MONTH)
            self._months_by_area = frozenset(shown[-MONTHS_BY_AREA:])
            self._index()

    def replace(self, name: str, fields: Fields) -> None:
        """Store the content read from a bucket; ignored for a bucket that is in no window."""
        windows = self._in_windows.get(name)
        if windows is None:
            return
        self._version += 1
        self._known.clear()
        difference = _difference(self._held.get(name, {}), fields)
        self._held[name] = fields
        for window in windows:
            self._add(window, difference, 1)

    def _index(self) -> None:
        windows: dict[str, list[Window]] = {}
        for window, bucket_names in self._members.items():
            for name in bucket_names:
                windows.setdefault(name, []).append(window)
        self._in_windows = {name: tuple(found) for name, found in windows.items()}
        for name in self._held.keys() - windows.keys():
            del self._held[name]

    def _add(self, window: Window, fields: Fields, sign: int) -> None:
        sums = self._sums.setdefault(window, {})
        for field, number in fields.items():
            measure, series, what, together, area_windows = self._parse(field)
            if not number or window.name not in self._windows_of_measure.get(measure, ()):
                continue
            if together:
                _add_to(sums, together, what, sign * number)
            if not together or window.name in area_windows:
                _add_to(sums, series, what, sign * number)
            self._versions[window, measure] = self._changed[measure] = self._version

    def _parse(self, field: str) -> _Parsed:
        found = self._parsed.get(field)
        if found is None:
            if len(self._parsed) > 200_000:  # far above a full catalogue: never grow for ever
                self._parsed.clear()
            found = self._parsed[field] = self._taken_apart(field)
        return found

    def _taken_apart(self, field: str) -> _Parsed:
        series, _, what = field.rpartition("|")
        measure, by = names.parse_series(series)
        split = self._by_area.get(measure)
        if split is None:
            return _Parsed(measure, series, what, "", frozenset())
        return _Parsed(measure, series, what, names.series(measure, {**by, split.label: ALL}), split.windows)


def _add_to(sums: dict[str, dict[str, int]], series: str, what: str, number: int) -> None:
    into = sums.setdefault(series, {})
    total = into.get(what, 0) + number
    if total:
        into[what] = total
    else:
        into.pop(what, None)


def _difference(before: Fields, after: Fields) -> dict[str, int]:
    changed = {field: number - before.get(field, 0) for field, number in after.items() if number != before.get(field)}
    changed.update({field: -number for field, number in before.items() if field not in after})
    return changed
