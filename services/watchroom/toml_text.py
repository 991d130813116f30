"""Reads TOML, and reports what Python's reader does not. Pure."""

from __future__ import annotations

import tomllib
from typing import Any

_BEYOND = 2**63  # TOML guarantees whole numbers of 64 bits


def loads(text: str) -> dict[str, Any]:
    """The tables of a TOML document.

    Raises:
        tomllib.TOMLDecodeError: It is not TOML, or too much for Python: deeply nested lists, long numbers.
    """
    try:
        found = tomllib.loads(text)
    except RecursionError:
        raise tomllib.TOMLDecodeError("lists or tables are nested too deeply") from None
    except ValueError as error:  # of a number, for example
        raise tomllib.TOMLDecodeError(str(error)) from error
    inside: list[Any] = [found]
    while inside:
        value = inside.pop()
        if isinstance(value, dict):
            inside += value.values()
        elif isinstance(value, list):
            inside += value
        elif isinstance(value, int) and not -_BEYOND <= value < _BEYOND:
            raise tomllib.TOMLDecodeError("a whole number that needs more than 64 bits")  # pydantic's checks overflow
    return found
