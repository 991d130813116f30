"""The reference tables as one JSON file inside the package, so that the fold finds them wherever it is installed."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

FOLDER = Path("schemas") / "reference"


def text(root: Path) -> str:
    """The file: a line for each offence code, and one for the bank holidays of each year."""
    tables = {
        "offences": _offences(root / FOLDER / "offence_codes.csv"),
        "bank_holidays": _holidays(root / FOLDER / "bank_holidays_england.csv"),
    }
    lists = [f'"{name}": [\n' + ",\n".join(map(json.dumps, rows)) + "\n]" for name, rows in tables.items()]
    return "{\n" + ",\n".join(lists) + "\n}\n"


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
