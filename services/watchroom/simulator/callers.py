"""The caller of each call: type and token of the number, its owner, and the class of the call.

Callers have their own random numbers, so the course of a call does not depend on them.
"""

from __future__ import annotations

from hashlib import sha256

from watchroom.simulator.envelope import token
from watchroom.simulator.world import Choice, World, chance


class Callers:
    """Draws callers."""

    def __init__(self, world: World) -> None:
        self._levels = world.force.callers
        self._seed = world.seed
        self._random = chance(world.seed, "callers")
        self._class = {line: Choice(levels.classes) for line, levels in world.force.lines.items()}
        self._type = Choice(self._levels.types)

    def next(self, line: str) -> str:
        """The next caller on a line, as telephony reports it: the inside of a JSON object."""
        draw, levels = self._random, self._levels
        class_ = self._class[line].draw(draw)
        cli_type = self._type.draw(draw)
        from_hospital = draw.random() < levels.from_hospitals
        number = draw.randrange(levels.hospitals if from_hospital else levels.numbers)
        said = f'"line":"{line}","class":"{class_}","direction":"inbound"'
        if from_hospital:
            return f'{said},"cli_type":"landline","caller_token":"{self._token(-1 - number)}","caller_org":"hospital"'
        if cli_type == "withheld":
            return f'{said},"cli_type":"withheld"'
        return f'{said},"cli_type":"{cli_type}","caller_token":"{self._token(number)}"'

    def _token(self, number: int) -> str:
        return token(sha256(f"{self._seed}:{number}".encode()).digest())
