"""A runbook for every alert: what it means, what happens if nobody acts, what to do, where the number comes from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from watchroom.catalogue.model import Catalogue
from watchroom.catalogue.platform_alerts import PlatformAlert
from watchroom.generate.rules import alerts
from watchroom.generate.rules.files import shipped_catalogue
from watchroom.generate.rules.links import board_of, open_path
from watchroom.generate.rules.wording import missed_too, number, target_text
from watchroom.kinds import quantity_of
from watchroom.kinds.kind import Unit
from watchroom.kinds.labels import where_text
from watchroom.kinds.measure import Measure
from watchroom.kinds.shown import Alert

FOLDER: Final = "deploy/runbooks"
_COMMENT: Final = "<!-- Derived by `make generate`; do not edit: change the alert's entry. -->"
_WHO: Final = {
    "page": "a page: somebody is called at any hour",
    "ticket": "a ticket: for the next working hours",
    "none": "nobody: a receiver waits for it",
}
_MUTES: Final = {
    "all": "While it fires, every alert that judges a figure of this force is muted.",
    "stream": "While it fires, every alert on a measure of this stream of this force is muted.",
}


def texts(root: Path) -> dict[str, str]:
    """Path -> text of every runbook; a file of the folder that is not among them belongs to no alert."""
    return pages(shipped_catalogue(root))


def pages(catalogue: Catalogue) -> dict[str, str]:
    """The runbooks of a catalogue's alerts and of the platform's."""
    found = {alert.name: _of_measure(catalogue, measure, alert) for measure, alert in catalogue.alerts()}
    found |= {name: _of_platform(name, alert) for name, alert in catalogue.platform_alerts.items()}
    return {f"{FOLDER}/{name}.md": "\n".join(lines) + "\n" for name, lines in found.items()}


def _of_measure(catalogue: Catalogue, measure: Measure, alert: Alert) -> Iterator[str]:
    yield from _head(alert.name, alert.severity, alert.meaning, alert.impact, alert.action)
    yield from ("## Where the number comes from", "", f"**{measure.brief}.** {measure.definition}", "")
    yield f"- Fires {_when(measure, alert)} for {alert.for_s} s{_enough(alert)}."
    yield f"- Is kept for {alert.keep_s} s after it no longer holds, or can no longer be judged."
    yield f"- Excludes {measure.display.excludes}."
    yield f"- Measure `{measure.id}` of stream `{measure.stream}`; its entry is in `schemas/measures`."
    yield f"- Source: {measure.source}."
    yield f"- Board: `{board_of(measure)}`."
    if path := open_path(measure, alert, f"its {alert.shown.split}"):
        yield f"- Who is behind it, the oldest first: `{path}` of the exporter, the alert's `open_url`."
    yield from ("", "```promql", alerts.expression(catalogue, measure, alert), "```")


def _of_platform(name: str, alert: PlatformAlert) -> Iterator[str]:
    yield from _head(name, alert.severity, alert.meaning, alert.impact, alert.action)
    yield from ("## Where the number comes from", "", f"{alert.number[0].upper()}{alert.number[1:]}", "")
    if alert.mutes:
        yield f"- {_MUTES[alert.mutes]}"
    yield f"- Fires when this holds for {alert.for_s} s, and is kept for {alert.keep_s} s after."
    yield f"- Board: `{alert.dashboard}`."
    yield from ("", "```promql", alert.expression, "```")


def _head(name: str, severity: str, meaning: str, impact: str, action: Sequence[str]) -> Iterator[str]:
    yield from (_COMMENT, f"# {name}", "", f"Severity `{severity}`: {_WHO[severity]}.", "")
    yield from ("## Meaning", "", meaning, "", "## Impact", "", impact, "", "## What to do now", "")
    yield from (f"{place}. {step}" for place, step in enumerate(action, start=1))
    yield ""


def _when(measure: Measure, alert: Alert) -> str:
    shown = alert.shown
    of = f", {where_text(measure, shown.where)}" if shown.where else ""
    each = f" of one {shown.split}" if shown.split else ""
    if alert.burn:
        limit = number(Unit.SHARE, alert.burn.miss_limit)
        missed = f"not {target_text(measure, shown)}{missed_too(measure, shown)}"
        return (
            f"when more than {limit} are {missed}, over {alert.burn.long} and over {alert.burn.short}{of}{each} "
            f"(objective {number(Unit.SHARE, alert.burn.objective)} in time, burn {alert.burn.factor:g})"
        )
    word = quantity_of(measure, shown)
    period = f" in {shown.window}" if shown.window else ""
    side, limit_at = ("above", alert.above) if alert.above is not None else ("below", alert.below or 0)
    return f"when {measure.brief.lower()}, {word.meaning}{period}{of}{each}, is {side} {number(word.unit, limit_at)}"


def _enough(alert: Alert) -> str:
    return f", and at least {alert.at_least} are counted" if alert.at_least else ""
