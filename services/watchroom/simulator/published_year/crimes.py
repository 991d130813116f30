"""The year's crimes: recorded once, with what the printed counts need, and what became of them.

`plan` says how many of each there are; the counts of its rows add up to all crime. Classes that the report prints no
number of have the weights of `simulator.crimes`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final, Literal, NamedTuple

from watchroom.rolling.buckets import DAY_MS, HOUR_MS
from watchroom.simulator.crimes import CLASSES
from watchroom.simulator.envelope import Simulated
from watchroom.simulator.published_year.even import Allocation, Spread, Year, by_area, exponential, shared
from watchroom.simulator.published_year.levels import ASSUMED, ASSUMED_STOKE, DISTRICTS, crime
from watchroom.simulator.published_year.printed import Printed
from watchroom.simulator.published_year.putting import put, token_of
from watchroom.streams.offences import offence

STREAM: Final = "crimes"
VIOLENCE: Final = {"8N": 0.3, "105A": 0.35, "8L": 0.15, "8R": 0.2}  # against women, of domestic abuse; assumed
ACQUISITIVE: Final = {"28E": 0.33, "30C": 0.22, "45": 0.25, "48": 0.16, "39": 0.04}  # without robbery; assumed
SEXUAL: Final = {"19C": 0.5, "20A": 0.5}  # assumed
BUSINESS_ROBBERY: Final = 60  # assumed
KNIFE_ROBBERY: Final = 0.35  # of knife crime; assumed
ABUSE_OF_WOMEN: Final = 0.65  # of domestic abuse; assumed
ARRIVES_MS: Final = 2 * DAY_MS  # mean time to an outcome; assumed, and at most `OUTCOME_WITHIN_MS`
OUTCOME_WITHIN_MS: Final = 20 * DAY_MS
RESOLVED: Final = ("1", "8", "3", "1", "8")
UNABLE: Final = ("18", "15", "18", "14", "21")
REST: Final = ("20", "17", "11")


class Kind(NamedTuple):
    """What a crime says when it is recorded."""

    code: str
    area: str
    flags: str = ""
    gender: str = ""


def plan(printed: Printed) -> list[tuple[int, Kind]]:
    """How many crimes of each kind."""
    level = crime(printed)
    rows = [*_violence(printed), *_weapons(printed), *_acquisitive(printed)]
    rows += _areas(ASSUMED["homicide"], Kind("1", ""))
    rows += [row for code, count in shared(level.sexual, SEXUAL).items() for row in _areas(count, Kind(code, ""))]
    rows += _areas(ASSUMED["online"], Kind("8R", "", "online", "male"))
    taken = {"8N", "105A", "8L", "8R", "34B", *ACQUISITIVE, *SEXUAL}
    weights = {code: weight for code, weight in CLASSES.items() if _is_plain(code, taken)}
    rest = shared(level.all - sum(count for count, _ in rows), weights)
    return rows + [row for code, count in rest.items() for row in _areas(count, Kind(code, ""))]


def counted(printed: Printed, by: Literal["group", "subgroup"]) -> Counter[str]:
    """Crimes by Home Office group or subgroup."""
    found: Counter[str] = Counter()
    for count, kind in plan(printed):
        found[getattr(offence(kind.code), by)] += count
    return found


def _is_plain(code: str, taken: set[str]) -> bool:
    """Whether a class belongs to none of the printed counts."""
    known = offence(code)
    return (
        known is not None
        and code not in taken
        and known.group not in ("sexual_offences", "robbery")
        and (known.subgroup not in ("domestic_burglary", "non_domestic_burglary"))
    )


def _areas(count: int, kind: Kind, stoke: int | None = None) -> list[tuple[int, Kind]]:
    of_stoke = round(count * ASSUMED_STOKE) if stoke is None else stoke
    return [(number, kind._replace(area=area)) for number, area in by_area(count, of_stoke, DISTRICTS)]


def _violence(printed: Printed) -> Iterator[tuple[int, Kind]]:
    """Violence against women, and domestic abuse: much of it is both."""
    women, women_stoke = printed.whole("violence_against_women"), printed.whole("violence_against_women_stoke")
    abuse, abuse_stoke = printed.whole("domestic_abuse"), printed.whole("domestic_abuse_stoke")
    both, both_stoke = round(abuse * ABUSE_OF_WOMEN), round(abuse_stoke * ABUSE_OF_WOMEN)
    for count, stoke, flags, gender in (
        (both, both_stoke, "domestic_abuse", "female"),
        (women - both, women_stoke - both_stoke, "", "female"),
        (abuse - both, abuse_stoke - both_stoke, "domestic_abuse", "male"),
    ):
        in_stoke, elsewhere = shared(stoke, VIOLENCE), shared(count - stoke, VIOLENCE)
        for code in VIOLENCE:
            yield from _areas(in_stoke[code] + elsewhere[code], Kind(code, "", flags, gender), in_stoke[code])


def _weapons(printed: Printed) -> Iterator[tuple[int, Kind]]:
    """Knives in robberies and assaults, firearms in assaults. Of three firearm crimes no area is known."""
    stoke, county = printed.whole("knife_stoke"), printed.whole("knife_county")
    robbery, robbery_stoke = _knife_robberies(printed)
    yield from _areas(robbery, Kind("34B", "", "knife"), robbery_stoke)
    yield from _areas(stoke + county - robbery, Kind("8N", "", "knife", "male"), stoke - robbery_stoke)
    stoke, county, outside = (printed.whole(f"gun_{part}") for part in ("stoke", "county", "remainder"))
    gun = Kind("8N", "", "firearm", "male")
    yield from _areas(stoke + county, gun, stoke)
    yield outside, gun._replace(area="out_of_force")
    yield printed.whole("gun") - stoke - county - outside, gun


def _knife_robberies(printed: Printed) -> tuple[int, int]:
    stoke, county = printed.whole("knife_stoke"), printed.whole("knife_county")
    return round((stoke + county) * KNIFE_ROBBERY), round(stoke * KNIFE_ROBBERY)


def _acquisitive(printed: Printed) -> Iterator[tuple[int, Kind]]:
    level = crime(printed)
    yield from _areas(BUSINESS_ROBBERY, Kind("34A", ""))
    yield from _areas(level.robbery - BUSINESS_ROBBERY - _knife_robberies(printed)[0], Kind("34B", ""))
    for code, count in shared(level.acquisitive - level.robbery, ACQUISITIVE).items():
        keyless = min(count, ASSUMED["keyless"]) if code == "48" else 0
        yield from _areas(keyless, Kind(code, "", "keyless"))
        yield from _areas(count - keyless, Kind(code, ""))


def crimes(year: Year, printed: Printed) -> Iterator[Simulated]:
    """Every crime of the year, each with an outcome in it."""
    kinds = Allocation(plan(printed), 0)
    number = kinds.total
    care = _Care(number, printed)
    outcomes = _Outcomes(number, printed, year.calendar.month_start_ms(printed.last_month))
    takes = Spread(number, 3)
    for i in range(number):
        after_ms = min(OUTCOME_WITHIN_MS, exponential((takes.rank(i) + 0.5) / number, ARRIVES_MS))
        at_ms = year.moment((i + 0.5) / number, max(after_ms, care.takes_ms(i)))
        subject = f"k-{i}"
        yield put(STREAM, "crime.recorded", subject, at_ms, _said(kinds.at(i).what) + care.victim(i))
        yield from care.events(i, subject, at_ms)
        outcome_ms = at_ms + after_ms
        yield put(STREAM, "crime.outcome_assigned", subject, outcome_ms, f'"outcome":"{outcomes.at(i, outcome_ms)}"')


def _said(kind: Kind) -> str:
    area = f',"area":"{kind.area}"' if kind.area else ""
    flags = f',"flags":["{kind.flags}"]' if kind.flags else ""
    gender = f',"victim_gender":"{kind.gender}"' if kind.gender else ""
    return f'"offence_code":"{kind.code}"{area}{flags}{gender}'


class _Outcomes:
    """Outcomes in the printed shares; diversion has its share of the resolved in the last month as in the year."""

    def __init__(self, number: int, printed: Printed, last_month_ms: int) -> None:
        resolved, victim, unable = (
            round(number * printed.number(name) / 100) for name in ("resolved", "outcome_16", "unable")
        )
        self._allocation = Allocation(
            [(resolved, RESOLVED), (victim, ("16",)), (unable, UNABLE), (number - resolved - victim - unable, REST)], 1
        )
        self._diversion = printed.number("diversion") / 100
        self._last_month_ms = last_month_ms
        self._resolved = {False: 0, True: 0}  # so far, before the last month and in it

    def at(self, i: int, at_ms: float) -> str:
        """The code of the i-th outcome."""
        entity = self._allocation.at(i)
        if entity.what is not RESOLVED:
            return entity.what[entity.number % len(entity.what)]
        in_last = at_ms >= self._last_month_ms
        self._resolved[in_last] += 1
        so_far = self._resolved[in_last]
        if round(so_far * self._diversion) > round((so_far - 1) * self._diversion):
            return "22"
        return entity.what[entity.number % len(entity.what)]


class _Care:
    """Victims and their contracts, the transfer to the gateway, and suspects."""

    def __init__(self, number: int, printed: Printed) -> None:
        self._victims, self._contracts = printed.whole("occurrences"), printed.whole("contracts")
        self._of_victims, self._of_transfers, self._of_suspects = (Spread(number, turn) for turn in (4, 5, 6))
        self._mean_ms = printed.number("gateway") * DAY_MS
        self._suspects = _suspects(printed)

    def victim(self, i: int) -> str:
        """Fewer victims than crimes: one contract covers several crimes against the same victim."""
        rank = self._of_victims.rank(i)
        return f',"victim_token":"{token_of(f"victim {rank % self._contracts}")}"' if rank < self._victims else ""

    def _transfer_ms(self, i: int) -> float | None:
        """From validation to transfer, evenly spread around the printed mean; None: it is not transferred."""
        rank, of = self._of_transfers.rank(i), ASSUMED["transfers"]
        return (rank + 0.5) / of * 2 * self._mean_ms if rank < of else None

    def takes_ms(self, i: int) -> float:
        """From the record until the last of these events."""
        return DAY_MS + (self._transfer_ms(i) or 0)

    def events(self, i: int, subject: str, at_ms: int) -> Iterator[Simulated]:
        """After the record."""
        if self._of_victims.rank(i) < self._contracts:
            yield put(STREAM, "crime.contract_completed", subject, at_ms + 6 * HOUR_MS)
        if (takes_ms := self._transfer_ms(i)) is not None:
            yield put(STREAM, "crime.validated", subject, at_ms + DAY_MS)
            yield put(STREAM, "crime.gateway_transferred", subject, at_ms + DAY_MS + takes_ms)
        if (rank := self._of_suspects.rank(i)) < len(self._suspects):
            suspect = f'"suspect_token":"{token_of(f"suspect {self._suspects[rank]}")}"'
            yield put(STREAM, "crime.suspect_linked", subject, at_ms + HOUR_MS, suspect)


def _suspects(printed: Printed) -> list[int]:
    """The suspect of each link: 64% have one crime; that three quarters of the rest have two or three is assumed."""
    number = ASSUMED["suspects"]
    once = round(number * printed.number("single_suspects") / 100)
    few = round((number - once) * 0.75)
    crimes_of: Mapping[range, int] = {
        range(once): 1,
        range(once, once + few // 2): 2,
        range(once + few // 2, once + few): 3,
        range(once + few, number): 5,
    }
    return [suspect for suspects, crimes_each in crimes_of.items() for suspect in suspects for _ in range(crimes_each)]
