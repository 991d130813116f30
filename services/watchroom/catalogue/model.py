"""The checked catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from watchroom.catalogue.areas import Areas
from watchroom.kinds.measure import Measure
from watchroom.kinds.shown import Alert, Tile

if TYPE_CHECKING:  # its metrics ask for a catalogue
    from watchroom.catalogue.platform_alerts import PlatformAlert


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All measures, by id in file order."""

    measures: Mapping[str, Measure]
    areas: Areas = field(default_factory=lambda: Areas(()))  # the values of labels for areas, and their groups
    platform_alerts: Mapping[str, PlatformAlert] = field(default_factory=dict)  # by name

    def of_stream(self, stream: str) -> tuple[Measure, ...]:
        """The measures that events of this stream contribute to; no sums, which have no events of their own."""
        return tuple(m for m in self.measures.values() if m.stream == stream and not m.sum_of)

    def witnesses(self, measure: Measure) -> tuple[frozenset[str], ...]:
        """For each stream of a measure, the ids of all its measures: data in any of them proves a feed."""
        return tuple(frozenset(each.id for each in self.of_stream(stream)) for stream in measure.streams)

    def tiles(self) -> list[tuple[Measure, Tile]]:
        """The wall, in its order."""
        found = [(measure, tile) for measure in self.measures.values() for tile in measure.display.tiles]
        return sorted(found, key=lambda pair: pair[1].place)

    def alerts(self) -> list[tuple[Measure, Alert]]:
        """Every alert on a measure."""
        return [(measure, alert) for measure in self.measures.values() for alert in measure.display.alerts]
