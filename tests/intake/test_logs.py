"""The worker's log stays readable while a server is down."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest
import structlog

from watchroom.intake.health import MOST_REMEMBERED, Repeats, log_to_stderr


def shown(repeats: Repeats, message: str, *values: object) -> str | None:
    """The message as logged; None if it was suppressed."""
    record = logging.LogRecord("aiokafka.client", logging.ERROR, "", 0, message, values, None)
    return record.getMessage() if repeats.filter(record) else None


def test_a_repeated_message_is_shown_once_and_then_counted() -> None:
    """Aiokafka reports many times a second that a broker does not answer; one line in 30 s is enough."""
    repeats = Repeats(repeat_s=60)
    assert shown(repeats, "Failed fetch from %s", 1) == "Failed fetch from 1"
    assert [shown(repeats, "Failed fetch from %s", node) for node in range(5)] == [None] * 5
    assert shown(repeats, "another message") == "another message"


def test_suppressed_messages_are_counted_when_the_message_is_shown_again() -> None:
    """Nothing is hidden: the next line says how many there were."""
    repeats = Repeats(repeat_s=0)
    shown(repeats, "Failed fetch from %s", 1)
    repeats._seen["aiokafka.client", "Failed fetch from %s"] = (0.0, 7)
    assert shown(repeats, "Failed fetch from %s", 1) == "Failed fetch from 1 (and 7 more like it)"


def test_the_number_of_remembered_messages_is_bounded() -> None:
    """A worker runs for months, and some messages are always new."""
    repeats = Repeats(repeat_s=60)
    for number in range(2 * MOST_REMEMBERED):
        assert shown(repeats, f"error {number}")
    assert len(repeats._seen) == MOST_REMEMBERED


@pytest.fixture
def stderr(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What a worker in this process logs; its logging setup is undone afterwards."""
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    log_to_stderr()
    yield stream
    structlog.reset_defaults()
    root.handlers = handlers
    root.setLevel(level)


def test_our_own_lines_are_limited_by_event_and_partition(stderr: io.StringIO) -> None:
    """Each has another time in it, and structlog passes a mapping: compared as text, no two lines were alike."""
    log = structlog.get_logger("watchroom.test")
    for number in range(1000):
        log.warning("Redis stands elsewhere", topic="calls", partition=number % 2, redis=number)
    lines = stderr.getvalue().splitlines()
    assert ["partition=0" in line for line in lines] == [True, False]
    assert all("Redis stands elsewhere" in line for line in lines)


def test_our_own_lines_say_how_many_were_suppressed() -> None:
    """As the lines of libraries do."""
    record = logging.LogRecord("watchroom", logging.ERROR, "", 0, {"event": "moved", "timestamp": "t"}, (), None)
    repeats = Repeats(repeat_s=0)
    repeats._seen["watchroom", "moved", "None", "None"] = (0.0, 7)
    assert repeats.filter(record)
    assert record.msg == {"event": "moved (and 7 more like it)", "timestamp": "t"}
