"""What events consist of: the CloudEvents envelope, and `data`.

Strict on identity and time, because a wrong one gives a wrong number. Fields that are not named here are accepted at
every level, and dropped. `null` means absent, as in CloudEvents.

Source:
    CloudEvents 1.0.2 and its JSON format; recorded-time extension. Times: RFC 3339.
"""

from __future__ import annotations

from collections.abc import Callable
from types import new_class
from typing import Annotated, Any, Final, Literal, NotRequired

from pydantic import AfterValidator, ConfigDict, Field
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from watchroom.events import times

STRICT = ConfigDict(strict=True, extra="ignore", use_attribute_docstrings=True)

NAME_PATTERN: Final = r"^[^\x00-\x20\x7f-\xa0]([^\x00-\x1f\x7f-\x9f]*[^\x00-\x20\x7f-\xa0])?$"
Name = Annotated[str, Field(min_length=1, max_length=256, pattern=NAME_PATTERN)]
"""An identifier: 1 to 256 characters, no control characters, no space at either end."""

Time = Annotated[str, Field(max_length=64, json_schema_extra={"format": "date-time", "pattern": times.PATTERN})]
"""RFC 3339 with an offset; `events.times` does the checking."""

RequiredText = Annotated[str, Field(min_length=1, max_length=256)]
Text = Annotated[str | None, Field(max_length=256)]
Prose = Annotated[str | None, Field(max_length=4096)]


class Loose:
    """Marks a field of `data` that is ignored, and counted by its name, if its form is invalid.

    Fields that were added later are loose, so that old logs stay readable whatever they have there.
    """


LOOSE: Final = Loose()

LooseText = Annotated[str | None, Field(max_length=256), LOOSE]
LooseTruth = Annotated[bool | None, LOOSE]
LooseTexts = Annotated[list[Annotated[str, Field(max_length=256)]] | None, Field(max_length=64), LOOSE]


def _as_time(text: str | None) -> str | None:
    if text is not None:
        times.to_ms(text)
    return text


LooseTime = Annotated[
    str | None,
    Field(max_length=64, json_schema_extra={"format": "date-time", "pattern": times.PATTERN}),
    AfterValidator(_as_time),
    LOOSE,
]
"""A time in `data`, RFC 3339 with an offset."""


class Envelope(TypedDict):
    """What every event has."""

    __pydantic_config__ = STRICT  # type: ignore[misc]  # pydantic's way to configure a TypedDict

    specversion: Literal["1.0"]
    """Version of CloudEvents."""
    id: Name
    """Unique within the source; an event that is sent again keeps its id."""
    source: Name
    """The system that sent the event: `acd`, `cad`, `rms`."""
    subject: Name
    """The call, contact, incident or crime that the event is about. The Kafka key is the same text in UTF-8."""
    time: Time
    """When the event happened: RFC 3339 with an offset. Truncated to whole milliseconds."""
    recordedtime: NotRequired[Time | None]
    """When the source recorded it. For sources declared `history`, it is the arrival time; otherwise it is ignored."""
    datacontenttype: NotRequired[str | None]
    """`application/json` if given; the data is JSON either way."""
    data_base64: NotRequired[None]
    """Not supported: an event with this field is refused. Write `data` as a JSON object."""


class Data(TypedDict):
    """What an event says besides its envelope."""

    __pydantic_config__ = STRICT  # type: ignore[misc]  # pydantic's way to configure a TypedDict


class ReasonData(Data):
    """Why."""

    reason: NotRequired[Prose]
    """The reason, in the producer's words. No figure depends on it."""


def event(
    name: str,
    data: Any,  # noqa: ANN401  # a type, which may be annotated
    about: str,
    *,
    needs_data: bool = False,
    check: Callable[[Any], Any] | None = None,
) -> object:
    """The model of one type of event: an envelope with this `type` and `data`.

    Args:
        name: The type, for example `call.queued`.
        data: What its `data` may say, a `TypedDict`.
        about: What happened, in one sentence.
        needs_data: Whether an event without `data` is refused.
        check: What else is refused: gets the event and returns it, or raises ValueError with what to write.
    """
    fields = {"type": Literal[name], "data": data if needs_data else NotRequired[data | None]}
    class_name = "".join(word.capitalize() for word in name.replace(".", "_").split("_"))
    body = {"__doc__": about, "__module__": data.__module__, "__annotations__": fields}
    model: Any = new_class(class_name, (Envelope,), exec_body=lambda namespace: namespace.update(body))
    return Annotated[model, AfterValidator(check)] if check else model
