"""Time formats: a pattern or cell that would print differently from how it is read is refused."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from watchroom.importer.local_time import LocalTimes, TimeUnreadable, rfc3339
from watchroom.importer.mapping_model import TimeConfig
from watchroom.importer.time_forms import clash, form_fault, read, smallest_step


def said(text: str, *formats: str, zone: str = "Europe/London") -> str:
    """The instant that a text means under these formats."""
    return rfc3339(LocalTimes.of(TimeConfig(zone=zone, formats=formats)).ms(text))


@pytest.fixture(params=["UTC", "Europe/London", "America/New_York"])
def machine_zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The zone of the machine itself, which must not matter."""
    monkeypatch.setitem(os.environ, "TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("machine_zone")
def test_a_zone_name_is_read_as_the_zone_it_names() -> None:
    """12:00 GMT in June is 13:00 in London: ignoring the name would put every summer call an hour off."""
    pattern = "%d/%m/%Y %H:%M:%S %Z"
    for name in ("GMT", "UTC", "Z", "gmt"):
        assert said(f"30/06/2021 12:00:00 {name}", pattern) == "2021-06-30T12:00:00Z"
    assert said("30/06/2021 23:30:00 UTC", pattern) == "2021-06-30T23:30:00Z"
    assert said("Wed Jun 30 12:00:00 GMT 2021", "%a %b %d %H:%M:%S %Z %Y") == "2021-06-30T12:00:00Z"
    for name in ("BST", "EST", "EDT", "CET", "+0100", ""):
        with pytest.raises(TimeUnreadable):
            said(f"30/06/2021 12:00:00 {name}", pattern)


@pytest.mark.parametrize("zone", ["Z", "z", " UTC", " utc", " GMT", " (UTC)", "+0000", "+00:00"])
def test_a_zone_written_out_in_a_pattern_is_honoured(zone: str) -> None:
    """`%SZ` is the usual way to write UTC; the mapping's own zone must not replace it."""
    assert form_fault("%Y-%m-%dT%H:%M:%S" + zone) == ""
    assert said("2021-06-30T12:00:00" + zone, "%Y-%m-%dT%H:%M:%S" + zone) == "2021-06-30T12:00:00Z"


MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2068, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001  # the strategy adds it
WRITTEN_ZONES = [
    "+00", "+01", "-05", "-5", " +01", "\u221205:00", " GMT+1", " UTC-5", "UTC+1", " EST", " est", " BST", " AEST",
    " ET", " BRT", "+01:00[Europe/Paris]", " (+01:00)", " +0100 (BST)", " -0500 EST", " Europe/London", " Zulu", "A",
    " British Summer Time",
]  # fmt: skip
CLOCK = "%Y-%m-%d %H:%M:%S"


@given(st.sampled_from(WRITTEN_ZONES), st.sampled_from([CLOCK, "%d/%m/%Y %H:%M", "%d %b %Y %I:%M %p"]))
def test_a_zone_written_out_that_reading_would_ignore_is_refused(zone: str, pattern: str) -> None:
    """PostgreSQL writes +00: ignoring it would put every summer call an hour off."""
    wrong = form_fault(pattern + zone)
    assert wrong.startswith("%z instead of ")
    assert "time.zone" in wrong


@pytest.mark.parametrize("pattern", ["%a %b %d %H:%M:%S +0000 %Y", "%H:%M:%S EST %d/%m/%Y", "BST %d/%m/%Y %H:%M"])
def test_a_zone_in_the_middle_of_a_pattern_is_found(pattern: str) -> None:
    """Java and Twitter write the year last."""
    assert "%z instead of" in form_fault(pattern)


OFFSETS = st.builds(
    "{}{:02}{}".format, st.sampled_from("+-"), st.integers(1, 12), st.sampled_from(["", "00", ":00", ":30"])
)


@given(st.one_of(OFFSETS, st.sampled_from(["z", "utc", "Z", "GMT", "UTC"])), MOMENTS)
def test_a_zone_written_out_is_read_or_refused(zone: str, moment: datetime) -> None:
    """Whatever offset or name a pattern ends with, its times match the file or the mapping is refused."""
    pattern, text = f"{CLOCK}{zone}", f"{moment:{CLOCK}}{zone}"
    if form_fault(pattern) == "":
        wanted = datetime.fromisoformat(f"{moment:%Y-%m-%dT%H:%M:%S}{zone if zone[0] in '+-' else 'Z'}")
        assert read(text, pattern) == wanted


def test_an_offset_of_whole_hours_is_read() -> None:
    """As PostgreSQL prints it."""
    assert said("2021-06-30 12:00:00+00", "%Y-%m-%d %H:%M:%S%z") == "2021-06-30T12:00:00Z"
    assert said("2021-06-30 12:00:00.5-05", "%Y-%m-%d %H:%M:%S.%f%z") == "2021-06-30T17:00:00.500Z"


REFUSED_PATTERNS = {
    "%F %T": "%Y-%m-%d instead of %F",
    "%Y-%m-%d %T": "%H:%M:%S instead of %T",
    "%e/%m/%Y %H:%M": "%d instead of %e",
    "%d/%m/%Y %k:%M": "%H instead of %k",
    "%d/%m/%Y %H:%M %q": "without %q, which is not supported; use iso, epoch_s",
    "%d/%m/%Y %H:%M am": "%I instead of %H",
    "%d/%m/%Y %H:%M p.m.": "%I instead of %H",
    "%a %b %d %Y %H:%M:%S GMT%z": "one zone in the pattern",
    "%m/%d/%Y %H:%M:%S %p": "%I instead of %H",
    "%m/%d/%Y %H:%M PM": "%I instead of %H",
    "%c %p": "%I instead of %H",
    "%m/%d/%Y %I:%M:%S": "%p after it",
    "%d/%m/%Y": "`append` a time",
    "%d/%m/%Y %M:%S": "`append` a time",
    "%d/%m/%Y %H:%S": "a pattern with day, month, year",  # minutes are lost
    "%d/%m %H:%M": "a pattern with day, month, year",
    "%m/%Y %H:%M": "a pattern with day, month, year",
    "%Y-%U %H:%M": "a pattern with day, month, year",
    "%d/%d/%m/%Y %H": "a pattern with day, month, year",
    "%Y-%m-%d %H %": "a pattern with day, month, year",
    "%Y-%m-%d %-H": "`append` a time",
    "%H:%M": "a pattern with day, month, year",
    "yyyy": "a pattern with day, month, year",
}


@pytest.mark.parametrize("pattern", REFUSED_PATTERNS)
def test_a_pattern_that_loses_information_is_refused(pattern: str) -> None:
    """05:45 PM read as 05:45 would put every hourly figure half a day off, without a warning."""
    assert REFUSED_PATTERNS[pattern] in form_fault(pattern)


GOOD_PATTERNS = [
    "%d/%m/%Y %H:%M:%S",
    "%d %b %Y %I:%M %p",
    "%c",
    "%x %X",
    "%y%m%d%H%M",
    "%Y-%j %H",
    "%Y-%m-%dT%H:%M:%S%z",
]
GOOD_PATTERNS += [
    "%d/%m/%y %H:%M:%S.%f",
    "%A, %d %B %Y %H.%M",
    "%G-%V-%u %H:%M",
    "%m/%d/%Y %I:%M:%S %p",
    "%Y%m%d%H%M%S%f",
    "%d. %B %Y at %H:%M Uhr",
    "%d-%b-%Y %Hh%M",
    "%d/%m/%Y %H%M HRS",
    "%Y-%m-%d %H:00:00",
    "%Y-%m-%d %H:%M:%S %z (CET)",
]


@pytest.mark.parametrize("pattern", GOOD_PATTERNS)
def test_a_pattern_with_a_complete_time_is_accepted(pattern: str) -> None:
    """Whatever order and separators an export uses."""
    assert form_fault(pattern) == ""


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("%d/%m/%Y %H%M", "07/04/2020 145"),
        ("%d/%m/%Y %H%M", "07/04/2020 45"),
        ("%d%m%Y %H:%M", "1112021 10:00"),
        ("%y%m%d%H%M", "21113145"),
        ("%a %d/%m/%Y %H:%M", "Mon 07/04/2020 10:00"),  # a Tuesday
        ("%d/%m/%Y %H:%M", "07/04/2020 24:00"),
        ("%d/%m/%Y %H:%M", "٠٧/04/2020 10:00"),
        ("%d/%m/%Y %H:%M", "31/04/2020 10:00"),
    ],
)
def test_a_cell_that_would_print_differently_is_refused(pattern: str, text: str) -> None:
    """`145` may be 01:45 without its zero; Python reads it as 14:05."""
    with pytest.raises(TimeUnreadable, match="does not match the time format"):
        said(text, pattern)


