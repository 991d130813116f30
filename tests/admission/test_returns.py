"""Figures checked with the catalogue: what is refused, for which reason, and what the message says to write."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fold.pipeline import SETTINGS, catalogue
from tests.parts import ROOT
from watchroom.admission.admit import Admission
from watchroom.admission.parse import parse
from watchroom.admission.returns import UnfitFigure, check_numbers, checks
from watchroom.errors import EventRefused
from watchroom.events.record import Arrived, Record
from watchroom.events.times import to_ms
from watchroom.kinds.figure import DECIMALS
from watchroom.simulator.published_year.printed import load_printed
from watchroom.simulator.published_year.returns import returns

NOW = "2022-01-27T10:00:00Z"
SHARE = {"measure": "complaints_retained", "period": "2020-12/2021-11", "as_at": "2022-01-21", "numerator": 1}
BY_AREA = {
    "measure": "gun_crime_published",
    "period": "2021",
    "as_at": "2022-01-21",
    "by": {"area": "stoke"},
    "numerator": 1,
}
SIGNED = {"measure": "speed_enforcements_change", "period": "2021", "as_at": "2022-01-21"}


def rules(stream: str = "returns") -> Admission:
    """The rules of one partition, as a worker creates them."""
    return Admission(
        stream,
        0,
        1,
        history_sources=(),
        lateness_ms=SETTINGS.lateness_days.ms(stream),
        future_ms=300_000,
        keeping_ms=SETTINGS.keeping_days.ms(stream),
        checks=checks(catalogue().measures.values()),
    )


def admitted(subject: str, data: dict[str, Any] | str, kind: str = "return.figure", **more: Any) -> Arrived:
    """An event with this subject, as a worker admits it; `data` may be JSON."""
    said = json.dumps({
        "specversion": "1.0", "id": "1", "source": "psd", "type": kind, "time": NOW, "subject": subject,
        "data": 0, **more,
    }).replace('"data": 0', f'"data": {data if isinstance(data, str) else json.dumps(data)}')  # fmt: skip
    return rules().admit(Record(0, to_ms(NOW), subject.encode(), said.encode()))


def reason(subject: str, data: dict[str, Any] | str, kind: str = "return.figure") -> tuple[str, str]:
    """The reason for which it is refused, and the message."""
    with pytest.raises(EventRefused) as refused:
        admitted(subject, data, kind)
    return refused.value.reason, refused.value.detail


GOOD: dict[str, tuple[str, dict[str, Any], str]] = {
    "a share": (
        "complaints_retained||2020-12/2021-11",
        {**SHARE, "numerator": 779, "denominator": 1450},
        "return.figure",
    ),
    "a rate of 100 percent": ("complaints_retained||2020-12/2021-11", {**SHARE, "numerator": 100}, "return.figure"),
    "as at the first day of 1990": (
        "complaints_retained||2020-12/2021-11",
        {**SHARE, "as_at": "1990-01-01", "numerator": 1},
        "return.figure",
    ),
    "by area": ("gun_crime_published|area=stoke|2021", {**BY_AREA, "numerator": 33}, "return.figure"),
    "a label in another spelling": (
        "gun_crime_published|area=stoke|2021",
        {**BY_AREA, "by": {"area": "Stoke"}, "numerator": 33},
        "return.figure",
    ),
    "for a whole group of areas": (
        "gun_crime_published|area=county|2021",
        {**BY_AREA, "by": {"area": "County"}, "numerator": 40},
        "return.figure",
    ),
    "for the part of a group without a district": (
        "gun_crime_published|area=county_unknown|2021",
        {**BY_AREA, "by": {"area": "county_unknown"}, "numerator": 1},
        "return.figure",
    ),
    "for an unknown area": (
        "gun_crime_published|area=unknown|2021",
        {**BY_AREA, "by": {"area": "unknown"}, "numerator": 3},
        "return.figure",
    ),
    "below zero, signed": ("speed_enforcements_change||2021", {**SIGNED, "numerator": -3350}, "return.figure"),
    "a withdrawal": ("gun_crime_published|area=stoke|2021", BY_AREA, "return.withdrawn"),
    "a note": ("note|July 2021", {"text": "Exceptional volumes.", "from": "2021-07"}, "return.note"),
    "a note of one month": ("note|1", {"text": "said", "from": "2021-07-15", "to": "2021-07"}, "return.note"),
    "a note about a measure": (
        "note|1",
        {"text": "said", "from": "2021-07", "measure": "calls_waiting"},
        "return.note",
    ),
    "a note about everything": (
        "note|1",
        {"text": "said", "from": "2021-07", "measure": "", "to": None},
        "return.note",
    ),
}


@pytest.mark.parametrize("case", GOOD)
def test_a_return_that_fits_the_catalogue_is_admitted(case: str) -> None:
    """However old it is: nothing in this stream is ever late."""
    subject, data, kind = GOOD[case]
    assert admitted(subject, data, kind).event.subject == subject
    long_ago = {**data, "as_at": "1990-01-01"} if "as_at" in data else data
    assert admitted(subject, long_ago, kind, time="1990-01-01T00:00:00Z").event.time_ms == 631_152_000_000


BAD: dict[str, tuple[str, dict[str, Any] | str, str, str]] = {
    "no as-at": (
        "complaints||2021",
        {"measure": "complaints", "period": "2021", "numerator": 1},
        "bad_data",
        "data.as_at is missing; write a day such as 2022-01-21, or RFC 3339 with an offset such as 2022-01-21T09:30",
    ),
    "an as-at that is a number": (
        "complaints||2021",
        {"measure": "complaints", "period": "2021", "as_at": 2022, "numerator": 1},
        "bad_data",
        "data.as_at is the number 2022; write a day such as 2022-01-21, or RFC 3339 with an offset such as 2022-01-",
    ),
    "no period": (
        "complaints||2021",
        {"measure": "complaints", "as_at": "2022-01-21", "numerator": 1},
        "bad_data",
        "data.period is missing; write a day (2021-12-31)",
    ),
    "an as-at in the nineteenth century": (
        "complaints||2021",
        {"measure": "complaints", "period": "2021", "as_at": "1899-12-31", "numerator": 1},
        "bad_data",
        "data.as_at is '1899-12-31', which is outside 1990 to 2199 (is the sender's clock set?); write a day such as",
    ),
    "an as-at in the future": (
        "complaints||2021",
        {"measure": "complaints", "period": "2021", "as_at": "2022-01-28", "numerator": 1},
        "bad_data",
        "in the future at 2022-01-27T10:00:00.000Z; write a day or moment not after 2022-01-27T11:05:00.000Z",
    ),
    "more decimals than are kept": (
        "complaints||2021",
        {"measure": "complaints", "period": "2021", "as_at": "2022-01-21", "numerator": 2.5},
        "bad_data",
        "numerator is 2.5; write a whole number: complaints has no decimal places",
    ),
    "a denominator with more decimals than are kept": (
        "crimes_prosecuted||2021",
        {**SHARE, "measure": "crimes_prosecuted", "period": "2021", "denominator": 1234567.25},
        "bad_data",
        "denominator is 1234567.25; write at most 1 decimal place, as crimes_prosecuted allows",
    ),
    "an as-at that is not a time": (
        "complaints||2021",
        {"measure": "complaints", "period": "2021", "as_at": "21/01/2022", "numerator": 1},
        "bad_data",
        "as_at is '21/01/2022', which is not a valid time; write a day such as 2022-01-21, or RFC 3339 with an offset",
    ),
    "an as-at of an unset clock": (
        "complaints||2021",
        {"measure": "complaints", "period": "2021", "as_at": "1970-01-01", "numerator": 1},
        "bad_data",
        "data.as_at is '1970-01-01', which is outside 1990 to 2199 (a sender that stores `never` as 0 produces",
    ),
    "an as-at one millisecond too early": (
        "complaints||2021",
        {"measure": "complaints", "period": "2021", "as_at": "1989-12-31T23:59:59.999Z", "numerator": 1},
        "bad_data",
        "is outside 1990 to 2199 (is the sender's clock set?)",
    ),
    "no number": (
        "complaints||2021",
        {"measure": "complaints", "period": "2021", "as_at": "2022-01-21"},
        "bad_data",
        "data.numerator is missing; write the number, or send return.withdrawn to withdraw",
    ),
    "null for a number": (
        "complaints||2021",
        {"measure": "complaints", "period": "2021", "as_at": "2022-01-21", "numerator": None},
        "bad_data",
        "data.numerator is null; write a finite number",
    ),
    "a denominator alone": (
        "complaints_retained||2020-12/2021-11",
        {"measure": "complaints_retained", "period": "2021", "as_at": "2022-01-21", "denominator": 1450},
        "bad_data",
        "data.numerator is missing",
    ),
    "a rate above 100 percent": (
        "complaints_retained||2020-12/2021-11",
        {**SHARE, "numerator": 1450},
        "bad_data",
        "numerator is 1450 without a denominator, which is more than 100 percent; write at most 100, or the",
    ),
    "a rate just above 100 percent": (
        "crimes_prosecuted||2021",
        {**SHARE, "measure": "crimes_prosecuted", "period": "2021", "numerator": 100.1},
        "bad_data",
        "write at most 100",
    ),
    "not finite": (
        "complaints||2021",
        '{"measure": "complaints", "period": "2021", "as_at": "2022-01-21", "numerator": 1e999}',
        "bad_data",
        "numerator",
    ),
    "infinity": (
        "complaints||2021",
        '{"measure": "complaints", "period": "2021", "as_at": "2022-01-21", "numerator": Infinity}',
        "bad_json",
        "",
    ),
    "a text for a number": (
        "complaints||2021",
        {"measure": "complaints", "period": "2021", "as_at": "2022-01-21", "numerator": "1450"},
        "bad_data",
        "write a finite number, without quotes",
    ),
    "negative": (
        "complaints||2021",
        {"measure": "complaints", "period": "2021", "as_at": "2022-01-21", "numerator": -1},
        "bad_data",
        "numerator is -1; write 0 or more: complaints is not signed",
    ),
    "a denominator below zero": (
        "speed_enforcements_change||2021",
        {**SIGNED, "numerator": -3, "denominator": -1},
        "bad_data",
        "denominator is -1",
    ),
    "too large to stay exact": (
        "complaints||2021",
        {"measure": "complaints", "period": "2021", "as_at": "2022-01-21", "numerator": 2e15},
        "bad_data",
        "write at most 1e+15",
    ),
    "a part above its whole": (
        "complaints_retained||2020-12/2021-11",
        {**SHARE, "numerator": 1451, "denominator": 1450},
        "bad_data",
        "numerator is 1451, which is greater than the denominator 1450; write a number no larger than",
    ),
    "an unknown measure": ("complaint||2021", {**SHARE, "measure": "complaint"}, "bad_data", "'complaints'"),
    "a measure of events": ("call_volume||2021", {**SHARE, "measure": "call_volume"}, "bad_data", "is not a figure"),
    "an unknown label": (
        "complaints||2021",
        {"measure": "complaints", "period": "2021", "as_at": "2022-01-21", "numerator": 1, "by": {"area": "stoke"}},
        "bad_data",
        "write no labels: the measure has none",
    ),
    "a label that is missing": (
        "gun_crime_published||2021",
        {**BY_AREA, "by": {}},
        "bad_data",
        "by.area is missing; write one of stoke, newcastle_under_lyme",
    ),
    "a text that is not a period": (
        "complaints||2021-Q5",
        {**SHARE, "period": "2021-Q5"},
        "bad_data",
        "which is not a period",
    ),
    "an unlisted label value": (
        "gun_crime_published|area=atlantis|2021",
        {**BY_AREA, "by": {"area": "atlantis"}},
        "wrong_key",
        "by.area is 'atlantis', which is not listed; write one of stoke, newcastle_under_lyme",
    ),
    "another subject": (
        "complaints_retained|2020-12/2021-11",
        {**SHARE, "numerator": 1},
        "wrong_key",
        "write 'complaints_retained||2020-12/2021-11'",
    ),
    "a subject with another value": (
        "gun_crime_published|area=county|2021",
        {**BY_AREA, "numerator": 1},
        "wrong_key",
        "write 'gun_crime_published|area=stoke|2021'",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_return_that_does_not_fit_is_refused_with_its_reason(case: str) -> None:
    """A wrong figure is the worst fault; the message says what to write instead."""
    subject, data, expected, said = BAD[case]
    found, detail = reason(subject, data)
    assert found == expected
    assert said in detail


@pytest.mark.parametrize("kind", ["return.figure", "return.withdrawn"])
def test_an_as_at_may_be_at_most_five_minutes_after_its_event(kind: str) -> None:
    """One from next year would override every later version. The event's own time decides, as in a rebuild."""
    subject, data, _ = GOOD["by area"]
    figure = data if kind == "return.figure" else {name: data[name] for name in BY_AREA if name != "numerator"}
    for as_at in ("2022-01-27", "2022-01-27T10:05:00Z", "2022-01-27T11:05:00+01:00"):
        assert admitted(subject, {**figure, "as_at": as_at}, kind).event.subject == subject
    for as_at in ("2022-01-28", "2022-01-27T10:05:00.001Z", "2023-01-21"):
        found, detail = reason(subject, {**figure, "as_at": as_at}, kind)
        assert (found, "which was in the future at 2022-01-27T10:00" in detail) == ("bad_data", True)


