"""Bands of closed months: how many tokens occurred how often. They stay when the tokens themselves are deleted.

A month has its own bands and those of the 12 months that end with it, as they were when the month closed and as they
are today. They are made from the hashes of token counts only, so a rebuild makes the same ones.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from watchroom.kinds import names, tokens
from watchroom.kinds.tokens import Bands, Counts
from watchroom.rolling.calendar import Calendar

YEAR: Final = 12
ReadHash = Callable[[str], Counts]


class Both(NamedTuple):
    """Bands as published and as they are today; the difference came after the closing."""

    published: Bands
    today: Bands


class MonthBands(NamedTuple):
    """The bands of one month."""

    month: Both
    twelve: Both | None  # of the 12 months that end with it; None unless all 12 are held
    versions: Mapping[str, int]  # of the hashes from which they were made


def field(measure: str, month: str) -> str:
    """The field of the hash `bands`."""
    return f"{measure}|{month}"


def as_json(bands: MonthBands) -> str:
    """As stored."""
    return json.dumps({"month": bands.month, "12mo": bands.twelve, "versions": bands.versions}, separators=(",", ":"))


def from_json(text: str) -> MonthBands:
    """Inverse of `as_json`."""
    said = json.loads(text)
    twelve = said["12mo"]
    return MonthBands(_both(said["month"]), None if twelve is None else _both(twelve), said["versions"])


def _both(said: list[list[int]]) -> Both:
    published, today = said
    return Both(Bands(*published), Bands(*today))


class ReportedBands(NamedTuple):
    """The bands of a month, or of the 12 months that end with it, for a report."""

    both: Both
    closed: bool  # False: made from the hashes just now, because the month's own are not written yet


class Held(NamedTuple):
    """What Redis holds for all measures of tokens, as of one reading."""

    versions: Mapping[str, int]
    stored: Mapping[str, str]  # of the hash `bands`
    not_restated: Mapping[str, int]

    def months(self, measure: str) -> set[str]:
        """Months for which anything is held."""
        head = names.token_month(measure, "")
        held = {name.removeprefix(head) for name in self.versions if name.startswith(head)}
        return held | {month for of, _, month in (each.partition("|") for each in self.stored) if of == measure}

    def month(self, measure: str, month: str, read: ReadHash) -> ReportedBands | None:
        """The bands of one month; None if nothing is held for it."""
        stored = self._stored(measure, month)
        if stored is not None:
            return ReportedBands(self._marked(measure, month, stored.month), closed=True)
        name = names.token_month(measure, month)
        if name not in self.versions:
            return None
        return ReportedBands(self._marked(measure, month, of_hashes([read(name)])), closed=False)

    def twelve(self, measure: str, month: str, read: ReadHash) -> ReportedBands | None:
        """The bands of the 12 months that end with this one; None unless all of them are held."""
        stored = self._stored(measure, month)
        if stored is not None:
            return None if stored.twelve is None else ReportedBands(stored.twelve, closed=True)
        made = dict(bands_of_months(measure, [month], self.versions, read))[month].twelve
        return None if made is None else ReportedBands(made, closed=False)

    def _stored(self, measure: str, month: str) -> MonthBands | None:
        """The bands as written, unless their hashes have changed since."""
        text = self.stored.get(field(measure, month))
        bands = None if text is None else from_json(text)
        return bands if bands is not None and is_current(bands, measure, month, self.versions) else None

    def _marked(self, measure: str, month: str, both: Both) -> Both:
        late = self.not_restated.get(names.token_month(measure, month), 0)
        return Both(both.published._replace(not_restated=late), both.today._replace(not_restated=late))


def year_ending(month: str) -> list[str]:
    """The 12 months that end with this one, the oldest first."""
    return [Calendar.months_before(month, back) for back in range(YEAR - 1, -1, -1)]


def bands_of_months(
    measure: str, months: Iterable[str], versions: Mapping[str, int], read: ReadHash
) -> Iterator[tuple[str, MonthBands]]:
    """The bands of some months, each hash read once.

    Args:
        measure: Whose.
        months: Those whose own hash is held.
        versions: Of all hashes that are held.
        read: Reads a hash by its name.
    """
    held: dict[str, Counts] = {}

    def counts(month: str) -> Counts:
        if month not in held:
            name = names.token_month(measure, month)
            held[month] = read(name) if name in versions else {}
        return held[month]

    for month in sorted(months):
        year = year_ending(month)
        for gone in [each for each in held if each < year[0]]:
            del held[gone]
        # The oldest month shows whether there was a feed a year ago: fewer than 12 months are not reported as a year.
        whole = names.token_month(measure, year[0]) in versions
        of = {name: versions[name] for name in made_from(measure, month) if name in versions}
        twelve = of_hashes([counts(each) for each in year]) if whole else None
        yield month, MonthBands(of_hashes([counts(month)]), twelve, of)


def made_from(measure: str, month: str) -> list[str]:
    """Names of the hashes from which a month's bands are made."""
    return [names.token_month(measure, each) for each in year_ending(month)]


def is_current(bands: MonthBands, measure: str, month: str, versions: Mapping[str, int]) -> bool:
    """Whether stored bands agree with their hashes, or some of those hashes have been deleted since."""
    now = {name: versions[name] for name in made_from(measure, month) if name in versions}
    return now == bands.versions or not bands.versions.keys() <= now.keys()


def of_hashes(hashes: list[Counts]) -> Both:
    """The bands of several hashes together, as published and as they are today."""
    published, today = (tokens.together(map(of, hashes)) for of in (tokens.published, tokens.today))
    return Both(tokens.bands_of(published), tokens.bands_of(today))
