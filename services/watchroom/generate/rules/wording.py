"""What an alert on a measure says: value, counts and definition, in Prometheus's template language.

The counts behind the value are asked for when the text is made (`query` in the template), for the very
force and split of the alert.
"""

from __future__ import annotations

from watchroom.catalogue.model import Catalogue
from watchroom.catalogue.platform_alerts import PlatformAlert
from watchroom.generate import promql
from watchroom.kinds import kind_of, quantity_of
from watchroom.kinds.formatting import length
from watchroom.kinds.kind import Unit
from watchroom.kinds.labels import where_text
from watchroom.kinds.measure import Measure
from watchroom.kinds.queries import FORCE
from watchroom.kinds.shown import Alert, Shown

_VALUE: dict[Unit, str] = {
    Unit.SHARE: "{{ $value | humanizePercentage }}",
    Unit.SECONDS: "{{ $value | humanizeDuration }}",
    Unit.NUMBER: '{{ $value | printf "%.0f" }}',
}


def summary(catalogue: Catalogue, measure: Measure, alert: Alert) -> str:
    """One line: who, what, how much out of how many, from which limit on, and the definition."""
    shown = alert.shown
    of = f", {where_text(measure, shown.where)}" if shown.where else ""
    if alert.burn:
        said = f": {_burn(catalogue, measure, alert)}"
    else:
        period = f" in the last {shown.window}" if shown.window else ""
        counts = _counts(catalogue, measure, shown)
        said = (
            f", {_word(measure, shown)}{period}: {_value(measure, shown)} ({counts}threshold: {_limit(measure, alert)})"
        )
    held = f"{measure.brief}{of}: fired before its data was lost; the current value is unknown"
    # NaN is not equal to itself: the alert is held while its feed is dead (see alerts.expression).
    what = f"{{{{ if eq $value $value }}}}{measure.brief}{of}{said}{{{{ else }}}}{held}{{{{ end }}}}"
    return f"{_who(shown)}: {what}. {measure.definition}"


def description(alert: Alert | PlatformAlert) -> str:
    """Meaning, impact and everything to do: a telephone may not reach the runbook."""
    steps = " ".join(f"({place}) {step}" for place, step in enumerate(alert.action, start=1))
    return f"{alert.meaning} {alert.impact} Now: {steps}"


def number(unit: Unit, value: float) -> str:
    """A limit as people write it: 60%, 120 s, 8."""
    if unit is Unit.SHARE:
        return f"{value * 100:.4g}%"
    return length(value) if unit is Unit.SECONDS else f"{value:g}"


def target_text(measure: Measure, shown: Shown) -> str:
    """`below 10 s`, where the shown label values have one target; else `in time`."""
    target = None if shown.split else measure.target_for(shown.where)
    if target is None:
        return "in time"
    return target.said


def missed_too(measure: Measure, shown: Shown) -> str:
    """Who counts as missed in addition to those of the window."""
    return " (those overdue now count as missed)" if quantity_of(measure, shown).misses_overdue else ""


def _who(shown: Shown) -> str:
    split = f", {shown.split} {{{{ $labels.{shown.split} }}}}" if shown.split else ""
    return f"{{{{ $labels.force }}}}{split}"


def _word(measure: Measure, shown: Shown) -> str:
    quantity = quantity_of(measure, shown)
    if quantity.is_met_share:
        return f"share {target_text(measure, shown)}{missed_too(measure, shown)}"
    return quantity.meaning


def _value(measure: Measure, shown: Shown) -> str:
    return _VALUE[quantity_of(measure, shown).unit]


def _limit(measure: Measure, alert: Alert) -> str:
    unit = quantity_of(measure, alert.shown).unit
    if alert.above is not None:
        return f"above {number(unit, alert.above)}"
    return f"below {number(unit, alert.below or 0)}"


def _counts(catalogue: Catalogue, measure: Measure, shown: Shown) -> str:
    if quantity_of(measure, shown).counts:
        part, whole = promql.counts(catalogue, measure, shown, _same(shown))
        return f"{_asked(part, shown)} of {_asked(whole, shown)}; "
    kind = kind_of(measure)
    if not kind.rests_on or shown.what == kind.base:
        return ""
    return f"{kind.rests_on.format(_asked(promql.base(measure, shown, _same(shown)), shown))}; "


def _burn(catalogue: Catalogue, measure: Measure, alert: Alert) -> str:
    burn, shown = alert.burn, alert.shown
    if burn is None:
        return ""
    part, whole = promql.counts(catalogue, measure, shown, _same(shown))
    limit = number(Unit.SHARE, burn.miss_limit)
    return (
        f"{_asked(part, shown)} of {_asked(whole, shown)} {target_text(measure, shown)} in the last {burn.long}"
        f"{missed_too(measure, shown)}; "
        f"{_VALUE[Unit.SHARE]} missed the target (threshold: above {limit} over {burn.long} and over {burn.short})"
    )


def _same(shown: Shown) -> list[str]:
    """Matchers that take the alert's own force and split; `%[1]q` is filled in by the template's printf."""
    names = [FORCE, *([shown.split] if shown.split else [])]
    return [f"{name}=%[{place}]q" for place, name in enumerate(names, start=1)]


def _asked(query: str, shown: Shown) -> str:
    """A template that asks Prometheus and prints the whole number it answers."""
    labels = " ".join(f"$labels.{name}" for name in [FORCE, *([shown.split] if shown.split else [])])
    ask = f"printf `{query}` {labels} | query"
    return f'{{{{ with {ask} }}}}{{{{ . | first | value | printf "%.0f" }}}}{{{{ else }}}}no{{{{ end }}}}'
