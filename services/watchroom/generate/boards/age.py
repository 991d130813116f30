"""Data age, the first panel of every board: whether anything below it may be believed.

Kafka may show nothing because nothing happens, or because a feed is dead: how old the applied events are says
nothing about that. So the tile takes the worse of the two, and NORMAL means that no stream is withheld.
"""

from __future__ import annotations

from typing import Final

from watchroom.generate.boards import describe, palette, queries
from watchroom.generate.boards.board import Sources, link_to, runbook
from watchroom.generate.boards.panels import Head, Link, Placed, Query, number

OLD_FROM_S: Final = 10  # measures are withheld from here on
OLD: Final = "OLD"
SILENT: Final = "FEED SILENT"
WITHHELD: Final = "WITHHELD"
BAD: Final = (OLD, SILENT, WITHHELD)
FILLED: Final = {f"/{'|'.join(BAD)}/": palette.CRITICAL}


def data_age(sources: Sources, width: int, height: int, size: int | None = None) -> Placed:
    """How old the oldest figure may be, or which worse thing is the case."""
    about = describe.platform_card(
        "**Definition.** NORMAL: every stream is published; the number is how long ago everything that Kafka showed "
        f"was applied, of the slowest partition. {OLD}: that is too long ago, so its measures say NO DATA. {SILENT}: "
        "a stream is withheld because a source that it waits for has stopped; the number is how long ago the most "
        f"silent one gave its last sign of life. {WITHHELD}: a stream is withheld for another reason, which the health "
        "page gives.",
        f"{OLD} from {OLD_FROM_S} s; {SILENT} and {WITHHELD} while any stream is withheld",
    )
    books = (Link(f"Runbook {name}", runbook(sources, name)) for name in ("AppliedLag", "SourceSilent"))
    health = Link("Health: why a stream is withheld", f"{sources.exporter}/healthz")
    head = Head(f"age/{width}", "Data age", about, "suffix: s", (link_to("platform"), *books, health))
    return number(
        head,
        [Query(queries.worst_tile("Data age"), "{{word}}")],
        named=True,
        fills=FILLED,
        fill_unit="dthms",
        width=width,
        height=height,
        size=size,
    )
