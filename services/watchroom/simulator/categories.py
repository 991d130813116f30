"""The categories of an incident from its opening to its closing, and the addresses of anti-social behaviour."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from typing import NamedTuple

from watchroom.simulator.envelope import token
from watchroom.simulator.levels import Incidents
from watchroom.simulator.world import Choice, World, chance

ASB = "asb"


class Said(NamedTuple):
    """What events say about an incident: members of their JSON, empty where there is nothing to say."""

    opening: str
    reclassified: str
    closing: str
    is_self_initiated: bool


class Categories:
    """Draws what events say about each incident, with its own random numbers, so that levels do not change with it."""

    def __init__(self, world: World) -> None:
        self._levels: Incidents = world.force.incidents
        self._random = chance(world.seed, "categories of incidents")
        self._category = Choice(self._levels.categories)
        self._asb_type = Choice(self._levels.asb_types)

    def draw(self, origin: str) -> Said:
        """What is said about one incident; only those that no call led to are self-initiated."""
        draw, levels = self._random, self._levels
        own = origin == "other" and draw.random() < levels.self_initiated
        opened = self._category.draw(draw)
        opening = self._members(opened) + (',"self_initiated":true' if own else "")
        reclassified = closing = ""
        if draw.random() < levels.recategorised:
            reclassified = self._members(self._category.draw(draw))
        if draw.random() < levels.closed_otherwise:
            closing = self._members(self._category.draw(draw))
        return Said(opening, reclassified, closing, own)

    def _members(self, category: str) -> str:
        said = f'"category":"{category}"'
        if category != ASB:
            return said
        address = int(self._levels.addresses * self._random.random() ** self._levels.address_spread)
        where = f'"address_token":"{token_of_address(address)}","lsoa":"{small_area(address)}"'
        return f'{said},"asb_type":"{self._asb_type.draw(self._random)}",{where}'


@cache
def token_of_address(address: int) -> str:
    """The token of an address that does not exist."""
    return token(sha256(f"address {address}".encode()).digest())


def small_area(address: int) -> str:
    """A code in the form of an LSOA code; no real one begins like this."""
    return f"E0199{address % 687:04d}"
