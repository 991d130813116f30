"""The lines below the months that say up to when events have been applied."""

from __future__ import annotations

from watchroom.reports.freshness import freshness
from watchroom.settings import read_settings

NOON_MS = 1_638_187_200_000  # 2021-11-29T12:00:00Z


def said(at_ms: int | None) -> tuple[str, bool]:
    """The line about a stream that is applied up to a moment, as of noon."""
    (line,) = freshness({"calls": at_ms}, read_settings(), NOON_MS)
    return line.text, line.is_fresh


def test_a_fresh_stream_shows_up_to_when_it_is_applied() -> None:
    """In the reporting zone, with the name of the zone."""
    assert said(NOON_MS - 10_000) == ("calls: applied up to 2021-11-29 11:59:50 GMT", True)


def test_a_stream_that_is_behind_is_marked_as_old() -> None:
    """A table that looks complete while a worker is stuck would be wrong."""
    text, is_fresh = said(NOON_MS - 3_700_000)
    assert text == "calls: OLD, applied up to 2021-11-29 10:58:20 GMT, 1 h 01 min ago: later events are missing"
    assert not is_fresh
    assert not said(NOON_MS - 10_001)[1]


def test_a_stream_that_is_not_fed_is_neither_old_nor_missing() -> None:
    """Its months keep what it sent, and nobody is waiting for more."""
    telephony, year_ms = read_settings(streams="calls"), 365 * 86_400_000
    (line,) = freshness({"crimes": NOON_MS - year_ms}, telephony, NOON_MS)
    assert line == ("crimes: not fed here, applied up to 2020-11-29 12:00:00 GMT", True)
    (line,) = freshness({"crimes": None}, telephony, NOON_MS)  # a rebuild of it was killed, and no worker finishes it
    assert line.text.startswith("crimes: not fed here, progress UNKNOWN")
    assert not line.is_fresh


def test_the_progress_of_a_stream_without_a_time_is_unknown() -> None:
    """One partition without a time makes the whole stream unknown; so does a clock that is ahead."""
    for at_ms in (None, NOON_MS + 5_001):
        text, is_fresh = said(at_ms)
        assert text.startswith("calls: progress UNKNOWN")
        assert not is_fresh
    assert said(NOON_MS + 5_000)[1]
