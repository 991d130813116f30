"""Data age, the first panel of every board: whether anything below it can be trusted.

Kafka may show nothing because nothing happens, or because a feed is dead, and the age of the applied events does not
tell the two apart. The exporter therefore reports the worse of the two; NORMAL means that no stream is withheld.
"""

from __future__ import annotations

from typing import Final

from watchroom.generate.boards import describe, palette, queries
from watchroom.generate.boards.board import Sources, link_to, runbook
from watchroom.generate.boards.panels import Head, Link, Query, SizedPanel, number

OLD_FROM_S: Final = 10  # measures are withheld from here on
OLD: Final = "OLD"
SILENT: Final = "FEED SILENT"
WITHHELD: Final = "WITHHELD"
BAD: Final = (OLD, SILENT, WITHHELD)
BACKGROUNDS: Final = {f"/{'|'.join(BAD)}/": palette.CRITICAL}


def data_age(sources: Sources, width: int, height: int, size: int | None = None) -> SizedPanel:
    """How old the oldest figure may be, or any worse state."""
    about = describe.platform_card(
        "**Definition.** NORMAL: every stream is published; the number is the time since the slowest partition was "
        f"last fully applied. {OLD}: that was too long ago, so measures show NO DATA. {SILENT}: a stream is withheld "
        "because a source that it waits for has stopped; the number is how long the source that stopped first has "
        f"been silent. {WITHHELD}: a stream is withheld for another reason; the health page says why.",
        f"{OLD} from {OLD_FROM_S} s; {SILENT} and {WITHHELD} while any stream is withheld",
    )
    books = (Link(f"Runbook {name}", runbook(sources, name)) for name in ("AppliedLag", "SourceSilent"))
    health = Link("Health: why a stream is withheld", f"{sources.exporter}/healthz")
    head = Head(f"age/{width}", "Data age", about, "suffix: s", (link_to("platform"), *books, health))
    return number(
        head,
        [Query(queries.worst_tile("Data age"), "{{state}}")],
        named=True,
        fills=BACKGROUNDS,
        fill_unit="dthms",
        width=width,
        height=height,
        size=size,
    )
