"""The texts of an alert on a measure: value, counts and definition, in the template language of Prometheus.

The counts behind the value are queried when the text is made (`query` in the template), for the force and split of the
alert.
"""

from __future__ import annotations

from watchroom.catalogue.formatting import window_text
from watchroom.catalogue.platform_alerts import PlatformAlert
from watchroom.generate import promql
from watchroom.generate.rules import shares
from watchroom.generate.rules.shares import labels_kept
from watchroom.kinds import kind_of, quantity_of
from watchroom.kinds.kind import Unit
from watchroom.kinds.labels import where_text
from watchroom.kinds.measure import Measure
from watchroom.kinds.shown import Alert, Burn, Shown
from watchroom.wording import exact_duration

_VALUE: dict[Unit, str] = {
    Unit.SHARE: "{{ $value | humanizePercentage }}",
    Unit.SECONDS: "{{ $value | humanizeDuration }}",
    Unit.NUMBER: '{{ $value | printf "%.0f" }}',
}


def summary(measure: Measure, alert: Alert) -> str:
    """One line: force, measure, value, counts, threshold and definition."""
    shown = alert.shown
    split = f", {shown.split} {{{{ $labels.{shown.split} }}}}" if shown.split else ""
    where = f", {where_text(measure, shown.where)}" if shown.where else ""
    firing = _burn(measure, shown, alert.burn) if alert.burn else _threshold(measure, alert)
    lost = ": fired before its data was lost; the current value is unknown"
    # NaN is not equal to itself: the alert is held while its feed is dead (see alerts.expression).
    return (
        f"{{{{ $labels.force }}}}{split}: {measure.brief}{where}"
        f"{{{{ if eq $value $value }}}}{firing}{{{{ else }}}}{lost}{{{{ end }}}}. {measure.definition}"
    )


def description(alert: Alert | PlatformAlert) -> str:
    """Meaning, impact and every step: the runbook may not be reachable from a telephone."""
    steps = " ".join(f"({number}) {step}" for number, step in enumerate(alert.action, start=1))
    return f"{alert.meaning} {alert.impact} Now: {steps}"


def number(unit: Unit, value: float) -> str:
    """A limit in words: 60%, 120 s, 8."""
    if unit is Unit.SHARE:
        return f"{value * 100:.4g}%"
    return exact_duration(value) if unit is Unit.SECONDS else f"{value:g}"


def target_text(measure: Measure, shown: Shown) -> str:
    """`below 10 s` if the shown label values have a single target, otherwise `in time`."""
    target = None if shown.split else measure.target_for(shown.where)
    return target.said if target else "in time"


def missed_too(measure: Measure, shown: Shown) -> str:
    """Which entities count as missed in addition to those of the window."""
    return " (those overdue now count as missed)" if quantity_of(measure, shown).misses_overdue else ""


def limit_text(measure: Measure, alert: Alert) -> str:
    """`above 60%`."""
    unit = quantity_of(measure, alert.shown).unit
    if alert.above is not None:
        return f"above {number(unit, alert.above)}"
    return f"below {number(unit, alert.below or 0)}"


def _threshold(measure: Measure, alert: Alert) -> str:
    shown, quantity = alert.shown, quantity_of(measure, alert.shown)
    name = quantity.meaning
    if quantity.is_met_share:
        name = f"share {target_text(measure, shown)}{missed_too(measure, shown)}"
    period = f", {window_text(shown.window)}" if shown.window else ""
    counts = _counts(measure, shown)
    return f", {name}{period}: {_VALUE[quantity.unit]} ({counts}threshold: {limit_text(measure, alert)})"


def _counts(measure: Measure, shown: Shown) -> str:
    if quantity_of(measure, shown).counts:
        return f"{_part_of_whole(measure, shown)}; "
    kind = kind_of(measure)
    if not kind.rests_on or shown.what == kind.base:
        return ""
    return f"{kind.rests_on.format(_number_of(promql.base(measure, shown, _same(shown)), shown))}; "


def _burn(measure: Measure, shown: Shown, burn: Burn) -> str:
    limit = number(Unit.SHARE, burn.miss_limit)
    return (
        f": {_part_of_whole(measure, shown)} {target_text(measure, shown)}, {window_text(burn.long)}"
        f"{missed_too(measure, shown)}; {_VALUE[Unit.SHARE]} missed the target "
        f"(threshold: above {limit}, {window_text(burn.long)} and {window_text(burn.short)})"
    )


def _part_of_whole(measure: Measure, shown: Shown) -> str:
    part, whole = shares.counts(measure, shown, _same(shown))
    return f"{_number_of(part, shown)} of {_number_of(whole, shown)}"


def _same(shown: Shown) -> list[str]:
    """Matchers for the alert's own force and split; printf in the template replaces `%[1]q`."""
    return [f"{name}=%[{number}]q" for number, name in enumerate(labels_kept(shown), start=1)]


def _number_of(query: str, shown: Shown) -> str:
    """A template that queries Prometheus and prints the answer as a whole number."""
    labels = " ".join(f"$labels.{name}" for name in labels_kept(shown))
    found = '{{ . | first | value | printf "%.0f" }}'
    return f"{{{{ with printf `{query}` {labels} | query }}}}{found}{{{{ else }}}}no{{{{ end }}}}"
