"""Times: only RFC 3339 with an offset is accepted, to the millisecond."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from watchroom.events import times
from watchroom.events.times import TimeUnusable, to_ms, to_text

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
OFFSETS = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))
EARLIEST, LATEST = datetime(1990, 1, 3), datetime(2199, 12, 29)  # noqa: DTZ001  # the strategy adds the zone
MOMENTS = st.datetimes(EARLIEST, LATEST, timezones=OFFSETS)


def floor_ms(moment: datetime) -> int:
    """Whole milliseconds according to Python's own calendar."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


@given(MOMENTS, st.sampled_from(["seconds", "milliseconds", "microseconds"]))
def test_every_moment_has_the_same_milliseconds_as_in_python(moment: datetime, precision: str) -> None:
    """The fast path with look-ups and the slow path must both agree with the standard library."""
    text = moment.isoformat(timespec=precision)
    expected = floor_ms(datetime.fromisoformat(text))
    assert to_ms(text) == expected
    assert to_ms(text) == expected, "the second time takes the short way"
    assert to_ms(text.replace("+00:00", "Z")) == expected


@given(MOMENTS)
def test_a_time_shown_to_people_can_be_read_back(moment: datetime) -> None:
    """So that a time in a message can be compared with the event's."""
    assert to_ms(to_text(floor_ms(moment))) == floor_ms(moment)


STRICT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,30}))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)


def strict_ms(text: str) -> int | None:
    """By the RFC's grammar and Python's calendar, without any look-up or memory; None if refused."""
    match = STRICT.fullmatch(text)
    if match is None:
        return None
    *numbers, fraction, sign, hours, minutes = match.groups()
    year, month, day, hour, minute, second = map(int, numbers)
    leap = second == 60
    try:
        local = datetime(year, month, day, hour, minute, 59 if leap else second)  # noqa: DTZ001  # the offset follows
    except ValueError:
        return None
    if hours is not None and (int(hours) > 23 or int(minutes) > 59):
        return None
    ahead_s = int(sign + "1") * (int(hours) * 3600 + int(minutes) * 60) if sign else 0
    whole_s = (local - EPOCH.replace(tzinfo=None)) // timedelta(seconds=1) - ahead_s
    if leap and whole_s % 86_400 != 86_399:
        return None
    ms = whole_s * 1000 + (999 if leap else int(((fraction or "") + "000")[:3]))
    return ms if times.EARLIEST_MS <= ms < times.LATEST_MS else None


def answer(text: str) -> int | None:
    """The result of `to_ms`; None if refused."""
    try:
        return to_ms(text)
    except TimeUnusable:
        return None


def check_after(good: str, text: str) -> None:
    """A text must give the same result after a valid time in its minute, with an empty memory and by the grammar."""
    times._minutes.clear()
    fresh = answer(text)
    times._minutes.clear()
    to_ms(good)
    assert answer(text) == fresh == strict_ms(text), f"{text!r} after {good!r}"


ALPHABET = "0123456789-+:.TZ"  # the RFC's own; any other character is refused by every look-up


def written(moment: datetime, zulu: bool, millis: bool) -> str:
    """One of the four usual forms, which are those with a fast path."""
    text = moment.isoformat(timespec="milliseconds" if millis else "seconds")
    return text[:-6] + "Z" if zulu else text


@settings(max_examples=1000)
@given(MOMENTS, st.booleans(), st.booleans(), st.data())
def test_times_seen_before_never_decide_whether_a_time_is_accepted(
    moment: datetime, zulu: bool, millis: bool, data: st.DataObject
) -> None:
    """A record replayed by a worker that has seen other records must have the same outcome as before."""
    good = written(moment, zulu, millis)
    neighbour = written(moment.replace(second=data.draw(st.integers(0, 59))), zulu, data.draw(st.booleans()))
    parts = st.sampled_from(["00", "59", "60", "000", "250", "Z", ".", ":", "+", "-", "T", good[19 + 4 * millis :]])
    text = good[:17] + "".join(data.draw(st.lists(parts, max_size=5))) if data.draw(st.booleans()) else good
    for _ in range(data.draw(st.integers(0, 2))):
        at, char = data.draw(st.integers(0, len(text))), data.draw(st.sampled_from(ALPHABET))
        text = text[:at] + data.draw(st.sampled_from([char, ""])) + text[at + data.draw(st.integers(0, 1)) :]
    check_after(neighbour, text)