@pytest.mark.parametrize(("at", "fits"), [("22:54:59", False), ("22:55:00", True), ("23:30:00", True)])
def test_a_day_that_has_already_begun_in_london_is_not_in_the_future(at: str, fits: bool) -> None:
    """Half an hour after midnight in July, it is still June in UTC."""
    subject, data, _ = GOOD["by area"]
    event = {**data, "as_at": "2021-07-01"}
    if fits:
        assert admitted(subject, event, time=f"2021-06-30T{at}Z").event.subject == subject
    else:
        with pytest.raises(EventRefused, match="in the future"):
            admitted(subject, event, time=f"2021-06-30T{at}Z")


@given(st.integers(-(10**9), 10**9), st.integers(0, 9))
def test_no_digit_of_a_number_is_lost(units: int, decimals: int) -> None:
    """Either the entry keeps all decimals of a number, or the number is refused."""
    shipped = catalogue().measures["uplift_projection"]
    number = float(Decimal(units).scaleb(-decimals))
    is_kept = units % 10 ** max(decimals - DECIMALS.of(shipped), 0) == 0
    with (
        nullcontext()
        if is_kept
        else pytest.raises(UnfitFigure, match="write at most 1 decimal place, as uplift_projection")
    ):
        check_numbers(shipped, {"numerator": number})


