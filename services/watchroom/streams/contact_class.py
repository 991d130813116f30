"""The class of a contact, which calls and digital contacts share."""

from __future__ import annotations

from typing import Annotated, Final, NotRequired

from pydantic import Field
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from watchroom.events.envelope import LooseText
from watchroom.events.slug import slug

OUTGOING: Final = "outgoing"
_MEANING: Final = "`emergency`, `non_emergency`, `general_enquiry`, `outgoing`; any other value is counted as `other`."

# This form because `class` is a keyword of Python.
HasClass = TypedDict("HasClass", {"class": NotRequired[Annotated[LooseText, Field(description=_MEANING)]]})


def slug_or_none(text: str) -> str | None:
    """A text in the form of listed values; None if nothing is left of it."""
    return slug(text) or None
