"""Rows inside a quoted cell: an unclosed quote ends at another row's quote and swallows everything between them.

As CSV, such a cell is as valid as an incident's log of many lines. So its lines are compared with the rows that the
mapping describes, however they write their times, and also if they would be refused. Pure.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from watchroom.importer.field_sources import origin
from watchroom.importer.listed import as_listed
from watchroom.importer.local_time import LocalTimes
from watchroom.importer.mapping_model import LINE, MappingConfig
from watchroom.importer.mapping_values import TimeSource
from watchroom.rolling.buckets import DAY_MS

_RUNS = re.compile(r"\w+")
_WORDS = re.compile(r"a(?:\s+a)+")
_LEAST_FIELDS = 2  # one field is any text

TextByColumn = Mapping[str, str]


def row_inside(
    lines: Sequence[str],
    fields: Sequence[str],
    header: Sequence[str],
    mapping: MappingConfig,
    *,
    times: LocalTimes,
    mark: str,
) -> int:
    """Which line after a row's first is a row itself; 0: none.

    Args:
        lines: Of the row, as the file has them.
        fields: The row's own, as CSV reads it.
        header: The names of the columns.
        mapping: The mapping.
        times: Reads its times.
        mark: What divides the fields.
    """
    times = times.near_to(times.limits.earliest_ms + DAY_MS)  # for clock times, any day will do
    form = _Form(header, mapping, mark)
    known = [form.row_of(fields), *form.readings(lines[0])]
    for at, line in enumerate(lines[1:], 1):
        for cells in form.readings(line):
            if _has_time(cells, mapping, times) or (form.is_close(line) and _has_key_as(known, cells, mapping)):
                return at
    return 0


class _Form:
    """The form that rows of a file have."""

    def __init__(self, header: Sequence[str], mapping: MappingConfig, mark: str) -> None:
        self._header, self._mark, self._quote = header, mark, mapping.file.quote
        self._empty = frozenset(mapping.file.empty)
        self._least = len(header)
        if mapping.file.short_rows == "fill":
            key = [column for column in mapping.entity.key if column != LINE]
            needed = [{*key, *(event.time.join or event.time.source_columns()[:1])} for event in mapping.event]
            self._least = min(max((header.index(name) + 1 for name in columns), default=1) for columns in needed)

    def row_of(self, fields: Sequence[str]) -> TextByColumn:
        """The cells of a row with these fields; those that it does not have are empty."""
        texts = [field.strip().strip(self._quote) for field in fields] + [""] * (len(self._header) - len(fields))
        return dict(zip(self._header, ("" if text in self._empty else text for text in texts), strict=False))

    def readings(self, line: str) -> Iterator[TextByColumn]:
        """The cells of a line that has as many fields as a row: read without regard to quotes, and with it."""
        text = line.rstrip("\r\n")
        readings = [text.split(self._mark)]
        if self._quote in text:
            with suppress(csv.Error):
                readings += csv.reader([text], delimiter=self._mark, quotechar=self._quote)
        for fields in readings:
            if max(_LEAST_FIELDS, self._least) <= len(fields) <= len(self._header) or len(self._header) == len(fields):
                yield self.row_of(fields)

    def is_close(self, line: str) -> bool:
        """Whether no blank follows what divides the fields, as one does in prose."""
        return not re.search(re.escape(self._mark) + " ", line)


def _has_time(cells: TextByColumn, mapping: MappingConfig, times: LocalTimes) -> bool:
    """Whether the line has the time of some event where the mapping expects it."""
    for event in mapping.event:
        text = "" if event.time.constant else origin(event.time, cells)
        if not text:
            continue
        if event.time.map:
            values = mapping.map[event.time.map].values
            if as_listed(text, values) in values:
                return True
        elif times.is_written(text + event.time.append, event.time.formats):
            return True
    return False


def _has_key_as(known: Sequence[TextByColumn], cells: TextByColumn, mapping: MappingConfig) -> bool:
    """Whether a line has a key of the same form as the row it is in: this also finds rows that would be refused."""
    for key in (mapping.entity.key, mapping.entity.otherwise_key):
        columns = [column for column in key if column != LINE]
        if columns and all(cells[column] for column in columns):
            form = [_form(cells[column]) for column in columns]
            if any(form == [_form(row[column]) for column in columns] for row in known):
                return True
    return LINE in mapping.entity.key and not any(_identifies_rows(event.time, mapping) for event in mapping.event)


def _identifies_rows(source: TimeSource, mapping: MappingConfig) -> bool:
    """Whether a row can be recognised by its time."""
    return not source.constant and not (source.map and mapping.map[source.map].otherwise)


def _form(text: str) -> str:
    """`A17/2021` and `B3/2022` are of one form: 9 for a number, a for words, x for letters with digits."""
    runs = _RUNS.sub(lambda run: "9" if run[0].isdigit() else "a" if run[0].isalpha() else "x", text)
    return _WORDS.sub("a", runs)
