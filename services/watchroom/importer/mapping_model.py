"""The keys of a mapping file (`schemas/mappings/*.toml`). Pure.

`mapping_keys.toml` says what each means. An unknown key is refused: ignoring a misspelt one would give a wrong number.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as Dict
from contextlib import suppress
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StrictInt, StrictStr, field_validator, model_validator

from watchroom.importer.mapping_values import (
    AFieldSource,
    ATimeSource,
    AType,
    Columns,
    Condition,
    Config,
    FieldSource,
    Skip,
    TimeSource,
    ValueMap,
)
from watchroom.importer.time_forms import is_clock
from watchroom.importer.toml_path import Path, shown
from watchroom.settings.values import Area, Zone

HourRule = Literal["earlier", "later", "refuse"]
TwiceRule = Literal["earlier", "later", "refuse", "in_order"]
MONTH_END = "month_end"
"""As the latest time: the end of the current month."""

LINE = "#line"
"""As a key column: the row itself, for rows that have no key of their own."""

Character = Annotated[str, Field(pattern=r"^[^\r\n]$")]
SheetName = Annotated[StrictStr, Field(min_length=1)] | Annotated[StrictInt, Field(ge=1)]


class FileConfig(Config):
    """How the text file, or the workbook, is laid out."""

    delimiter: Character = ","
    quote: Character = '"'
    encoding: str = "utf-8-sig"
    columns: tuple[str, ...] = ()  # names of the columns of a file without a header line
    empty: Columns = ()  # texts that count as an empty cell
    short_rows: Literal["refuse", "fill"] = "refuse"  # the cells that a row does not have are empty
    sheet: SheetName | None = None  # of a workbook, its name or its number from 1; without it the first

    @model_validator(mode="after")
    def _quote_is_another(self) -> FileConfig:
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
    """A day as TOML writes one, or as a text; pydantic would take numbers as well. Intake takes the same years."""
    with suppress(ValueError):
        day = date.fromisoformat(given) if isinstance(given, str) else given
        if isinstance(day, date) and not isinstance(day, datetime) and 1990 <= day.year < 2200:
            return day
    raise ValueError('a date from 1990 to 2199, for example "2021-11-30"')


def _day_or_month_end(given: object) -> object:
    return given if given == MONTH_END else _day(given)


class TimeConfig(Config):
    """How times are written, and the zone of times without an offset."""

    zone: Zone
    formats: Columns = ("iso",)
    ambiguous_hour: TwiceRule = "refuse"
    missing_hour: HourRule = "refuse"
    earliest: Annotated[date, BeforeValidator(_day)] | None = None  # the earliest day allowed for an event
    latest: Annotated[Literal["month_end"] | date, BeforeValidator(_day_or_month_end)] | None = None  # and the latest
    day_from: ATimeSource | None = None  # a value with date and time; times without a day lie within 12 h of it
    report_missing: Columns = ()  # columns of times, in the order in which they happen: the summary counts empty cells

    def whole_day_from(self) -> TimeSource | None:
        """`day_from` with formats that have a day: its own, else those of [time], else iso."""
        if self.day_from is None or self.day_from.formats:
            return self.day_from
        formats = tuple(form for form in self.formats if not is_clock(form)) or ("iso",)
        return self.day_from.model_copy(update={"formats": formats})


class ForceConfig(Config):
    """Overrides settings of a replay on the embedded stack; other servers have their own settings."""

    zone: Zone | None = None  # WATCHROOM_ZONE
    areas: tuple[Area, ...] | None = None  # WATCHROOM_AREAS


class EntityConfig(Config):
    """The entity of one row, or of the rows that belong together."""

    key: Columns = Field(min_length=1)
    otherwise_key: Columns = ()  # what identifies a row whose key is empty; without it the row is refused
    rows: Literal["apart", "together"] = "apart"
    count: str = ""  # column with the number of entities a row stands for
    most: int = Field(default=100_000, ge=1)  # that such a row can stand for; a larger number comes from another column
    repeated_keys: Literal["refuse", "merge"] = (
        "refuse"  # of rows apart that give one key the same event with other times
    )


class EventConfig(Config):
    """One event made from a row, or from the rows of one entity."""

    type: AType
    per: Literal["row", "entity"] = "row"
    time: ATimeSource
    optional: bool = False  # no event, and nothing refused, where the time is empty
    arrival: ATimeSource | None = None
    key: Columns = ()  # further columns that distinguish events of one entity
    when: tuple[Condition, ...] = ()
    data: Dict[str, AFieldSource] = Field(default_factory=dict)

    def field_sources(self) -> dict[Path, FieldSource]:
        """Where every value of the event comes from, by its path in the table."""
        found: dict[Path, FieldSource] = {("type",): self.type, ("time",): self.time}
        if self.arrival is not None:
            found["arrival",] = self.arrival
        return found | {("data", name): source for name, source in self.data.items()}

    def token_columns(self) -> frozenset[str]:
        """The columns whose text becomes a token."""
        sources = self.field_sources().values()
        return frozenset(column for source in sources if source.token for column in source.source_columns())


class MappingConfig(Config):
    """A whole mapping file."""

    source: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=100)
    about: str = Field(min_length=1)
    file: FileConfig = FileConfig()
    force: ForceConfig = ForceConfig()
    time: TimeConfig
    entity: EntityConfig
    map: Dict[str, ValueMap] = Field(default_factory=dict)
    skip: tuple[Skip, ...] = ()
    event: tuple[EventConfig, ...] = Field(min_length=1)

    def token_columns(self) -> frozenset[str]:
        """The columns whose text becomes a token."""
        return frozenset().union(*(event.token_columns() for event in self.event))

    def columns(self) -> dict[str, str]:
        """Every column that the mapping reads, with the first place that names it, as `toml_path.shown`."""
        entity, time = self.entity, self.time
        read: dict[Path, Iterable[str]] = {
            ("entity", "key"): (column for column in entity.key if column != LINE),
            ("entity", "otherwise_key"): (column for column in entity.otherwise_key if column != LINE),
            ("entity", "count"): filter(None, [entity.count]),
            ("time", "day_from"): time.day_from.columns() if time.day_from else (),
            ("time", "report_missing"): time.report_missing,
        }
        read |= {("skip", number, "column"): [skip.column] for number, skip in enumerate(self.skip)}
        for number, event in enumerate(self.event):
            read["event", number] = (*event.key, *(condition.column for condition in event.when))
            read |= {("event", number, *path): source.columns() for path, source in event.field_sources().items()}
        found: dict[str, str] = {}
        for path, columns in read.items():
            for column in columns:
                found.setdefault(column, shown(path))
        return found
