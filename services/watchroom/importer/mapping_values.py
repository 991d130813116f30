"""Values and conditions of a mapping: where a value of an event comes from, and which rows a table is about. Pure."""

from __future__ import annotations

from collections.abc import Mapping as Dict
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from watchroom.events.tokens import Kind
from watchroom.importer.listed import as_listed

Pick = Literal["same", "min", "max", "first", "last"]

Columns = Annotated[tuple[str, ...], BeforeValidator(lambda given: [given] if isinstance(given, str) else given)]


class Config(BaseModel):
    """Base of all tables: frozen, and without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Condition(Config):
    """Is true for a row by the text in one column; exactly one of the tests is given."""

    column: str
    is_: tuple[str, ...] = Field(default=(), alias="is")
    is_not: tuple[str, ...] = ()
    empty: bool | None = None

    @model_validator(mode="after")
    def _one_test(self) -> Condition:
        if sum((bool(self.is_), bool(self.is_not), self.empty is not None)) != 1:
            raise ValueError("exactly one of `is = [...]`, `is_not = [...]`, `empty = true` or `empty = false`")
        return self

    def holds(self, text: str) -> bool:
        """Whether a cell's text (stripped) meets the condition."""
        if self.is_:
            return as_listed(text, self.is_) in self.is_
        if self.is_not:
            return as_listed(text, self.is_not) not in self.is_not
        return (text == "") is self.empty


class Skip(Condition):
    """Rows that are left out on purpose, and why; they are counted under the reason."""

    reason: str = Field(min_length=1)


class ValueMap(Config):
    """What a text of the extract is called in our events."""

    values: Dict[str, str] = Field(min_length=1)
    otherwise: str | None = None  # for a text that is not listed; without it the row is refused


class FieldSource(Config):
    """Where a value comes from: one column, the first filled one of several, several joined, or a constant."""

    column: str = ""
    first_of: tuple[str, ...] = ()
    join: tuple[str, ...] = ()
    separator: str = " "
    constant: str = ""
    map: str = ""
    token: Kind | None = None  # what the text is: its token takes its place, and no message shows it
    empty: str = ""  # what to take when the cell is empty, before the map
    required: bool = False
    pick: Pick | None = None
    order_by: str = ""
    order_as: Literal["text", "number"] = "text"

    @model_validator(mode="after")
    def _one_origin(self) -> FieldSource:
        if sum(bool(origin) for origin in (self.column, self.first_of, self.join, self.constant)) != 1:
            raise ValueError("exactly one of `column`, `first_of`, `join`, `constant`")
        if (self.pick in ("first", "last")) is not bool(self.order_by):
            raise ValueError('`order_by = "a column"` if `pick` is "first" or "last", and only then')
        if self.token and self.constant:
            raise ValueError("the constant without `token`: a constant does not identify anybody")
        return self

    def source_columns(self) -> tuple[str, ...]:
        """The columns whose text it takes."""
        return tuple(name for name in (self.column, *self.first_of, *self.join) if name)

    def columns(self) -> tuple[str, ...]:
        """Every column this value reads."""
        return (*self.source_columns(), *((self.order_by,) if self.order_by else ()))


class TimeSource(FieldSource):
    """A value that is a time; `plus_seconds` names a column with seconds to add."""

    formats: Columns = ()  # instead of those of [time]
    plus_seconds: str = ""
    append: str = ""  # a text after the cell's, before it is read: an invented day for a month
    zero_means_never: bool = False  # zeros, or 1970-01-01T00:00Z, are an empty cell, as they are under the epoch forms

    def columns(self) -> tuple[str, ...]:
        """Every column this time reads."""
        return (*super().columns(), *((self.plus_seconds,) if self.plus_seconds else ()))


def _text_means(key: str) -> BeforeValidator:
    """`time = "received"` is short for `time = {column = "received"}`."""
    return BeforeValidator(lambda given: {key: given} if isinstance(given, str) else given)


AType = Annotated[FieldSource, _text_means("constant")]
AFieldSource = Annotated[FieldSource, _text_means("column")]
ATimeSource = Annotated[TimeSource, _text_means("column")]
