"""The numbers that the published report prints: `schemas/published_year.toml`, whose head explains each key."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from watchroom.errors import ConfigurationInvalid, Fault

FILE: Final = "published_year.toml"
_HEAD: Final = ("first_month", "last_month", "as_at")


class Entry(BaseModel):
    """One printed number, or a row that is printed in words only (`number` is None)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    row: Annotated[int, Field(ge=1, le=64)]
    measure: str
    words: str = ""
    what: str = ""
    text: str = ""
    number: float | None = None
    step: Annotated[float, Field(gt=0)] = 1
    by: Mapping[str, str] = {}
    read: tuple[str, ...] = ()
    times: float = 1
    bands: tuple[str, ...] = ()
    share: bool = False
    months: int = 12
    period: str = ""
    volume: bool = False
    differs: float = 0
    why: str = ""


class Printed(NamedTuple):
    """Everything printed about the year."""

    first_month: str
    last_month: str
    as_at: str  # the day of the meeting
    entries: Mapping[str, Entry]

    def number(self, name: str) -> float:
        """A printed number by its name; KeyError: there is no such number."""
        found = self.entries[name].number
        if found is None:
            raise KeyError(name)
        return found

    def whole(self, name: str) -> int:
        """A printed count."""
        return round(self.number(name))


def load_printed(schemas: Path) -> Printed:
    """The table.

    Raises:
        ConfigurationInvalid: It cannot be read or used.
    """
    path = schemas / FILE
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        first, last, as_at = (str(content.pop(name)) for name in _HEAD)
        entries = TypeAdapter(dict[str, Entry]).validate_python(content)
    except (OSError, KeyError, ValueError, ValidationError) as error:
        raise ConfigurationInvalid(
            [Fault(str(path), "", str(error), "the table as it is in the repository")]
        ) from error
    return Printed(first, last, as_at, entries)