@pytest.mark.parametrize(
    ("pattern", "text", "instant"),
    [
        ("%d/%m/%Y %H:%M", "7/4/2020 9:05", "2020-04-07T08:05:00Z"),
        ("%d/%m/%Y  %H:%M", "07/04/2020 \t 09:05", "2020-04-07T08:05:00Z"),
        ("%d %b %Y %I:%M %p", "7 APR 2020 9:05 pm", "2020-04-07T20:05:00Z"),
        ("%Y-%m-%d %H:%M:%S.%f", "2020-04-07 09:05:00.050", "2020-04-07T08:05:00.050Z"),
        ("%Y-%m-%d %H:%M:%S.%f", "2020-04-07 09:05:00.5", "2020-04-07T08:05:00.500Z"),
        ("%Y-%m-%d %H:%M:%S%z", "2020-04-07 09:05:00-07:00", "2020-04-07T16:05:00Z"),
        ("%Y-%m-%d %H:%M:%S%z", "2020-04-07 09:05:00Z", "2020-04-07T09:05:00Z"),
        ("%d/%m/%Y %H%M", "07/04/2020 0905", "2020-04-07T08:05:00Z"),
    ],
)
def test_case_blanks_zeros_and_the_colon_of_an_offset_do_not_matter(pattern: str, text: str, instant: str) -> None:
    """Exports differ in leading zeros, the end of a fraction and the like; the time is the same."""
    assert said(text, pattern) == instant


