"""The measures page: every measure with its definition, clock, labels, target and source."""

from __future__ import annotations

from collections.abc import Iterator

from watchroom.catalogue.metrics import suffixes
from watchroom.catalogue.model import Catalogue
from watchroom.generate.pages import page
from watchroom.kinds import kind_of, names, own_said
from watchroom.kinds.labels import where_text
from watchroom.kinds.measure import Measure, Target
from watchroom.streams import STREAMS
from watchroom.wording import exact_duration


def text(catalogue: Catalogue) -> str:
    """The file."""
    measures = [(measure, list(_facts(measure))) for measure in catalogue.measures.values()]
    return page("measures.md", measures=measures, streams=STREAMS)


def _facts(measure: Measure) -> Iterator[str]:
    kind, streams = kind_of(measure), " and ".join(measure.streams)
    yield f"kind: {kind.name}, {kind.clock(measure, lambda word: f'`{word}`')}; stream {streams}"
    for label in measure.labels:
        also = "".join(f"; {alias} counts as {value}" for alias, value in label.aliases.items())
        yield f"label `{label.name}`: {', '.join(label.all_values())}{also}"
    for target in measure.targets:
        yield f"target: {_target(measure, target)}"
    yield f"excluded: {measure.display.excludes}"
    for where, share in measure.display.objectives:
        yield f"objective: {share:.0%} of {where_text(measure, where) or 'all'}"
    yield from (f"`{said}`" for said in own_said(measure))
    if measure.windows:
        yield f"windows: {', '.join(measure.windows)}"
    if measure.windows and measure.area_label:
        yield f"by area in: {', '.join(measure.area_windows) or 'none of these'}; otherwise only as area `all`"
    if measure.give_up_ms:
        limit = exact_duration(measure.give_up_ms / 1000)
        yield f"no longer counted after {limit}; then counted separately as not closed by the feed"
    metrics = (f"`{names.metric(measure.id, suffix)}`" for suffix in suffixes(measure))
    yield f"metrics: {', '.join(metrics)}"
    for alert in measure.display.alerts:
        yield f"alert [{alert.name}](../../deploy/runbooks/{alert.name}.md), a {alert.severity}: {alert.meaning}"
    yield f"source: {measure.source}"


def _target(measure: Measure, target: Target) -> str:
    return f"{where_text(measure, target.where) or 'all'} {target.said} ({'<=' if target.inclusive else '<'})"
