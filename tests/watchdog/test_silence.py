"""The rules of silence, in time that is passed in."""

from __future__ import annotations

from watchroom.watchdog.silence import FIRST_RETRY_S, LONGEST_RETRY_S, Channel, Moment, News, Watch


def at(steady_s: float) -> Moment:
    """A moment on the steady clock; the wall clock stands an hour further."""
    return Moment(steady_s, round((3600 + steady_s) * 1000))


def test_silence_begins_exactly_after_its_seconds() -> None:
    """One second early would be a false page, one late an unkept promise."""
    watch = Watch(at(0), heard=True, silent_s=300)
    assert not watch.is_silent(at(299.9))
    assert watch.is_silent(at(300))


def test_a_watchdog_that_was_never_heard_is_silent_too() -> None:
    """A wrong route in Alertmanager shows after N seconds, not at the first real outage."""
    watch = Watch(at(0), heard=False, silent_s=300)
    assert watch.is_silent(at(300))


def test_hearing_it_starts_the_seconds_anew() -> None:
    """The clock is that of the last message, not of the first."""
    watch = Watch(at(0), heard=False, silent_s=300).hear(at(200))
    assert watch.heard
    assert not watch.is_silent(at(499.9))
    assert watch.is_silent(at(500))


def test_a_set_wall_clock_makes_no_silence() -> None:
    """A server's clock that is put right by an hour pages nobody."""
    watch = Watch(Moment(0, 0), heard=True, silent_s=300)
    assert not watch.is_silent(Moment(10, 3_600_000))


def told(channel: Channel, silent_at: set[int], until_s: int) -> list[tuple[int, News]]:
    """What a channel is told by whole seconds when every message arrives."""
    messages: list[tuple[int, News]] = []
    for now_s in range(until_s):
        if news := channel.due(now_s in silent_at, now_s):
            messages.append((now_s, news))
            channel = channel.arrived(news, now_s)
    return messages


def test_nothing_is_told_while_all_is_well() -> None:
    """A channel that speaks every day is a channel that nobody listens to."""
    assert told(Channel(repeat_s=900), set(), 5000) == []


def test_silence_is_told_again_while_it_lasts_and_the_return_once() -> None:
    """The first message may have been slept through; a second "back" would be noise."""
    assert told(Channel(repeat_s=900), set(range(100, 2000)), 5000) == [
        (100, "silent"), (1000, "silent"), (1900, "silent"), (2000, "back"),
    ]  # fmt: skip


def test_a_second_silence_is_told_at_once() -> None:
    """The repeat interval belongs to one silence, not to two."""
    silences = set(range(100, 110)) | set(range(120, 130))
    assert told(Channel(repeat_s=900), silences, 200) == [
        (100, "silent"),
        (110, "back"),
        (120, "silent"),
        (130, "back"),
    ]


def test_a_failed_message_is_tried_again_with_growing_bounded_waits() -> None:
    """A dead webhook is neither hammered nor given up."""
    channel, now_s, waits = Channel(repeat_s=900), 0.0, []
    for _ in range(12):
        assert channel.due(True, now_s) == "silent"
        channel = channel.failed("silent", now_s)
        waits.append(channel.not_before_s - now_s)
        assert channel.due(True, channel.not_before_s - 0.01) is None
        now_s = channel.not_before_s
    assert waits[:4] == [FIRST_RETRY_S, 2, 4, 8]
    assert set(waits[6:]) == {LONGEST_RETRY_S}
    assert channel.arrived("silent", now_s).failures == 0


def test_a_failed_repeat_is_tried_again_before_the_next_repeat() -> None:
    """Otherwise one lost message is a quarter of an hour lost."""
    channel = Channel(repeat_s=900).arrived("silent", 0)
    assert channel.failed("silent", 900).due(True, 901) == "silent"


def test_a_return_is_told_after_a_message_that_may_have_arrived() -> None:
    """A receiver that answered too late has woken somebody; they must hear the end."""
    channel = Channel(repeat_s=900).failed("silent", 0)
    assert channel.due(False, 10) == "back"


def test_a_return_that_failed_is_tried_until_it_arrives() -> None:
    """Told once means that it arrived once, not that it was tried once."""
    channel = Channel(repeat_s=900).arrived("silent", 0).failed("back", 10)
    assert channel.due(False, 11) == "back"
    assert channel.arrived("back", 11).due(False, 1000) is None


def test_new_silence_after_a_return_that_may_have_arrived_is_told_at_once() -> None:
    """Whoever believes that all is well must not wait for the repeat interval."""
    channel = Channel(repeat_s=900).arrived("silent", 0).failed("back", 10)
    assert channel.due(True, 20) == "silent"
