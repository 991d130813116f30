"""Home Office offence codes: how one is written, and what the reference table says of it.

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
    """What the table says of a code. The names are written as label values are."""

    codes: frozenset[str]  # one, or the several of a composite row
    group: str
    subgroup: str
    category: str


def normal(text: str) -> str:
    """A code as it is compared: upper case, `.` for `/`, no leading zeros: `04/1` and ` 4.1` are both `4.1`."""
    parts = " ".join(text.upper().split()).replace("/", ".").split(".")
    return ".".join(part.strip().lstrip("0") or part[:1] for part in parts)


def _known() -> Iterator[tuple[str, Offence]]:
    for text, group, subgroup, category in OFFENCES:
        codes = [normal(part) for part in text.split("/")]
        named = slug(group), slug(subgroup), slug(category)
        yield normal(text), Offence(frozenset(codes), *named)
        if len(codes) > 1:  # a composite row is known under each of its parts too
            yield from ((code, Offence(frozenset((code,)), *named)) for code in codes)


KNOWN: Final[Mapping[str, Offence]] = dict(_known())
"""Every code of the table and of its composite rows, as `normal` writes it."""

CODES: Final = tuple(sorted({code for offence in KNOWN.values() for code in offence.codes}))
"""Every single code: what an entry of the catalogue may list."""

FINGERPRINT: Final = hashlib.sha256(repr(OFFENCES).encode()).hexdigest()[:12]


@lru_cache(maxsize=4096)
def offence(text: str) -> Offence | None:
    """What the table says of a code as an event writes it; None if the code is unknown."""
    return KNOWN.get(normal(text))


@lru_cache(maxsize=4096)
def unknown_code(text: str) -> str | None:
    """A code that the table does not have, as the Home Office writes it (`8/57`); None if it has it.

    A text that does not look like a code is `not_a_code`: whatever a feed writes there is not shown.
    """
    if offence(text) is not None:
        return None
    code = normal(text)
    return code.replace(".", "/") if _LIKE_A_CODE.fullmatch(code) else NOT_A_CODE
