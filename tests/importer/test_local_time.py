"""Local times of extracts: the two nights a year on which a clock does not say what time it is."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchroom.importer.local_time import LocalTimes, TimeUnreadable, rfc3339
from watchroom.importer.mapping_model import HourRule, TimeConfig


def times(zone: str = "Europe/London", rule: HourRule = "refuse", *formats: str) -> LocalTimes:
    """A reader with one rule for both nights."""
    return LocalTimes.of(TimeConfig(zone=zone, formats=formats or ("iso",), ambiguous_hour=rule, missing_hour=rule))


@pytest.mark.parametrize(("rule", "instant"), [("earlier", "2021-10-31T00:30:00Z"), ("later", "2021-10-31T01:30:00Z")])
def test_half_past_one_in_october_is_what_the_mapping_says(rule: HourRule, instant: str) -> None:
    """31 October 2021, 01:30 in London happened twice, an hour apart."""
    assert rfc3339(times(rule=rule).ms("2021-10-31 01:30:00")) == instant


@pytest.mark.parametrize(("rule", "instant"), [("earlier", "2021-03-28T00:30:00Z"), ("later", "2021-03-28T01:30:00Z")])
def test_half_past_one_in_march_is_what_the_mapping_says(rule: HourRule, instant: str) -> None:
    """28 March 2021, 01:30 in London did not happen: a clock was not yet, or already, put forward."""
    assert rfc3339(times(rule=rule).ms("2021-03-28 01:30:00")) == instant


@pytest.mark.parametrize(
    ("text", "key"), [("2021-10-31 01:30:00", "ambiguous_hour"), ("2021-03-28 01:30:00", "missing_hour")]
)
def test_a_refused_hour_says_what_to_write(text: str, key: str) -> None:
    """Without a rule nothing is guessed."""
    with pytest.raises(TimeUnreadable, match=rf"{text}.*Europe/London; set time\.{key} to "):
        times().ms(text)


@pytest.mark.parametrize("clock", ["00:59:59", "02:00:00"])
@pytest.mark.parametrize("day", ["2021-10-31", "2021-03-28"])
def test_the_hours_beside_it_need_no_rule(day: str, clock: str) -> None:
    """Only the hour itself is in doubt."""
    text = f"{day} {clock}"
    assert times(rule="refuse").ms(text) == times(rule="later").ms(text)


def test_an_offset_in_the_text_stands_over_the_zone() -> None:
    """A time that says its own offset is in no doubt, even in that hour."""
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
def test_times_are_read_in_the_form_that_is_named(pattern: str, text: str, instant: str) -> None:
    """Day before month or after it is never guessed from the numbers."""
    assert rfc3339(times("Europe/London", "refuse", pattern).ms(text)) == instant


@pytest.mark.parametrize("text", ["", "yesterday", "2020-13-01", "1e400", "nan", "99999999999999999999"])
def test_what_is_no_time_is_refused_with_the_forms_that_were_tried(text: str) -> None:
    """No text may end a conversion, or become a time that it is not."""
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
def test_a_number_of_seconds_is_plain_digits(form: str, text: str) -> None:
    """What Python's own readers take beyond digits is a fault of the file, such as a column of another meaning."""
    with pytest.raises(TimeUnreadable, match=f"does not match the time format {form}"):
        times("UTC", "refuse", form).ms(text)


ZONES = st.sampled_from(["Europe/London", "America/Los_Angeles", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"])


@given(ZONES, st.datetimes(min_value=datetime(1990, 1, 2), max_value=datetime(2037, 1, 1)))  # noqa: DTZ001  # local
def test_a_local_time_comes_back_as_it_was_written(zone: str, local: datetime) -> None:
    """Reading and showing in the same zone is the same time, but for hours that did not happen."""
    local = local.replace(microsecond=0)
    for rule in ("earlier", "later"):
        ms = times(zone, rule).ms(local.isoformat())
        shown = datetime.fromtimestamp(ms // 1000, ZoneInfo(zone)).replace(tzinfo=None)
        assert shown == local or abs(shown - local) <= timedelta(hours=1)
        if shown != local:
            with pytest.raises(TimeUnreadable, match="does not happen"):
                times(zone).ms(local.isoformat())