def test_a_note_must_have_a_subject_that_no_figure_can_have() -> None:
    """Otherwise a note could replace a figure."""
    for subject in ("complaints||2021", "note|", "July 2021", "note|a|b"):
        found, detail = reason(subject, {"text": "said", "from": "2021-07"}, "return.note")
        assert found == "wrong_key"
        assert "write 'note|' followed by a name" in detail


BAD_NOTES = {
    "an end before the beginning": ({"to": "2021-06"}, "to is '2021-06', before from '2021-07'; write '2021-07' or"),
    "an end on the day before the beginning": ({"to": "2021-06-30"}, "to is '2021-06-30', before from '2021-07'"),
    "an unknown measure": ({"measure": "call_volumes"}, "measure is 'call_volumes', which is not in the"),
    "a measure with a similar name": ({"measure": "call_volumes"}, "write 'call_volume', if that is what"),
    "a measure unlike any": ({"measure": "#"}, "write an id from the catalogue (schemas/measures/README.md lists"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_NOTES)
def test_a_note_that_no_report_could_show_is_refused(case: str) -> None:
    """It would be stored, but nobody would ever read it."""
    more, said = BAD_NOTES[case]
    found, detail = reason("note|1", {"text": "said", "from": "2021-07", **more}, "return.note")
    assert found == "bad_data"
    assert said in detail


def test_only_a_change_or_an_entry_that_may_exceed_can_be_above_100_percent() -> None:
    """A share of more than the whole is wrong; a change or a ratio may double."""
    shipped = catalogue().measures["complaints_retained"]
    for own in ({"signed": True}, {"may_exceed": True}, {"unit": "people"}):
        check_numbers(replace(shipped, own={**shipped.own, **own}), {"numerator": 101})
    with pytest.raises(UnfitFigure):
        check_numbers(shipped, {"numerator": 101})


def test_every_figure_and_note_of_the_published_year_is_admitted() -> None:
    """Each number as printed, with the decimals that its entry keeps, and as at no later than it was reported."""
    sent = list(returns(load_printed(ROOT / "schemas")))
    assert len(sent) > 80
    for each in sent:
        event = parse(each.value)
        rules().admit(Record(0, event.time_ms, event.subject.encode(), each.value))


def test_a_figure_in_another_topic_is_in_the_wrong_topic() -> None:
    """The checks belong to the stream's own topic."""
    record = Record(0, to_ms(NOW), b"complaints||2021", json.dumps({
        "specversion": "1.0", "id": "1", "source": "psd", "type": "return.figure", "time": NOW,
        "subject": "complaints||2021",
        "data": {"measure": "complaints", "period": "2021", "as_at": "2022-01-21", "numerator": 1},
    }).encode())  # fmt: skip
    with pytest.raises(EventRefused) as refused:
        rules("calls").admit(record)
    assert refused.value.reason == "wrong_topic"
