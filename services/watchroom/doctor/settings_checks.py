"""Settings: what cannot be used, what does not go together, and files of secrets that others can read."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

from watchroom.doctor.finding import Finding, listed, unchecked, warning, wrong
from watchroom.errors import ConfigurationInvalid, Fault
from watchroom.kafka.security import security_of
from watchroom.settings import PREFIX, Settings
from watchroom.settings.read import SECRETS
from watchroom.store.connection import client

READ_S: Final = 1.0  # an exporter reads Redis so often
CONTAINER_SECRETS: Final = ("/run/secrets/", "/var/run/secrets/")  # mounted into one container alone


def of_faults(faults: Iterable[Fault], check: str = "settings") -> Iterator[Finding]:
    """What the settings or the catalogue were refused for."""
    for fault in faults:
        subject = f"{fault.where} {fault.key}".rstrip()
        why = "No process starts with it."
        yield wrong(check, subject, f"found {fault.found}", why, f"Write {fault.write}.")


def nothing_else_checked() -> Finding:
    """Without settings nobody knows which servers to ask."""
    why = "Which servers there are is known only once the settings are right."
    return unchecked("settings", "everything else", "not checked", why, "Correct the settings and run it again.")


def of_settings(settings: Settings) -> Iterator[Finding]:
    """What is accepted, and yet does not work together."""
    if settings.fresh_s <= settings.touch_s + READ_S:
        yield wrong(
            "settings-freshness",
            "WATCHROOM_FRESH_S",
            f"{settings.fresh_s:g} s, while freshness is written every {settings.touch_s:g} s (WATCHROOM_TOUCH_S)"
            f" and read every {READ_S:g} s",
            "Figures are withheld between two writes although everything works.",
            "Set WATCHROOM_FRESH_S to 10 and WATCHROOM_TOUCH_S to 2, their defaults.",
        )
    unfed = [stream for stream, rules in settings.sources.items() if rules and stream not in settings.streams]
    if unfed:
        yield wrong(
            "settings-sources",
            "WATCHROOM_SOURCES",
            f"declares sources of {listed(unfed)}, not among the streams that are fed ({', '.join(settings.streams)})",
            "Nothing that these sources send is read, and their silence is not noticed.",
            f"Add {', '.join(unfed)} to WATCHROOM_STREAMS, for every process, or remove the sources.",
        )


def unusable_files(settings: Settings) -> list[Fault]:
    """Files of certificates and keys with which no connection can be made."""
    faults: list[Fault] = []
    for load in (partial(security_of, settings), partial(client, settings.redis)):
        try:
            load()
        except ConfigurationInvalid as error:
            faults += error.faults
    return faults


def secret_files(settings: Settings, folder: str | None) -> dict[Path, int]:
    """Permissions of the files of passwords and keys, by path; those that we cannot see are left out."""
    files = [Path(file) for file in (settings.kafka_key, settings.redis_key) if file]
    names = {f"{PREFIX}{name}".lower() for name in SECRETS}
    with suppress(OSError):
        files += sorted(file for file in Path(folder).iterdir() if file.name.lower() in names) if folder else []
    modes: dict[Path, int] = {}
    for file in files:
        with suppress(OSError):
            modes[file] = file.stat().st_mode
    return {file: mode for file, mode in modes.items() if stat.S_ISREG(mode)}


def of_secret_files(modes: Mapping[Path, int]) -> Iterator[Finding]:
    """Files that every user of this machine can read."""
    for file, mode in modes.items():
        if mode & stat.S_IROTH and not str(file.resolve()).startswith(CONTAINER_SECRETS):
            yield warning(
                "settings-secrets",
                str(file),
                f"every user of this machine may read it (mode {stat.S_IMODE(mode):04o})",
                "It holds a password or a key.",
                f"chmod o-rwx {file}",
            )
