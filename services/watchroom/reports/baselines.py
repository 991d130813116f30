"""Baselines by name, from `schemas/baselines.toml`, and the months of each that a report is compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from watchroom.reports.toml_file import toml_file
from watchroom.rolling.calendar import Calendar, is_month

FILE: Final = "baselines.toml"


def _a_month(text: str) -> str:
    if not is_month(text):
        raise ValueError("a month such as 2021-04")
    return text


class Baseline(BaseModel):
    """Months to compare with: a fixed range, or the months directly before the report, as many as it has."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, use_attribute_docstrings=True)

    words: Annotated[str, Field(min_length=1)]
    """What reports print for the baseline. Example: `words = "December 2018 to November 2019"`."""
    first: Annotated[str, AfterValidator(_a_month)] | None = Field(default=None, alias="from")
    """The first month; needs `to`. Example: `from = "2018-12"`."""
    last: Annotated[str, AfterValidator(_a_month)] | None = Field(default=None, alias="to")
    """The last month, not before `from`. Example: `to = "2019-11"`."""
    directly_before: bool = False
    """Whether the baseline has as many months as the report, directly before it; then `from` and `to` are left out.
    Example: `directly_before = true`."""

    @model_validator(mode="after")
    def _one_of_two(self) -> Baseline:
        given = (self.first is not None, self.last is not None)
        if given != (not self.directly_before,) * 2:
            raise ValueError("both `from` and `to`, or `directly_before = true`")
        if self.first and self.last and self.first > self.last:
            raise ValueError("a `to` no earlier than `from`")
        return self

    def has(self, month: str) -> bool:
        """Whether the baseline may include a month."""
        return self.directly_before or (self.first or "") <= month <= (self.last or "")

    def months_for(self, report: Sequence[str]) -> BaselineMonths:
        """The months that a report of these months is compared with.

        Of a fixed range, only the same calendar months are used, so that three months of summer are never compared
        with a whole year.
        """
        if self.directly_before:
            return BaselineMonths(tuple(Calendar.months_before(month, len(report)) for month in report))
        ours = months_from(self.first or "", self.last or "")
        found: list[str] = []
        for calendar_month in (month[5:] for month in report):
            same = [month for month in ours if month[5:] == calendar_month]
            if len(same) != 1 or same[0] in found:
                return BaselineMonths((), _mismatch(calendar_month, len(same)))
            found += same
        return BaselineMonths(tuple(sorted(found)))


class BaselineMonths(NamedTuple):
    """The months, or why there are none."""

    months: tuple[str, ...]
    reason: str = ""


def _mismatch(calendar_month: str, count: int) -> str:
    """Why a baseline that includes a calendar month this often cannot be compared."""
    if count == 0:
        return f"the baseline does not include calendar month {calendar_month}"
    if count == 1:
        return f"the report includes calendar month {calendar_month} more often than the baseline does"
    return f"the baseline includes calendar month {calendar_month} {count} times"


def load_baselines(schemas: Path) -> Mapping[str, Baseline]:
    """Every baseline by its name.

    Raises:
        ConfigurationInvalid: The file cannot be read or used; every fault is listed.
    """
    return toml_file(schemas / FILE, dict[str, Baseline])


def months_from(first: str, last: str) -> list[str]:
    """Every month from the first to the last."""
    found = [first]
    while found[-1] < last:
        found.append(Calendar.months_after(found[-1], 1))
    return found
