"""Platform: whether the figures can be trusted, and why not. Its panels are in `platform.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, TypeAdapter

from watchroom.catalogue.formatting import NO_DATA
from watchroom.catalogue.metrics import ROW, suffixes
from watchroom.catalogue.rows import ORDER
from watchroom.catalogue.shares import PART, WHOLE, labels, shares
from watchroom.generate.boards import describe, palette, queries
from watchroom.generate.boards.age import data_age
from watchroom.generate.boards.board import Board, Section, Sources, all_runbooks, link_to, runbook
from watchroom.generate.boards.lines import trend
from watchroom.generate.boards.panels import COUNT, Head, Link, Query, SizedPanel, number, ranking, rows
from watchroom.generate.boards.states import NOT_FED_TEXT, StateText
from watchroom.kinds import KINDS
from watchroom.kinds.labels import capital, from_slug
from watchroom.registry import registry
from watchroom.streams import STREAMS

CHOSEN: Final = queries.CHOSEN[0]
TOPICS: Final = {
    "{{topic}}": tuple(f"/{stream}$/" for stream in STREAMS)
}  # the lines of a query, whatever their prefix
EXCLUDED: Final = registry(
    "exclusion texts for the suffix",
    (
        (suffix, family.excluded)
        for kind in KINDS.values()
        for suffix, family in kind.families.items()
        if family.excluded
    ),
)


class _Panel(BaseModel, extra="forbid"):
    """A panel as `platform.toml` gives it; the keys are explained there."""

    form: Literal["number", "trend", "ranking", "table"]
    title: str
    text: str
    queries: dict[str, str]
    rows: dict[str, str] = {}
    unit: str = COUNT
    threshold: str = describe.NO_LIMITS
    alert: str = ""
    normal: dict[int, str] = {}
    warning: dict[int, str] = {}
    critical: dict[int, str] = {}
    nothing: str = NO_DATA
    layout: dict[str, Any] = {}

    def made(self, sources: Sources) -> SizedPanel:
        """The finished panel."""
        states = ((self.normal, palette.QUIET), (self.warning, palette.WARNING), (self.critical, palette.CRITICAL))
        head = Head(
            f"platform/{self.title}",
            self.title,
            describe.platform_card(f"**Definition.** {self.text}", self.threshold),
            self.unit,
            _links(sources, self.alert),
            words={number: StateText(text, colour) for texts, colour in states for number, text in texts.items()},
            nothing=self.nothing,
        )
        asked = [Query(expr, name) for name, expr in self.queries.items()]
        match self.form:
            case "number":
                return number(head, asked, **self.layout)
            case "trend":
                return trend(head, asked, lines=TOPICS.get(asked[0].name, ()), **self.layout)
            case "ranking":
                return ranking(head, asked[0], **self.layout)
            case "table":
                return rows(head, asked, list(self.rows.items()), **self.layout)


def make(sources: Sources) -> Sequence[Section]:
    """Whether everything is up and in time, what was refused, who is silent, and what is counted separately."""
    made = {title: [panel.made(sources) for panel in panels] for title, panels in _given().items()}
    made[""].insert(0, data_age(sources, 6, 6, 64))
    made["Refused, lost and excluded"] += _excluded(sources)
    sections = [Section(title, panels) for title, panels in made.items()]
    counts = list(_shares(sources))
    return [*sections, Section("Alerts", counts, is_closed=True)] if counts else sections


BOARD: Final = Board(
    "platform", "Platform", "Whether the figures can be trusted: feeds, workers, Redis, refused events.", "6h", make
)


def _given() -> dict[str, list[_Panel]]:
    """The panels of `platform.toml`, by heading."""
    text = Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
    return TypeAdapter(dict[str, list[_Panel]]).validate_python(tomllib.loads(text))


def _links(sources: Sources, alert: str) -> tuple[Link, ...]:
    book = Link(f"Runbook {alert}", runbook(sources, alert)) if alert else all_runbooks(sources)
    return link_to("live"), Link("Health", f"{sources.exporter}/healthz"), book


def _shares(sources: Sources) -> Iterator[SizedPanel]:
    """The counts of each share that an alert reads, both from the exporter with the higher share."""
    found = shares(sources.catalogue)
    if not found:
        return
    names = dict.fromkeys(name for measure, shown in found for name in labels(measure, shown))
    by = ", ".join(["force", *names])
    ratio = f"topk by ({by}) (1, {PART}{{{CHOSEN}}} / {WHOLE}{{{CHOSEN}}})"
    asked = [
        Query(f"max by ({by}) ({metric}{{{CHOSEN}}} and {ratio})", column)
        for metric, column in ((PART, "Part"), (WHOLE, "Whole"))
    ]
    text = "The two counts of each share that an alert compares with its threshold."
    head = Head(
        "platform/Shares",
        "Shares that alerts read",
        describe.platform_card(f"**Definition.** {text}"),
        COUNT,
        _links(sources, ""),
    )
    yield rows(head, asked, [(name, capital(from_slug(name))) for name in names])


def _excluded(sources: Sources) -> Iterator[SizedPanel]:
    """What every measure excludes because the feed was wrong."""
    for suffix, text in EXCLUDED.items():
        measures = [measure for measure in sources.catalogue.measures.values() if suffix in suffixes(measure)]
        windows = sorted({next((name for name in ("24h", *m.windows) if name in m.windows), "") for m in measures})
        if not measures:
            continue
        by = f'quantity="{suffix}",window=~"{"|".join(windows)}",{ORDER}="",{CHOSEN}'
        streams = "|".join(dict.fromkeys(stream for measure in measures for stream in measure.streams))
        unfed = f'max by (force, stream) (watchroom_stream_fed{{{CHOSEN},stream=~"{streams}"}})'
        asked = (
            f"max by (force, measure) ({ROW}{{{by}}})"
            f' or label_replace(({unfed} == 0) - 1, "measure", "stream $1", "stream", "(.*)")'
        )
        title, about = capital(from_slug(suffix)), describe.platform_card(f"**Definition.** {text}")
        head = Head(f"platform/{title}", title, about, COUNT, _links(sources, ""), words=NOT_FED_TEXT)
        yield rows(head, [Query(asked, "Number")], [("measure", "Measure")], hide=("stream",), width=8)
