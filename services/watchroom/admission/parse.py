"""Bytes to an `Event`, or a refusal that a person understands. Pure: no clock, no I/O.

The usual way is short: one call into pydantic's compiled validator, two or three look-ups for the
time. Only bytes that fail it are looked at again, fault by fault, by `refusal`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from pydantic import ValidationError

from watchroom.admission.models import EVENT
from watchroom.admission.refusal import MOST_BYTES, has_unusual_number, refusal
from watchroom.events.record import Event
from watchroom.events.times import TimeUnusable, to_ms

_NO_DATA: Final[Mapping[str, Any]] = MappingProxyType({})
_validate = EVENT.validator.validate_json
_new = tuple.__new__


def parse(value: bytes) -> Event:
    """The event that these bytes hold.

    Args:
        value: A Kafka record's value: one CloudEvents 1.0 event in structured JSON, UTF-8.

    Returns:
        The event; its data holds the fields that its type names and nothing else (absent, `null`
        and unknown ones are left to the reader's `.get`), all texts, all encodable as UTF-8.

    Raises:
        EventRefused: too_large, bad_json, bad_envelope, unknown_type, bad_time or bad_data.
            Nothing else, whatever the bytes.
    """
    try:
        if len(value) > MOST_BYTES or has_unusual_number(value):
            raise refusal(value)
        fields = _validate(value)
        recorded = fields.get("recordedtime")
        return _new(
            Event,
            (
                fields["type"],
                fields["id"],
                fields["source"],
                fields["subject"],
                to_ms(fields["time"]),
                None if recorded is None else to_ms(recorded),
                fields.get("data") or _NO_DATA,
            ),
        )
    except (ValidationError, TimeUnusable):
        raise refusal(value) from None
