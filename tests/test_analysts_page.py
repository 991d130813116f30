"""What the page for analysts lists by hand: it has each stream, each kind and each column."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from tests.kinds.made import filled
from tests.parts import ROOT
from watchroom.kinds import KINDS
from watchroom.kinds.columns import VALUE
from watchroom.kinds.kind import Column, Kind, Reads
from watchroom.streams import STREAMS
from watchroom.streams.stream import Stream

PAGE: Final = (ROOT / "schemas" / "measures" / "ANALYSTS.md").read_text(encoding="utf-8")


def faults(page: str, kinds: Iterable[Kind], streams: Iterable[Stream]) -> Iterator[str]:
    """What the page does not say about these kinds and streams."""
    yield from _stream_faults(" ".join(page.split()), list(streams))
    in_months = (Reads.BUCKETS, Reads.FIGURES)
    yield from _kind_faults(page, [kind for kind in kinds if kind.reads in in_months or kind.published])


def _stream_faults(text: str, streams: list[Stream]) -> Iterator[str]:
    days = {each.name: each.lateness_days if each.closing_days is None else each.closing_days for each in streams}
    closing = ", ".join(f"{name} {number:g} day{'s' * (number != 1)}" for name, number in days.items())
    *others, last = [each.entity for each in streams if each.states]
    opened = " or ".join(filter(None, (", ".join(others), last)))
    for said in (f"some time after its end: {closing}. Until then", f"Each row is one {opened}: `measure`, `id`"):
        if said not in text:
            yield said


def _kind_faults(page: str, kinds: list[Kind]) -> Iterator[str]:
    columns, fields = _table(page, "| column | meaning |"), _table(page, "| kind | what |")
    named = {name for cell in columns for name in re.findall(r"`(\w+)`", cell)}
    value = next(said for cell, said in columns.items() if "`value`" in cell)
    for kind in kinds:
        yield from (f"{kind.name}: the column {column.name}" for column in kind.columns if column.name not in named)
        if f"{kind.name}: " not in value:
            yield f"{kind.name}: its value"
        if kind.reads not in (Reads.BUCKETS, Reads.FIGURES):
            continue  # not in a month's bucket
        explained = re.findall(r"`(\w+)", fields.get(kind.name, ""))
        stored = {field.partition(":")[0] for field in filled(kind)}
        yield from (f"{kind.name}: the field {field}" for field in sorted(stored.difference(explained)))


def _table(page: str, head: str) -> dict[str, str]:
    """First cell -> second cell, for the rows below a table's head."""
    rows = page[page.index(head) :].partition("\n\n")[0].splitlines()[2:]
    return {first.strip(): second.strip() for _, first, second, *_ in (row.split("|") for row in rows)}


def test_the_page_covers_every_kind_and_stream() -> None:
    """An analyst who cannot find a stream here would mistake its open months for closed ones."""
    assert list(faults(PAGE, KINDS.values(), STREAMS.values())) == []


def test_a_stream_that_is_missing_from_the_page_is_found() -> None:
    """In the sentence about closed months, and in the one about what is open."""
    streams = [*STREAMS.values(), replace(STREAMS["calls"], name="visits", entity="visit", lateness_days=2)]
    closing, opened = faults(PAGE, KINDS.values(), streams)
    assert closing.endswith(", visits 2 days. Until then")
    assert opened.endswith(" or visit: `measure`, `id`")


def test_a_kind_that_is_missing_from_the_page_is_found() -> None:
    """Its value, its own columns, and its fields in Redis."""
    kind = replace(KINDS["count"], name="spread", columns=(*KINDS["count"].columns, Column("made_up", "number")))
    assert list(faults(PAGE, [kind], STREAMS.values())) == [
        "spread: the column made_up", "spread: its value", "spread: the field count",
    ]  # fmt: skip


def test_the_columns_that_every_row_has_are_on_the_page() -> None:
    """They come first, whatever the kind."""
    columns = " ".join(_table(PAGE, "| column | meaning |"))
    assert [name for name in VALUE if f"`{name}`" not in columns] == []
