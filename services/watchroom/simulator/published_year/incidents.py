"""The year's incidents: created with their grade, half of them attended, the others closed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from watchroom.simulator.envelope import Simulated
from watchroom.simulator.published_year.even import Allocation, Spread, Year, by_area, exponential, shared
from watchroom.simulator.published_year.levels import ASSUMED, ASSUMED_STOKE, DAY_S, DISTRICTS
from watchroom.simulator.published_year.printed import Printed
from watchroom.simulator.published_year.putting import put, token_of

STREAM: Final = "incidents"
ATTENDED: Final = {"1": 0.3, "2": 0.4, "3": 0.3}  # grades of those that are; assumed
UNATTENDED: Final = {"3": 0.4, "": 0.6}  # of those that are not; "": resolved without a grade; assumed
TARGET_S: Final = {"1": 900, "2": 3600, "3": DAY_S}
OVER_MEAN_S: Final = {"1": 900.0, "2": 3600.0}  # beyond the target; assumed. Of Grade 3 it follows from the mean
CLOSED_AFTER_MS: Final = 2 * 3_600_000
ASB_TYPES: Final = ("nuisance", "nuisance", "personal", "neighbour_dispute", "environmental")
OTHERS: Final = ("crime", "public_safety", "public_safety", "transport", "administration")
SMALL_AREAS: Final = 300  # small areas; their numbers do not exist
FOUR_OR_MORE: Final = 6  # incidents at an address with four or more; assumed


def incidents(year: Year, printed: Printed) -> Iterator[Simulated]:
    """Every incident of the year."""
    number = ASSUMED["incidents"]
    attended = round(number * printed.number("resourced") / 100)
    kinds = Allocation([*_attended(attended, printed), *_unattended(number - attended)], 0)
    areas = Allocation([*by_area(number, round(number * ASSUMED_STOKE), DISTRICTS)], 1)
    addresses = Addresses(printed)
    is_asb = Spread(number, 2)
    over_s = {**OVER_MEAN_S, "3": _over_mean_s(printed)}
    for i in range(number):
        entity = kinds.at(i)
        grade, how = entity.what
        if how == "within":
            takes_ms = entity.quantile * TARGET_S[grade] * 1000
        elif how == "over":
            takes_ms = TARGET_S[grade] * 1000 + 1 + exponential(entity.quantile, over_s[grade] * 1000)
        else:
            takes_ms = CLOSED_AFTER_MS
        at_ms = year.moment((i + 0.5) / number, takes_ms)
        subject, rank = f"i-{i}", is_asb.rank(i)
        graded = f',"grade":"{grade}"' if grade else ""
        about = addresses.about(rank) if rank < addresses.incidents else f'"category":"{OTHERS[i % len(OTHERS)]}"'
        yield put(STREAM, "incident.created", subject, at_ms, f'"area":"{areas.at(i).what}"{graded},{about}')
        if how == "unattended":
            yield put(STREAM, "incident.closed", subject, at_ms + takes_ms)
            continue
        unit = f'"unit":"u{i % 200}"'
        yield put(STREAM, "incident.resource_assigned", subject, at_ms + takes_ms * 0.3, unit)
        yield put(STREAM, "incident.resource_on_scene", subject, at_ms + takes_ms, unit)


def _attended(number: int, printed: Printed) -> Iterator[tuple[int, tuple[str, str]]]:
    for grade, count in shared(number, ATTENDED).items():
        within = round(count * printed.number(f"grade_{grade}") / 100)
        yield within, (grade, "within")
        yield count - within, (grade, "over")


def _unattended(number: int) -> Iterator[tuple[int, tuple[str, str]]]:
    yield from ((count, (grade, "unattended")) for grade, count in shared(number, UNATTENDED).items())


def _over_mean_s(printed: Printed) -> float:
    """How far beyond 24 hours those are on average that are over, so that all have the printed mean."""
    within = printed.number("grade_3") / 100
    target = TARGET_S["3"]
    return (printed.number("grade_3_time") - within * target / 2 - (1 - within) * target) / (1 - within)


class Addresses:
    """Which address an incident of anti-social behaviour was at: the printed numbers of addresses by band."""

    def __init__(self, printed: Printed) -> None:
        repeat, two_three = printed.whole("asb_repeat"), printed.whole("asb_two_three")
        pairs = two_three // 2  # half of them have two, the others three
        bands = (
            ("once", ASSUMED["asb_addresses"] - repeat, 1),
            ("two", pairs, 2),
            ("three", two_three - pairs, 3),
            ("four", repeat - two_three, FOUR_OR_MORE),
        )
        self._addresses = [f"{band} {n}" for band, count, each in bands for n in range(count) for _ in range(each)]
        self.incidents = len(self._addresses)

    def about(self, number: int) -> str:
        """What an incident says, by its number among those of anti-social behaviour."""
        address = self._addresses[number]
        position, kind = number % SMALL_AREAS, ASB_TYPES[number % len(ASB_TYPES)]
        return (
            f'"category":"asb","asb_type":"{kind}","address_token":"{token_of(address)}","lsoa":"E01999{position:03d}"'
        )
