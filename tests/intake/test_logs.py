"""The worker's log stays readable while a server is down."""

from __future__ import annotations

import logging

from watchroom.intake.logs import Repeats


def shown(repeats: Repeats, message: str, *values: object) -> str | None:
    """The message as logged; None if it was left out."""
    record = logging.LogRecord("aiokafka.client", logging.ERROR, "", 0, message, values, None)
    return record.getMessage() if repeats.filter(record) else None


def test_a_repeated_message_is_shown_once_and_then_counted() -> None:
    """Aiokafka says many times a second that a broker does not answer; one line in 30 s is enough."""
    repeats = Repeats(repeat_s=60)
    assert shown(repeats, "Failed fetch from %s", 1) == "Failed fetch from 1"
    assert [shown(repeats, "Failed fetch from %s", node) for node in range(5)] == [None] * 5
    assert shown(repeats, "another message") == "another message"


def test_what_was_left_out_is_counted_when_the_message_is_shown_again() -> None:
    """Nothing is hidden: the next line says how many there were."""
    repeats = Repeats(repeat_s=0)
    shown(repeats, "Failed fetch from %s", 1)
    repeats._seen["aiokafka.client", "Failed fetch from %s"] = (0.0, 7)
    assert shown(repeats, "Failed fetch from %s", 1) == "Failed fetch from 1 (and 7 more like it)"
