"""Which streams' measures an expression shows."""

from __future__ import annotations

import re

from watchroom.catalogue.metrics import families
from watchroom.catalogue.model import Catalogue


def streams_of(expression: str, catalogue: Catalogue) -> frozenset[str]:
    """Streams of the measures whose metrics, or recorded metrics, stand in it; none for the platform's."""
    metrics = {f.name: m.streams for m in catalogue.measures.values() for f in families(m)}
    # A recorded name holds the metric between two colons: level:metric:operations.
    words = set(re.findall(r"[a-zA-Z_][a-zA-Z0-9_]*", expression))
    return frozenset(stream for word in words & metrics.keys() for stream in metrics[word])
