"""Catalogue words to PromQL: what a tile, panel or alert asks Prometheus for.

Every gauge is first taken once (`max by` its labels: a second exporter may run), then added up. The
target label `force` stays on everything, so that one force's outage cannot mute another's. A share, mean
or percentile of nothing is NaN ("NONE"), a measure that is not published is no series at all ("NO DATA");
the longest wait of an empty queue is 0 s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from watchroom.catalogue import names
from watchroom.catalogue.model import Catalogue, Measure
from watchroom.catalogue.shown import PERCENTILES, WITH_COUNTS, Shown

FORCE = "force"  # label that prometheus.yml gives every target


class Counts(NamedTuple):
    """The two counts behind a share: "17 of 21"."""

    part: str
    whole: str


def expression(catalogue: Catalogue, measure: Measure, shown: Shown, more: Sequence[str] = ()) -> str:
    """The instant query of one shown number; the result's labels are `force` and the split.

    Args:
        catalogue: Knows the open measure behind `live_within`.
        measure: The entry.
        shown: What is asked for.
        more: Further matchers as PromQL writes them, for example `force=~"$force"`.
    """
    if shown.what in WITH_COUNTS:
        part, whole = counts(catalogue, measure, shown, more)
        # Where `part` is not published the whole is 0, and 0 / 0 says so.
        return f"({part}) / ({whole})" if measure.kind == "duration" else f"(({part}) or ({whole})) / ({whole})"
    return _number(_Asking(measure, shown, more), shown.what)


def rest(catalogue: Catalogue, measure: Measure, shown: Shown, more: Sequence[str] = ()) -> str:
    """One number over all values of the split that are not listed: an ungraded incident may be an emergency."""
    label = next(label for label in measure.labels if label.name == shown.split)
    unlisted = "|".join(dict.fromkeys((label.absent, label.other)))
    return expression(catalogue, measure, replace(shown, split="", rest=False), (*more, f'{label.name}=~"{unlisted}"'))


def _number(ask: _Asking, what: str) -> str:
    observed = ask.total("observations")
    if what == "mean" and not ask.is_one_series:
        seconds = f"sum by ({ask.by}) ({ask.once('mean_seconds')} * {ask.once('observations')})"
        return f"({seconds} or {observed}) / {observed}"
    if what == "mean" or what in PERCENTILES:
        percentile = {"p": PERCENTILES[what]} if what in PERCENTILES else {}
        of_some = ask.total("percentile_seconds" if percentile else "mean_seconds", percentile)
        return f"{of_some} or {observed} / {observed}"  # of nothing: 0 / 0
    if what == "part":
        return f"{ask.total('part')} or {ask.total('whole')}"  # of an empty whole: 0
    if what == "oldest":
        # A split value may be empty while another is not: `or` fills in each of them.
        return f"max by ({ask.by}) ({ask.selector('oldest_seconds')}) or ({ask.total('')} == 0)"
    if what.startswith("due_"):
        return ask.total("due", {"within": what.removeprefix("due_")})
    return ask.total({"number": "", "open": ""}.get(what, what))


def counts(catalogue: Catalogue, measure: Measure, shown: Shown, more: Sequence[str] = ()) -> Counts:
    """The counts behind a share; `live_within` adds what is overdue now to the whole."""
    ask = _Asking(measure, shown, more)
    if measure.kind == "share":
        return Counts(ask.total("part"), ask.total("whole"))
    # Only where there is a target: `within` is absent elsewhere, and so must the whole be.
    both = f"sum by ({ask.by}) ({ask.once('observations')} and {ask.once('within')})"
    whole = ask.total("observations") if ask.is_one_series else both
    if shown.what == "live_within":
        other = catalogue.measures[measure.display.overdue_from]
        late = _Asking(other, replace(shown, what="overdue", window=""), more)
        whole = f"{whole} + {late.total('overdue')}"
    return Counts(ask.total("within"), whole)


def base(measure: Measure, shown: Shown, more: Sequence[str] = ()) -> str:
    """How many entities a figure rests on: of the whole, of the observations, or open now."""
    ask = _Asking(measure, shown, more)
    suffix = {"share": "whole", "duration": "observations", "open": "", "count": ""}[measure.kind]
    return ask.total(suffix)


def local_hour(measure: Measure, where: Mapping[str, str], split: str, weeks: str, more: Sequence[str] = ()) -> str:
    """A baseline: the last complete local hour (`weeks` "0") or the past ones ("[1-6]"), by week."""
    ask = _Asking(measure, Shown("number", where, "", split), (f'weeks_ago=~"{weeks}"', *more))
    once = f"max by ({', '.join(['force', 'weeks_ago', *(label.name for label in measure.labels)])})"
    return f"sum by ({ask.by}, weeks_ago) ({once} ({ask.selector('local_hour')}))"


class _Asking:
    """One question in parts."""

    def __init__(self, measure: Measure, shown: Shown, more: Sequence[str]) -> None:
        self._measure = measure
        month = ["month"] if shown.window == "month" else []  # months are never added up
        self._labels = [FORCE, *(label.name for label in measure.labels), *month]
        exact = {**shown.where, **({"window": shown.window} if shown.window else {})}
        split = [label for label in measure.labels if label.name == shown.split and not shown.unlisted]
        listed = [f'{label.name}!~"{label.absent}|{label.other}"' for label in split]
        self._match = [*more, *(f'{name}="{value}"' for name, value in exact.items()), *listed]
        self.by = ", ".join([FORCE, *([shown.split] if shown.split else []), *month])
        self.is_one_series = {*shown.where, shown.split} >= {label.name for label in measure.labels}

    def selector(self, suffix: str, also: Mapping[str, str] | None = None) -> str:
        """`watchroom_x{line="999",window="5m"}`."""
        match = ",".join([*self._match, *(f'{name}="{value}"' for name, value in (also or {}).items())])
        name = names.metric(self._measure.id, suffix)
        return f"{name}{{{match}}}" if match else name

    def once(self, suffix: str, also: Mapping[str, str] | None = None) -> str:
        """Each series once, however many exporters publish it."""
        return f"max by ({', '.join(self._labels)}) ({self.selector(suffix, also)})"

    def total(self, suffix: str, also: Mapping[str, str] | None = None) -> str:
        """Added up over what is neither matched nor split."""
        if self.is_one_series:
            return f"max by ({self.by}) ({self.selector(suffix, also)})"
        return f"sum by ({self.by}) ({self.once(suffix, also)})"