@given(
    MOMENTS,
    st.integers(0, 6),
    st.integers(0, 12),
    st.sampled_from(
        ["%Y-%m-%d %H:%M:%S.%f", "%d-%b-%y %I.%M.%S.%f %p", "%d/%m/%Y %H:%M:%S,%f", "%H:%M:%S.%f %d/%m/%Y"]
    ),
)
def test_trailing_zeros_of_a_fraction_do_not_matter(moment: datetime, keep: int, zeros: int, form: str) -> None:
    """SQL Server writes seven digits and Oracle nine: every row used to be refused."""
    cut = moment.replace(microsecond=moment.microsecond // 10 ** (6 - keep) * 10 ** (6 - keep))
    digits = f"{cut.microsecond:06}"
    text = cut.strftime(form.replace("%f", digits + "0" * zeros))
    assert read(text, form).replace(tzinfo=UTC) == cut
    with pytest.raises(ValueError, match="1"):  # a digit other than zero would be lost
        read(cut.strftime(form.replace("%f", digits + "0" * zeros + "1")), form)


def test_two_formats_that_read_a_text_as_different_times_clash() -> None:
    """Whether the day or the month comes first is never guessed, not even from the order of a list."""
    assert clash(("%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M")) is not None
    assert clash(("%d/%m/%Y %H:%M", "iso", "%m/%d/%Y %H:%M")) is not None
    assert clash(("%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M:%S", "iso", "epoch_s", "epoch_ms")) is None
    with pytest.raises(TimeUnreadable, match=r"2020-04-05T.* as %d/%m/%Y %H:%M and 2020-05-04T"):
        said("05/04/2020 10:00", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M")
    assert said("05/05/2020 10:00", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M") == "2020-05-05T09:00:00Z"


PIECES = st.lists(
    st.sampled_from(
        [*(f"%{letter}" for letter in "aAbBcdfHIjmMpSuUVwWxXyYzZG%"), "/", "-", ":", " ", ".", "T", "Z", "at "]
    ),
    min_size=3,
    max_size=12,
).map("".join)
NATURAL = st.builds(
    lambda day, clock, joint, end: f"{day}{joint}{clock}{end}",
    st.sampled_from(["%d/%m/%Y", "%m/%d/%y", "%Y-%m-%d", "%d %b %Y", "%Y%m%d", "%a %d %B %Y", "%m/%Y", "%x"]),
    st.sampled_from(["%H:%M:%S", "%H%M", "%I:%M %p", "%H:%M:%S.%f", "%H:%M %p", "%I:%M", "%H", "%H:%S", "%X", ""]),
    st.sampled_from([" ", "T", ", ", ""]),
    st.sampled_from(["", " %Z", "%z", "Z", " GMT"]),
)


@given(st.one_of(NATURAL, PIECES), MOMENTS)
def test_every_time_survives_printing_and_reading_with_an_accepted_pattern(pattern: str, moment: datetime) -> None:
    """To its smallest unit: no accepted pattern loses AM or PM, a zone, a minute or a century."""
    assume(form_fault(pattern) == "")
    cut = moment - (moment - datetime(1990, 1, 1, tzinfo=UTC)) % smallest_step(pattern)
    found = read(cut.strftime(pattern), pattern)
    assert (found.replace(tzinfo=UTC) if found.tzinfo is None else found) == cut


@given(NATURAL, st.text("0123456789/-: .TAMPZ", min_size=3, max_size=24), MOMENTS)
def test_no_cell_is_read_as_a_time_that_it_does_not_state(pattern: str, text: str, moment: datetime) -> None:
    """Every number in the cell appears in the printed time; one digit less is refused or means the same."""
    assume(form_fault(pattern) == "")
    printed = moment.strftime(pattern)
    for cell in (text, *(printed[:at] + printed[at + 1 :] for at in range(len(printed)))):
        try:
            found = read(cell, pattern)
        except (ValueError, OverflowError):
            continue
        wanted = "".join(filter(str.isdigit, cell)).replace("0", "")
        assert wanted == "".join(filter(str.isdigit, found.strftime(pattern))).replace("0", "")


NOON = int(datetime(2026, 11, 26, 12, tzinfo=UTC).timestamp() * 1000)


def limited(text: str, **config: object) -> str:
    """The instant of a text on a machine whose clock shows noon of 26 November 2026."""
    given = {"zone": "UTC", "formats": ("iso", "epoch_s"), **config}
    return rfc3339(LocalTimes.of(TimeConfig.model_validate(given), NOON).ms(text))


def test_a_time_after_this_machines_clock_is_refused() -> None:
    """A 2121 typed for 2021 made every open incident vanish, and closed a month."""
    assert limited("2026-11-26T12:05:00") == "2026-11-26T12:05:00Z"
    for text in ("2026-11-26T12:05:01", "2121-11-30T11:45:00", "2126-11-20T11:45:00", "9999-12-31T23:59:59"):
        with pytest.raises(TimeUnreadable, match=r"later than this machine's clock \(2026-11-26T12:00:00.000Z\)"):
            limited(text)


def test_a_mapping_may_change_the_earliest_and_latest_time() -> None:
    """The middle of the current month may be a made-up day; a file of one year contains no other year."""
    assert limited("2026-11-30T23:59:59", latest="month_end") == "2026-11-30T23:59:59Z"
    with pytest.raises(TimeUnreadable, match=r"time\.latest"):
        limited("2026-12-01T00:00:00", latest="month_end")
    assert limited("2027-01-31T23:59:59", latest="2027-01-31") == "2027-01-31T23:59:59Z"
    with pytest.raises(TimeUnreadable, match="before 2021-01-01"):
        limited("2020-12-31T23:59:59", earliest="2021-01-01")
    with pytest.raises(TimeUnreadable, match="before 1990-01-01"):
        limited("1989-12-31T23:59:59")


@pytest.mark.parametrize(
    ("form", "text", "hint"),
    [
        ("epoch_ms", "1638294300", "it looks like seconds since 1970: write epoch_s"),
        ("epoch_s", "1638294300500", "it looks like milliseconds since 1970: write epoch_ms"),
        ("epoch_ms", "1638294300500123", "it looks like microseconds since 1970: this unit is not supported"),
        ("iso", "1638294300", "it looks like seconds since 1970: write epoch_s"),
        ("%d/%m/%Y %H:%M", "1638294300500", "it looks like milliseconds since 1970: write epoch_ms"),
    ],
)
def test_the_message_names_the_unit_of_an_epoch_time_in_the_wrong_scale(form: str, text: str, hint: str) -> None:
    """A time in 1970 or in 53886 shows a wrong unit; the message says which unit is right."""
    with pytest.raises(TimeUnreadable) as caught:
        limited(text, formats=(form,))
    assert hint in str(caught.value)


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)))  # noqa: DTZ001  # in the mapping's zone
def test_only_plausible_times_are_accepted(moment: datetime) -> None:
    """From 1990 to five minutes after the clock, whatever a cell contains."""
    clock = datetime.fromtimestamp(NOON / 1000, UTC).replace(tzinfo=None)
    can_be = datetime(1990, 1, 1) <= moment < clock + timedelta(minutes=5, milliseconds=1)  # noqa: DTZ001  # as `moment` is
    try:
        limited(moment.isoformat())
    except TimeUnreadable:
        assert not can_be
    else:
        assert can_be
