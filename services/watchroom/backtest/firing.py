"""`for` and `keep_firing_for`, as Prometheus applies them at each evaluation. Pure.

Prometheus: an alert whose expression gives a series is pending, and fires at the first evaluation that is at
least `for` after the one at which it became pending; it fires on, while the expression gives nothing,
until `keep_firing_for` has passed since the first empty evaluation (rules/alerting.go, `Eval`). A test compares this
with promtool's own evaluation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple


class Firing(NamedTuple):
    """One firing of one series; times are ms since the epoch, of evaluations."""

    pending_ms: int  # the expression became true
    from_ms: int  # told
    to_ms: int  # resolved; the end of the evaluations if it still fired
    value: float  # of the expression when it was told


def firings(values: Mapping[int, float], moments_ms: Sequence[int], for_ms: float, keep_ms: float) -> Iterator[Firing]:
    """The firings of one series of an alert's expression.

    Args:
        values: Its value at each evaluation at which the expression gave it; whatever the value is, it is an alert.
        moments_ms: All evaluations, ascending.
        for_ms: The rule's `for`.
        keep_ms: The rule's `keep_firing_for`.
    """
    pending_ms = told_ms = empty_ms = None
    value = 0.0
    for at_ms in moments_ms:
        found = values.get(at_ms)
        if found is not None:
            empty_ms = None
            if pending_ms is None:
                pending_ms = at_ms
            if told_ms is None and at_ms - pending_ms >= for_ms:
                told_ms, value = at_ms, found
        elif pending_ms is not None:
            if empty_ms is None:
                empty_ms = at_ms
            if told_ms is None or at_ms - empty_ms >= keep_ms:
                if told_ms is not None:
                    yield Firing(pending_ms, told_ms, at_ms, value)
                pending_ms = told_ms = empty_ms = None
    if pending_ms is not None and told_ms is not None:
        yield Firing(pending_ms, told_ms, moments_ms[-1], value)
