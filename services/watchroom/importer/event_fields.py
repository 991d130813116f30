"""The event types that a mapping can give, their streams and the fields of their data.

Read from the event models, so that a new type or field can be mapped at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NotRequired, get_args, get_origin, get_type_hints

from watchroom.admission.models import STREAM_OF, data_fields, data_model


def _required(kind: str) -> frozenset[str]:
    data = data_model(kind)
    hints = get_type_hints(data, include_extras=True) if data is not None else {}
    return frozenset(name for name, hint in hints.items() if get_origin(hint) is not NotRequired)


def _truths(kind: str) -> frozenset[str]:
    data = data_model(kind)
    hints = get_type_hints(data) if data is not None else {}
    return frozenset(name for name, hint in hints.items() if bool in (hint, *get_args(hint)))


DATA_FIELDS: Mapping[str, frozenset[str]] = {kind: frozenset(data_fields(kind)) for kind in STREAM_OF}
"""Type -> every field of its data."""
REQUIRED_FIELDS: Mapping[str, frozenset[str]] = {kind: _required(kind) for kind in STREAM_OF}
"""Type -> the fields its data must have."""

TRUTH_FIELDS: Mapping[str, frozenset[str]] = {kind: _truths(kind) for kind in STREAM_OF}
"""Type -> the fields of its data that are true or false."""

__all__ = ["DATA_FIELDS", "REQUIRED_FIELDS", "STREAM_OF", "TRUTH_FIELDS"]
