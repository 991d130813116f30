"""Figures and notes from events to rows: their own periods, restatements, who reported them, and withdrawals."""

from __future__ import annotations

from typing import Any

from redis import Redis

from tests.reports.redis_months import NOW_MS, Happened, fill, months
from watchroom.kinds.labels import where_text
from watchroom.reports.collect import Collector
from watchroom.reports.month_reader import Request
from watchroom.reports.output import rows_csv
from watchroom.reports.read_report import read_report
from watchroom.reports.report_text import lines
from watchroom.reports.returned import notes, reported
from watchroom.settings import Settings

SUBJECT = "complaints_retained||2020-12/2021-11"


def figure(time: str, as_at: str, numerator: float, denominator: int | None = None, **more: Any) -> Happened:
    """A version of one figure."""
    data = {"measure": "complaints_retained", "period": "2020-12/2021-11", "as_at": as_at, "numerator": numerator}
    return Happened("return.figure", SUBJECT, time, {**data, "denominator": denominator, **more})


def rows(settings: Settings, measure: str) -> list[dict[str, Any]]:
    """The rows of a measure."""
    return [dict(row) for row in months(settings, measures=[measure])]


def test_a_figure_is_one_row_with_its_own_period_and_restatements(filled: Settings) -> None:
    """Returns of November close 30 days after its end: what came later is in the log."""
    fill(filled, [figure("2021-12-09T09:00:00Z", "2021-12-08", 779, 1450, reported_by="PSD")])
    (row,) = rows(filled, "complaints_retained")
    assert (row["period"], row["span"], row["by"], row["unit"]) == ("2020-12/2021-11", "12mo", {}, "percent")
    assert (row["value"], row["numerator"], row["denominator"]) == (53.724138, 779, 1450)
    assert (row["as_at"], row["old"], row["closed"], row["restatements"]) == (
        "2021-12-08T00:00:00.000Z",
        False,
        True,
        0,
    )
    fill(filled, [figure("2022-01-22T09:00:00Z", "2022-01-21", 780, 1450, reported_by="PSD")])
    (row,) = rows(filled, "complaints_retained")
    assert (row["numerator"], row["published_numerator"], row["restatements"]) == (780, 779, 1)
    assert "complaints_retained,2020-12/2021-11" in rows_csv(months(filled, measures=["complaints_retained"]))


def test_a_late_figure_its_revision_and_its_withdrawal_are_one_restatement_each(filled: Settings) -> None:
    """Each changes four or five fields of the month, which closed on 30 December."""
    gone = {"measure": "complaints_retained", "period": "2020-12/2021-11", "as_at": "2022-01-24"}
    late = [
        figure("2022-01-22T09:00:00Z", "2022-01-21", 779, 1450),
        figure("2022-01-23T09:00:00Z", "2022-01-23", 780, 1451),
        figure("2022-01-23T10:00:00Z", "2022-01-22", 5, 7),  # as at an earlier moment: it changes nothing
        Happened("return.withdrawn", SUBJECT, "2022-01-24T09:00:00Z", gone),
    ]
    found = []
    for event in late:
        fill(filled, [event])
        (row,) = rows(filled, "complaints_retained")
        found.append((row["numerator"], row["published_numerator"], row["restatements"]))
    assert found == [(779, None, 1), (780, None, 2), (780, None, 2), (None, None, 3)]


