"""Label values as people read them in reports. Pure."""

from __future__ import annotations

from typing import Final

from watchroom.kinds.kind import By

SHORT: Final = {"asb": "ASB"}


def value_words(value: str) -> str:
    """`newcastle under lyme`."""
    return value.replace("_", " ")


def label_words(by: By) -> str:
    """`grade 1, area stoke`, `ASB type neighbour dispute`; empty of all together."""
    return ", ".join(f"{_name_words(name)} {value_words(value)}" for name, value in by.items())


def _name_words(name: str) -> str:
    return " ".join(SHORT.get(word, word) for word in name.split("_"))
