"""Turns bytes into an `Event`, or into a refusal that a person understands. Pure: no clock, no I/O.

Usually this takes one call of pydantic's compiled validator and two or three look-ups for the time. Only bytes that
fail are examined again: first without the optional fields whose form does not matter (`LOOSE`), then fault by fault, by
`refusal`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import from_json

from watchroom.admission.models import EVENT, LOOSE_FIELDS
from watchroom.admission.refusal import MOST_BYTES, has_unusual_number, refusal
from watchroom.admission.wrapped import event_in_data
from watchroom.events.record import Event
from watchroom.events.times import TimeUnusable, to_ms

_NO_DATA: Final[Mapping[str, Any]] = MappingProxyType({})
_validate = EVENT.validator.validate_json
_new = tuple.__new__


def parse(value: bytes) -> Event:
    """Return the event in these bytes.

    Args:
        value: A Kafka record's value: one CloudEvents 1.0 event in structured JSON, UTF-8.

    Returns:
        The event. Its data has only fields that its type names; absent and `null` ones are left to the reader's `.get`.
        All texts can be encoded as UTF-8. Loose fields of an invalid form are absent, and named in `ignored`.

    Raises:
        EventRefused: raw_identifier, too_large, bad_json, bad_envelope, unknown_type, bad_time or bad_data.
            No other error, whatever the bytes.
    """
    if len(value) > MOST_BYTES or has_unusual_number(value):
        raise refusal(value)
    ignored: tuple[str, ...] = ()
    try:
        fields = _validate(value)
    except ValidationError as error:
        fields, ignored = _without_ignorable(value, error)
    recorded = fields.get("recordedtime")
    try:
        return _new(
            Event,
            (
                fields["type"],
                fields["id"],
                fields["source"],
                fields["subject"],
                to_ms(fields["time"]),
                None if recorded is None else to_ms(recorded),
                fields.get("data") or _no_data(value),
                ignored,
            ),
        )
    except TimeUnusable:
        raise refusal(value) from None


def _no_data(value: bytes) -> Mapping[str, Any]:
    """The data of an event without any known field. Raises EventRefused if it contains a whole event.

    Only events without data pay for this check. Whatever the form of the event inside, it has a `specversion` too.
    """
    if value.count(b"specversion") > 1 and event_in_data(from_json(value)):
        raise refusal(value)
    return _NO_DATA


def _without_ignorable(value: bytes, error: ValidationError) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The fields of an event without those that can be ignored, and the names of the ignored ones.

    Raises:
        EventRefused: Something else is wrong.
    """
    if ignored := _ignorable(error):
        fields = from_json(value)
        for field in ignored:
            del fields["data"][field]
        try:
            return EVENT.validate_python(fields), ignored
        except ValidationError:
            pass  # by a check of the whole, which runs only if each part is valid
    raise refusal(value) from None


def _ignorable(error: ValidationError) -> tuple[str, ...]:
    """The invalid loose fields, sorted; empty if anything else is wrong too."""
    found = set()
    for item in error.errors(include_url=False, include_context=False, include_input=False):
        kind, data, field = (*map(str, item["loc"][:3]), "", "", "")[:3]  # anything deeper is inside the field
        if data != "data" or field not in LOOSE_FIELDS.get(kind, ()):
            return ()
        found.add(field)
    return tuple(sorted(found))
