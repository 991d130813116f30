"""Home Office offence codes: how they are written, and what the reference table says about them.

Source:
    `schemas/reference/offence_codes.csv` (Home Office, Open Government Licence v3.0).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from watchroom.events.slug import slug
from watchroom.streams.tables import OFFENCES

_LIKE_A_CODE = re.compile(r"[0-9]{1,4}[A-Z]{0,2}(\.[0-9]{1,4}[A-Z]{0,2}){0,8}")
NOT_A_CODE: Final = "not_a_code"


class Offence(NamedTuple):
    """What the table says about a code, with names in the form of label values."""

    codes: frozenset[str]  # one, or the several of a composite row
    group: str
    subgroup: str
    category: str


def normal(text: str) -> str:
    """A code in the form for comparisons: upper case, `.` for `/`, no leading zeros: `04/1` and ` 4.1` give `4.1`."""
    parts = " ".join(text.upper().split()).replace("/", ".").split(".")
    return ".".join(part.strip().lstrip("0") or part[:1] for part in parts)


def _known() -> Iterator[tuple[str, Offence]]:
    for text, group, subgroup, category in OFFENCES:
        codes = [normal(part) for part in text.split("/")]
        named = slug(group), slug(subgroup), slug(category)
        yield normal(text), Offence(frozenset(codes), *named)
        if len(codes) > 1:  # a composite row is also known under each of its parts
            yield from ((code, Offence(frozenset((code,)), *named)) for code in codes)


KNOWN: Final[Mapping[str, Offence]] = dict(_known())
"""Every code of the table and of its composite rows, as `normal` writes it."""

CODES: Final = tuple(sorted({code for offence in KNOWN.values() for code in offence.codes}))
"""Every single code: those that an entry of the catalogue may list."""

FINGERPRINT: Final = hashlib.sha256(repr(OFFENCES).encode()).hexdigest()[:12]


@lru_cache(maxsize=4096)
def offence(text: str) -> Offence | None:
    """Look up a code as an event writes it; None if it is unknown."""
    return KNOWN.get(normal(text))


@lru_cache(maxsize=4096)
def unknown_code(text: str) -> str | None:
    """Return a code that is not in the table, as the Home Office writes it (`8/57`); None if it is in the table.

    A text that does not look like a code becomes `not_a_code`, because any text of a feed might be private.
    """
    if offence(text) is not None:
        return None
    code = normal(text)
    return code.replace(".", "/") if _LIKE_A_CODE.fullmatch(code) else NOT_A_CODE
