"""The events that Watchroom understands: CloudEvents 1.0 in JSON, with one model per type.

The models come from `streams`; the heartbeat, which every stream has, is defined here. The JSON Schemas and the
AsyncAPI document in `schemas/events/` are derived from them.

They are `TypedDict`s, validated by one adapter over a union with the discriminator `type`. Measured on events of 275
bytes, this takes 1.7 us an event; `BaseModel`s take 2.2 us and leave two more objects to the garbage collector.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, NotRequired, Union, get_args, get_origin, get_type_hints

from pydantic import Field, TypeAdapter
from typing_extensions import is_typeddict

from watchroom.events.envelope import LOOSE, Envelope, Prose
from watchroom.events.tokens import RequiredToken
from watchroom.registry import registry
from watchroom.streams import STREAMS


class FeedHeartbeat(Envelope):
    """A source is alive, even if nothing has happened. It is sent every 30 s to each topic that the source
    feeds; its subject is the source itself.
    """

    type: Literal["feed.heartbeat"]


HEARTBEAT: Final = "feed.heartbeat"

OF_STREAM: Final[Mapping[str, tuple[object, ...]]] = {name: stream.models for name, stream in STREAMS.items()}
"""The models of each stream's entities."""


def plain(model: object) -> type:
    """The class of a model, without the checks around it."""
    found: type = get_args(model)[0] if get_args(model) else model  # type: ignore[assignment]  # a model is a class
    return found


def type_of(model: object) -> str:
    """The CloudEvents type that a model describes."""
    return str(get_args(get_type_hints(plain(model))["type"])[0])


MODELS: Final[Mapping[str, object]] = registry(
    "models of the event type",
    ((type_of(model), model) for models in (*OF_STREAM.values(), (FeedHeartbeat,)) for model in models),
)
"""Type -> model; the heartbeat, which every stream has, is last."""

STREAM_OF: Final[Mapping[str, str]] = registry(
    "streams for the event type", ((type_of(model), stream) for stream, models in OF_STREAM.items() for model in models)
)
"""Type -> its stream; without the heartbeat."""


def data_model(name: str) -> type | None:
    """The model of the `data` of a type; None if its events have none."""
    hint = get_type_hints(plain(MODELS[name])).get("data")
    return next((part for part in (*get_args(hint), hint) if is_typeddict(part)), None)


def data_fields(name: str) -> dict[str, Any]:
    """Every field of the `data` of a type, with its type and marks; {} if there are none."""
    model = data_model(name)
    hints = get_type_hints(model, include_extras=True) if model is not None else {}
    return {field: get_args(hint)[0] if get_origin(hint) is NotRequired else hint for field, hint in hints.items()}


LOOSE_FIELDS: Final[Mapping[str, frozenset[str]]] = {
    name: frozenset(field for field, hint in data_fields(name).items() if LOOSE in get_args(hint)) for name in MODELS
}
"""Type -> the fields of its data that count as absent if their form is invalid."""

PROSE_FIELDS: Final = frozenset(field for name in MODELS for field, hint in data_fields(name).items() if hint == Prose)
"""Fields of free text, which may name people: no message shows their content."""

REQUIRED_TOKENS: Final = frozenset(
    field for name in MODELS for field, hint in data_fields(name).items() if hint == RequiredToken
)
"""Token fields that are required."""

_ANY: Any = Annotated[Union[tuple(MODELS.values())], Field(discriminator="type")]  # noqa: UP007  # `|` takes no table
EVENT: Final[TypeAdapter[dict[str, Any]]] = TypeAdapter(_ANY)
"""Checks any event; give it the bytes."""
