"""The key of tokens: from the settings, or generated for one run of the embedded stack."""

from __future__ import annotations

import secrets
from typing import Final

from watchroom.errors import ConfigurationInvalid, Fault
from watchroom.events.tokeniser import Tokeniser, is_country
from watchroom.events.tokens import KEY_LEAST_BYTES
from watchroom.settings import Settings

OF_THE_RUN: Final = "run"
"""Id of a key that is generated for one run: its tokens never equal those of another run."""


def tokeniser(settings: Settings, *, is_embedded: bool = False) -> Tokeniser:
    """What makes tokens under these settings.

    Args:
        settings: With a key, or without one.
        is_embedded: The tokens go to the embedded stack only, for which a key is generated if there is none.

    Raises:
        ConfigurationInvalid: There is no key, or the country is invalid.
    """
    key, key_id = settings.token_key.get_secret_value().encode(), settings.token_key_id
    faults = []
    if not is_country(settings.token_country):
        write = "a two-letter country code in capitals, for example GB"
        faults.append(Fault("WATCHROOM_TOKEN_COUNTRY", "", repr(settings.token_country), write))
    if not key and is_embedded:
        key, key_id = secrets.token_bytes(KEY_LEAST_BYTES), OF_THE_RUN
    elif not key:
        write = f"a secret of at least {KEY_LEAST_BYTES} bytes, for example from `openssl rand -base64 32`"
        faults.append(Fault("WATCHROOM_TOKEN_KEY", "", "nothing", write))
    if faults:
        raise ConfigurationInvalid(faults)
    return Tokeniser(key, key_id, settings.token_country)
