"""The shares that alerts read, in PromQL: part and whole always come from the same exporter.

`watchroom_share_part / watchroom_share_whole` matches all labels, `instance` among them. Two exporters may differ for a
moment: the higher share is taken, as on the boards, with its own counts.
"""

from __future__ import annotations

from collections.abc import Sequence

from watchroom.catalogue.shares import PART, WHOLE, labels
from watchroom.generate.promql import Counts
from watchroom.kinds.measure import Measure
from watchroom.kinds.queries import FORCE
from watchroom.kinds.shown import Shown


def labels_kept(shown: Shown) -> list[str]:
    """The labels of the alert that its expression keeps: the force and the split."""
    return [FORCE, *([shown.split] if shown.split else [])]


def share(measure: Measure, shown: Shown) -> str:
    """The share; NaN of nothing."""
    return f"max by ({_by(shown)}) ({_ratio(measure, shown)})"


def whole(measure: Measure, shown: Shown) -> str:
    """How many entities it rests on; absent while the measure is not published."""
    return f"max by ({_by(shown)}) ({WHOLE}{{{_match(measure, shown)}}})"


def counts(measure: Measure, shown: Shown, more: Sequence[str] = ()) -> Counts:
    """The counts of the share that `share` takes.

    Args:
        measure: The entry.
        shown: A share of it.
        more: Further matchers as PromQL writes them, for example `force="county"`.
    """
    by = _by(shown)
    taken = f"topk by ({by}) (1, {_ratio(measure, shown, more)})"
    return Counts(*(f"max by ({by}) ({name} and {taken})" for name in (PART, WHOLE)))


def _ratio(measure: Measure, shown: Shown, more: Sequence[str] = ()) -> str:
    return f"{PART}{{{_match(measure, shown, more)}}} / {WHOLE}"


def _match(measure: Measure, shown: Shown, more: Sequence[str] = ()) -> str:
    exact = [f'{name}="{value}"' for name, value in labels(measure, shown).items() if name != shown.split]
    split = [f'{shown.split}!=""'] if shown.split else []
    named = {*shown.where, shown.split}
    others = [f'{label.name}=""' for label in measure.labels if label.name not in named]
    return ",".join(sorted([*exact, *split, *others, *more]))  # as Prometheus prints them: the doctor compares


def _by(shown: Shown) -> str:
    return ", ".join(labels_kept(shown))
