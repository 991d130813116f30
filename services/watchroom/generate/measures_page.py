"""The measures page: every measure with its definition, clock, labels, target and source."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from watchroom.catalogue.load import load_catalogue
from watchroom.catalogue.metrics import suffixes
from watchroom.kinds import kind_of, names, own_said
from watchroom.kinds.labels import where_text
from watchroom.kinds.measure import Measure, Target
from watchroom.settings import Settings
from watchroom.streams import STREAMS
from watchroom.wording import exact_duration


def text(root: Path) -> str:
    """The file, from `schemas/measures` below the repository's root."""
    areas = Settings.model_fields["areas"].default
    catalogue = load_catalogue(root / "schemas" / "measures", areas)
    lines = [
        "<!-- Derived from the TOML files beside it by `make generate`; do not edit. -->",
        "# The measures",
        "",
        "Each entry of the catalogue is one measure. Times are elapsed UTC time; days and months are those of the",
        "reporting zone. A value that is not listed is counted as `other`. Months: see [ANALYSTS.md](ANALYSTS.md).",
        "",
    ]
    for measure in catalogue.measures.values():
        lines += _entry(measure)
    lines += _words()
    return "\n".join(lines) + "\n"


def _entry(measure: Measure) -> Iterator[str]:
    yield from (f"## {measure.id}", "", f"**{measure.brief}.** {measure.definition}", "")
    kind, streams = kind_of(measure), " and ".join(measure.streams)
    yield f"- kind: {kind.name}, {kind.clock(measure, lambda word: f'`{word}`')}; stream {streams}"
    for label in measure.labels:
        also = "".join(f"; {alias} counts as {value}" for alias, value in label.aliases.items())
        yield f"- label `{label.name}`: {', '.join(label.all_values())}{also}"
    for target in measure.targets:
        yield f"- target: {_target(measure, target)}"
    yield f"- excluded: {measure.display.excludes}"
    for where, share in measure.display.objectives:
        yield f"- objective: {share:.0%} of {where_text(measure, where) or 'all'}"
    yield from (f"- `{said}`" for said in own_said(measure))
    if measure.windows:
        yield f"- windows: {', '.join(measure.windows)}"
    if measure.windows and measure.area_label:
        yield f"- by area in: {', '.join(measure.area_windows) or 'none of these'}; otherwise only as area `all`"
    if measure.give_up_ms:
        limit = exact_duration(measure.give_up_ms / 1000)
        yield f"- given up after {limit}: then counted separately as not closed by the feed"
    metrics = (f"`{names.metric(measure.id, suffix)}`" for suffix in suffixes(measure))
    yield f"- metrics: {', '.join(metrics)}"
    for alert in measure.display.alerts:
        yield f"- alert [{alert.name}](../../deploy/runbooks/{alert.name}.md), a {alert.severity}: {alert.meaning}"
    yield from (f"- source: {measure.source}", "")


def _target(measure: Measure, target: Target) -> str:
    return f"{where_text(measure, target.where) or 'all'} {target.said} ({'<=' if target.inclusive else '<'})"


def _words() -> Iterator[str]:
    yield from ("# The words", "", "The words that an entry may use, by stream.", "")
    for stream, words in STREAMS.items():
        yield from (f"## {stream}", "", f"What is known about one {words.entity}.", "")
        for kind, meanings in (("moment", words.moments), ("value", words.values), ("state", words.states)):
            for word, (meaning, *_) in meanings.items():
                yield f"- {kind} `{word}`: {meaning}"
        yield ""
