"""Figures from a CSV file: each row becomes a `return.figure`, or a fault that says what to write instead.

The event's id follows from what the row says, so that a row that is sent again is the same event again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from watchroom.admission.returns import UnfitFigure, check_as_at, check_numbers, figures_of, measure_and_subject
from watchroom.catalogue.model import Catalogue
from watchroom.command_output import as_csv
from watchroom.entered import csv_rows, csv_text, plain_number
from watchroom.errors import Fault
from watchroom.events.times import to_text
from watchroom.kafka.produce import Outgoing
from watchroom.kinds.figure import NUMERATOR, SIGNED
from watchroom.kinds.measure import Measure
from watchroom.rolling.periods import known_period
from watchroom.streams.returns import FIGURE, as_at_ms

COLUMNS: Final = ("measure", "period", "as_at", "numerator", "denominator", "labels", "note", "reported_by")
REQUIRED: Final = COLUMNS[:4]
SAID: Final = COLUMNS[1:5]  # a row of the template that says none of these is not filled in
NUMBERS: Final = COLUMNS[3:5]
SOURCE: Final = "figures-import"
MOST: Final = {"note": 4096, "reported_by": 256}  # characters


def template(catalogue: Catalogue) -> str:
    """A CSV with a row for each figure and label set of the catalogue; rows that are not filled in are not imported."""
    rows = (
        {"measure": measure.id, "labels": ";".join(f"{name}={by[name]}" for name in by)}
        for measure in figures_of(catalogue.measures.values()).values()
        for by in measure.label_sets()
    )
    return as_csv(rows, COLUMNS)


def records(
    path: Path, catalogue: Catalogue, topic: str, *, now_ms: int, reported_by: str
) -> tuple[list[Outgoing], list[Fault]]:
    """The events of a file's rows in their order, and each fault of the rows that cannot be one.

    Args:
        path: A CSV file in UTF-8 with the columns of `template`, in any order.
        catalogue: Which figures there are.
        topic: Where the events go.
        now_ms: The time of the events: of two with the same as-at the later one counts, and no as-at may lie more
            than five minutes after it.
        reported_by: Who reports, for rows that do not say it.

    Raises:
        ConfigurationInvalid: The file cannot be read, or has other columns.
    """
    known = figures_of(catalogue.measures.values())
    seen: dict[tuple[str, int], int] = {}
    events: list[Outgoing] = []
    all_faults: list[Fault] = []
    for line, row in csv_rows(str(path), csv_text(path), REQUIRED, COLUMNS):
        where = f"{path}:{line}"
        if isinstance(row, Fault):
            all_faults.append(row)
            continue
        if not any(row.get(name) for name in SAID):
            continue
        data, faults = _data(where, row, known, reported_by)
        if not faults:
            try:
                measure, subject = measure_and_subject(known, data)
                check_as_at(data["as_at"], now_ms)
                check_numbers(measure, data)
            except UnfitFigure as unfit:
                faults.append(_unfit_fault(where, unfit))
        if not faults:
            key = subject, as_at_ms(data["as_at"])
            if key in seen:
                faults.append(
                    Fault(
                        where,
                        "as_at",
                        f"the same figure and as-at date as in line {seen[key]}",
                        "only one of the two rows",
                    )
                )
            else:
                seen[key] = line
                events.append(_record(topic, subject, measure, data, now_ms))
        all_faults += faults
    return events, all_faults


def _data(
    where: str, row: Mapping[str, str], known: Mapping[str, Measure], reported_by: str
) -> tuple[dict[str, Any], list[Fault]]:
    """The event's data, and the faults of single cells."""
    faults = [
        Fault(where, name, "nothing", f"the {name.replace('_', '-')} of the figure")
        for name in REQUIRED
        if not row[name]
    ]
    faults += _form_faults(where, row)
    data: dict[str, Any] = {name: row[name] for name in ("measure", "period", "as_at")}
    for name in NUMBERS:
        if text := row.get(name):
            number = _number(text)
            if number is None:
                faults.append(Fault(where, name, repr(text), _allowed(name, known.get(row["measure"]))))
            else:
                data[name] = number
    by = _by(where, row.get("labels", ""), faults)
    more = {"by": by, "note": row.get("note"), "reported_by": row.get("reported_by") or reported_by}
    return data | {name: value for name, value in more.items() if value}, faults


def _form_faults(where: str, row: Mapping[str, str]) -> Iterator[Fault]:
    """Texts of a wrong form."""
    for name, read in (("period", known_period), ("as_at", as_at_ms)):
        try:
            if row[name]:
                read(row[name])
        except ValueError as error:
            found, _, write = str(error).removeprefix("is ").partition("; write ")
            yield Fault(where, name, found, write)
    for name, most in MOST.items():
        if len(row.get(name, "")) > most:
            yield Fault(where, name, f"{len(row[name]):,} characters", f"at most {most:,}")


def _number(text: str) -> int | Decimal | None:
    """As it is written: a float would lose what makes it one that cannot be kept."""
    number = plain_number(text)
    return number if number is None or number != number.to_integral_value() else int(number)


def _allowed(name: str, measure: Measure | None) -> str:
    """The values that a column of numbers may have."""
    if name == NUMERATOR and measure is not None and SIGNED.of(measure):
        return f"a number such as 5948, 16.2 or -3, without commas: {measure.id} may be negative"
    return "a number such as 5948 or 16.2, without commas or signs"


def _by(where: str, text: str, faults: list[Fault]) -> dict[str, str]:
    by: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in text.split(";"))):
        name, sign, value = (part.strip() for part in pair.partition("="))
        if not sign or not name or not value or name in by:
            faults.append(
                Fault(
                    where,
                    "labels",
                    repr(pair),
                    "label=value pairs separated by semicolons, for example area=stoke;grade=1",
                )
            )
            continue
        by[name] = value
    return by


def _unfit_fault(where: str, unfit: UnfitFigure) -> Fault:
    """What admission would say about the event, for the cell that it comes from."""
    if unfit.key.startswith("by."):
        return Fault(where, "labels", f"{unfit.key.removeprefix('by.')} {unfit.found}", unfit.write)
    return Fault(where, unfit.key, unfit.found.removeprefix("is "), unfit.write)


def _record(topic: str, subject: str, measure: Measure, data: Mapping[str, Any], now_ms: int) -> Outgoing:
    data = {name: float(value) if isinstance(value, Decimal) else value for name, value in data.items()}
    said = json.dumps([subject, sorted(data.items())], ensure_ascii=False)
    event = {
        "specversion": "1.0",
        "id": f"{measure.id}-{hashlib.sha256(said.encode()).hexdigest()[:24]}",
        "source": SOURCE,
        "type": FIGURE,
        "time": to_text(now_ms),
        "subject": subject,
        "data": data,
    }
    return Outgoing(topic, subject.encode(), json.dumps(event, ensure_ascii=False).encode())
