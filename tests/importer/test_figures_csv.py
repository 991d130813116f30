"""Figures from CSV: rows become events; a bad row is reported by file, line and column, and the others are used."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.fold.pipeline import catalogue
from tests.test_entered import NOT_PLAIN
from watchroom.admission.parse import parse
from watchroom.admission.returns import checks
from watchroom.errors import ConfigurationInvalid, Fault
from watchroom.importer.figures_csv import COLUMNS, records, template
from watchroom.kafka.produce import Outgoing

NOW_MS = 1_643_277_600_000
HEAD = ",".join(COLUMNS)


def read(tmp_path: Path, *lines: str, head: str = HEAD, now_ms: int = NOW_MS) -> list[Outgoing | Fault]:
    """The events and faults that these lines give."""
    path = tmp_path / "figures.csv"
    path.write_text("\n".join((head, *lines)) + "\n", encoding="utf-8-sig")
    events, faults = records(path, catalogue(), "watchroom.returns", now_ms=now_ms, reported_by="analyst")
    return [*events, *faults]


def test_each_row_becomes_an_event_that_admission_accepts(tmp_path: Path) -> None:
    """Key, subject and data are what a worker expects; the event says who reported the figure."""
    found = read(
        tmp_path,
        "complaints_retained,2020-12/2021-11,2022-01-21,779,1450,,,PSD",
        'gun_crime_published,2020-12/2021-11,2022-01-21T09:00:00Z,33,,area = Stoke,"as counted, by hand",',
        ",,,,,,,",
        "crimes_prosecuted,2020-12/2021-11,2022-01-21,7.90,,,,",
        "complaints,2021,2022-01-27,1450.0,,,,",
        "complaint_reviews,2021,2022-01-27T10:05:00Z,65,,,,",
    )
    made = [each for each in found if isinstance(each, Outgoing)]
    assert made == found
    events = [parse(each.value) for each in made]
    for event, each in zip(events, made, strict=True):
        checks(catalogue().measures.values())[event.type](event)
        assert event.subject.encode() == each.key
    assert [event.subject for event in events] == [
        "complaints_retained||2020-12/2021-11",
        "gun_crime_published|area=stoke|2020-12/2021-11",
        "crimes_prosecuted||2020-12/2021-11",
        "complaints||2021",
        "complaint_reviews||2021",
    ]
    assert [event.data["numerator"] for event in events] == [779, 33, 7.9, 1450, 65]
    assert [event.data["reported_by"] for event in events] == ["PSD", *["analyst"] * 4]
    assert events[1].data["note"] == "as counted, by hand"
    assert {event.time_ms for event in events} == {NOW_MS}


def test_importing_a_row_again_gives_the_same_event(tmp_path: Path) -> None:
    """The id depends only on the content of the row."""
    row = "complaints,2021,2022-01-21,1450,,,,"
    made = [each for later in (0, 1) for each in read(tmp_path, row, now_ms=NOW_MS + later)]
    ids = {json.loads(each.value)["id"] for each in made if isinstance(each, Outgoing)}
    (other,) = read(tmp_path, "complaints,2021,2022-01-21,1451,,,,")
    assert isinstance(other, Outgoing)
    assert len(ids) == 1
    assert json.loads(other.value)["id"] not in ids


OPEN = '"open'
SIGNED = next(each.id for each in catalogue().measures.values() if each.own.get("signed"))
BAD = {
    "complaints,2021,,1450,,,,": "as_at: found nothing; write the as-at of the figure",
    "complaints,2021,1970-01-01,1450,,,,": "as_at: found '1970-01-01', which is outside 1990 to 2199",
    "complaints,2021,1899-12-31,1450,,,,": "(is the sender's clock set?); write a day such as 2022-01-21, or",
    "complaints,2021,2022-01-28,1450,,,,": "as_at: found '2022-01-28', which was in the future at 2022-01-27T10:00:00",
    "complaints,2021,2022-01-27T10:05:00.001Z,1450,,,,": "write a day or moment not after 2022-01-27T10:05:00.000Z",
    "training_length,2021,2022-01-21,2.5,,training_route=pcda,,": (
        "numerator: found 2.5; write a whole number: training_length has no decimal places"
    ),
    "crimes_prosecuted,2021,2022-01-21,1,2.55,,,": (
        "denominator: found 2.55; write at most 1 decimal place, as crimes_prosecuted allows"
    ),
    f"complaints,2021,2022-01-21,1.{'0' * 50}1,,,,": "write a whole number: complaints has no decimal places",
    "complaints_retained,2021,2022-01-21,1450,,,,": "numerator: found 1450 without a denominator, which is more",
    "complaints,2021,21/01/2022,1450,,,,": "as_at: found '21/01/2022', which is not a valid time; write a day",
    "complaints,Nov-21,2022-01-21,1450,,,,": "period: found 'Nov-21', which is not a period; write a day (2021-12-31)",
    "complaints,2021,2022-01-21,,,,,": "numerator: found nothing; write the numerator of the figure",
    'complaints,2021,2022-01-21,"1,450",,,,': "numerator: found '1,450'; write a number such as 5948",
    "complaints,2021,2022-01-21,54%,,,,": "numerator: found '54%'; write a number",
    **{
        f"complaints,2021,2022-01-21,{text},,,,": f"numerator: found {text!r}; write a number such as 5948 or 16.2,"
        for text in NOT_PLAIN
    },
    f"{SIGNED},2021,2022-01-21,1_0,,,,": f"16.2 or -3, without commas: {SIGNED} may be negative",
    f"{SIGNED},2021,2022-01-21,1,1_0,,,": "denominator: found '1_0'; write a number such as 5948 or 16.2, without",
    "complaints,2021,2022-01-21,-1,,,,": "numerator: found -1; write 0 or more",
    "complaints_retained,2021,2022-01-21,3,2,,,": "numerator: found 3, which is greater than the denominator 2",
    "complaintz,2021,2022-01-21,1,,,,": "measure: found 'complaintz', which is not a figure; write 'complaints'",
    "complaints,2021,2022-01-21,1,,area=stoke,,": "labels: found 'area' is not a label of complaints; write no labels",
    "gun_crime_published,2021,2022-01-21,1,,,,": "labels: found area is missing; write one of stoke,",
    "gun_crime_published,2021,2022-01-21,1,,stoke,,": "labels: found 'stoke'; write label=value",
    "complaints,2021,2022-01-21,1": "found 4 cells; write 8 cells, as in the header",
    'complaints,2021,2022-01-21,1,,,"open': "found invalid CSV",
}


@pytest.mark.parametrize("row", BAD)
def test_a_bad_row_is_reported_by_line_and_column_and_the_others_are_used(row: str, tmp_path: Path) -> None:
    """The person who filled it in can then correct it."""
    good = "conduct_matters,2021,2022-01-21,40,,,,"
    is_last = OPEN in row  # nothing after it can be read
    found = read(tmp_path, good, row) if is_last else read(tmp_path, row, good)
    faults = [each for each in found if isinstance(each, Fault)]
    assert len(faults) == 1
    assert faults[0].where.endswith("figures.csv:3" if is_last else "figures.csv:2")
    assert BAD[row] in str(faults[0])
    assert len(found) == 2


def test_the_same_figure_twice_in_a_file_is_reported(tmp_path: Path) -> None:
    """Otherwise nobody could see which of the two counts."""
    first, second = read(tmp_path, "complaints,2021,2022-01-21,1,,,,", "complaints,2021,2022-01-21,2,,,,")
    assert isinstance(first, Outgoing)
    assert isinstance(second, Fault)
    assert "the same figure and as-at date as in line 2" in str(second)


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("measure,period,numerator", "no column 'as_at'"),
        (f"{HEAD},area", "an unknown column 'area'"),
        (HEAD.replace("note", "as_at"), "the column 'as_at' twice"),
    ],
)
def test_a_wrong_header_is_reported(head: str, said: str, tmp_path: Path) -> None:
    """Otherwise a mistyped column would be ignored unnoticed."""
    with pytest.raises(ConfigurationInvalid, match=said):
        read(tmp_path, head=head)


def test_the_template_has_every_figure_and_imports_nothing_until_it_is_filled_in(tmp_path: Path) -> None:
    """It has a row for each label set, so that its user need not know the catalogue."""
    text = template(catalogue())
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {"measure": "road_fatalities_by_road_user", "labels": "road_user=pedestrian"}.items() <= {
        name: value for row in rows if row["labels"] == "road_user=pedestrian" for name, value in row.items()
    }.items()
    assert "complaints" in {row["measure"] for row in rows}
    assert read(tmp_path, *text.splitlines()[1:], head=text.splitlines()[0]) == []
