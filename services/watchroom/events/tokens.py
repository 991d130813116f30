"""Tokens: what a field that would otherwise identify a person may hold."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

Kind = Literal["telephone", "address", "person"]
"""What a token stands for; each kind is normalised in its own way (`events.tokeniser`)."""

KEY_LEAST_BYTES: Final = 32

PATTERN: Final = r"^[a-z0-9]{1,8}\.[A-Z2-7]{26}$"
"""`<key id>.<26 characters>`: RFC 4648 base32 without padding of 128 bits."""

FIELDS: Final = ("address_token", "caller_token", "suspect_token", "victim_token")
"""Names of the fields that hold tokens. Events of any type are searched for raw identifiers under these names."""


# The types of the fields of `data` that hold a token: anything else there is refused as `raw_identifier`.
Token = Annotated[str | None, Field(pattern=PATTERN)]
RequiredToken = Annotated[str, Field(pattern=PATTERN)]
