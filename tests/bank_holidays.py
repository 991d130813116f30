"""Makes `schemas/reference/bank_holidays_england.csv`; run it as `python -m tests.bank_holidays`."""

from __future__ import annotations

from pathlib import Path

from holidays import country_holidays

from tests.parts import ROOT

FILE = ROOT / "schemas" / "reference" / "bank_holidays_england.csv"
FIRST_YEAR, LAST_YEAR = 2018, 2100  # the package computes no later year


def text() -> str:
    """The file: one line a bank holiday of England that falls on a weekday, for weekends are no working days anyway."""
    found = country_holidays("GB", subdiv="ENG", years=range(FIRST_YEAR, LAST_YEAR + 1))
    lines = [f'{day.isoformat()},"{name}"' for day, name in sorted(found.items()) if day.weekday() < 5]
    return "\n".join(["date,name", *lines]) + "\n"


def write(file: Path = FILE) -> None:
    """Write it."""
    file.write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    write()
