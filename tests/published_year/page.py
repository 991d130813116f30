"""The page of the published year: each printed number, ours, the difference, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Final

from tests.parts import ROOT
from tests.published_year.compare import Line
from watchroom.simulator.published_year import Printed

PAGE: Final = ROOT / "schemas" / "measures" / "PUBLISHED-YEAR.md"
HEAD: Final = """# The published year

Written by `make published-year`: the events of `watchroom simulate --published-year` went through Apache Kafka and the
worker, the months to compare with through `watchroom months import`, and this is the report of {first} to {last} as at
{as_at} beside the one that Staffordshire Police published (Public Performance Meeting, 27 January 2022). The events
are made from the printed numbers (`../published_year.toml`), so what is shown here is that each number, once it is in
the events, comes out of the whole pipeline unchanged, and where the published numbers cannot all be true at once.

{events:,} events{part}. {equal} of {numbers} numbers that the report prints or implies are equal at the printed
rounding; {differ} differ, for the reasons given. Where the report prints no number, ours follows from an assumption of
the simulator (`simulator/published_year/levels.py`).

| row | what | published | ours | difference | why |
|---:|---|---|---:|---:|---|
"""
ASSUMED: Final = "No number is printed; ours is assumed."
WORDS: Final = "In words in both."
NONE: Final = "No number is printed, and the simulated year has none."


def write_page(lines: Iterable[Line], printed: Printed, events: int, scale: float, to: Path = PAGE) -> None:
    """Write the page."""
    to.write_text(page(list(lines), printed, events, scale), encoding="utf-8")


def page(lines: list[Line], printed: Printed, events: int, scale: float) -> str:
    """The page as Markdown."""
    numbers = [line for line in lines if line.printed is not None]
    equal = sum(line.difference == 0 for line in numbers)
    head = HEAD.format(
        first=printed.first_month,
        last=printed.last_month,
        as_at=printed.as_at,
        events=events,
        part="" if scale == 1 else f", with {scale:g} of the calls and contacts",
        equal=equal,
        numbers=len(numbers),
        differ=len(numbers) - equal,
    )
    return head + "".join(f"| {' | '.join(_cells(line))} |\n" for line in lines)


def _cells(line: Line) -> Iterator[str]:
    entry = line.entry
    yield str(entry.row)
    yield f"{entry.what} (`{entry.measure}`)" if entry.what else f"`{entry.measure}`"
    yield entry.text or entry.words
    if line.printed is None:
        yield _stands(line)
        yield ""
        yield entry.why or _why(line)
        return
    yield "none" if line.ours is None else _number(line.ours) + _unit(line)
    yield "" if line.difference is None else "0" if line.difference == 0 else f"{line.difference.normalize():+,f}"
    yield entry.why


def _why(line: Line) -> str:
    if line.row is None:
        return ""
    if line.row["fed_by"] == "figures":
        return WORDS
    return ASSUMED if _stands(line) else NONE


def _stands(line: Line) -> str:
    """The report's content for a row that is printed as text."""
    if line.row is None:
        return "none"
    if ranked := line.row["ranked"]:
        return f"five most frequent: {', '.join(each['word'] for each in ranked[:5])}"
    value, unit = line.row["value"], line.row["unit"]
    if value is None or line.entry.why:
        return ""
    is_share = line.row["denominator"] is not None and unit == "1"
    return f"{100 * value:.1f}%" if is_share else f"{value:,}"


def _unit(line: Line) -> str:
    if "%" in line.entry.text:
        return "%"
    is_time = line.row is not None and line.row["unit"] == "s" and line.entry.times == 1
    return " s" if is_time else ""


def _number(number: Decimal) -> str:
    return f"{number.normalize():,f}"
