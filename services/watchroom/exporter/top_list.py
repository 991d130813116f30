"""`watchroom top --measure ID`: the most frequent tokens, each shown by its key id and first six characters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import NamedTuple

from watchroom.catalogue.formatting import window_text
from watchroom.catalogue.load import load_catalogue
from watchroom.catalogue.model import Catalogue
from watchroom.command_output import Format, as_csv, as_json, table, table_text
from watchroom.errors import ConfigurationInvalid, Fault
from watchroom.events.times import to_text
from watchroom.exporter.live import liveness
from watchroom.exporter.open_list import check_fed
from watchroom.kinds import kind_of, tokens, top
from watchroom.kinds.kind import Form
from watchroom.kinds.measure import Measure
from watchroom.kinds.top import Ranked
from watchroom.rolling.calendar import Calendar
from watchroom.rolling.windows import MONTH
from watchroom.settings import Settings
from watchroom.store.compatibility import check_compatible
from watchroom.store.freshness import applied_until
from watchroom.store.read import Reader


class TopList(NamedTuple):
    """The most frequent in one window at one moment."""

    measure: Measure
    window: str
    ranked: Sequence[Ranked]
    occurrences: int  # of all, listed or not
    different: int
    token_keys: int
    as_of_ms: int | None  # until when the slowest partition is applied; None: unknown
    not_live: Sequence[str] = ()

    @property
    def window_said(self) -> str:
        """The window in words."""
        return "current month" if self.window == MONTH else window_text(self.window)

    @property
    def columns(self) -> list[str]:
        """Name of the label that is shown with each token; empty if the measure has no label."""
        return [label.name for label in self.measure.labels[:1]]


def top_list(
    settings: Settings,
    measure_id: str,
    window: str,
    now_ms: int,
    output: Format = "table",
    *,
    warn: Callable[[str], None] = lambda _: None,
) -> str:
    """The list as text.

    Args:
        settings: Which Redis, force and catalogue.
        measure_id: A measure of the kind `top`.
        window: One of its windows.
        now_ms: The moment at which the window ends.
        output: The form.
        warn: Called with each reason why JSON or CSV is not live.

    Raises:
        ConfigurationInvalid: No such measure, a window that it does not have, or its stream is not fed.
        RebuildNeeded: Redis holds the measure's stream under another definition.
        StoreUnavailable: Redis did not answer.
        WorkFailed: Redis holds no data for this force.
    """
    catalogue = load_catalogue(settings.schemas / "measures", settings.areas)
    measure = top_measure(catalogue, measure_id, window, settings)
    with closing(Reader(settings.redis, settings.force, timeout_s=30)) as reader:
        check_compatible(reader, settings, catalogue).refuse([measure.stream])
        found = read_top(reader, measure, window, now_ms, settings)
        found = found._replace(not_live=liveness(reader, settings, measure.stream, now_ms).reasons)
    if output == "table":
        return as_text(found)
    for reason in found.not_live:
        warn(f"not live: {reason}")
    if output == "json":
        return as_json(_rows(found))
    return as_csv(_rows(found), ["measure", "window", "rank", "name", *found.columns, "occurrences", "as_of"])


def has_top(measure: Measure) -> bool:
    """Whether a measure is a list of the most frequent."""
    return kind_of(measure).form is Form.LIST


def top_measure(catalogue: Catalogue, measure_id: str, window: str, settings: Settings) -> Measure:
    """The measure of this id, if it can be listed over this window; else ConfigurationInvalid."""
    measure = catalogue.measures.get(measure_id)
    if measure is None or not has_top(measure):
        ids = ", ".join(each.id for each in catalogue.measures.values() if has_top(each))
        found = f"{measure_id!r}" + (f", a {measure.kind}" if measure else "")
        write = f"one of {ids}" if ids else "the id of a measure of the kind top; this catalogue has none"
        raise ConfigurationInvalid([Fault("--measure", "", found, write)])
    if window not in measure.windows:
        raise ConfigurationInvalid([Fault("--window", "", repr(window), f"one of {', '.join(measure.windows)}")])
    check_fed(measure, settings)
    return measure


def read_top(reader: Reader, measure: Measure, window: str, now_ms: int, settings: Settings) -> TopList:
    """What occurs most in a window that ends at `now_ms`."""
    topic = settings.topic(measure.stream)
    applied_ms = applied_until(reader.partitions(), [topic])
    names = tokens.hashes_of(measure.id, window, now_ms, Calendar(settings.zone))
    counts = tokens.together(tokens.today(reader.token_hash(name)) for name in names)
    figures = top.figures(measure, counts)
    return TopList(
        measure,
        window,
        top.most_frequent(counts, top.MOST_LISTED.of(measure)),
        figures.occurrences,
        figures.different,
        tokens.bands_of(counts).token_keys,
        applied_ms,
    )


def as_text(found: TopList) -> str:
    """A table, followed by what a reader must know about it."""
    shown = table("rank", "name", *found.columns, "occurrences", right=("rank", "occurrences"))
    for rank, each in enumerate(found.ranked, 1):
        shown.add_row(f"{rank}", each.name, *([each.word] * len(found.columns)), f"{each.occurrences:,}")
    listed = table_text(shown) if found.ranked else ""
    return f"{found.measure.brief}, {found.window_said}\n{listed}" + "".join(f"{note}\n" for note in notes(found))


def notes(found: TopList) -> Iterator[str]:
    """How many there are in total, and what a reader must know."""
    if not found.ranked:
        yield "None."
    else:
        yield f"{found.occurrences:,} in total; {found.different:,} different."
    if found.token_keys > 1:
        yield f"The tokens were created with {found.token_keys} keys, so the same value may be listed twice."
    if found.as_of_ms is None:
        yield "The age of this list is unknown: at least one partition has never been applied."
    yield from (f"Not live: {reason}." for reason in found.not_live)


def _rows(found: TopList) -> Iterator[dict[str, object]]:
    """One a rank; `as_of`: events are applied until then in every partition."""
    for rank, each in enumerate(found.ranked, 1):
        yield {
            "measure": found.measure.id,
            "window": found.window,
            "rank": rank,
            "name": each.name,
            **dict.fromkeys(found.columns, each.word),
            "occurrences": each.occurrences,
            "as_of": None if found.as_of_ms is None else to_text(found.as_of_ms),
        }
