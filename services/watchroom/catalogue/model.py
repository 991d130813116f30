"""All entries of the catalogue, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from watchroom.catalogue.areas import Areas
from watchroom.kinds.measure import Measure
from watchroom.kinds.shown import Alert, Tile


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All measures, by id in file order."""

    measures: Mapping[str, Measure]
    areas: Areas = field(default_factory=lambda: Areas(()))  # the values behind labels of areas, and their groups

    def of_stream(self, stream: str) -> tuple[Measure, ...]:
        """The measures that events of this stream feed."""
        return tuple(m for m in self.measures.values() if m.stream == stream)

    def tiles(self) -> list[tuple[Measure, Tile]]:
        """The wall, in its order."""
        found = [(measure, tile) for measure in self.measures.values() for tile in measure.display.tiles]
        return sorted(found, key=lambda pair: pair[1].place)

    def alerts(self) -> list[tuple[Measure, Alert]]:
        """Every alert on a measure."""
        return [(measure, alert) for measure in self.measures.values() for alert in measure.display.alerts]
