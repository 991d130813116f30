"""What a check has found: what it is, why it matters, and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple


class Severity(StrEnum):
    """How bad it is, the worst first."""

    WRONG = "wrong"  # figures are wrong, withheld or soon will be, or nobody will be alerted
    WARNING = "warning"  # works, with a risk that somebody should have accepted
    UNCHECKED = "not checked"  # nothing can be said


class Finding(NamedTuple):
    """One finding of one check."""

    severity: Severity
    check: str  # its id, a key of `checks.CHECKS`
    subject: str  # server, topic, stream, source or file
    what: str
    why: str
    fix: str


def wrong(check: str, subject: str, what: str, why: str, fix: str) -> Finding:
    """Something is wrong."""
    return Finding(Severity.WRONG, check, subject, what, why, fix)


def warning(check: str, subject: str, what: str, why: str, fix: str) -> Finding:
    """It works, at a risk."""
    return Finding(Severity.WARNING, check, subject, what, why, fix)


def unchecked(check: str, subject: str, what: str, why: str, fix: str) -> Finding:
    """Nothing can be said."""
    return Finding(Severity.UNCHECKED, check, subject, what, why, fix)


def listed(items: Sequence[object], most: int = 5) -> str:
    """The first of many, and how many more there are."""
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


def in_one_line(finding: Finding) -> Finding:
    """With no line breaks in its texts, of which some are a server's."""
    return Finding(finding.severity, *(" ".join(text.splitlines()) for text in finding[1:]))
