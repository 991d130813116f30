"""The reference tables as Python constants, so that the fold looks codes and days up without reading a file."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

FOLDER = Path("schemas") / "reference"
HEAD = '''"""Offence codes and bank holidays. Derived from schemas/reference by `make generate`; do not edit."""

from __future__ import annotations

from typing import Final

'''


def text(root: Path) -> str:
    """The module, formatted as the formatter would."""
    offences = [f"    ({', '.join(map(json.dumps, row))}),\n" for row in _offences(root / FOLDER / "offence_codes.csv")]
    years = [f'    "{year}",\n' for year in _holidays(root / FOLDER / "bank_holidays_england.csv")]
    return (
        f"{HEAD}OFFENCES: Final = (\n{''.join(offences)})\n"
        '"""Home Office offence code, group, subgroup, police.uk category."""\n\n'
        f"BANK_HOLIDAYS: Final = (\n{''.join(years)})\n"
        '"""Bank holidays of England on weekdays, a year a text."""\n'
    )


def _offences(file: Path) -> Iterator[tuple[str, str, str, str]]:
    for row in _rows(file):
        yield row["Offence_Code"], row["Offence_Group"], row["Offence_Subgroup"], row["Police.uk_Cat"]


def _holidays(file: Path) -> Iterator[str]:
    days = sorted(row["date"] for row in _rows(file))
    for _, of_year in groupby(days, key=lambda day: day[:4]):
        yield " ".join(of_year)


def _rows(file: Path) -> Iterator[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)
