"""The entities that a worker holds in memory: one budget for all of its partitions."""

from __future__ import annotations

from weakref import WeakValueDictionary

from watchroom.fold.batch import Known

ENTITIES_HELD = 200_000  # about 2 kB each, so 400 MB of a worker, however many partitions it has


class Part(dict[str, Known]):
    """What one partition holds, by subject."""

    __slots__ = ("__weakref__",)


class Memory:
    """The partitions' parts, and what all of them may hold together.

    A part is emptied by its own partition only, between two batches: a fold under way must find what it has read.
    So the worker may hold more for as long as a batch takes, and up to twice as much until an idle partition's
    next touch.
    """

    def __init__(self, most: int = ENTITIES_HELD) -> None:
        self._most = most
        self._parts: WeakValueDictionary[int, Part] = WeakValueDictionary()

    def part(self) -> Part:
        """A part for one more partition; it goes with its owner."""
        part = Part()
        self._parts[id(part)] = part
        return part

    def make_room(self, part: dict[str, Known]) -> None:
        """Empty this part if all hold too much together, and it more than its share; Redis has what it held."""
        held = [len(of_one) for of_one in self._parts.values()]
        if sum(held) > self._most and len(part) * len(held) > self._most:
            part.clear()
