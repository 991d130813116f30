"""The words of a mapping file: what an analyst may write in `schemas/mappings/*.toml`.

`schemas/mappings/README.md` explains each of them. Everything unknown is refused: a misspelt key that
was silently ignored would be a wrong number.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as Dict
from datetime import date, datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictInt,
    StrictStr,
    field_validator,
    model_validator,
)

from watchroom.events.tokens import Kind
from watchroom.importer.listed import as_listed
from watchroom.importer.time_forms import is_clock
from watchroom.importer.toml_path import place_of
from watchroom.settings import Area

HourRule = Literal["earlier", "later", "refuse"]
TwiceRule = Literal["earlier", "later", "refuse", "in_order"]
Pick = Literal["same", "min", "max", "first", "last"]

MONTH_END = "month_end"
"""As the latest time: the end of the month in which this machine's clock stands."""

LINE = "#line"
"""As a key column: the row itself, for rows that have no key of their own."""

Columns = Annotated[tuple[str, ...], BeforeValidator(lambda given: [given] if isinstance(given, str) else given)]


class Words(BaseModel):
    """Base of all parts: frozen, and nothing unknown is let through."""

    model_config = ConfigDict(extra="forbid", frozen=True)


SheetName = Annotated[StrictStr, Field(min_length=1)] | Annotated[StrictInt, Field(ge=1)]


class FileWords(Words):
    """How the text file, or the workbook, is laid out."""

    delimiter: str = Field(default=",", min_length=1, max_length=1)
    quote: str = Field(default='"', min_length=1, max_length=1)
    encoding: str = "utf-8-sig"
    columns: tuple[str, ...] = ()  # names of the columns of a file without a header line
    empty: Columns = ()  # texts that mean an empty cell
    short_rows: Literal["refuse", "fill"] = "refuse"  # the cells that a row does not have are empty
    sheet: SheetName | None = None  # of a workbook, its name or its number from 1; without it the first

    @field_validator("delimiter", "quote")
    @classmethod
    def _is_in_a_line(cls, value: str) -> str:
        if value in "\r\n":
            raise ValueError("a character other than a line break")
        return value

    @model_validator(mode="after")
    def _quote_is_another(self) -> FileWords:
        if self.quote == self.delimiter:
            raise ValueError("`quote` and `delimiter` as two different characters")
        return self

    @field_validator("encoding")
    @classmethod
    def _encoding_exists(cls, value: str) -> str:
        try:
            "".encode(value)
        except LookupError as error:
            raise ValueError('the name of a text encoding, for example "utf-8" or "cp1252"') from error
        return value


def _day(given: object) -> object:
    """A day as TOML writes one, or as a text; pydantic would take numbers as well."""
    try:
        if isinstance(given, str):
            return date.fromisoformat(given)
    except ValueError:
        pass
    if isinstance(given, date) and not isinstance(given, datetime):
        return given
    raise ValueError('a day from 1990 on, for example "2021-11-30"')


def _day_or_month_end(given: object) -> object:
    return given if given == MONTH_END else _day(given)


def known_zone(value: str) -> str:
    """A zone's name; raises ValueError with what to write."""
    try:
        ZoneInfo(value)
    except (KeyError, OSError, ValueError) as error:  # a name that is not there, a folder, a path
        raise ValueError('a zone of the IANA time zone database, for example "Europe/London"') from error
    return value


