"""The words on a panel: all from the catalogue, so that a board and the measures page say the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from watchroom.catalogue.formatting import exact_text
from watchroom.generate.boards.states import Limits
from watchroom.kinds import kind_of, quantity_of
from watchroom.kinds.kind import Unit
from watchroom.kinds.labels import capital, title_of, where_titles
from watchroom.kinds.measure import Label, Measure, Target
from watchroom.kinds.shown import Tile
from watchroom.streams import STREAMS

NO_LIMITS = "none"
NOTHING = "NONE: nothing to measure. NO DATA: not published; the health page says why."


def column(label: Label) -> str:
    """Title of a label's column."""
    return capital(title_of(label))


def measure_card(measure: Measure, threshold: str = NO_LIMITS, also: Sequence[str] = ()) -> str:
    """A panel's description: definition, clock, exclusions, target, threshold, source."""
    lines = [
        f"**Definition.** {measure.definition}",
        f"**Clock.** {clock(measure)}",
        f"**Excludes.** {_sentence(measure.display.excludes)}",
        f"**Target.** {targets(measure)}",
        f"**Threshold.** {_sentence(threshold)}",
        *also,
        NOTHING,
        f"**Source.** {_sentence(measure.source)} Measure `{measure.id}`.",
    ]
    return "\n\n".join(lines)


def platform_card(text: str, threshold: str = NO_LIMITS) -> str:
    """The same for a panel of the platform itself."""
    return "\n\n".join([text, f"**Threshold.** {_sentence(threshold)}"])


def clock(measure: Measure) -> str:
    """How the measure is placed in time."""
    words = STREAMS[measure.stream].vocabulary
    return _sentence(kind_of(measure).clock(measure, lambda word: f"`{word}` ({words[word].meaning})"))


def targets(measure: Measure) -> str:
    """Targets with their objectives, or that there are none."""
    if not measure.targets:
        return "None set."
    return _sentence("; ".join(_target(measure, target) for target in measure.targets))


def limits(measure: Measure, tile: Tile) -> Limits | None:
    """The limits of a tile; None without any."""
    if tile.warning is None or tile.critical is None:
        return None
    quantity = quantity_of(measure, tile.shown)
    warning_text = "LOW" if tile.low_is_bad else quantity.warning_text
    return Limits(tile.warning, tile.critical, warning_text, quantity.critical_text)


def limits_text(found: Limits | None, unit: Unit, only_for: Mapping[str, str] | None = None) -> str:
    """`HIGH from 10 s, CRITICAL from 10 min`; `only_for`: only under these label values."""
    if found is None:
        return NO_LIMITS
    if only_for:
        only = ", ".join(f"{name} {value}" for name, value in only_for.items())
        return f"only for {only}: {limits_text(found, unit)}"
    side = "below" if found.is_low_bad else "from"
    warning, critical = (exact_text(limit, unit) for limit in (found.warning, found.critical))
    second = "in a different colour" if found.warning_text == found.critical_text else found.critical_text
    return f"{found.warning_text} {side} {warning}, {second} {side} {critical}"


def _target(measure: Measure, target: Target) -> str:
    edge = f"{where_titles(measure, target.where) or 'All'} {target.said}"
    share = measure.display.objective_for(target.where)
    return edge if share is None else f"{edge} for at least {share:g} ({share:.0%})"


def _sentence(text: str) -> str:
    said = capital(text)
    return said if said.endswith(".") else f"{said}."
