"""Plain values to readable YAML: a small part of YAML 1.2, so that no further package is needed.

Mappings and lists in block style; a text is bare where no reader could take it for something else,
and otherwise written as JSON writes it, which is YAML too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

_BARE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*(?: [A-Za-z0-9_./()-]+)*")
_WORDS: Final = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}


def yaml_text(value: object) -> str:
    """A document of mappings with text keys, lists, texts, numbers, truths and None."""
    return "\n".join(_lines(value)) + "\n"


def _lines(value: object) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _entry(f"{_scalar(str(key))}:", inner)
    elif isinstance(value, list | tuple) and value:
        for inner in value:
            first, *rest = _lines(inner)
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)
    else:
        yield _scalar(value)


def _entry(key: str, value: object) -> Iterator[str]:
    if isinstance(value, dict | list | tuple) and value:
        yield key
        yield from (f"  {line}" for line in _lines(value))
    else:
        yield f"{key} {_scalar(value)}"


def _scalar(value: object) -> str:
    if isinstance(value, str) and _BARE.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)
