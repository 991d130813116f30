"""A CSV file with the months of a baseline: what is imported, and how each bad row is reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.parts import ROOT
from tests.test_entered import NOT_PLAIN
from watchroom.catalogue.load import load_catalogue
from watchroom.errors import ConfigurationInvalid
from watchroom.reports.baseline_file import Imported, fields_of, parse_baseline, read_baseline_file
from watchroom.reports.baselines import Baseline

CATALOGUE = load_catalogue(ROOT / "schemas" / "measures", ["stoke", "county"])
YEAR = Baseline(words="2018/19", first="2018-12", last="2019-11")
HEAD = "month,measure,line,grade,area,field,value\n"


def parsed(*rows: str) -> Imported:
    """The result of parsing these rows."""
    return parse_baseline("b.csv", HEAD + "".join(f"{row}\n" for row in rows), YEAR, CATALOGUE)


def test_a_row_becomes_a_field_of_a_month() -> None:
    """Like a field of an own month; other spellings of a label are read as in events."""
    found = parsed(
        "2018-12,call_volume,999,,,count,15000",
        "",
        "2019-01, incident_volume ,,Ungraded,Stoke,count,0",
        "2019-01,call_answer_time,999,,,bin:10000,7",
    )
    assert found.faults == []
    assert found.entries == {
        ("2018-12", "call_volume|line=999|count"): 15_000,
        ("2019-01", "incident_volume|grade=ungraded,area=stoke|count"): 0,
        ("2019-01", "call_answer_time|line=999|bin:10000"): 7,
    }


def test_an_empty_label_means_unknown() -> None:
    """A published total has no areas."""
    assert list(parsed("2018-12,incident_volume,,1,,count,5").entries) == [
        ("2018-12", "incident_volume|grade=1,area=unknown|count")
    ]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("2018-13,call_volume,999,,,count,1", "month: found '2018-13'; write a month such as 2019-04"),
        (
            "2018-11,call_volume,999,,,count,1",
            "month: found '2018-11'; write a month of the baseline, 2018-12 to 2019-11",
        ),
        ("2018-12,calls,999,,,count,1", "measure: found 'calls'; write one of call_volume"),
        ("2018-12,calls_waiting,999,,,count,1", "measure: found 'calls_waiting'; write one of"),
        ("2018-12,call_volume,112,,,count,1", "line: found '112'; write one of 999, 101, unknown, other, or"),
        (
            "2018-12,call_volume,999,1,,count,1",
            "grade: found '1'; write an empty cell: call_volume is not split by grade",
        ),
        ("2018-12,call_volume,999,,,calls,1", "field: found 'calls'; write one of count"),
        ("2018-12,call_volume,999,,,count,1.5", "value: found '1.5'; write a whole number from 0"),
        ("2018-12,call_volume,999,,,count,-1", "value: found '-1'; write a whole number"),
        ("2018-12,call_volume,999,,,count,", "value: found ''; write a whole number"),
        ("2018-12,call_volume,999,,,count,9007199254740992", "value: found '9007199254740992'"),
        (f"2018-12,call_volume,999,,,count,{'9' * 5000}", "value: found '9999"),
        *((f"2018-12,call_volume,999,,,count,{text}", f"value: found {text!r}; write a whole") for text in NOT_PLAIN),
        ("2018-12,call_volume,999,count,1", "b.csv:3: found 5 cells; write 7 cells, as in the header"),
        ('2018-12,call_volume,999,,,count,"1', "b.csv:3: found invalid CSV"),
        (
            "2018-12,call_volume,101,,,count,7",
            "found the same month, measure, labels and field as in line 2; write each field",
        ),
    ],
)
def test_a_bad_row_is_reported_and_the_others_are_imported(row: str, said: str) -> None:
    """With file, line, column, what was found, and what to write instead."""
    found = parsed("2018-12,call_volume,101,,,count,5", row)
    (fault,) = found.faults
    assert said in str(fault)
    assert str(fault).startswith("b.csv:3: ")
    assert found.entries == {("2018-12", "call_volume|line=101|count"): 5}


def test_a_group_of_areas_is_refused_but_its_unknown_district_is_accepted() -> None:
    """Months are added up over areas: the districts and the whole county together would count twice."""
    catalogue = load_catalogue(ROOT / "schemas" / "measures", Path("areas.toml"))
    rows = "2018-12,incident_volume,,1,County,count,5\n2018-12,incident_volume,,1,county_unknown,count,4\n"
    found = parse_baseline("b.csv", HEAD + rows, YEAR, catalogue)
    (fault,) = found.faults
    said = "b.csv:2: area: found 'County', which is a group of areas; write one of the areas in the group: newcastle"
    assert str(fault).startswith(said)
    assert str(fault).endswith("staffordshire_moorlands, county_unknown")
    assert list(found.entries) == [("2018-12", "incident_volume|grade=1,area=county_unknown|count")]


def test_a_part_greater_than_its_whole_is_refused() -> None:
    """For a share, and for durations within their target; a part equal to the whole is accepted."""
    found = parsed(
        "2018-12,call_abandonment,999,,,part,9",
        "2018-12,call_abandonment,999,,,whole,8",
        "2018-12,call_answer_time,999,,,within,5",
        "2018-12,call_answer_time,999,,,observations,5",
    )
    assert [str(fault) for fault in found.faults] == [
        "b.csv:2: value: found 9, but whole is 8; write a part no greater than its whole"
    ]
    assert len(found.entries) == 3


@pytest.mark.parametrize(
    ("bins", "together"),
    [({"0": 60, "10000": 30, "60000": 10}, 100), ({"0": 1, "10000": 1, "60000": 1}, 3), ({"0": 11}, 11)],
)
def test_bins_that_do_not_add_up_to_the_observations_are_refused(bins: dict[str, int], together: int) -> None:
    """If accepted, the report would leave them out silently. The observations themselves are accepted."""
    row = "2018-12,call_answer_time,999,,,"
    found = parsed(f"{row}observations,10", *(f"{row}bin:{edge},{number}" for edge, number in bins.items()))
    assert [str(fault) for fault in found.faults] == [
        f"b.csv:{line}: value: found {number} (the bins add up to {together}, but observations is 10); "
        "write bins that add up to observations"
        for line, number in enumerate(bins.values(), 3)
    ]
    assert list(found.entries.values()) == [10]


def test_bins_that_may_add_up_to_the_observations_are_accepted() -> None:
    """They add up, or the file lacks some of the bins or the observations."""
    row = "2018-12,call_answer_time"
    found = parsed(
        f"{row},999,,,observations,10", f"{row},999,,,bin:0,7", f"{row},999,,,bin:10000,3", f"{row},999,,,bin:60000,0",
        f"{row},101,,,observations,10", f"{row},101,,,bin:0,7", f"{row},,,,bin:0,7",
    )  # fmt: skip
    assert (found.faults, len(found.entries)) == ([], 7)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("month,measure,field\n", "header: found no column 'value'"),
        ("month,measure,field,value,colour\n", "header: found an unknown column 'colour'"),
        ("month,measure,field,value,line,line\n", "header: found the column 'line' twice"),
        ("", "header: found no column 'month'"),
    ],
)
def test_a_header_that_cannot_be_used_stops_the_import(header: str, said: str) -> None:
    """Every row would be wrong."""
    with pytest.raises(ConfigurationInvalid) as caught:
        parse_baseline("b.csv", header, YEAR, CATALOGUE)
    assert said in str(caught.value)


def test_a_file_that_cannot_be_read_is_reported_by_name(tmp_path: Path) -> None:
    """A missing file, and one that is not UTF-8; the byte order mark of a spreadsheet is accepted."""
    with pytest.raises(ConfigurationInvalid, match=r"none\.csv"):
        read_baseline_file(tmp_path / "none.csv", YEAR, CATALOGUE)
    other = tmp_path / "latin.csv"
    other.write_bytes(b"month,\xff")
    with pytest.raises(ConfigurationInvalid, match="that are not UTF-8"):
        read_baseline_file(other, YEAR, CATALOGUE)
    other.write_text(HEAD + "2018-12,call_volume,999,,,count,1\n", encoding="utf-8-sig")
    assert len(read_baseline_file(other, YEAR, CATALOGUE).entries) == 1


def test_a_kind_has_a_field_for_each_part_of_its_figures() -> None:
    """To import a mean, an analyst needs its sum and its count; the national bins are three fields."""
    assert fields_of(CATALOGUE.measures["call_answer_time"]) == (
        "sum_ms", "observations", "within", "bin:0", "bin:10000", "bin:60000",
    )  # fmt: skip
    assert fields_of(CATALOGUE.measures["call_abandonment"]) == ("part", "whole")
