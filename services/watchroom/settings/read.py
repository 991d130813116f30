"""Reads the settings of a process; what is wrong becomes one fault for each setting, without secrets."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Final

from pydantic import SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsError

from watchroom.error_text import what_to_write
from watchroom.errors import SETTINGS_PAGE, ConfigurationInvalid, Fault
from watchroom.redis_url import RedisUrlRefused
from watchroom.redis_url import parse as parse_redis_url
from watchroom.settings.model import Settings
from watchroom.settings.values import MARKS, PATTERNS, PREFIX, SourceRule
from watchroom.streams import STREAMS

SECRETS: Final = tuple(
    sorted(name for name, field in Settings.model_fields.items() if field.annotation is SecretStr or not field.repr)
)
"""Settings that hold a secret, or a URL with one anywhere in it; none is ever shown."""
# Not settings: one says where the secrets are, the others are for our own tests.
OTHERS: Final = ("WATCHROOM_SECRETS_DIR", "WATCHROOM_REAL_DATA", "WATCHROOM_TEST_EXAMPLES")
# Kubernetes tells every pod of a service called watchroom or watchroom-exporter in variables of these forms.
_SERVICE_LINK = re.compile(r"_SERVICE_HOST$|_SERVICE_PORT(_|$)|_PORT_[0-9]+_(TCP|UDP|SCTP)(_|$)")


def read_settings(**given: object) -> Settings:
    """The settings of this process; `given` (command-line options) override the environment.

    Raises:
        ConfigurationInvalid: One or more cannot be used, or do not exist; all are listed.
    """
    faults = list(_unknown(os.environ))
    try:
        settings = Settings(**given)  # type: ignore[arg-type]  # pydantic checks what it is given
    except ValidationError as error:
        raise ConfigurationInvalid([*faults, *map(_fault, _without_consequences(error.errors()))]) from error
    except SettingsError as error:
        secrets = Fault("WATCHROOM_SECRETS_DIR", "", str(error), "the path of a folder that holds files", SETTINGS_PAGE)
        raise ConfigurationInvalid([*faults, secrets]) from error
    if faults:
        raise ConfigurationInvalid(faults)
    return settings


def _unknown(environment: Mapping[str, str]) -> Iterator[Fault]:
    """Unknown WATCHROOM_* variables: a typo must not silently leave the default in place."""
    known = [name.upper() for name in Settings.model_fields]
    for name, value in environment.items():
        upper = name.upper()
        if not upper.startswith(PREFIX) or upper.removeprefix(PREFIX) in known or upper in OTHERS:
            continue
        if _SERVICE_LINK.search(upper) or (upper.endswith("_PORT") and "://" in value):
            continue
        similar = get_close_matches(upper.removeprefix(PREFIX), known, n=1)
        hint = f" (did you mean {PREFIX}{similar[0]}?)" if similar else ""
        yield Fault(name, "", f"no such setting{hint}", "a setting that exists, or remove it", SETTINGS_PAGE)


def _without_consequences(errors: list[ErrorDetails]) -> Iterator[ErrorDetails]:
    """Without errors that follow from others: if every stream's name is wrong, the list is not also empty."""
    names = any(item["loc"][:1] == ("streams",) and len(item["loc"]) > 1 for item in errors)
    return (item for item in errors if not (names and item["loc"] == ("streams",)))


def _fault(item: ErrorDetails) -> Fault:
    path = [str(part) for part in item["loc"] if part not in MARKS]
    return Fault(
        where=PREFIX + path[0].upper() if path else "settings",
        key="" if path[:1] == ["streams"] else ".".join(path[1:]),  # an index of a list that was not written as one
        found="nothing" if item["type"] == "missing" else _found(path, item.get("input")),
        write=_write(path, item),
    )


def _write(path: list[str], item: ErrorDetails) -> str:
    if item["type"] == "extra_forbidden":
        return f"one of {', '.join(SourceRule.model_fields)}, not {path[-1]}"
    if path == ["streams"] and item["type"] == "too_short":
        return f"at least one of {', '.join(STREAMS)}, comma separated"
    if item["type"] in ("tuple_type", "dict_type", "model_type"):
        return f"JSON such as {Settings.json_example(path[0])}"
    return what_to_write(item, PATTERNS)


def _found(path: list[str], value: object) -> str:
    """What was found, without anything that may be a secret."""
    if path == ["redis_url"]:
        return _redis_url_fault(str(value))
    if path[0] in SECRETS:
        return "(hidden)" if str(value) else "nothing"
    if path == ["streams"] and isinstance(value, tuple):
        return repr(",".join(map(str, value)))
    return repr(value)


def _redis_url_fault(url: str) -> str:
    try:
        return parse_redis_url(url).shown
    except RedisUrlRefused as error:
        return error.found
