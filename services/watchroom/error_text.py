"""What to write instead of a value that pydantic refuses.

Settings, catalogue and mappings all say `found X; write Y`: pydantic's own messages do not fit after "write".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TEXTS = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "dict_type": 'a table, for example { name = "value" }',
    "finite_number": "a finite number",
    "float_parsing": "a number",
    "float_type": "a number",
    "greater_than": "a number above %(gt)g",
    "greater_than_equal": "a number of %(ge)g or more",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "less_than": "a number below %(lt)g",
    "less_than_equal": "a number of %(le)g or less",
    "list_type": 'a list, for example ["name"]',
    "literal_error": "one of %(expected)s",
    "model_type": "a table",
    "string_pattern_mismatch": "a string that matches %(pattern)s",
    "string_too_long": "at most %(max_length)s characters",
    "string_too_short": "at least %(min_length)s characters",
    "string_type": "a string in quotes",
    "too_short": "at least one",
    "tuple_type": 'a list, for example ["name"]',
}


def what_to_write(item: Mapping[str, Any], own: Mapping[str, str] | None = None, otherwise: str = "") -> str:
    """The text after "write" for one of pydantic's errors.

    Args:
        item: The error, as `ValidationError.errors()` lists it.
        own: Texts of the caller for types of errors or patterns; they override ours.
        otherwise: For errors without a text; default: pydantic's own message.
    """
    kind, limits, own = item["type"], item.get("ctx", {}), own or {}
    if kind == "value_error":  # our own check has the text
        return str(item["msg"]).removeprefix("Value error, ")
    if (pattern := limits.get("pattern")) in own:
        return own[pattern]
    if kind == "string_too_short" and limits["min_length"] == 1 and kind not in own:
        return "a non-empty string"
    words = own.get(kind) or _TEXTS.get(kind)
    return words % limits if words else otherwise or str(item["msg"])
