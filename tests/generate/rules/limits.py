"""Which alert outlasts which.

An alert on a measure loses its number when the feed, a worker, Redis or the exporter dies. It is kept
(`keep_firing_for`) until the alert that says so has fired and mutes it in Alertmanager.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from watchroom.catalogue.model import Catalogue
from watchroom.catalogue.platform_alerts import PlatformAlert

SCRAPE_S: Final = 5  # prometheus.yml; a test compares
EVALUATION_S: Final = 5  # prometheus.yml; a test compares
GROUP_WAIT_S: Final = 10  # of pages in alertmanager.yml; a test compares


def muted_after_s(alert: PlatformAlert, divide_by: float = 1) -> float:
    """Longest time from the failure until this alert has reached Alertmanager and mutes others there.

    Limits within expressions are never divided; `for` and the group wait of a drill are.
    """
    return alert.limit_s + EVALUATION_S + (alert.for_s + GROUP_WAIT_S) / divide_by


def false_ends(catalogue: Catalogue, divide_by: float = 1) -> Iterator[str]:
    """Alerts on measures that would be reported as resolved before the alert that mutes them fires.

    With a drill's `divide_by`, which of them a drill cannot show: its kept times are divided, limits are not.
    """
    muting = [(name, each) for name, each in catalogue.platform_alerts.items() if each.mutes]
    for _, alert in catalogue.alerts():
        for name, each in muting:
            kept_s, needed_s = alert.keep_s / divide_by, muted_after_s(each, divide_by)
            if kept_s <= needed_s:
                yield f"{alert.name} is kept {kept_s:g} s; {name} mutes it after {needed_s:g} s at most"
