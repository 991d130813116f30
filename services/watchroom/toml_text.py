"""TOML as people write it, and as nobody does. Pure."""

from __future__ import annotations

import tomllib
from typing import Any


def loads(text: str) -> dict[str, Any]:
    """The tables of a TOML document.

    Raises:
        tomllib.TOMLDecodeError: It is none, or more than Python reads: lists in lists in lists, long numbers.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except RecursionError:
        raise tomllib.TOMLDecodeError("lists or tables lie in each other too deep") from None
    except ValueError as error:  # of a number, for example
        raise tomllib.TOMLDecodeError(str(error)) from error
