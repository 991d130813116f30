"""A TOML file that must be there and readable."""

from __future__ import annotations

import tomllib
from pathlib import Path

from watchroom import toml_text
from watchroom.errors import ConfigurationInvalid, Fault


def read_toml(path: Path) -> dict[str, object]:
    """Its tables.

    Raises:
        ConfigurationInvalid: It is not there, or no TOML.
    """
    try:
        return toml_text.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationInvalid([Fault(str(path), "", f"not readable as TOML ({error})", "a TOML file")]) from error
