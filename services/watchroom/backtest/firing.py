"""`for` and `keep_firing_for`, as Prometheus applies them at each evaluation. Pure.

In Prometheus an alert is pending from the first evaluation that returns its series. It fires at the first evaluation
that is at least `for` later. When the expression no longer returns the series, it keeps firing until `keep_firing_for`
has passed since the first empty evaluation (rules/alerting.go, `Eval`). A test compares this with promtool's own
evaluation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple


class Firing(NamedTuple):
    """One firing of one series; times of evaluations in ms since the epoch."""

    pending_ms: int  # the expression became true
    from_ms: int  # it started to fire
    to_ms: int  # resolved, or the last evaluation if it still fired
    value: float  # of the expression at `from_ms`


def firings(values: Mapping[int, float], moments_ms: Sequence[int], for_ms: float, keep_ms: float) -> Iterator[Firing]:
    """The firings of one series of an alert's expression.

    Args:
        values: Its value at each evaluation that returned it. Any value counts, as in Prometheus.
        moments_ms: All evaluations, ascending.
        for_ms: The rule's `for`.
        keep_ms: The rule's `keep_firing_for`.
    """
    pending_ms = fired_ms = empty_ms = None
    value = 0.0
    for at_ms in moments_ms:
        found = values.get(at_ms)
        if found is not None:
            empty_ms = None
            if pending_ms is None:
                pending_ms = at_ms
            if fired_ms is None and at_ms - pending_ms >= for_ms:
                fired_ms, value = at_ms, found
        elif pending_ms is not None:
            if empty_ms is None:
                empty_ms = at_ms
            if fired_ms is None or at_ms - empty_ms >= keep_ms:
                if fired_ms is not None:
                    yield Firing(pending_ms, fired_ms, at_ms, value)
                pending_ms = fired_ms = empty_ms = None
    if pending_ms is not None and fired_ms is not None:
        yield Firing(pending_ms, fired_ms, moments_ms[-1], value)
