"""A runbook for every alert: its meaning, its impact, what to do now, and where its number comes from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from watchroom.catalogue.formatting import window_text
from watchroom.catalogue.model import Catalogue
from watchroom.catalogue.platform_alerts import PlatformAlert
from watchroom.generate.pages import page
from watchroom.generate.rules import alerts
from watchroom.generate.rules.links import board_of, open_path
from watchroom.generate.rules.wording import limit_text, missed_too, number, target_text
from watchroom.kinds import quantity_of
from watchroom.kinds.kind import Unit
from watchroom.kinds.labels import where_text
from watchroom.kinds.measure import Measure
from watchroom.kinds.shown import Alert
from watchroom.wording import exact_duration

FOLDER: Final = "deploy/runbooks"
_WHO: Final = {
    "page": "somebody is paged at any hour",
    "ticket": "sent to the ticket queue at once, and by email in office hours",
    "none": "nobody is paged; `watchroom watchdog` expects it at all times",
}
_MUTES: Final = {
    "all": "While it fires, all alerts on this force's measures are muted.",
    "stream": "While it fires, all alerts on this force's measures of this stream are muted.",
}


def pages(catalogue: Catalogue) -> dict[str, str]:
    """The runbooks of all alerts of a catalogue, on measures and on the platform, by the alert's name."""
    found = {}
    for measure, alert in catalogue.alerts():
        about = f"**{measure.brief}.** {measure.definition}"
        expression = alerts.expression(catalogue, measure, alert)
        found[alert.name] = _page(alert.name, alert, about, _facts(measure, alert), expression)
    for name, platform in catalogue.platform_alerts.items():
        about = f"{platform.number[0].upper()}{platform.number[1:]}"
        found[name] = _page(name, platform, about, _platform_facts(platform), platform.expression)
    return found


def _page(name: str, alert: Alert | PlatformAlert, about: str, facts: Iterator[str], expression: str) -> str:
    who = _WHO[alert.severity]
    return page("runbook.md", name=name, alert=alert, who=who, about=about, facts=facts, expression=expression)


def _facts(measure: Measure, alert: Alert) -> Iterator[str]:
    yield f"Condition: {_when(measure, alert)}."
    if alert.at_least:
        yield f"It fires only if its figure is based on at least {alert.at_least} {measure.stream}."
    yield _times(alert)
    yield f"Excluded: {measure.display.excludes}."
    yield f"Measure: `{measure.id}` of the stream `{measure.stream}`, defined in `schemas/measures`."
    yield f"Source: {measure.source}."
    yield f"Board: `{board_of(measure)}`."
    if path := open_path(measure, alert, f"<{alert.shown.split}>"):
        opened = f"`{path}` on the exporter (the alert's `open_url`)"
        yield f"List of the open {measure.stream} behind it, oldest first: {opened}."


def _platform_facts(alert: PlatformAlert) -> Iterator[str]:
    if alert.mutes:
        yield _MUTES[alert.mutes]
    yield _times(alert)
    yield f"Board: `{alert.dashboard}`."


def _times(alert: Alert | PlatformAlert) -> str:
    fires = f"Fires once the condition has held for {exact_duration(alert.for_s)}" if alert.for_s else "Fires at once"
    stays = (
        f"keeps firing for {exact_duration(alert.keep_s)} after the condition"
        if alert.keep_s
        else "ends when the condition"
    )
    return f"{fires}, and {stays} ends or its data is lost."


def _when(measure: Measure, alert: Alert) -> str:
    shown = alert.shown
    parts = (where_text(measure, shown.where), shown.split and f"by {shown.split}")
    about = "".join(f"{part}, " for part in parts if part)
    if alert.burn:
        limit, objective = (number(Unit.SHARE, share) for share in (alert.burn.miss_limit, alert.burn.objective))
        return (
            f"{about}more than {limit} missed the target `{target_text(measure, shown)}`{missed_too(measure, shown)}, "
            f"in both windows: {window_text(alert.burn.long)} and {window_text(alert.burn.short)} "
            f"(objective: {objective}; burn rate: {alert.burn.factor:g})"
        )
    quantity = quantity_of(measure, shown)
    period = f", {window_text(shown.window)}" if shown.window else ""
    return f"{about}{quantity.meaning}{period}: {limit_text(measure, alert)}"
