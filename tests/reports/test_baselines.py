"""The months with which a report is compared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.parts import ROOT
from watchroom.errors import ConfigurationInvalid
from watchroom.reports.baselines import FILE, Baseline, load_baselines
from watchroom.rolling.calendar import Calendar

SHIPPED = load_baselines(ROOT / "schemas")


def year(last: str, months: int = 12) -> list[str]:
    """That many months, ending with this one."""
    return [Calendar.months_before(last, back) for back in range(months - 1, -1, -1)]


@pytest.mark.parametrize(
    ("name", "report", "months"),
    [
        ("2018/19", year("2021-11"), year("2019-11")),
        ("pre-covid", year("2021-11"), year("2020-02")),
        ("previous", year("2021-11"), year("2020-11")),
        ("2018/19", year("2021-11", 3), ["2019-09", "2019-10", "2019-11"]),
        ("pre-covid", ["2021-01", "2021-02", "2021-03"], ["2019-03", "2020-01", "2020-02"]),
        ("previous", ["2021-11"], ["2021-10"]),
        ("previous", year("2021-11", 24), year("2019-11", 24)),
    ],
)
def test_the_months_of_a_baseline_are_from_the_same_part_of_the_year(
    name: str, report: Sequence[str], months: Sequence[str]
) -> None:
    """A summer cannot be compared with a whole year."""
    assert SHIPPED[name].months_for(report) == (tuple(months), "")


def test_a_baseline_that_lacks_a_calendar_month_has_no_months() -> None:
    """With the reason, which the report prints."""
    summer = Baseline(words="summer", first="2019-06", last="2019-08")
    assert summer.months_for(["2021-08", "2021-09"]) == ((), "the baseline does not include calendar month 09")


def test_a_baseline_with_a_calendar_month_twice_has_no_months() -> None:
    """It is unknown which of the two is meant."""
    long = Baseline(words="two years", first="2018-01", last="2019-12")
    assert long.months_for(["2021-08"]) == ((), "the baseline includes calendar month 08 2 times")
    found = SHIPPED["2018/19"].months_for(year("2021-11", 24))
    assert found == ((), "the report includes calendar month 12 more often than the baseline does")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[a]\nwords = "w"\nfrom = "2019-13"\nto = "2019-12"', "a.from: found '2019-13'; write a month such as"),
        ('[a]\nwords = "w"\nfrom = "2019-12"\nto = "2019-11"', "a `to` no earlier than `from`"),
        ('[a]\nwords = "w"\nfrom = "2019-12"', "both `from` and `to`, or `directly_before = true`"),
        ('[a]\nwords = "w"\nfrom = "2019-11"\nto = "2019-12"\ndirectly_before = true', "both `from` and `to`, or"),
        ('[a]\nwords = "w"', "both `from` and `to`, or"),
        ("[a]\ndirectly_before = true", "a.words: found nothing"),
        ('[a]\nwords = "w"\nbefore = true', "a.before: found an unknown key"),
    ],
)
def test_the_message_about_an_unusable_baseline_says_what_to_write(text: str, said: str, tmp_path: Path) -> None:
    """With file, entry, key and what was found."""
    (tmp_path / FILE).write_text(text)
    with pytest.raises(ConfigurationInvalid) as caught:
        load_baselines(tmp_path)
    assert said in str(caught.value)
