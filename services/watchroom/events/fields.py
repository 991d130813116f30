"""The parts that events are made of: the CloudEvents envelope, and what `data` may say.

Strict on identity and time, because a wrong one of those makes a wrong number; fields that are not
named here are tolerated, at every level, and dropped. `null` means absent, as CloudEvents says.

Source:
    CloudEvents 1.0.2 and its JSON format; recorded-time extension. Times: RFC 3339.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, NotRequired

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from watchroom.events import times

_STRICT = ConfigDict(strict=True, extra="ignore", use_attribute_docstrings=True)

NAME_PATTERN: Final = r"^[^\x00-\x20\x7f-\xa0]([^\x00-\x1f\x7f-\x9f]*[^\x00-\x20\x7f-\xa0])?$"
Name = Annotated[str, Field(min_length=1, max_length=256, pattern=NAME_PATTERN)]
"""What identifies something: 1 to 256 characters, no control characters, no space at either end."""

Time = Annotated[str, Field(max_length=64, json_schema_extra={"format": "date-time", "pattern": times.PATTERN})]
"""RFC 3339 with an offset; `events.times` does the checking."""

Word = Annotated[str, Field(min_length=1, max_length=256)]
Text = Annotated[str | None, Field(max_length=256)]
Prose = Annotated[str | None, Field(max_length=4096)]


class Envelope(TypedDict):
    """What every event has."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]  # pydantic's way to configure a TypedDict

    specversion: Literal["1.0"]
    """Version of CloudEvents."""
    id: Name
    """Unique within the source; the same event sent again has the same id."""
    source: Name
    """The system that says so: `acd`, `cad`, `rms`."""
    subject: Name
    """The call, incident or crime this is about. The Kafka key is the same text in UTF-8."""
    time: Time
    """When it happened: RFC 3339 with an offset. Cut to whole milliseconds."""
    recordedtime: NotRequired[Time | None]
    """When the source recorded it. It is the arrival for sources declared `history`, else ignored."""
    datacontenttype: NotRequired[str | None]
    """`application/json` if given; the data is JSON either way."""


class CallData(TypedDict):
    """What is said about a call."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]  # as above

    line: NotRequired[Text]
    """`999`, `101`; any other is counted as `other`."""
    queue: NotRequired[Text]
    direction: NotRequired[Text]
    agent_token: NotRequired[Text]
    """A token for the agent, never a name."""
    reason: NotRequired[Prose]


class IncidentData(TypedDict):
    """What any incident event may say."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]  # as above

    area: NotRequired[Text]
    """One of the force's areas; any other is counted as `other`."""
    reason: NotRequired[Prose]


class CreatedData(IncidentData):
    """What is known when an incident is created."""

    grade: NotRequired[Text]
    """`1`, `2`, `3` as text; any other is counted as `other`."""
    call_id: NotRequired[Text]
    """The call it came from."""


class GradedData(IncidentData):
    """A grade that was given, first or later."""

    grade: Word
    """`1`, `2`, `3` as text; any other is counted as `other`."""


class ResourceData(IncidentData):
    """Which resource."""

    unit: Word
    """The unit's call sign or token."""


class LinkedData(IncidentData):
    """Which incident this one is a duplicate of."""

    parent: Word
    """Subject of the incident that goes on; this one leaves all measures. Never the incident itself."""


class CrimeClass(TypedDict):
    """How a crime is classed."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]  # as above

    offence_code: NotRequired[Text]
    """Home Office offence code. Nothing is counted by it yet: state the group and the category as well."""
    group: NotRequired[Text]
    """Home Office offence group, by name."""
    category: NotRequired[Text]
    """police.uk category."""
    area: NotRequired[Text]
    """One of the force's areas; any other is counted as `other`."""
    reason: NotRequired[Prose]


class CancelledData(TypedDict):
    """Why a crime was cancelled."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]  # as above

    reason: NotRequired[Prose]


class OutcomeData(TypedDict):
    """The outcome of a crime."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]  # as above

    outcome: Word
    """Home Office outcome code as text: `1`, `1A`, ... `22`."""


CLASS_WORDS: Final = ("offence_code", "group", "category")


def names_a_class(data: CrimeClass) -> CrimeClass:
    """A new class must say at least one of its three words."""
    if not any(data.get(word) for word in CLASS_WORDS):
        raise ValueError("names no class; write at least one of offence_code, group and category")
    return data
