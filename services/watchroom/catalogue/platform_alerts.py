"""Alerts on the platform itself: on whatever makes all figures of a force, or of a stream, unfit to use.

The alerts are tables of `schemas/measures/platform_alerts.toml`. Rules, runbooks and the runbook pages of the
exporter are made from them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, ValidationError, ValidationInfo

from watchroom.catalogue.faults import shape_faults
from watchroom.catalogue.metrics import WAITED_FOR
from watchroom.errors import Fault
from watchroom.kinds.shown import Number, Strict

FILE: Final = "platform_alerts.toml"
FRESH_S: Final = 10  # the default of WATCHROOM_FRESH_S: older figures are withheld
PLACEHOLDERS: Final = {"fresh_s": str(FRESH_S), "awaited": WAITED_FOR}
_PLACEHOLDER: Final = re.compile(r"<([a-z_]+)>")
_NAME: Final = re.compile(r"([A-Z][a-z0-9]+)+[0-9]*")


def _substituted(text: str, info: ValidationInfo) -> str:
    """The text with its placeholders replaced by what they stand for."""
    threshold = info.data.get("threshold")
    known = {**PLACEHOLDERS, **({} if threshold is None else {"threshold": f"{threshold:g}"})}
    for name in _PLACEHOLDER.findall(text):
        if name not in known:
            raise ValueError(f"one of {', '.join(f'<{each}>' for each in sorted(known))} instead of <{name}>")
    return _PLACEHOLDER.sub(lambda found: known[found[1]], text).strip()


Text = Annotated[str, Field(min_length=3), AfterValidator(_substituted)]
Seconds = Annotated[int, Field(ge=0)]


class PlatformAlert(Strict, frozen=True):
    """One alert whose number is not that of a measure."""

    severity: Literal["page", "ticket", "none"]
    """`page` alerts somebody at any hour; `ticket` goes to the ticket queue at once, and by email in office hours;
    `none` is for the Watchdog alert alone. Example: `severity = "page"`."""
    threshold: Number | None = None
    """The number that the expression compares with. The expression and the texts refer to it as `<threshold>`.
    Example: `threshold = 20`."""
    expression: Text
    """The condition of the alert, in PromQL. `<fresh_s>` stands for the age in seconds from which figures are withheld,
    and `<awaited>` for the matcher of the topics that figures wait for: all topics except returns.
    Example: `expression = 'max by (force) (watchroom_redis_up) == 0'`."""
    for_s: Seconds
    """How many seconds the expression must hold before the alert fires. Example: `for_s = 15`."""
    keep_s: Seconds
    """How many seconds the alert stays active after the expression stops holding. Example: `keep_s = 60`."""
    limit_s: Seconds
    """The longest time in seconds from the failure until the expression holds. Every alert on a measure that this alert
    mutes must stay active for longer than the sum of `limit_s`, `for_s`, one evaluation interval and Alertmanager's
    group wait. Otherwise a false "resolved" is sent. Example: `limit_s = 15`."""
    mutes: Literal["all", "stream", ""] = ""
    """Which alerts on measures are muted while this alert fires: `all` alerts of the force, those of the `stream` in
    its label, or none if empty. Example: `mutes = "stream"`."""
    summary: Text
    """One line for a phone screen, in Prometheus's template language. It gives the force, the value and the threshold.
    Example: `summary = '{{ $labels.force }}: Redis does not answer ({{ $value }}).'`."""
    meaning: Text
    """What the alert means. Example: `meaning = "No exporter of the force gets an answer from Redis."`."""
    impact: Text
    """What happens if nobody acts. Example: `impact = "No figures are shown."`."""
    action: Annotated[list[Text], Field(min_length=1)]
    """What to do now, one step per text, in order. Example: `action = ["Check that Redis is running."]`."""
    number: Text
    """Where the alert's number comes from. Example: `number = "watchroom_redis_up of the exporter."`."""
    dashboard: str = "watchroom-platform"
    """The board to open, by its uid. Example: `dashboard = "watchroom-returns"`."""


def read_platform_alerts(
    where: str, tables: Iterable[tuple[str, object]], faults: list[Fault]
) -> Iterator[tuple[str, PlatformAlert]]:
    """The alerts by name; what is wrong with the others is appended to `faults`.

    Args:
        where: Their file.
        tables: What it holds.
        faults: Gets one for each key that is wrong, with the page that explains it.
    """
    for name, table in tables:
        if not _NAME.fullmatch(name):
            faults.append(Fault(where, name, repr(name), "capitalised words joined together, for example RedisDown"))
        try:
            yield name, PlatformAlert.model_validate(table)
        except ValidationError as error:
            found = shape_faults(tuple(PlatformAlert.model_fields), where, name, error)
            faults.extend(replace(fault, page=_page(fault)) for fault in found)


def _page(fault: Fault) -> str:
    _, _, key = fault.key.partition(".")
    known = key.partition(".")[0]
    return "docs/reference/catalogue.md" + (f"#platform-alerts-{known}" if known in PlatformAlert.model_fields else "")
