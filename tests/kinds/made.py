"""A measure of any kind, and what is stored for one entity under it."""

from __future__ import annotations

from typing import Final, assert_never

from watchroom.kinds import names, open_now
from watchroom.kinds.kind import Contribution, Kind, Reads, Stored
from watchroom.kinds.measure import Condition, Measure, Target
from watchroom.kinds.tokens import bands_of

BEGUN_MS, ENDED_MS, NOW_MS = 10_000, 14_000, 20_000
FACTS: Final = {"begun": BEGUN_MS, "ended": ENDED_MS, "waiting": True, "how": "well"} | {
    "measure": "m", "period": "1970-01", "held_at": BEGUN_MS, "as_at": ENDED_MS, "numerator": "1", "denominator": "2",
}  # fmt: skip
SERIES: Final = "m|"


def measure_of(kind: Kind) -> Measure:
    """A measure without labels that has everything that a kind may need."""
    return Measure(
        "m", kind.name, "made_up", "ended", (), ("1h",), "Made up", "What a test made up.", "A test", start="begun",
        part=Condition({"how": ("well",)}), state="waiting", tokens="how", edges_ms=(10_000, 60_000),
        targets=(Target({}, 60_000, inclusive=False),), give_up_ms=60_000,
        own={key.name: key.example for key in kind.own_keys},
    )  # fmt: skip


def filled(kind: Kind) -> Stored:
    """What is stored for one entity that has begun and ended, as the kind itself contributes it."""
    measure, into = measure_of(kind), Contribution({}, {}, {})
    kind.contribution(measure, SERIES, {})(FACTS, into)
    match kind.reads:
        case Reads.BUCKETS:
            return {names.parse_field(field).field: number for field, (_, number) in into.increments.items()}
        case Reads.OPEN_SET:
            question = open_now.question(measure, SERIES, {})
            return open_now.tile(question, (1, 0, 0, 1, 0), into.open_sets[SERIES], NOW_MS)
        case Reads.TOKENS:
            counts = dict.fromkeys(into.tokens["m"][1], 1)
            return bands_of(counts) if kind.families else counts
        case Reads.FIGURES:
            return {names.parse_field(field).field: number for field, (_, number) in into.increments.items()}
        case Reads.NOTHING:
            return {}
        case _:
            assert_never(kind.reads)
