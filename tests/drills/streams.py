"""Which streams' measures an expression shows."""

from __future__ import annotations

import re

from watchroom.catalogue.metrics import families
from watchroom.catalogue.model import Catalogue


def streams_of(expression: str, catalogue: Catalogue) -> frozenset[str]:
    """Streams of the measures whose metrics, rows, tiles or recorded metrics it queries; none for platform metrics."""
    metrics = {f.name: m.streams for m in catalogue.measures.values() for f in families(m)}
    metrics |= {measure.id: measure.streams for measure in catalogue.measures.values()}
    metrics |= {tile.title: measure.streams for measure, tile in catalogue.tiles()}
    # A recorded name holds the metric between two colons: level:metric:operations.
    names = {*re.findall(r"[a-zA-Z_][a-zA-Z0-9_]*", re.sub(r'"[^"]*"', "", expression))}
    names |= {*re.findall(r'(?:measure|tile)="([^"]*)"', expression)}
    return frozenset(stream for name in names & metrics.keys() for stream in metrics[name])
