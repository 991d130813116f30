"""When the alert counts as missing, and what is sent then; time is an argument."""

from __future__ import annotations

from watchroom.watchdog.silence import FIRST_RETRY_S, LONGEST_RETRY_S, Channel, Moment, News, Watch


def at(steady_s: float) -> Moment:
    """A moment on the monotonic clock; the wall clock is an hour ahead."""
    return Moment(steady_s, round((3600 + steady_s) * 1000))


def test_silence_begins_exactly_after_the_configured_seconds() -> None:
    """One second too early would be a false page, one too late a broken promise."""
    watch = Watch(at(0), seen=True, silent_s=300)
    assert not watch.is_silent(at(299.9))
    assert watch.is_silent(at(300))


def test_an_alert_that_was_never_seen_counts_as_missing_too() -> None:
    """A wrong route in Alertmanager must show after N seconds, not at the first real outage."""
    watch = Watch(at(0), seen=False, silent_s=300)
    assert watch.is_silent(at(300))


def test_each_message_restarts_the_time() -> None:
    """The time since the last message counts, not since the first."""
    watch = Watch(at(0), seen=False, silent_s=300).received(at(200))
    assert watch.seen
    assert not watch.is_silent(at(499.9))
    assert watch.is_silent(at(500))


def test_a_change_of_the_wall_clock_does_not_matter() -> None:
    """Correcting a server's clock by an hour must not page anybody."""
    watch = Watch(Moment(0, 0), seen=True, silent_s=300)
    assert not watch.is_silent(Moment(10, 3_600_000))


def sent(channel: Channel, silent_at: set[int], until_s: int) -> list[tuple[int, News]]:
    """What is sent through a channel, by whole seconds, if every message arrives."""
    messages: list[tuple[int, News]] = []
    for now_s in range(until_s):
        if news := channel.due(now_s in silent_at, now_s):
            messages.append((now_s, news))
            channel.arrived(news, now_s)
    return messages


def test_nothing_is_sent_while_everything_is_well() -> None:
    """Nobody reads a channel that sends something every day."""
    assert sent(Channel(repeat_s=900), set(), 5000) == []


def test_silent_is_repeated_during_the_outage_and_back_is_sent_once() -> None:
    """Somebody may have slept through the first message; a second "back" would be noise."""
    assert sent(Channel(repeat_s=900), set(range(100, 2000)), 5000) == [
        (100, "silent"), (1000, "silent"), (1900, "silent"), (2000, "back"),
    ]  # fmt: skip


def test_a_second_outage_is_reported_at_once() -> None:
    """The repeat interval is for one outage."""
    silences = set(range(100, 110)) | set(range(120, 130))
    assert sent(Channel(repeat_s=900), silences, 200) == [
        (100, "silent"),
        (110, "back"),
        (120, "silent"),
        (130, "back"),
    ]


def test_a_failed_message_is_retried_with_growing_bounded_waits() -> None:
    """A dead webhook is neither flooded nor given up."""
    channel, now_s, waits = Channel(repeat_s=900), 0.0, []
    for _ in range(12):
        assert channel.due(True, now_s) == "silent"
        channel.failed("silent", now_s)
        waits.append(channel.not_before_s - now_s)
        assert channel.due(True, channel.not_before_s - 0.01) is None
        now_s = channel.not_before_s
    assert waits[:4] == [FIRST_RETRY_S, 2, 4, 8]
    assert set(waits[6:]) == {LONGEST_RETRY_S}
    channel.arrived("silent", now_s)
    assert channel.failures == 0


def test_a_failed_repeat_is_retried_before_the_next_repeat() -> None:
    """Otherwise one lost message costs a quarter of an hour."""
    channel = Channel(repeat_s=900)
    channel.arrived("silent", 0)
    channel.failed("silent", 900)
    assert channel.due(True, 901) == "silent"


def test_back_is_sent_after_a_message_that_may_have_arrived() -> None:
    """A receiver that answered too late has woken somebody, who must learn that it is over."""
    channel = Channel(repeat_s=900)
    channel.failed("silent", 0)
    assert channel.due(False, 10) == "back"


def test_a_failed_back_is_retried_until_it_arrives() -> None:
    """Sent once means that it arrived once, not that it was attempted once."""
    channel = Channel(repeat_s=900)
    channel.arrived("silent", 0)
    channel.failed("back", 10)
    assert channel.due(False, 11) == "back"
    channel.arrived("back", 11)
    assert channel.due(False, 1000) is None


def test_a_new_outage_after_a_back_that_may_have_arrived_is_reported_at_once() -> None:
    """Somebody who believes that all is well must not wait for the repeat interval."""
    channel = Channel(repeat_s=900)
    channel.arrived("silent", 0)
    channel.failed("back", 10)
    assert channel.due(True, 20) == "silent"