class TimeWords(Words):
    """How times are written, and in which zone a time without an offset is meant."""

    zone: str
    formats: Columns = ("iso",)
    ambiguous_hour: TwiceRule = "refuse"
    missing_hour: HourRule = "refuse"
    earliest: Annotated[date, BeforeValidator(_day)] | None = None  # the first day that an event can have
    latest: Annotated[Literal["month_end"] | date, BeforeValidator(_day_or_month_end)] | None = None  # and the last
    day_from: ATimeCell | None = None  # a time with its day, which clock times without one lie within 12 h of
    report_missing: Columns = ()  # columns of times, as they follow each other: the summary counts empty cells

    @field_validator("earliest", "latest")
    @classmethod
    def _day_is_possible(cls, value: date | str | None) -> date | str | None:
        if isinstance(value, date) and not 1990 <= value.year < 2200:  # as intake takes them
            raise ValueError("a day of 1990 to 2199")
        return value

    @field_validator("zone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        return known_zone(value)

    def whole_day_from(self) -> TimeCell | None:
        """`day_from` with formats that have a day: its own, else those of [time], else iso."""
        if self.day_from is None or self.day_from.formats:
            return self.day_from
        formats = tuple(form for form in self.formats if not is_clock(form)) or ("iso",)
        return self.day_from.model_copy(update={"formats": formats})


class ForceWords(Words):
    """What a replay on the embedded stack takes in place of the settings; other servers have settings of their own."""

    zone: str | None = None  # WATCHROOM_ZONE
    areas: tuple[Area, ...] | None = None  # WATCHROOM_AREAS

    @field_validator("zone")
    @classmethod
    def _zone_exists(cls, value: str | None) -> str | None:
        return value if value is None else known_zone(value)


class Condition(Words):
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


class ValueMap(Words):
    """What a text of the extract is called in our events."""

    values: Dict[str, str] = Field(min_length=1)
    otherwise: str | None = None  # for a text that is not listed; without it the row is refused


class Cell(Words):
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
    def _one_origin(self) -> Cell:
        if sum(bool(origin) for origin in (self.column, self.first_of, self.join, self.constant)) != 1:
            raise ValueError("exactly one of `column`, `first_of`, `join`, `constant`")
        if (self.pick in ("first", "last")) is not bool(self.order_by):
            raise ValueError('`order_by = "a column"` together with `pick = "first"` or `"last"`, and only then')
        if self.token and self.constant:
            raise ValueError("`token` on cells: a constant names nobody")
        return self

    def sources(self) -> tuple[str, ...]:
        """The columns whose text it takes."""
        return tuple(name for name in (self.column, *self.first_of, *self.join) if name)

    def columns(self) -> tuple[str, ...]:
        """Every column this value reads."""
        return (*self.sources(), *((self.order_by,) if self.order_by else ()))


class TimeCell(Cell):
    """A value that is a time; `plus_seconds` names a column with seconds to add."""

    formats: Columns = ()  # instead of those of [time]
    plus_seconds: str = ""
    append: str = ""  # a text after the cell's, before it is read: an invented day for a month
    zero_means_never: bool = False  # zeros, or 1970-01-01T00:00Z, are an empty cell, as they are under the epoch forms

    def columns(self) -> tuple[str, ...]:
        """Every column this time reads."""
        return (*super().columns(), *((self.plus_seconds,) if self.plus_seconds else ()))


def _short(given: object) -> object:
    """`time = "received"` is short for `time = {column = "received"}`."""
    return {"column": given} if isinstance(given, str) else given


def _constant(given: object) -> object:
    """`type = "call.queued"` is short for `type = {constant = "call.queued"}`."""
    return {"constant": given} if isinstance(given, str) else given


AType = Annotated[Cell, BeforeValidator(_constant)]
ACell = Annotated[Cell, BeforeValidator(_short)]
ATimeCell = Annotated[TimeCell, BeforeValidator(_short)]


class EntityWords(Words):
    """What one row, or the rows that belong together, stand for."""

    key: Columns = Field(min_length=1)
    otherwise_key: Columns = ()  # what names a row whose key is empty; without it the row is refused
    rows: Literal["apart", "together"] = "apart"
    count: str = ""  # column with the number of entities a row stands for
    most: int = Field(default=100_000, ge=1)  # that such a row can stand for; more is another column's number
    repeated_keys: Literal["refuse", "merge"] = "refuse"  # rows apart that give an event of one key with other times


class EventWords(Words):
    """One event made from a row, or from the rows of one entity."""

    type: AType
    per: Literal["row", "entity"] = "row"
    time: ATimeCell
    optional: bool = False  # no event, and nothing refused, where the time is empty
    arrival: ATimeCell | None = None
    key: Columns = ()  # further columns that tell events of one entity apart
    when: tuple[Condition, ...] = ()
    data: Dict[str, ACell] = Field(default_factory=dict)

    def cells(self) -> dict[str, Cell]:
        """Every value of the event by its place in the file."""
        cells: dict[str, Cell] = {"type": self.type, "time": self.time}
        if self.arrival is not None:
            cells["arrival"] = self.arrival
        return cells | {f"data.{name}": cell for name, cell in self.data.items()}

    def token_columns(self) -> frozenset[str]:
        """The columns whose text becomes a token."""
        return frozenset(column for cell in self.cells().values() if cell.token for column in cell.sources())


class MappingWords(Words):
    """A whole mapping file."""

    source: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=100)
    about: str = Field(min_length=1)
    file: FileWords = FileWords()
    force: ForceWords = ForceWords()
    time: TimeWords
    entity: EntityWords
    map: Dict[str, ValueMap] = Field(default_factory=dict)
    skip: tuple[Skip, ...] = ()
    event: tuple[EventWords, ...] = Field(min_length=1)

    def token_columns(self) -> frozenset[str]:
        """The columns whose text becomes a token."""
        return frozenset().union(*(event.token_columns() for event in self.event))

    def columns(self) -> dict[str, str]:
        """Every column the mapping reads, each with the first place that names it."""
        places: dict[str, str] = {}
        for place, column in (*self._columns_of_rows(), *self._columns_of_events()):
            places.setdefault(column, place)
        return places

    def _columns_of_rows(self) -> Iterator[tuple[str, str]]:
        """Place and column of what is read whatever happened."""
        entity, time = self.entity, self.time
        yield from (("entity.key", column) for column in entity.key if column != LINE)
        yield from (("entity.otherwise_key", column) for column in entity.otherwise_key if column != LINE)
        if entity.count:
            yield "entity.count", entity.count
        if time.day_from:
            yield from (("time.day_from", column) for column in time.day_from.columns())
        yield from (("time.report_missing", column) for column in time.report_missing)
        yield from ((place_of("skip", number, "column"), skip.column) for number, skip in enumerate(self.skip))

    def _columns_of_events(self) -> Iterator[tuple[str, str]]:
        for number, event in enumerate(self.event):
            for column in (*event.key, *(condition.column for condition in event.when)):
                yield place_of("event", number), column
            for place, cell in event.cells().items():
                yield from ((place_of("event", number, place), column) for column in cell.columns())
