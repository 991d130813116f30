"""Until when is a partition applied? See docs/architecture.md#fresh-alive-absent. Pure.

A fetch answer shows the log's end at some moment between the request and the answer. Only the moment of the request is
certain, because the answer may have waited in a socket while the process was paused. So a pair is (moment when the
fetch was SENT, end that its answer showed). Once everything below that end is applied, the partition is applied until
that moment.

On a busy partition the applied offset never equals the end, so pairs are kept until they are met. If there are too
many, they are thinned out, not dropped oldest first: a worker that is always a few answers behind would otherwise wait
for ever for pairs that were dropped just before they were met.
"""

from __future__ import annotations

from typing import NamedTuple

MOST_PAIRS = 64
SLOT_MS = 100  # at most one unmet pair is kept in each slot of this length


class Answer(NamedTuple):
    """One fetch answer of one partition."""

    sent_ms: int  # when the request left, milliseconds since the epoch
    position: int  # offset from which it asked
    end: int  # the log's end that the answer showed
    stable: int | None = None  # readable up to here: below the end while a transaction is open; None: up to the end


class Freshness:
    """Until when one partition is applied. It never goes back, and does not move without answers."""

    def __init__(self) -> None:
        self._unmet: list[tuple[int, int]] = []  # (sent_ms, end), both ascending
        self._fresh_ms: int | None = None

    def answered(self, answer: Answer) -> None:
        """Note an answer.

        An end below the position asked for proves nothing and is ignored: it comes from another log, or from a new
        leader that does not know its high watermark yet.
        """
        if answer.end < answer.position:
            return
        if self._unmet:
            sent_ms, end = self._unmet[-1]
            if answer.sent_ms < sent_ms or answer.end < end:
                return
            if answer.end == end:
                self._unmet[-1] = (answer.sent_ms, end)
                return
            if answer.sent_ms < sent_ms + SLOT_MS:
                return
        self._unmet.append((answer.sent_ms, answer.end))
        if len(self._unmet) > MOST_PAIRS:
            del self._unmet[self._most_crowded()]

    def as_of(self, next_offset: int) -> int | None:
        """Applied until when, once everything below `next_offset` is applied; None before any end was met."""
        met = 0
        for sent_ms, end in self._unmet:
            if end > next_offset:
                break
            met += 1
            if self._fresh_ms is None or sent_ms > self._fresh_ms:
                self._fresh_ms = sent_ms
        if met:
            # the last met pair stays: a later answer with the same end makes it younger
            del self._unmet[: met - 1]
        return self._fresh_ms

    def _most_crowded(self) -> int:
        """The pair, neither first nor last, whose neighbours are closest together in time."""
        pairs = self._unmet
        return min(range(1, len(pairs) - 1), key=lambda i: pairs[i + 1][0] - pairs[i - 1][0])

    def forget(self) -> None:
        """The partition starts again: old ends say nothing about what is applied now."""
        self._unmet.clear()
        self._fresh_ms = None
