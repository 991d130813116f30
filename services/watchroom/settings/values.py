"""What the value of a setting may be: types with their checks. A check's message says what to write instead."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    RootModel,
    SecretStr,
    Tag,
)

from watchroom.errors import SETTING
from watchroom.events.tokens import KEY_LEAST_BYTES
from watchroom.redis_url import parse as parse_redis_url
from watchroom.streams import STREAMS

PREFIX: Final = SETTING
PATTERNS: Final = {
    r"^[a-z0-9][a-z0-9_-]*$": "lower-case letters, digits, - and _, for example west-midlands",
    r"^[a-z0-9]+(_[a-z0-9]+)*$": "lower-case letters and digits, words joined by _, for example stoke_north",
    r"^[a-z0-9]{1,8}$": "1 to 8 lower-case letters and digits, for example k1",
    r"^[A-Z]{2}$": "a two-letter country code in capitals, for example GB",
    r"^[a-zA-Z0-9._-]+$": "letters, digits, '.', '-' and '_', for example north.live",
}
"""What to write if a text does not match a pattern."""
MARKS: Final = ("[key]", "[list]", "[file]")  # parts of an error's location: a wrong key (pydantic's), a form of areas
_BROKER = re.compile(r"(?:\[[0-9a-fA-F:.]+\]|[^\s:,/\[\]@]+):(?P<port>[0-9]{1,5})")


def _brokers(value: str) -> str:
    found = [_BROKER.fullmatch(broker.strip()) for broker in value.split(",")]
    if not all(match and 0 < int(match["port"]) < 65536 for match in found):
        raise ValueError("host:port, comma separated, for example 127.0.0.1:9092")
    return value


def _redis_url(value: str) -> str:
    parse_redis_url(value)
    return value


def _web_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        is_known = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_known = False
    if value and not is_known:
        raise ValueError("a URL that starts with http:// or https://, such as https://monitor.example:9090")
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, OSError, ValueError):
        raise ValueError("a time zone from the IANA database, such as Europe/London") from None
    return value


def _stream(name: str) -> str:
    if name not in STREAMS:
        raise ValueError(f"one of {', '.join(STREAMS)}")
    return name


def _token_key(value: SecretStr) -> SecretStr:
    value = SecretStr(value.get_secret_value().strip())
    if 0 < len(value.get_secret_value().encode()) < KEY_LEAST_BYTES:
        raise ValueError(f"a secret of at least {KEY_LEAST_BYTES} bytes, for example from `openssl rand -base64 32`")
    return value


def _split(value: object) -> object:
    return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value


def _in_order(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in STREAMS if name in names)


Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=63)]
Area = Annotated[str, Field(pattern=r"^[a-z0-9]+(_[a-z0-9]+)*$", max_length=63)]  # what an event's text becomes
Areas = Annotated[
    Annotated[tuple[Area, ...], Tag("[list]")] | Annotated[Path, Tag("[file]")],
    Discriminator(lambda value: "[file]" if isinstance(value, Path) else "[list]"),
]
Port = Annotated[int, Field(ge=1, le=65535)]
Brokers = Annotated[str, AfterValidator(_brokers)]
RedisUrl = Annotated[str, AfterValidator(_redis_url)]
WebUrl = Annotated[str, AfterValidator(_web_url)]
Zone = Annotated[str, AfterValidator(_zone)]
StreamName = Annotated[str, AfterValidator(_stream)]
StreamNames = Annotated[tuple[StreamName, ...], BeforeValidator(_split), AfterValidator(_in_order)]
TokenKey = Annotated[SecretStr, AfterValidator(_token_key)]
KafkaSecurity = Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"]
KafkaMechanism = Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"]


class SourceRule(BaseModel):
    """How a declared source shows that it is alive, and whose clock says when its events arrived.

    A source with neither heartbeats nor a silence limit, such as a one-off import, is not waited for.
    """

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    heartbeats: bool = True
    silence_s: float | None = Field(default=None, gt=0)
    """longest gap between events, if there are no heartbeats"""
    history: bool = False
    """its events' `recordedtime` counts as their arrival"""


class Days(RootModel[dict[StreamName, Annotated[float, Field(gt=0)]]]):
    """A number of days for each stream."""

    def ms(self, stream: str) -> int:
        """The stream's days in milliseconds."""
        return round(self.root[stream] * 86_400_000)
