"""Recording rules: figures that several rules or boards use, computed once. Names are level:metric:operations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from watchroom.catalogue.metrics import WAITED_FOR
from watchroom.catalogue.model import Catalogue
from watchroom.generate.rules.shares import share
from watchroom.kinds import quantity_of
from watchroom.kinds.measure import Measure
from watchroom.kinds.queries import FORCE
from watchroom.kinds.shown import Shown

GROUP: Final = "watchroom-recording"
_APPLIED: Final = "watchroom_applied_timestamp_seconds"
_OLDEST: Final = f"min by (force, topic) (max by (force, topic, partition) ({_APPLIED}{{{WAITED_FOR}}}))"

AGES: Final[Mapping[str, str]] = {
    "force:watchroom_applied_timestamp_seconds:age_max": f"time() - min by (force) ({_OLDEST})",
    "force_topic:watchroom_applied_timestamp_seconds:age_max": f"time() - {_OLDEST}",
}
"""Age of the data, by force and by topic. The slowest partition counts."""


def miss_name(measure: Measure, shown: Shown, window: str) -> str:
    """`force_line:watchroom_call_answer_time:miss_ratio_1h`; `live_miss_ratio` if those overdue now count."""
    level = "_".join([FORCE, *shown.where, *([shown.split] if shown.split else [])])
    live = "live_" if quantity_of(measure, shown).misses_overdue else ""
    return f"{level}:watchroom_{measure.id}:{live}miss_ratio_{window}"


def miss_selector(measure: Measure, shown: Shown, window: str) -> str:
    """The selector for the recorded share."""
    match = ",".join(f'{name}="{value}"' for name, value in shown.where.items())
    name = miss_name(measure, shown, window)
    return f"{name}{{{match}}}" if match else name


def group(catalogue: Catalogue) -> dict[str, Any]:
    """The whole group: ages, then for each window of a burn alert the share that misses the target."""
    rules: list[dict[str, Any]] = [{"record": name, "expr": expr} for name, expr in AGES.items()]
    for measure, alert in catalogue.alerts():
        if alert.burn is None:
            continue
        for window in (alert.burn.long, alert.burn.short):
            shown = replace(alert.shown, window=window)
            rule: dict[str, Any] = {
                "record": miss_name(measure, shown, window),
                "expr": f"1 - {share(measure, shown)}",
            }
            if shown.where:
                rule["labels"] = dict(shown.where)
            if rule not in rules:
                rules.append(rule)
    return {"name": GROUP, "rules": rules}