@pytest.mark.parametrize(
    "good",
    ["2021-10-31T00:30:07Z", "2021-10-31T00:30:07.125Z", "2021-10-31T01:30:07+01:00", "2021-10-31T01:30:07.125+01:00"],
)
def test_every_single_typing_error_is_accepted_or_refused_by_the_grammar_alone(good: str) -> None:
    """Each character of each usual form is replaced, removed and preceded by each that the RFC uses."""
    for at in range(len(good) + 1):
        check_after(good, good[:at] + good[at + 1 :])
        for char in ALPHABET:
            check_after(good, good[:at] + char + good[at + 1 :])
            check_after(good, good[:at] + char + good[at:])


ENDS = ["", "Z", ".", "+", "-", ":", "000", ".000", "Z000", ":000", "000Z", ".000Z", "Z000Z", "Z+01:00", ".+01:00"]
ENDS += ["+01:00", ".000+01:00", "Z000+01:00", ".00Z+01:00", "+01:00Z", "-01:00", ".0000+01:0", "Z.00Z", "..00Z"]


@pytest.mark.parametrize("end", ENDS)
def test_parts_of_one_form_are_not_accepted_in_another(end: str) -> None:
    """`00:30:00.` has no offset; it was once accepted in a known minute, as `00.` is part of another form."""
    for good in ("2021-10-31T00:30:07Z", "2021-10-31T00:30:07+01:00"):
        check_after(good, "2021-10-31T00:30:00" + end)


@given(st.text("0123456789-+:.TtZz ", min_size=15, max_size=32))
@example("2021-10-31T01:30:0 Z")
@example("2021-10-31T01:30:+1Z")
@example("2021-10-31T01:30:00.1_2Z")
@example("2021-10-31T01:30:٣٠Z")
@example("2021-10-31T01:30:00Z\n")
@example("2021-W43-7T01:30:00+01:00")
@example("20211031T013000Z")
def test_nothing_else_is_accepted(text: str) -> None:
    """A text either has the RFC's form and is a real moment, or it is refused."""
    assert answer(text) == strict_ms(text)


@given(MOMENTS, st.data())
def test_a_single_foreign_character_is_never_overlooked(moment: datetime, data: st.DataObject) -> None:
    """Digits of other scripts, spaces and the like are not part of a time, whatever Python's parsers accept."""
    text = moment.isoformat(timespec=data.draw(st.sampled_from(["seconds", "milliseconds"])))
    to_ms(text)
    at = data.draw(st.integers(0, len(text) - 1))
    spoilt = text[:at] + data.draw(st.sampled_from("x _/٣\x00")) + text[at + 1 :]
    with pytest.raises(TimeUnusable):
        to_ms(spoilt)


def test_the_two_hours_when_clocks_go_back_in_london_differ_by_their_offsets() -> None:
    """01:30 on 31 October 2021 in summer time is an hour before 01:30 in winter time."""
    summer, winter = to_ms("2021-10-31T01:30:00+01:00"), to_ms("2021-10-31T01:30:00+00:00")
    assert summer == to_ms("2021-10-31T00:30:00Z")
    assert winter - summer == 3_600_000


@pytest.mark.parametrize("fraction", ["123", "1234", "123999", "1239999999999", "123" + "9" * 27])
def test_fractions_finer_than_a_millisecond_are_truncated(fraction: str) -> None:
    """Rounded up, an answer after 9.9999 s would miss the 10 s target that it met."""
    assert to_ms(f"2021-10-30T12:00:00.{fraction}Z") == to_ms("2021-10-30T12:00:00Z") + 123


@pytest.mark.parametrize(("fraction", "ms"), [("5", 500), ("05", 50), ("000", 0), ("0009", 0)])
def test_short_fractions_are_tenths_and_hundredths(fraction: str, ms: int) -> None:
    """`.5` is half a second, not 5 ms."""
    assert to_ms(f"2021-10-30T12:00:00.{fraction}Z") - to_ms("2021-10-30T12:00:00Z") == ms


