"""A key that the entries of one kind have and no others.

Its kind's module declares it and reads it; the loader checks it, and the measure holds it. Nothing else knows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from watchroom.kinds.measure import Measure

T = TypeVar("T")


@dataclass(frozen=True)
class OwnKey(Generic[T]):
    """One key. What it says is part of the measure's definition, unless that is the default, or it decides nothing.

    So a default is for good: with another one the figures change, and no definition says so.
    """

    name: str
    type: Any  # as pydantic reads it, of what both TOML and JSON have: `Annotated[int, Field(gt=0)]`
    example: T  # for whoever has to write it
    default: T | None = None  # None: every entry of the kind must say it
    about: str = ""  # its meaning, for the reference of the catalogue
    decides: bool = True  # False: nothing that is stored depends on it, so it is no part of the definition

    def of(self, measure: Measure) -> T:
        """What the measure's entry says, as it is written there; the default where it says nothing."""
        return cast("T", measure.own[self.name] if self.default is None else measure.own.get(self.name, self.default))
