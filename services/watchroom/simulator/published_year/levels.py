"""The numbers of everything: printed in the report, derived from it, or assumed.

Where the report prints a change as a count and as a percentage, the level before is the count divided by the
percentage. `ASSUMED` levels are not printed anywhere; no printed number depends on them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Final, NamedTuple

from watchroom.simulator.published_year.even import nearest
from watchroom.simulator.published_year.printed import Printed

DAY_S: Final = 86_400
TENTH: Final = 0.1

_GIVEN: Final = tomllib.loads(resources.files(__package__).joinpath("assumed.toml").read_text("utf-8"))
ASSUMED: Final[Mapping[str, int]] = _GIVEN["numbers"]
CHANNELS: Final[Mapping[str, float]] = _GIVEN["channels"]
DISTRICTS: Final[Mapping[str, float]] = _GIVEN["districts"]
NOTES: Final[Mapping[str, Mapping[str, str]]] = _GIVEN["notes"]
ASSUMED_STOKE: Final = 0.36  # of everything whose areas the report does not print


class Contact(NamedTuple):
    """Calls and contacts of the year and of those it is compared with."""

    emergency: int
    emergency_before: int
    non_emergency: int
    non_emergency_before: int
    abandoned: int
    abandoned_within: int
    digital: int
    digital_before: int
    partner: int
    outgoing: int
    landlines: int  # different numbers
    mobiles: int


def contact(printed: Printed, scale: float) -> Contact:
    """At full scale or at a part of it: each level is rounded once."""

    def of(level: float) -> int:
        return nearest(level * scale)

    def before(change: str) -> float:
        return printed.number(change) / printed.number(f"{change}_percent") * 100

    change, fall = of(printed.number("emergency_change")), of(printed.number("non_emergency_change"))
    emergency, non_emergency = of(before("emergency_change")), of(before("non_emergency_change"))
    within = printed.number("abandoned_within")
    digital = of(ASSUMED["digital_contacts_before"])
    numbers = of(100_000)  # different calling numbers; assumed
    landlines = round(numbers * printed.number("landline_share") / 100)
    return Contact(
        emergency=emergency + change,
        emergency_before=emergency,
        non_emergency=non_emergency + fall,
        non_emergency_before=non_emergency,
        abandoned=of(within / printed.number("abandoned_within_percent") * 100),
        abandoned_within=of(within),
        digital=digital - fall,  # non-emergency contacts were stable: what no longer rings writes
        digital_before=digital,
        partner=of(ASSUMED["partner_contacts"]),
        outgoing=of(ASSUMED["outgoing_calls"]),
        landlines=landlines,
        mobiles=numbers - landlines,
    )


class Crime(NamedTuple):
    """Crimes of the year and of those it is compared with."""

    all: int
    all_before: int
    sexual: int
    sexual_before: int
    robbery: int
    robbery_before: int
    acquisitive: int
    acquisitive_before: int  # 2018/19
    acquisitive_precovid: int


def crime(printed: Printed) -> Crime:
    """Of all crime, sexual offences and robbery only percentages are printed; the levels before are assumed."""

    def after(level: str, change: str) -> int:
        return round(ASSUMED[level] * (1 + printed.number(change) / 100))

    fall = printed.whole("acquisitive_change")
    before = round(fall / printed.number("acquisitive_change_percent") * 100)
    return Crime(
        all=after("crimes_precovid", "all_crime_percent"),
        all_before=ASSUMED["crimes_precovid"],
        sexual=after("sexual_precovid", "sexual_percent"),
        sexual_before=ASSUMED["sexual_precovid"],
        robbery=after("robbery_precovid", "robbery_percent"),
        robbery_before=ASSUMED["robbery_precovid"],
        acquisitive=before + fall,
        acquisitive_before=before,
        acquisitive_precovid=round((before + fall) / (1 + printed.number("acquisitive_precovid_percent") / 100)),
    )
