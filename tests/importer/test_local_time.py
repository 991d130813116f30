"""Local times of extracts: the two nights a year on which a clock time is ambiguous or does not exist."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchroom.importer.local_time import LocalTimes, TimeUnreadable, rfc3339
from watchroom.importer.mapping_model import HourRule, TimeConfig


def times(zone: str = "Europe/London", rule: HourRule = "refuse", *formats: str) -> LocalTimes:
    """A reader with the same rule for both nights."""
    return LocalTimes.of(TimeConfig(zone=zone, formats=formats or ("iso",), ambiguous_hour=rule, missing_hour=rule))


@pytest.mark.parametrize(("rule", "instant"), [("earlier", "2021-10-31T00:30:00Z"), ("later", "2021-10-31T01:30:00Z")])
def test_half_past_one_in_october_follows_the_mappings_rule(rule: HourRule, instant: str) -> None:
    """31 October 2021, 01:30 in London happened twice, an hour apart."""
    assert rfc3339(times(rule=rule).ms("2021-10-31 01:30:00")) == instant


@pytest.mark.parametrize(("rule", "instant"), [("earlier", "2021-03-28T00:30:00Z"), ("later", "2021-03-28T01:30:00Z")])
def test_half_past_one_in_march_follows_the_mappings_rule(rule: HourRule, instant: str) -> None:
    """On 28 March 2021, 01:30 did not happen in London: the clock was put forward too late or too early."""
    assert rfc3339(times(rule=rule).ms("2021-03-28 01:30:00")) == instant


@pytest.mark.parametrize(
    ("text", "key"), [("2021-10-31 01:30:00", "ambiguous_hour"), ("2021-03-28 01:30:00", "missing_hour")]
)
def test_the_message_about_a_refused_hour_says_what_to_write(text: str, key: str) -> None:
    """Without a rule, nothing is guessed."""
    with pytest.raises(TimeUnreadable, match=rf"{text}.*Europe/London; set time\.{key} to "):
        times().ms(text)


@pytest.mark.parametrize("clock", ["00:59:59", "02:00:00"])
@pytest.mark.parametrize("day", ["2021-10-31", "2021-03-28"])
def test_the_times_just_before_and_after_that_hour_need_no_rule(day: str, clock: str) -> None:
    """Only the hour itself is in doubt."""
    text = f"{day} {clock}"
    assert times(rule="refuse").ms(text) == times(rule="later").ms(text)


def test_an_offset_in_the_text_overrides_the_zone() -> None:
    """A time with its own offset is unambiguous, even in that hour."""
    assert rfc3339(times().ms("2021-10-31T01:30:00+01:00")) == "2021-10-31T00:30:00Z"
    assert rfc3339(times().ms("2021-10-31T01:30:00Z")) == "2021-10-31T01:30:00Z"


@pytest.mark.parametrize(
    ("pattern", "text", "instant"),
    [
        ("%d/%m/%Y %H:%M:%S", "07/04/2020 00:01:25", "2020-04-06T23:01:25Z"),
        ("%d %b %Y %I:%M %p", "07 Apr 2020 01:02 PM", "2020-04-07T12:02:00Z"),
        ("epoch_s", "1586214085.5", "2020-04-06T23:01:25.500Z"),
        ("epoch_ms", "1586214085500", "2020-04-06T23:01:25.500Z"),
        ("iso", "2020-04-07T00:01:25.250", "2020-04-06T23:01:25.250Z"),
        ("epoch_s", "1586214085", "2020-04-06T23:01:25Z"),
        ("iso", "2020-04-07 00:01", "2020-04-06T23:01:00Z"),
        ("iso", "2020-04-07T00:01:25,25", "2020-04-06T23:01:25.250Z"),
        ("iso", "20200407T000125", "2020-04-06T23:01:25Z"),
        ("iso", "2020-04-07 00:01:25+01", "2020-04-06T23:01:25Z"),
        ("iso", "2020-04-06T23:01:25.5Z", "2020-04-06T23:01:25.500Z"),
        ("%d/%m/%Y %H", "07/04/2020 00", "2020-04-06T23:00:00Z"),
    ],
)
def test_times_are_read_in_the_format_that_the_mapping_names(pattern: str, text: str, instant: str) -> None:
    """Whether the day or the month comes first is never guessed from the numbers."""
    assert rfc3339(times("Europe/London", "refuse", pattern).ms(text)) == instant


@pytest.mark.parametrize("text", ["", "yesterday", "2020-13-01", "1e400", "nan", "99999999999999999999"])
def test_a_text_that_is_not_a_time_is_refused_and_the_message_names_the_formats_tried(text: str) -> None:
    """No text may end a conversion, or be read as a time that it does not state."""
    reader = times("Asia/Tokyo", "refuse", "iso", "epoch_s")
    with pytest.raises(TimeUnreadable, match=r"does not match the time format iso or epoch_s"):
        reader.ms(text)


NOT_ISO = ["2021-11-30", "20211130", "2021-W48-2", "2021-W48", "2021-W48T17:45", "2021-11-30 17", "2021-11-30T17+01:00"]
NOT_ISO += ["2021-11-30_17:45", "2021-11-30T17:45:", "2021-11-30T17:45 Z", "2021-11-30T1", "2021-11-3017:45"]
NOT_ISO += ["2021-11-30T17:45:00+01:0", "2021-11-30T17:45:00+01:00x", "2021-11-31T17:45", "2021-11-30T17:60"]
NOT_ISO += ["2021-11-30T24:00", "2021-11-30 24:00:00", "20211130T2400"]


@pytest.mark.parametrize("text", [*NOT_ISO, "٢٠٢١-11-30T17:45"])
def test_iso_needs_a_day_and_a_time_of_day(text: str) -> None:
    """A day read as its midnight would put a whole column into one hour without a warning."""
    with pytest.raises(TimeUnreadable, match="does not match the time format iso"):
        times().ms(text)


@pytest.mark.parametrize(
    "text", ["1_000", "1e9", "1_0.5", "+5", "-5", " 5", "5 ", "5\n", "inf", "nan", "٣", "0x10", "5.", ".5"]
)
@pytest.mark.parametrize("form", ["epoch_s", "epoch_ms"])
def test_an_epoch_time_must_be_plain_digits(form: str, text: str) -> None:
    """Anything else that Python would accept as a number is a fault of the file, such as the wrong column."""
    with pytest.raises(TimeUnreadable, match=f"does not match the time format {form}"):
        times("UTC", "refuse", form).ms(text)


ZONES = st.sampled_from(["Europe/London", "America/Los_Angeles", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"])


@given(ZONES, st.datetimes(min_value=datetime(1990, 1, 2), max_value=datetime(2037, 1, 1)))  # noqa: DTZ001  # local
def test_a_local_time_survives_reading_and_printing(zone: str, local: datetime) -> None:
    """Reading and printing in the same zone gives the same time, except for hours that did not happen."""
    local = local.replace(microsecond=0)
    for rule in ("earlier", "later"):
        ms = times(zone, rule).ms(local.isoformat())
        shown = datetime.fromtimestamp(ms // 1000, ZoneInfo(zone)).replace(tzinfo=None)
        assert shown == local or abs(shown - local) <= timedelta(hours=1)
        if shown != local:
            with pytest.raises(TimeUnreadable, match="does not happen"):
                times(zone).ms(local.isoformat())
