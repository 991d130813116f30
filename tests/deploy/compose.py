"""Rules for docker-compose.yml; each check yields the faults that it finds, as sentences."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from watchroom.errors import ConfigurationInvalid
from watchroom.settings import Settings, read_settings

Compose = dict[str, Any]
Service = dict[str, Any]

VERSION = re.compile(r"v?[0-9]+\.[0-9]+\.[0-9]+([.-][a-z0-9.-]+)?")
INTERPOLATED = re.compile(r"\$\{([A-Z_]+)(?::-([^}]*))?\}")
OWN_PAGES = {
    "worker": ("health", "/readyz"),
    "exporter": ("exporter", "/healthz"),
    "watchdog": ("watchdog", "/healthz"),
}
"""Command of ours -> the stem of its host and port settings, and the page that says how it is."""


def services(compose: Compose) -> dict[str, Service]:
    """The services by name."""
    found: dict[str, Service] = compose["services"]
    return found


def resolved(value: object) -> str:
    """A value if the caller's environment sets nothing."""
    return INTERPOLATED.sub(lambda found: found[2] or "", str(value))


def environment(service: Service) -> dict[str, str]:
    """The variables of a service, resolved."""
    return {name: resolved(value) for name, value in service.get("environment", {}).items()}


def own_command(service: Service) -> str | None:
    """Which of our commands a service runs."""
    if "build" not in service:
        return None
    return str(service["command"][0])


def settings_of(service: Service) -> Settings:
    """The settings with which one of our services would start."""
    given = {
        name.removeprefix("WATCHROOM_").lower(): value
        for name, value in environment(service).items()
        if name.startswith("WATCHROOM_")
    }
    return read_settings(**given)


def mounts(service: Service) -> list[tuple[str, str, str]]:
    """Source, target and mode of each mount."""
    split = [volume.split(":") for volume in service.get("volumes", [])]
    return [(parts[0], parts[1], parts[2] if len(parts) > 2 else "rw") for parts in split]


def mounted(service: Service, path: str, root: Path) -> Path | None:
    """The file or folder of the repository that a service sees at `path`."""
    for source, target, _ in mounts(service):
        if source.startswith("./") and (path == target or path.startswith(target + "/")):
            return root / source / path[len(target) :].lstrip("/")
    return None


# --------------------------------------------------------------------------------------------- checks


def mount_faults(compose: Compose, root: Path) -> list[str]:
    """Docker would create a missing folder, empty and owned by root."""
    faults = []
    for name, service in services(compose).items():
        for source, target, mode in mounts(service):
            if not source.startswith("./"):
                if source not in compose["volumes"]:
                    faults.append(f"{name}: volume {source} is not declared")
            elif not (root / source).exists():
                faults.append(f"{name}: {source} does not exist")
            elif mode != "ro":
                faults.append(f"{name}: {source} is writable at {target}")
        if build := service.get("build"):
            faults += [
                f"{name}: no {path}"
                for path in (build["context"], f"{build['context']}/{build['dockerfile']}")
                if not (root / path).exists()
            ]
    return faults


def setting_faults(compose: Compose) -> list[str]:
    """A variable that no process reads has no effect."""
    faults = []
    known = {f"WATCHROOM_{name.upper()}" for name in Settings.model_fields}
    for name, service in services(compose).items():
        given = service.get("environment", {})
        asked = {found[0] for value in given.values() for found in INTERPOLATED.findall(str(value))}
        used = {variable for variable in {*given, *asked} if variable.startswith("WATCHROOM_")}
        unknown = sorted(used - known)
        faults += [f"{name}: there is no setting {variable}" for variable in unknown]
        if own_command(service) and not unknown:
            try:
                settings_of(service)
            except ConfigurationInvalid as error:
                faults += [f"{name}: {fault}" for fault in error.faults]
    return faults


def port_faults(compose: Compose) -> list[str]:
    """Nothing here asks for a password, so nothing may be reachable from another machine."""
    return [
        f"{name}: {port} is not published on 127.0.0.1 only"
        for name, service in services(compose).items()
        for port in service.get("ports", [])
        if not re.fullmatch(r"127\.0\.0\.1:[0-9]+:[0-9]+", str(port))
    ]


def image_faults(compose: Compose, root: Path) -> list[str]:
    """Next year the same images must run as this year; our own image has our version."""
    faults = []
    own = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    for name, service in services(compose).items():
        _, _, tag = str(service.get("image", "")).partition(":")
        if not VERSION.fullmatch(tag):
            faults.append(f"{name}: image {service.get('image')} has no whole version")
        if "build" in service and tag != own:
            faults.append(f"{name}: image {service['image']} is not of version {own}")
    return faults


def privilege_faults(compose: Compose) -> list[str]:
    """A compromised process must not be root, become root, or change its own programs."""
    faults = []
    for name, service in services(compose).items():
        user = str(service.get("user", "")).partition(":")[0]
        if user in {"", "0", "root"}:
            faults.append(f"{name}: runs as {user or 'whoever the image says'}")
        if service.get("cap_drop") != ["ALL"] or service.get("privileged") or service.get("cap_add"):
            faults.append(f"{name}: keeps capabilities")
        if "no-new-privileges:true" not in service.get("security_opt", []):
            faults.append(f"{name}: may gain privileges")
        if service.get("read_only") is not True and name != "kafka":  # its start script writes into the image's folders
            faults.append(f"{name}: its root file system is writable")
        if str(service.get("network_mode", "")) == "host" or service.get("pid") or service.get("ipc"):
            faults.append(f"{name}: shares the machine's network, processes or memory")
    return faults


def care_faults(compose: Compose) -> list[str]:
    """Every service restarts by itself and has a health check; one that is meant to end says so."""
    faults = []
    for name, service in services(compose).items():
        health, restart = service.get("healthcheck", {}), service.get("restart")
        if "simulator" in service.get("profiles", []):
            if restart != "no" or health != {"disable": True}:
                faults.append(f"{name}: sends its events again at each start; write restart: 'no' and no healthcheck")
            continue
        if restart != "unless-stopped":
            faults.append(f"{name}: restart is {restart}")
        if not {"interval", "timeout", "retries", "start_period"} <= set(health):
            faults.append(f"{name}: no whole healthcheck")
        elif (command := own_command(service)) is None:
            faults += [] if health.get("test") else [f"{name}: its healthcheck tests nothing"]
        else:
            stem, path = OWN_PAGES[command]
            page = f"http://127.0.0.1:{getattr(settings_of(service), f'{stem}_port')}{path}"
            if environment(service).get("HEALTH_PAGE") != page:
                faults.append(f"{name}: HEALTH_PAGE is not {page}")
    return faults


def command_faults(compose: Compose, commands: set[str]) -> list[str]:
    """Each of our services runs an existing command and waits for existing services."""
    known = services(compose)
    faults = []
    for name, service in known.items():
        if (command := own_command(service)) and command not in commands:
            faults.append(f"{name}: there is no command {command}")
        faults += [f"{name}: waits for {other}" for other in service.get("depends_on", []) if other not in known]
    return faults
