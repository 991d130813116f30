"""Says what is wrong with bytes that are not a valid event: the first reason, with all its faults.

Runs only for bytes that `parse` refused, so it need not be fast. It checks in the order of `reasons`, and says what was
found and what to write instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, from_json

from watchroom.admission.models import EVENT, MODELS, PROSE_FIELDS
from watchroom.admission.raw_identifiers import raw_identifier
from watchroom.admission.wrapped import event_in_data, event_inside, not_an_object, not_json, parsed, text_in_text
from watchroom.errors import EventRefused
from watchroom.events import reasons
from watchroom.events.envelope import Envelope
from watchroom.events.messages import MOST_SHOWN, shown
from watchroom.events.times import WRITE, TimeUnusable, to_ms, unit_since_1970
from watchroom.events.tokens import FIELDS
from watchroom.rolling.periods import WRITE as A_PERIOD
from watchroom.streams.returns import AS_AT

MOST_BYTES: Final = 262_144
"""256 KiB; topics accept 1 MiB, so that a dead letter still fits with its headers."""

_TIMES: Final = ("time", "recordedtime")
_BASE64: Final = "data_base64"
_ENVELOPE: Final = TypeAdapter(Envelope)
_KINDS: Final = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", type(None): "null"}
_WRITE: Final = {
    "specversion": '"1.0" (CloudEvents)',
    "id": "the id that the source gave the event",
    "source": "the name of the system that sends the event",
    "subject": "the call, contact, incident or crime that the event is about",
    "type": 'a type such as "call.queued" (schemas/events/README.md lists them all)',
    "data": "an object",
    _BASE64: "the data as a JSON object in `data`",
    "data.as_at": AS_AT,
    "data.period": A_PERIOD,
    "data.numerator": "the number, or send return.withdrawn to withdraw the figure",
    "time": WRITE,
    **{f"data.{name}": "a token, <key id>.<26 characters>" for name in FIELDS},
}


def has_unusual_number(value: bytes) -> bool:
    """Whether NaN or Infinity occurs: pydantic would accept them, but JSON does not have them.

    A search for single bytes comes first: it is ten times as fast, and usually enough.
    """
    return (78 in value and b"NaN" in value and parsed(value) is None) or (
        73 in value and b"Infinity" in value and parsed(value) is None
    )


def refusal(value: bytes) -> EventRefused:
    """Return why these bytes are refused; `parse` must have failed on them."""
    if (raw := raw_identifier(value)) is not None:
        return raw
    try:
        found = read_json(value)
    except EventRefused as unread:
        return unread
    if not isinstance(found, dict):
        return EventRefused(reasons.BAD_ENVELOPE, not_an_object(found, _kind(found)))
    return _envelope(value, found) or _type(found) or _time(found) or _data(value, found)


def read_json(value: bytes) -> object:
    """Parse JSON. Raises EventRefused: too_large for too many bytes, bad_json for invalid JSON."""
    if len(value) > MOST_BYTES:
        raise EventRefused(
            reasons.TOO_LARGE, f"the event is {len(value):,} bytes long; write at most {MOST_BYTES:,} (256 KiB)"
        )
    try:
        found: object = from_json(value, allow_inf_nan=False)
    except ValueError as error:
        raise EventRefused(reasons.BAD_JSON, not_json(value, error)) from None
    return found


def _envelope(value: bytes, found: dict[str, Any]) -> EventRefused | None:
    kind = found.get("type")
    # CloudEvents does not require a subject: for a foreign event, its type says more than the missing subject
    not_ours = ("subject",) if isinstance(kind, str) and kind not in MODELS and "subject" not in found else ()
    errors = (item for item in _errors(_ENVELOPE, value) if item["loc"][0] not in (*_TIMES, _BASE64, *not_ours))
    faults = [_fault(item) for item in errors]
    if not isinstance(kind, str):
        faults.append(f"type {_found(found, 'type')}; write {_WRITE['type']}")
    if faults and (inside := event_inside(found)):
        faults.insert(0, inside)
    return EventRefused(reasons.BAD_ENVELOPE, "; ".join(faults)) if faults else None


def _type(found: dict[str, Any]) -> EventRefused | None:
    name = found["type"]
    if name in MODELS:
        return None
    near = get_close_matches(name[:MOST_SHOWN], MODELS, n=1)
    write = f"did you mean {near[0]!r}?" if near else f"write {_WRITE['type']}"
    return EventRefused(reasons.UNKNOWN_TYPE, f"type is {_shown(name)}, which Watchroom does not know; {write}")


def _time(found: dict[str, Any]) -> EventRefused | None:
    faults = []
    for name in _TIMES:
        text = found.get(name)
        if isinstance(text, str):
            try:
                to_ms(text)
            except TimeUnusable as error:
                faults.append(f"{name} {error}")
        elif text is not None or name == "time":
            faults.append(f"{name} {_found(found, name)}{_unit(text)}; write {WRITE}")
    return EventRefused(reasons.BAD_TIME, "; ".join(faults)) if faults else None


def _data(value: bytes, found: dict[str, Any]) -> EventRefused:
    faults = [_fault(item) for item in _errors(EVENT, value)]
    if inside := event_in_data(found):
        faults.insert(0, inside)
    if not faults:
        faults.append("the event does not match the schema for its type")
    if isinstance(data := found.get("data"), str) and (held := text_in_text(data)):
        faults.append(f"data is a string {held}; write the object itself")
    return EventRefused(reasons.BAD_DATA, f"{found['type']}: " + "; ".join(faults))


def _errors(adapter: TypeAdapter[Any], value: bytes) -> Iterable[ErrorDetails]:
    try:
        adapter.validate_json(value)
    except ValidationError as error:
        return error.errors(include_url=False)
    return ()


def _fault(item: ErrorDetails) -> str:
    """A pydantic error as a sentence: where, what was found, what to write instead."""
    where = ".".join(str(part) for part in item["loc"] if part not in MODELS)
    if item["type"] == "value_error":  # one of our own checks, with a complete message
        return f"{where} {item['ctx']['error']}".strip()
    if where in ("data", _BASE64) or where.removeprefix("data.") in PROSE_FIELDS:
        item = {**item, "input": _Hidden(item["input"])}
    return f"{where} {_wrong(item)}; write {_instead(item, where)}"


def _wrong(item: ErrorDetails) -> str:
    match item["type"]:
        case "missing":
            return "is missing"
        case "string_too_short":
            return "is empty"
        case "string_too_long":
            return f"has {len(item['input']):,} characters"
        case "string_pattern_mismatch":
            return f"is {_shown(item['input'])}, which contains a control character, or begins or ends with a space"
    return f"is {_shown(item['input'])}"


def _instead(item: ErrorDetails, where: str) -> str:
    value, write = item["input"], _WRITE.get(where, "a string")
    match item["type"]:
        case "string_too_long":
            return f"at most {item['ctx']['max_length']:,}"
        case "string_pattern_mismatch":
            return "it without them"
        case "float_type" | "finite_number":
            return "a finite number, without quotes"
        case "dict_type":
            return 'an object such as {"area": "stoke"}'
        case "string_type" if _is_small_number(value) and where != "data.as_at":  # in quotes it would not be a time
            return f'{write}, in quotes: "{value}"'
    return write


def _is_small_number(value: object) -> bool:
    """Whether a value is an integer that can be printed: Python refuses to print thousands of digits."""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**15


def _unit(value: object) -> str:
    """For a number instead of a time: the unit that it seems to have."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    unit = unit_since_1970(value)
    return f" (it looks like {unit} since 1970)" if unit else ""


def _found(found: Mapping[str, Any], name: str) -> str:
    return f"is {_shown(found[name])}" if name in found else "is missing"


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "a number")


class _Hidden:
    """Possible free text, which may name people: messages give only its kind and length."""

    def __init__(self, value: object) -> None:
        self.kind = _kind(value)
        self.length = len(value) if isinstance(value, str) else 0

    def __len__(self) -> int:
        return self.length


def _shown(value: object) -> str:
    """A value in a message: texts shortened, small numbers as they are, anything else by its kind."""
    if isinstance(value, str):
        return shown(value)
    if _is_small_number(value):
        return f"the number {value}"
    return value.kind if isinstance(value, _Hidden) else _kind(value)
