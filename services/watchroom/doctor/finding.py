"""What a check has found: what it is, why it matters, and what to do.

The texts are in `*_findings.toml`, by check; a check with several findings has a table for each. {name} stands for a
value that the code fills in. A finding has the severity "wrong" unless it says otherwise. deploy/doctor.md lists the
same checks with `looks_at`.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

_SERVERS: Final = ("settings", "kafka", "redis", "monitoring")
_FILES: Final = [Path(__file__).with_name(f"{server}_findings.toml") for server in _SERVERS]
_TEXTS: Final = {name: texts for path in _FILES for name, texts in tomllib.loads(path.read_text("utf-8")).items()}

CHECKS: Final = {check: str(texts["looks_at"]) for check, texts in _TEXTS.items()}
"""Every check by its id, with one line about what it checks."""
LACKING_ON_EMBEDDED: Final = frozenset({"kafka-tls", "topic-replication", "redis-tls", "redis-persistence"})
"""Checks that do not apply to the embedded stack. It has no Prometheus or Alertmanager either."""


class Severity(StrEnum):
    """How bad it is, the worst first."""

    WRONG = "wrong"  # figures are or soon will be wrong or withheld, or nobody will be alerted
    WARNING = "warning"  # works, with a risk that somebody should have accepted
    UNCHECKED = "not checked"  # unknown


class Finding(NamedTuple):
    """One finding of one check."""

    severity: Severity
    check: str  # its id, a key of `CHECKS`
    subject: str  # server, topic, stream, source or file
    what: str
    why: str
    fix: str


def finding(name: str, subject: str, /, **values: object) -> Finding:
    """A finding with its texts.

    Args:
        name: Of a check (`lag`), or of one of its findings (`kafka.silent`).
        subject: Server, topic, stream, source or file.
        values: For the {names} in the texts.
    """
    check, _, which = name.partition(".")
    texts = _TEXTS[check] | _TEXTS[check].get(which, {})
    what, why, fix = (texts[part].format_map(values) for part in ("what", "why", "fix"))
    return Finding(Severity(texts.get("severity", Severity.WRONG)), check, subject, what, why, fix)


def listed(items: Sequence[object], most: int = 5) -> str:
    """The first few, each once, and how many more there are."""
    items = list(dict.fromkeys(items))
    more = len(items) - most
    return ", ".join(map(str, items[:most])) + (f" and {more} more" if more > 0 else "")


def as_text(found: Sequence[Finding]) -> str:
    """Lines for a person."""
    lines = [
        f"{one.severity.upper()}: {one.subject}: {one.what} [{one.check}]\n    why: {one.why}\n    do:  {one.fix}\n"
        for one in map(in_one_line, found)
    ]
    counts = Counter(one.severity.value for one in found)
    said = ", ".join(f"{number} {severity}" for severity, number in counts.items())
    return "".join([*lines, f"doctor: {said or 'nothing wrong was found'}\n"])


def in_one_line(found: Finding) -> Finding:
    """Without line breaks in its texts, some of which a server sent."""
    return Finding(found.severity, *(" ".join(text.splitlines()) for text in found[1:]))
