"""The reference of mappings: every key of `schemas/mappings/*.toml`, from the models that check it.

`schemas/mappings/README.md` explains how the keys work together; here each has one line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple, get_args

from pydantic import BaseModel

from watchroom.importer.mapping_model import (
    Cell,
    Columns,
    Condition,
    EntityWords,
    EventWords,
    FileWords,
    ForceWords,
    MappingWords,
    Skip,
    TimeCell,
    TimeWords,
    ValueMap,
)
from watchroom.reference_rows import Row, rows, table

_INTRODUCTION: Final = """\
<!-- Derived from services/watchroom/importer/mapping_*.py by `make generate`; do not edit. -->
# Mappings: every key

A mapping says how the rows of a text file become events. [Mappings](../../schemas/mappings/README.md) explains how the
keys work together; [how to add one](../how-to/add-a-mapping.md). A key that is not listed here is refused.
"""


class Part(NamedTuple):
    """One table of a mapping file."""

    title: str
    about: str
    model: type[BaseModel]
    meanings: Mapping[str, str]


PARTS: Final = (
    Part(
        "The file",
        "The keys at the top.",
        MappingWords,
        {
            "source": "The source of the events, for example the system that the file comes from. "
            'Example: `source = "acd-log"`',
            "about": "What the file is, and what the mapping assumes or invents. "
            'Example: `about = "One row is one call."`',
            "file": 'How the text file is laid out. Example: `file = { delimiter = ";" }`',
            "force": 'Whose file it is. Example: `force = { areas = ["north", "south"] }`',
            "time": 'How times are written. Example: `time = { zone = "Europe/London" }`',
            "entity": 'What a row stands for. Example: `entity = { key = "call_id" }`',
            "map": 'Named tables that replace texts. Example: `map.grade = { values = { "3" = "1" } }`',
            "skip": "Rows to leave out. "
            'Example: `skip = [{ column = "kind", is = ["Test"], reason = "not a real call" }]`',
            "event": 'The events that a row gives. Example: `event = [{ type = "call.queued", time = "queued_at" }]`',
        },
    ),
    Part(
        "`[file]`",
        "How the text file is laid out.",
        FileWords,
        {
            "delimiter": 'The character between cells. Example: `delimiter = ";"`',
            "quote": 'The character around a cell that contains a delimiter. Example: `quote = "\'"`',
            "encoding": 'The encoding of a file without a byte order mark. Example: `encoding = "cp1252"`',
            "columns": 'The names of the columns of a file without a header line. Example: `columns = ["id", "at"]`',
            "sheet": "Of a workbook: the name of the sheet, or its number from 1; unless given, the first. "
            'Example: `sheet = "Calls"`',
            "empty": 'Texts that mean an empty cell. Example: `empty = ["NULL", "-"]`',
            "short_rows": "Whether a row with too few cells is refused, or filled up with empty cells. "
            'Example: `short_rows = "fill"`',
        },
    ),
    Part(
        "`[force]`",
        "Used on the embedded stack only, in place of the settings.",
        ForceWords,
        {
            "zone": 'The reporting zone, in place of `WATCHROOM_ZONE`. Example: `zone = "America/New_York"`',
            "areas": 'The areas, in place of `WATCHROOM_AREAS`. Example: `areas = ["north", "south"]`',
        },
    ),
    Part(
        "`[time]`",
        "How times are written.",
        TimeWords,
        {
            "zone": 'The zone of times without an offset. Example: `zone = "Europe/London"`',
            "formats": "`iso`, `epoch_s`, `epoch_ms` or a pattern, or a list of them. "
            'Example: `formats = "%d/%m/%Y %H:%M"`',
            "ambiguous_hour": "How to read the hour that happens twice when clocks go back. "
            'Example: `ambiguous_hour = "in_order"`',
            "missing_hour": "How to read the hour that does not happen when clocks go forward. "
            'Example: `missing_hour = "later"`',
            "earliest": 'The first day that an event can have. Example: `earliest = "2021-01-01"`',
            "latest": "The last day that an event can have; `month_end` is the end of the running month. "
            'Example: `latest = "month_end"`',
            "day_from": "A time with its day; times without a day lie within 12 hours of it. "
            'Example: `day_from = "logged_at"`',
            "report_missing": "Columns of times, in the order in which they happen; the summary counts empty cells. "
            'Example: `report_missing = ["queued_at", "answered_at"]`',
        },
    ),
    Part(
        "`[entity]`",
        "What a row stands for.",
        EntityWords,
        {
            "key": "The columns that name the call, incident or crime; `#line`: rows have no key of their own. "
            'Example: `key = "call_id"`',
            "otherwise_key": "The columns that name a row whose key is empty; unless given, the row is refused. "
            'Example: `otherwise_key = "#line"`',
            "rows": 'Whether each row is an entity, or rows with the same key are one. Example: `rows = "together"`',
            "count": "A column with the number of entities that a row stands for. "
            'Example: `count = "Number of Offences"`',
            "most": "The largest number that `count` may hold. Example: `most = 1000`",
            "repeated_keys": 'Whether rows that stand apart may share a key. Example: `repeated_keys = "merge"`',
        },
    ),
    Part(
        "`[map.NAME]`",
        "What a text of the file is called in events.",
        ValueMap,
        {
            "values": 'The text of the file, and what stands in its place. Example: `values = { "P1" = "1" }`',
            "otherwise": "What stands in the place of any other text; unless given, the row is refused. "
            'Example: `otherwise = "ungraded"`',
        },
    ),
    Part(
        "`[[skip]]`",
        "Rows to leave out. They are counted under their reason. Exactly one of `is`, `is_not` and `empty`.",
        Skip,
        {
            "column": 'The column that decides. Example: `column = "call_type"`',
            "is": 'The row is left out if the cell is one of these. Example: `is = ["Test"]`',
            "is_not": 'The row is left out unless the cell is one of these. Example: `is_not = ["Live"]`',
            "empty": "The row is left out if the cell is empty (`true`) or is not (`false`). Example: `empty = true`",
            "reason": 'Why, for the summary. Example: `reason = "not a real call"`',
        },
    ),
    Part(
        "`[[event]]`",
        "One event, made from a row or from the rows of one entity.",
        EventWords,
        {
            "type": 'The type of the event, or a value whose `map` gives types. Example: `type = "call.queued"`',
            "per": 'Whether each row gives an event, or each entity. Example: `per = "entity"`',
            "time": 'When it happened. Example: `time = "queued_at"`',
            "optional": "Whether a row with an empty time gives no event; otherwise it is refused. "
            "Example: `optional = true`",
            "arrival": 'When the source recorded it; unless given, its time. Example: `arrival = "entered_at"`',
            "key": 'Further columns that tell events of one entity apart. Example: `key = "unit_id"`',
            "when": "Only for rows that meet all of these conditions. "
            'Example: `when = [{ column = "how", is = ["ANS"] }]`',
            "data": 'The fields of the event, each with a value. Example: `data = { line = "line" }`',
        },
    ),
    Part(
        "A condition",
        "In the list `when`. Exactly one of `is`, `is_not` and `empty`.",
        Condition,
        {
            "column": 'The column that decides. Example: `column = "how"`',
            "is": 'The cell is one of these. Example: `is = ["ANS"]`',
            "is_not": 'The cell is none of these. Example: `is_not = ["ABN"]`',
            "empty": "The cell is empty (`true`) or is not (`false`). Example: `empty = false`",
        },
    ),
    Part(
        "A value",
        '`time = "queued_at"` is short for `time = { column = "queued_at" }`. Exactly one of `column`, `first_of`, '
        "`join` and `constant`.",
        Cell,
        {
            "column": 'The cell of this column. Example: `column = "queued_at"`',
            "first_of": 'The first of these cells that is not empty. Example: `first_of = ["a", "b"]`',
            "join": 'These cells together; empty if one of them is empty. Example: `join = ["date", "time"]`',
            "separator": 'What stands between joined cells. Example: `separator = "T"`',
            "constant": 'This text. Example: `constant = "999"`',
            "map": 'The table `[map.NAME]` that replaces the text. Example: `map = "grade"`',
            "token": 'What the text is; a token takes its place. Example: `token = "telephone"`',
            "empty": 'What to take if the cell is empty. Example: `empty = "101"`',
            "required": "Whether a row is refused if the value is empty; otherwise the field is left out. "
            "Example: `required = true`",
            "pick": 'With `per = "entity"`: which row counts; unless given, all must agree. Example: `pick = "min"`',
            "order_by": 'With `pick = "first"` or `"last"`: the column that orders the rows. '
            'Example: `order_by = "entered_at"`',
            "order_as": 'Whether `order_by` is compared as text or as a number. Example: `order_as = "number"`',
        },
    ),
    Part(
        "A time",
        "A value of `time` or `arrival` may also have these keys.",
        TimeCell,
        {
            "formats": 'Other forms than those of `[time]`. Example: `formats = "epoch_s"`',
            "plus_seconds": 'A column with seconds to add. Example: `plus_seconds = "wait"`',
            "append": 'A text to put behind the cell before it is read. Example: `append = "-15T12:00"`',
            "zero_means_never": "Whether zeros and midnight of 1 January 1970 are an empty cell. "
            "Example: `zero_means_never = true`",
        },
    ),
)
_LINKS: Final = {
    "FileWords": "table",
    "ForceWords": "table",
    "TimeWords": "table",
    "EntityWords": "table",
    "ValueMap": "tables",
    "Skip": "tables",
    "EventWords": "tables",
    "Condition": "[conditions](#a-condition)",
    "Cell": "[value](#a-value)",
    "TimeCell": "[value](#a-value)",
}


def text(root: Path) -> str:  # noqa: ARG001  # every output is given the root
    """The page."""
    lines = [_INTRODUCTION]
    for part in PARTS:
        lines += [f"## {part.title}", "", part.about, "", *table(_HEAD, [_line(row) for row in rows_of(part)]), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


_HEAD: Final = ("key", "type", "default", "meaning", "example")


def documented() -> Mapping[str, Row]:
    """Every key by the title of its table."""
    return {f"{part.title}: {row.name}": row for part in PARTS for row in rows_of(part)}


def rows_of(part: Part) -> Iterator[Row]:
    """The keys of a table; those of a value are not said again of a time."""
    inherited = Cell.model_fields if part.model is TimeCell else ()
    for row in rows(part.model, part.meanings, lambda name: _LINKS.get(name, "table")):
        if row.name not in inherited:
            yield row._replace(type="text or list of texts") if _may_be_one(part.model, row.name) else row


def _may_be_one(model: type[BaseModel], key: str) -> bool:
    """Whether one text may be written in place of a list."""
    field = next(field for name, field in model.model_fields.items() if key in (name, field.alias))
    return get_args(Columns)[1] in field.metadata


def _line(row: Row) -> tuple[str, ...]:
    default = "required" if row.is_required else f"`{row.default}`" if row.default else ""
    return f"`{row.name}`", row.type, default, row.meaning, f"`{row.example}`"
