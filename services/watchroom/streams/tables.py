"""Offence codes and bank holidays, read once from `tables.json`, which is derived from schemas/reference."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

_TABLES: Final = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))

OFFENCES: Final[tuple[tuple[str, str, str, str], ...]] = tuple(map(tuple, _TABLES["offences"]))
"""Home Office offence code, group, subgroup, police.uk category."""

BANK_HOLIDAYS: Final[tuple[str, ...]] = tuple(_TABLES["bank_holidays"])
"""Bank holidays of England on weekdays, a year a text."""
