"""Redis: can it be written, does it keep its data, and what does it hold of this force?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from watchroom.doctor.broker_checks import is_loopback
from watchroom.doctor.facts import Redis
from watchroom.doctor.finding import Finding, Severity, finding, listed
from watchroom.redis_url import UNIX, parse
from watchroom.settings import Settings
from watchroom.store import findings
from watchroom.store.meta import CLEARING_SAID, Meta
from watchroom.store.partition_counts import PartitionCounts
from watchroom.store.refusals import RIGHTS

CHECKS: Final = {
    "version": "redis-version",
    "mode": "redis-role",
    "role": "redis-role",
    "replication": "redis-role",
    "eviction": "redis-policy",
    "persistence": "redis-persistence",
}  # by the name of the finding in `store.findings`
FULL: Final = 0.9  # of maxmemory


def of_answer(settings: Settings, redis: Redis) -> Iterator[Finding]:
    """A Redis that does not answer, or refuses us."""
    if redis.failure:
        subject = f"Redis at {settings.redis_shown}"
        what, _, look_at = redis.failure.removeprefix(f"{subject} ").partition("; check ")
        yield finding(
            "redis", subject, failure=what, look_at=look_at or "that it is running, and check WATCHROOM_REDIS_URL"
        )


def of_encryption(settings: Settings) -> Iterator[Finding]:
    """A connection to another machine without encryption."""
    address = parse(settings.redis_url)
    hosts = [each.host for each in address.sentinels] or [address.host]
    if address.scheme != UNIX and not address.has_tls and not all(map(is_loopback, hosts)):
        scheme = "rediss+sentinel" if address.sentinels else "rediss"
        yield finding("redis-tls", f"Redis at {address.shown}", scheme=scheme)


def of_rights(settings: Settings, missing: Sequence[str], info: Mapping[str, Any] | None) -> Iterator[Finding]:
    """Commands that our user may not run: those that we need, and INFO."""
    user = parse(settings.redis_url).user or "default"
    subject = f"Redis at {settings.redis_shown}"
    if missing:
        values = {"commands": ", ".join(missing), "force": settings.force, "page": RIGHTS}
        yield finding("redis-rights", subject, user=user, **values)
    if info is None:
        yield finding("redis-info", subject, user=user)


def of_info(settings: Settings, info: Mapping[str, Any]) -> Iterator[Finding]:
    """What INFO says."""
    subject = f"Redis at {settings.redis_shown}"
    for found in findings.of_info(info):
        yield _of_store(CHECKS[found.check], subject, found)
    yield from _memory(subject, info)


def of_evictions(settings: Settings, info: Mapping[str, Any] | None, meta: Meta | None) -> Iterator[Finding]:
    """Keys that were evicted since Redis was filled."""
    for found in findings.of_evictions(info, meta.evictions) if meta else ():
        subject = f"Redis at {settings.redis_shown}"
        yield _of_store("redis-evicted", subject, found)._replace(severity=Severity.WRONG)


def of_force(settings: Settings, meta: Meta | None, counts: Mapping[str, PartitionCounts]) -> Iterator[Finding]:
    """A force, or streams of it, that Redis does not hold, and rebuilds that were interrupted.

    Args:
        settings: Name force and streams.
        meta: The definitions of the figures.
        counts: Each topic's partition counts.
    """
    subject = f"force {settings.force}"
    if meta is not None and meta.clearing:
        yield finding("force.clearing", subject, state=CLEARING_SAID)
    elif merging := [topic for topic in settings.topics.values() if topic in counts and counts[topic].is_rebuilding]:
        yield finding("force.merging", subject, topics=listed(merging))
    elif meta is None:
        yield finding("force.absent", subject, redis=settings.redis_shown)
    elif lacking := [stream for stream in settings.streams if stream not in meta.streams]:
        yield finding("force.partial", subject, streams=listed(lacking))


def of_definitions(changed: Mapping[str, str]) -> Iterator[Finding]:
    """Streams whose figures were made under other definitions; `changed` says what differs, by stream."""
    for stream, what in changed.items():
        yield finding("definitions", f"stream {stream}", changed=what)


def _memory(subject: str, info: Mapping[str, Any]) -> Iterator[Finding]:
    used, limit = int(info.get("used_memory", 0)), int(info.get("maxmemory", 0))
    if limit and used >= FULL * limit:
        yield finding("redis-memory", subject, part=used / limit, used=used, limit=limit, twice=2 * limit)


def _of_store(check: str, subject: str, found: findings.Finding) -> Finding:
    severity = Severity.WRONG if found.severity == "error" else Severity.WARNING
    return Finding(severity, check, subject, found.found, _sentence(found.why), _sentence(found.do))


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
