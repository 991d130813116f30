"""The keys that only one kind has: which they are, and their values in an entry. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ConfigDict, create_model

from watchroom.kinds import KINDS
from watchroom.kinds.kind import Kind
from watchroom.kinds.shown import Strict
from watchroom.registry import registry


class _Own(Strict):
    model_config = ConfigDict(allow_inf_nan=False)


def shape_of(kind: Kind) -> type[Strict]:
    """The model that checks the own keys of a kind's entries; see `OwnKey`."""
    keys = registry(f"{kind.name!r} keys named", ((key.name, key) for key in kind.own_keys))
    fields: dict[str, Any] = {
        name: (key.type, ... if key.default is None else key.default) for name, key in keys.items()
    }
    return create_model(f"OwnKeysOf_{kind.name}", __base__=_Own, **fields)


_SHAPES: Final = {name: shape_of(kind) for name, kind in KINDS.items()}
NAMES: Final = frozenset(key.name for kind in KINDS.values() for key in kind.own_keys)
"""The own keys of all kinds."""


def apart(table: Mapping[str, object]) -> tuple[dict[str, object], dict[str, object]]:
    """Split an entry into the keys that kinds share, and those that some kind has for itself."""
    shared = {key: value for key, value in table.items() if key not in NAMES}
    return shared, {key: value for key, value in table.items() if key in NAMES}


def said_under(own: Mapping[str, object], kind: str) -> dict[str, object]:
    """The values of the own keys of an entry's kind, without those at their default.

    Raises:
        pydantic.ValidationError: A key is missing, of another type, or another kind's.
    """
    said = _SHAPES[kind].model_validate(own).model_dump(mode="json")
    return {key.name: said[key.name] for key in KINDS[kind].own_keys if said[key.name] != key.default}
