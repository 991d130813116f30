"""How far each stream is applied, for a person. Months are printed even if they are old, together with this."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple
from zoneinfo import ZoneInfo

from watchroom.catalogue.formatting import NOT_FED, clock
from watchroom.settings import Settings
from watchroom.store.freshness import Age, age_of
from watchroom.wording import duration

PATTERN = "%Y-%m-%d %H:%M:%S %Z"  # 2021-12-01 10:00:00 GMT


class Line(NamedTuple):
    """One stream's."""

    text: str
    is_fresh: bool


def freshness(as_of: Mapping[str, int | None], settings: Settings, now_ms: int) -> Iterator[Line]:
    """A line for each stream; a word in capitals where its figures are not up to date.

    After a force has stopped feeding a stream, its months keep what it sent. Its figures then do not become old.

    Args:
        as_of: By stream: ms since the epoch of its slowest partition; None: one of them has none.
        settings: Zone, and how old is still fresh.
        now_ms: The wall clock.
    """
    zone = ZoneInfo(settings.zone)
    for stream, at_ms in as_of.items():
        is_fed = stream in settings.streams
        name = f"{stream}:" if is_fed else f"{stream}: {NOT_FED},"
        if at_ms is None:
            yield Line(f"{name} progress UNKNOWN: no worker has applied every partition", is_fresh=False)
            continue
        age = age_of(at_ms, now_ms, settings.fresh_s * 1000)
        said = f"applied up to {clock(at_ms, zone, PATTERN)}"
        if age is Age.FRESH or not is_fed:
            yield Line(f"{name} {said}", is_fresh=True)
        elif age is Age.OLD:
            ago = duration((now_ms - at_ms) / 1000)
            yield Line(f"{name} OLD, {said}, {ago} ago: later events are missing", is_fresh=False)
        else:
            yield Line(f"{name} progress UNKNOWN: {said}, which is in the future; check the clocks", is_fresh=False)
