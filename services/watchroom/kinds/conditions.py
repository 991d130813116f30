"""Who belongs to a part, as a function of an entity's facts. Made once, called for every event."""

from __future__ import annotations

from collections.abc import Callable

from watchroom.kinds.kind import Facts
from watchroom.kinds.measure import Condition


def holds(condition: Condition) -> Callable[[Facts], bool]:
    """Whether an entity with these facts meets a condition: by accepted values, and by a bounded interval.

    A fact of several values meets it if any of a tuple's values is accepted, or if all of a set's are. An empty one
    never does.
    """
    accepted = tuple((word, frozenset(values)) for word, values in condition.accepted.items())
    begin, end, within_ms = condition.start, condition.end, condition.within_ms

    def is_met(facts: Facts) -> bool:
        for word, values in accepted:
            fact = facts[word]
            if fact not in values and not _some_or_all(fact, values):
                return False
        if not begin:
            return True
        begin_ms, end_ms = facts[begin], facts[end]
        return isinstance(begin_ms, int) and isinstance(end_ms, int) and 0 <= end_ms - begin_ms <= within_ms

    return is_met


def _some_or_all(fact: object, values: frozenset[str | bool]) -> bool:
    if isinstance(fact, tuple):
        return not values.isdisjoint(fact)
    return isinstance(fact, frozenset) and bool(fact) and fact <= values