@pytest.mark.parametrize("text", ["2016-12-31T23:59:60Z", "2016-12-31T23:59:60.5Z", "2017-01-01T00:59:60+01:00"])
def test_a_leap_second_stays_in_its_own_month(text: str) -> None:
    """It is the last second of December, not the first of January."""
    assert to_ms(text) == to_ms("2016-12-31T23:59:59.999Z")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("2021-10-31T01:30:00", "no offset"),
        ("2021-10-31T01:30", "no offset"),
        ("2021-10-31 01:30:00", "no offset"),
        ("2021-10-31", "date without a time"),
        ("2021-10-31 01:30:00Z", "a T there"),
        ("1635640200", "is a number [(]it looks like seconds since 1970[)]"),
        ("", "is not a valid time"),
        ("2021-10-31T01:30Z", "is not a valid time"),
        ("2021-10-31T01:30:00+0100", "is not a valid time"),
        ("2021-10-31T01:30:00 Europe/London", "is not a valid time"),
        ("2021-10-31T01:30:00." + "1" * 31 + "Z", "is not a valid time"),
        ("2021-02-29T12:00:00Z", "not a calendar date"),
        ("0000-01-01T12:00:00Z", "not a calendar date"),
        ("2021-10-31T24:00:00Z", "invalid time of day"),
        ("2021-10-31T12:60:00Z", "invalid time of day"),
        ("2021-10-31T12:00:00+24:00", "invalid time of day or offset"),
        ("2021-10-31T12:00:00+01:60", "invalid time of day or offset"),
        ("2021-10-31T12:00:61Z", "second 61"),
        ("2021-10-31T12:00:60Z", "only at 23:59 UTC"),
        ("1989-12-31T23:59:59.999Z", "outside 1990 to 2199"),
        ("1990-01-01T00:59:59+01:00", "outside 1990 to 2199"),
        ("2200-01-01T00:00:00Z", "outside 1990 to 2199"),
        ("9999-12-31T23:59:59-23:59", "outside 1990 to 2199"),
        ("2199-12-31T23:59:60-00:01", "only at 23:59 UTC"),
        ("1970-01-01T00:00:00Z", "stores `never` as 0"),
        ("1970-01-19T23:04:54.300Z", "it looks like seconds since 1970 that were read as milliseconds"),
        ("0001-12-31T23:59:60Z", "outside 1990 to 2199"),
    ],
)
def test_a_refusal_says_what_is_wrong(text: str, says: str) -> None:
    """The person who must fix the feed reads this sentence and nothing else."""
    with pytest.raises(TimeUnusable, match=says):
        to_ms(text)


@pytest.mark.parametrize("text", ["1990-01-01T00:00:00Z", "2199-12-31T23:59:59.999Z", "2021-10-31t01:30:00z"])
def test_both_ends_of_the_range_and_lower_case_letters_are_accepted(text: str) -> None:
    """The RFC allows lower case; the range includes its first and last millisecond."""
    assert times.EARLIEST_MS <= to_ms(text) < times.LATEST_MS


def test_a_minute_partly_outside_the_range_is_refused_every_time() -> None:
    """Minutes are remembered: one at the edge of the range must not admit times outside it."""
    for _ in range(2):
        assert to_ms("1990-01-01T00:00:30+00:00") == times.EARLIEST_MS + 30_000
        with pytest.raises(TimeUnusable):
            to_ms("1990-01-01T00:00:30+00:01")


def test_the_number_of_remembered_minutes_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A feed with random times must not fill the memory."""
    monkeypatch.setattr(times, "_MOST_MINUTES", 10)
    monkeypatch.setattr(times, "_minutes", {})
    for minute in range(60):
        to_ms(f"2021-10-31T01:{minute:02}:00Z")
        assert len(times._minutes) <= 10


@given(st.integers(-(2**63), 2**63 - 1))
def test_any_number_can_be_shown_as_a_time(ms: int) -> None:
    """A record's timestamp can be anything that its producer wrote; a message about it must not fail."""
    assert to_text(ms)
