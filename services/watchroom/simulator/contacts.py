"""Digital contact: messages by channel, when somebody replied, and when they were closed."""

from __future__ import annotations

from functools import partial
from math import log

from watchroom.simulator.demand import OFFICE
from watchroom.simulator.world import Choice, World, chance


class ContactDesk:
    """Makes the `contact.*` events of each contact when it comes in."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._levels = world.force.contacts
        self._random = chance(world.seed, "contacts")
        self._put = partial(world.outbox.put, "contacts", chance=chance(world.seed, "delivery of contacts"))
        self._class = Choice(self._levels.classes)
        self._count = 0

    def start(self, at_ms: float) -> None:
        """Open the channels."""
        for channel, levels in self._levels.channels.items():
            self._world.at_arrivals(at_ms, channel, OFFICE, levels.per_day, partial(self._receive, channel))

    def _receive(self, channel: str, at_ms: float) -> None:
        draw, levels = self._random, self._levels
        self._count += 1
        subject = f"d-{self._world.tag}-{self._count}"
        class_ = self._class.draw(draw)
        self._put("contact.received", subject, at_ms, f'"channel":"{channel}","class":"{class_}"')
        replied_ms = at_ms + 1000 * draw.lognormvariate(log(levels.channels[channel].reply_s), levels.reply_spread)
        if draw.random() >= levels.unanswered:
            self._put("contact.first_reply", subject, replied_ms)
        closed_ms = replied_ms + 1000 * draw.lognormvariate(log(levels.handle_s), levels.reply_spread)
        self._put("contact.closed", subject, closed_ms)
