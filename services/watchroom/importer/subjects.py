"""The subject of each row: the id of the entity that its events are about."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from urllib.parse import quote

from watchroom.events.tokeniser import Tokeniser
from watchroom.importer.field_sources import ValueUnusable, key_text
from watchroom.importer.mapping_model import LINE, MappingConfig
from watchroom.importer.row import Row


class Subjects:
    """Names rows by their key columns; a row without any key by its content."""

    def __init__(self, mapping: MappingConfig, tokens: Tokeniser | None) -> None:
        self._entity, self._token_columns, self._tokens = mapping.entity, mapping.token_columns(), tokens
        self._file_number = -1
        self._equal_rows: Counter[str] = Counter()  # by content, in the current file

    def of(self, row: Row) -> str:
        """The subject of a row; rows come file by file.

        Raises:
            ValueUnusable: A key column is empty, or no key.
        """
        if row.file_number != self._file_number:  # an overlapping file gives the same names again
            self._file_number = row.file_number
            self._equal_rows.clear()
        entity = self._entity
        parts = self._key_parts(entity.key, row)
        if not entity.otherwise_key:
            return subject_of(_nonempty(parts, entity.key))
        if all(parts):
            return _subject_beside_otherwise(parts)
        otherwise = self._key_parts(entity.otherwise_key, row)
        return OTHERWISE + subject_of(_nonempty(otherwise, entity.otherwise_key))

    def _key_parts(self, columns: Sequence[str], row: Row) -> list[str]:
        return [self._row_name(row) if column == LINE else key_text(row.cells[column], column) for column in columns]

    def _row_name(self, row: Row) -> str:
        """The name of a row without a key: its content, and its number among the equal rows of its file.

        Not file and line: every month's extract has the same name, and overlapping extracts have other lines. Columns
        that become tokens enter as tokens: with a digest of the row, one could guess a telephone number.
        """
        cells = row.cells
        if self._tokens and self._token_columns:
            cells = cells | {column: self._tokens.token("person", cells[column]) for column in self._token_columns}
        content = json.dumps(sorted(cells.items())).encode()
        digest = hashlib.sha256(content).hexdigest()[:20]  # 80 bits: in practice, no two rows are equal
        self._equal_rows[digest] += 1
        return f"{digest}-{self._equal_rows[digest]}"


def subject_of(parts: Sequence[str]) -> str:
    """One subject from the key columns; different keys never make the same subject."""
    if len(parts) == 1:
        return parts[0]
    return ":".join(part.replace("%", "%25").replace(":", "%3A") for part in parts)


OTHERWISE = "#"
"""Begins the subject of a row whose key is empty, and of no other row."""


def _subject_beside_otherwise(parts: Sequence[str]) -> str:
    """One subject from the key columns, where other rows have one from `otherwise_key`: the two are never equal."""
    subject = subject_of(parts)
    return quote(subject[0], safe="") + subject[1:] if subject[0] in (OTHERWISE, "%") else subject


def _nonempty(parts: list[str], columns: Sequence[str]) -> list[str]:
    """The texts of key columns; raises ValueUnusable where one is empty."""
    for column, part in zip(columns, parts, strict=True):
        if not part:
            raise ValueUnusable(f"the key column {column!r} is empty")
    return parts
