"""What a measure means and what an alert asks for, as pages: the catalogue's own words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from watchroom.catalogue.formatting import exact_text, plain, target_with_labels, window_text
from watchroom.catalogue.metrics import suffixes
from watchroom.catalogue.model import Catalogue
from watchroom.exporter.board.markup import Html, join, tag
from watchroom.exporter.top_list import has_top
from watchroom.exporter.wall import has_list
from watchroom.kinds import kind_of, own_said
from watchroom.kinds.kind import Unit
from watchroom.kinds.labels import from_slug, title_of, value_text, value_title, where_titles
from watchroom.kinds.measure import Measure
from watchroom.kinds.names import metric
from watchroom.kinds.shown import Alert


class Runbook(NamedTuple):
    """What an alert means and what to do, of a measure or of the platform."""

    name: str
    meaning: str
    impact: str
    action: Sequence[str]
    measure: Measure | None


def runbooks(catalogue: Catalogue) -> dict[str, Runbook]:
    """Every alert's runbook by its name: of the measures, then of the platform."""
    of_measures = [
        Runbook(alert.name, alert.meaning, alert.impact, alert.action, measure) for measure, alert in catalogue.alerts()
    ]
    of_platform = [
        Runbook(name, each.meaning, each.impact, each.action, None) for name, each in catalogue.platform_alerts.items()
    ]
    return {each.name: each for each in (*of_measures, *of_platform)}


def runbook(book: Runbook) -> Html:
    """One runbook."""
    parts = [
        tag("h2", "Meaning"),
        tag("p", book.meaning),
        tag("h2", "Impact"),
        tag("p", book.impact),
        tag("h2", "What to do now"),
        tag("ol", *(tag("li", step) for step in book.action)),
    ]
    if book.measure is not None:
        parts.extend((tag("h2", "See"), tag("ul", *(tag("li", link) for link in _links(book.measure)))))
    return tag("article", *parts, class_="text")


def definition(measure: Measure) -> Html:
    """One measure's definition card."""
    facts = [tag("div", tag("dt", term), tag("dd", *said)) for term, said in _facts(measure)]
    parts = [tag("p", measure.definition, class_="lead"), tag("dl", *facts)]
    if has_list(measure):
        parts.append(tag("p", tag("a", "List of what is open now", href=f"/open/{measure.id}")))
    if has_top(measure):
        parts.append(tag("p", tag("a", "Most frequent", href=f"/top/{measure.id}")))
    return tag("article", *parts, class_="text")


def index(title: str, links: Iterable[tuple[str, str, str]]) -> Html:
    """A list of links: address, text, what it leads to."""
    items = [tag("li", tag("a", text, href=href), join(": ", about)) for href, text, about in links]
    return tag("section", tag("h2", title), tag("ul", *items), class_="text")


def _facts(measure: Measure) -> Iterator[tuple[str, Sequence[str]]]:
    kind = kind_of(measure)
    yield "Kind", [kind.about]
    yield "Clock", [from_slug(f"{kind.clock(measure, str)} (stream {' and '.join(measure.streams)})")]
    yield "Excludes", [measure.display.excludes]
    for label in measure.labels:
        listed = ", ".join(value_title(label, value) for value in label.values)
        absent, other = (value_text(label, value) for value in (label.absent, label.other))
        yield f"By {title_of(label)}", [f"{listed}; a missing value counts as {absent}, any other value as {other}"]
    if said := own_said(measure):
        yield "Other settings", ["; ".join(said)]
    if measure.windows:
        yield "Windows", ["; ".join(window_text(window) for window in measure.windows)]
    if measure.area_windows:
        yield "By area", ["; ".join(window_text(window) for window in measure.area_windows)]
    if measure.targets:
        yield "Target", ["; ".join(target_with_labels(measure, target) for target in measure.targets)]
    for where, share in measure.display.objectives:
        yield "Objective", [f"{plain(share, Unit.SHARE)} {where_titles(measure, where)}"]
    if measure.give_up_ms:
        yield "Not counted after", [exact_text(measure.give_up_ms / 1000, Unit.SECONDS)]
    yield "Source", [measure.source]
    yield "Metrics", [", ".join(metric(measure.id, suffix) for suffix in suffixes(measure))]
    if measure.display.alerts:
        yield "Alerts", [join(*(_alert_link(alert) for alert in measure.display.alerts))]


def _alert_link(alert: Alert) -> Html:
    return join(tag("a", alert.name, href=f"/runbook/{alert.name}"), f" ({alert.severity}) ")


def _links(measure: Measure) -> Iterator[Html]:
    if has_list(measure):
        yield tag("a", "List of what is open now", href=f"/open/{measure.id}")
    yield tag("a", f"Definition of “{measure.brief}”", href=f"/measures/{measure.id}")
    yield tag("a", "The wall", href="/")