def test_a_figure_for_the_county_is_not_added_to_those_of_areas(filled: Settings) -> None:
    """As in the published report; county cases without a known district are yet another figure."""
    said = {"County": ("county", 40), "stoke": ("stoke", 33), "county_unknown": ("county_unknown", 2)}
    fill(filled, [
        Happened(
            "return.figure", f"gun_crime_published|area={area}|2021-11", "2021-12-09T09:00:00Z",
            {
                "measure": "gun_crime_published", "period": "2021-11", "as_at": "2021-12-08", "numerator": number,
                "by": {"area": spelt},
            },
        )
        for spelt, (area, number) in said.items()
    ])  # fmt: skip
    found = {row["by"]["area"]: row["value"] for row in rows(filled, "gun_crime_published")}
    assert found == {"county": 40, "stoke": 33, "county_unknown": 2}
    report = read_report(filled, Request(to="2021-11", months=1, as_at="2021-12-31"), NOW_MS)
    printed = [row for _, its_rows in report.sections for row in its_rows if row.measure.id == "gun_crime_published"]
    assert {where_text(row.measure, row.by): [each.figure for each in lines(row)] for row in printed} == {
        "area Stoke": ["33"], "area county, district not known": ["2"], "area county": ["40"],
    }  # fmt: skip
    assert {row.areas for row in printed} == {None}


def test_a_withdrawal_removes_the_figure_and_a_later_version_counts_again(filled: Settings) -> None:
    """The version with the latest as-at counts, whichever event came last."""
    gone = {"measure": "complaints_retained", "period": "2020-12/2021-11", "as_at": "2021-12-10"}
    fill(filled, [
        figure("2021-12-09T09:00:00Z", "2021-12-08", 779, 1450),
        Happened("return.withdrawn", SUBJECT, "2021-12-10T09:00:00Z", gone),
        figure("2021-12-11T09:00:00Z", "2021-12-09", 1, 2),
    ])  # fmt: skip
    assert rows(filled, "complaints_retained") == []
    collector = Collector(filled)
    known = collector.catalogue.measures
    assert reported(collector.reader, filled, known) == []
    fill(filled, [figure("2021-12-12T09:00:00Z", "2021-12-12", 781, 1450, note="late returns", reported_by="PSD")])
    assert [row["numerator"] for row in rows(filled, "complaints_retained")] == [781]
    (said,) = reported(collector.reader, filled, known)
    assert (said.numerator, said.denominator) == ("781", "1450")
    assert said[:6] == (
        "return.figure",
        "complaints_retained",
        {},
        "2020-12/2021-11",
        "12mo",
        "2021-12-12T00:00:00.000Z",
    )
    assert (said.note, said.reported_by, said.time) == ("late returns", "PSD", "2021-12-12T09:00:00.000Z")
    collector.reader.close()


def test_notes_are_kept_as_text_with_their_period(filled: Settings) -> None:
    """The latest version of a note counts; one without an end applies to everything after its start."""
    july = {"text": "Exceptional volumes of calls.", "from": "2021-07", "to": "2021-07", "measure": "call_volume"}
    chat_began = {"text": "Live chat began.", "from": "2021-04-26"}
    fill(filled, [
        Happened("return.note", "note|demand", "2021-08-02T10:00:00Z", {**july, "text": "Many calls."}),
        Happened("return.note", "note|demand", "2021-08-03T10:00:00Z", july),
        Happened("return.note", "note|live chat", "2021-05-01T10:00:00Z", chat_began),
    ])  # fmt: skip
    collector = Collector(filled)
    chat, demand = notes(collector.reader, filled)
    collector.reader.close()
    assert (demand.name, demand.text, demand.measure) == ("demand", "Exceptional volumes of calls.", "call_volume")
    assert (chat.since, chat.until) == ("2021-04-26", "")
    assert demand.is_about("2021-06-01", "2021-07-01")
    assert not demand.is_about("2021-08-01", "2021-08-31")
    assert chat.is_about("2030-01-01", "2030-12-31")
    assert not chat.is_about("2021-04-01", "2021-04-25")


def test_states_of_returns_do_not_expire_within_a_lifetime(filled: Settings) -> None:
    """A figure of 2021 that is corrected in 2041 must replace the old value, not count twice."""
    fill(filled, [figure("2021-12-09T09:00:00Z", "2021-12-08", 779, 1450)])
    client = Redis.from_url(filled.redis_url)
    lives_ms: Any = client.pttl(f"{{{filled.force}}}:state:{filled.topic('returns')}:{SUBJECT}")
    client.close()
    assert lives_ms > 200 * 365 * 86_400_000
