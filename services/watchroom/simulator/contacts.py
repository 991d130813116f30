"""Digital contact: messages by channel, when somebody replied, and when they were closed."""

from __future__ import annotations

from functools import partial
from math import log

from watchroom.simulator.demand import OFFICE
from watchroom.simulator.world import World, chance


class ContactDesk:
    """Makes the `contact.*` events of each contact when it comes in."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._levels = world.force.contacts
        self._random = chance(world.seed, "contacts")
        self._delivery = chance(world.seed, "delivery of contacts")
        self._arrivals = {channel: chance(world.seed, f"arrivals of {channel}") for channel in self._levels.channels}
        self._classes = tuple(self._levels.classes), tuple(self._levels.classes.values())
        self._count = 0

    def start(self, at_ms: float) -> None:
        """Open the channels."""
        for channel in self._levels.channels:
            self._expect(channel, at_ms)

    def _expect(self, channel: str, at_ms: float) -> None:
        per_day = self._levels.channels[channel].per_day
        due_ms = self._world.demand.next_ms(self._arrivals[channel], at_ms, OFFICE, per_day)
        self._world.schedule(due_ms, partial(self._receive, channel))

    def _receive(self, channel: str, at_ms: float) -> None:
        self._expect(channel, at_ms)
        draw, levels = self._random, self._levels
        self._count += 1
        subject = f"d-{self._world.tag}-{self._count}"
        class_ = draw.choices(*self._classes)[0]
        self._put("received", subject, at_ms, f'{{"channel":"{channel}","class":"{class_}"}}')
        replied_ms = at_ms + 1000 * draw.lognormvariate(log(levels.channels[channel].reply_s), levels.reply_spread)
        if draw.random() >= levels.unanswered:
            self._put("first_reply", subject, replied_ms)
        closed_ms = replied_ms + 1000 * draw.lognormvariate(log(levels.handle_s), levels.reply_spread)
        self._put("closed", subject, closed_ms)

    def _put(self, kind: str, subject: str, at_ms: float, data: str = "") -> None:
        self._world.outbox.put("contacts", f"contact.{kind}", subject, int(at_ms), data, self._delivery)
