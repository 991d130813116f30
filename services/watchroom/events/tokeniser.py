"""Makes tokens: a text always gives the same token, and nobody without the key can recover the text. Pure.

Source:
    `schemas/events/TOKENS.md`, with test vectors. HMAC: RFC 2104; base32: RFC 4648. Telephone numbers: E.164, by
    Google's libphonenumber.
"""

from __future__ import annotations

import base64
import hmac
import unicodedata
from collections.abc import Callable, Mapping
from typing import Final

import phonenumbers

from watchroom.events.tokens import Kind

_TOKEN_BYTES: Final = 16


class NotNormalised(ValueError):
    """DROP: a text cannot be normalised. The message says why and never shows the text."""


class Tokeniser:
    """Makes the tokens of one key."""

    __slots__ = ("_country", "_key", "_key_id")

    def __init__(self, key: bytes, key_id: str, country: str) -> None:
        """Use this key.

        Args:
            key: At least `KEY_LEAST_BYTES`; a secret.
            key_id: 1 to 8 of `[a-z0-9]`; begins every token.
            country: ISO 3166 code of the country of telephone numbers without `+`.
        """
        self._key = key
        self._key_id = key_id
        self._country = country

    def token(self, kind: Kind, text: str) -> str:
        """The token of a text; empty for a blank one.

        Raises:
            NotNormalised: An invalid telephone number, or text that is not Unicode.
        """
        known = normalised(kind, text, self._country)
        if not known:
            return ""
        digest = hmac.digest(self._key, kind.encode() + b"\0" + known.encode(), "sha256")
        return f"{self._key_id}.{base64.b32encode(digest[:_TOKEN_BYTES]).decode().rstrip('=')}"


def normalised(kind: Kind, text: str, country: str) -> str:
    """The normal form of a text, however it is written; empty for a blank one. Raises NotNormalised."""
    if not text.strip():
        return ""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise NotNormalised("it contains bytes that are not UTF-8") from None
    return _WAYS[kind](text, country)


def is_country(code: str) -> bool:
    """Whether telephone numbers of a country can be read."""
    return code in phonenumbers.SUPPORTED_REGIONS


def _telephone(text: str, country: str) -> str:
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        raise NotNormalised("it is not a telephone number") from None
    # By length only: which numbers are in use changes with the package's version, and tokens must not.
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        raise NotNormalised("it is too short or too long for a telephone number with an area code")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _normalised(text: str, _country: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).upper().split())


_WAYS: Final[Mapping[Kind, Callable[[str, str], str]]] = {
    "telephone": _telephone,
    "address": _normalised,
    "person": _normalised,
}
