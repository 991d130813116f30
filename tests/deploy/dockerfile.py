"""Rules for deploy/Dockerfile; each check yields the faults that it finds, as sentences."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path

from tests.deploy.compose import VERSION
from watchroom.settings import Settings


def instructions(text: str) -> list[tuple[str, str]]:
    """Instruction and rest of each line, without comments and with continued lines joined."""
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    joined = re.sub(r"\\\n\s*", "", lines).splitlines()
    return [(parts[0], parts[2]) for line in joined if (parts := line.strip().partition(" "))[0]]


def final_stage(text: str) -> list[tuple[str, str]]:
    """The instructions of the final image."""
    all_ = instructions(text)
    last = max(n for n, (word, _) in enumerate(all_) if word == "FROM")
    return all_[last:]


def base_faults(text: str) -> list[str]:
    """Each stage is based on an image with a full version."""
    bases = [rest.split()[0] for word, rest in instructions(text) if word == "FROM"]
    return [f"{base} has no whole version" for base in bases if not VERSION.fullmatch(base.partition(":")[2])]


def copy_faults(text: str, ignore: str, root: Path) -> list[str]:
    """Copied files exist, and .dockerignore does not exclude them."""
    faults = []
    let_in = [line[1:] for line in ignore.splitlines() if line.startswith("!")]
    for word, rest in instructions(text):
        if word not in {"COPY", "ADD"} or rest.startswith("--from="):
            continue
        for source in rest.split()[:-1]:
            if not (root / source).exists():
                faults.append(f"{source} does not exist")
            elif not any(fnmatch(source, pattern) for pattern in let_in):
                faults.append(f".dockerignore keeps {source} out")
    return faults


def user_faults(text: str) -> list[str]:
    """The image does not run as root, and its user is a number, so that orchestrators can see it."""
    users = [rest for word, rest in final_stage(text) if word == "USER"]
    if not users or not re.fullmatch(r"[1-9][0-9]*:[1-9][0-9]*", users[-1]):
        return [f"it runs as {users[-1] if users else 'root'}"]
    made = [rest for word, rest in final_stage(text) if word == "RUN"]
    uid, _, gid = users[-1].partition(":")
    return [
        f"nobody makes {flag} {id_}"
        for flag, id_ in (("--uid", uid), ("--gid", gid))
        if f"{flag} {id_}" not in str(made)
    ]


def variables(text: str) -> dict[str, str]:
    """The environment of the image."""
    return dict(
        pair for word, rest in final_stage(text) if word == "ENV" for pair in re.findall(r"([A-Z_]+)=(\S+)", rest)
    )


def environment_faults(text: str) -> list[str]:
    """Its settings exist, and WATCHROOM_SCHEMAS is the folder to which the schemas are copied."""
    given = variables(text)
    known = {f"WATCHROOM_{name.upper()}" for name in Settings.model_fields}
    faults = [f"there is no setting {name}" for name in given if name.startswith("WATCHROOM_") and name not in known]
    copied = {rest.split()[0]: rest.split()[-1] for word, rest in final_stage(text) if word == "COPY"}
    if copied.get("schemas") != given.get("WATCHROOM_SCHEMAS"):
        faults.append(f"schemas lie in {copied.get('schemas')}, WATCHROOM_SCHEMAS is {given.get('WATCHROOM_SCHEMAS')}")
    return faults


def install_faults(text: str) -> list[str]:
    """The locked versions are installed, without the development tools."""
    runs = [rest for word, rest in instructions(text) if word == "RUN" and "pip install" in rest]
    if len(runs) != 1 or not runs[0].endswith("--constraint constraints.txt ."):
        return ["pip does not install . alone with --constraint constraints.txt"]
    return []


def health_faults(text: str) -> list[str]:
    """The container's health is read from the page of its process."""
    checks = [rest for word, rest in final_stage(text) if word == "HEALTHCHECK"]
    if len(checks) != 1 or "HEALTH_PAGE" not in checks[0] or "HEALTH_PAGE" not in variables(text):
        return ["no HEALTHCHECK of HEALTH_PAGE"]
    return []
