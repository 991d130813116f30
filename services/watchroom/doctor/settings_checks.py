"""Settings: which cannot be used, which do not fit together, and files of secrets that others can read."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

from watchroom.doctor.finding import Finding, finding, listed
from watchroom.errors import ConfigurationInvalid, Fault
from watchroom.kafka.login import security_of
from watchroom.settings import PREFIX, Settings
from watchroom.settings.read import SECRETS
from watchroom.store.connection import client

READ_S: Final = 1.0  # interval at which an exporter reads Redis
CONTAINER_SECRETS: Final = ("/run/secrets/", "/var/run/secrets/")  # mounted into a single container


def of_faults(faults: Iterable[Fault], check: str = "settings") -> Iterator[Finding]:
    """Faults of the settings or of the catalogue."""
    for fault in faults:
        subject = f"{fault.where} {fault.key}".rstrip()
        yield finding(f"{check}.refused", subject, found=fault.found, write=fault.write)


NOTHING_ELSE_CHECKED: Final = finding("settings.stop", "everything else")
"""Without settings there are no servers to ask."""


def of_settings(settings: Settings) -> Iterator[Finding]:
    """Settings that are accepted but do not work together."""
    if settings.fresh_s <= settings.touch_s + READ_S:
        limits = {"fresh_s": settings.fresh_s, "touch_s": settings.touch_s, "read_s": READ_S}
        yield finding("settings-freshness", "WATCHROOM_FRESH_S", **limits)
    unfed = [stream for stream, rules in settings.sources.items() if rules and stream not in settings.streams]
    if unfed:
        streams = {"unfed": listed(unfed), "fed": ", ".join(settings.streams), "add": ", ".join(unfed)}
        yield finding("settings-sources", "WATCHROOM_SOURCES", **streams)


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
            yield finding("settings-secrets", str(file), mode=stat.S_IMODE(mode), file=file)
