"""Redis: may it be written, does it keep what it is given, and what does it hold of this force?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from watchroom.doctor.broker_checks import is_loopback
from watchroom.doctor.facts import Redis
from watchroom.doctor.finding import Finding, listed, unchecked, warning, wrong
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
}  # by the name that the finding has in `store.findings`
FULL: Final = 0.9  # of maxmemory
AGAIN: Final = "Wait for it if it runs; otherwise stop the workers and run `watchroom rebuild` again."
REBUILD: Final = "Stop the workers and run `watchroom rebuild`."


def of_answer(settings: Settings, redis: Redis) -> Iterator[Finding]:
    """A Redis that does not answer, or does not let us in."""
    if redis.failure:
        subject = f"Redis at {settings.redis_shown}"
        what, _, look_at = redis.failure.removeprefix(f"{subject} ").partition("; check ")
        fix = f"Check {look_at or 'that it runs, and WATCHROOM_REDIS_URL'}."
        yield wrong("redis", subject, what, "Nothing is counted, and no figure is shown.", fix)


def of_encryption(settings: Settings) -> Iterator[Finding]:
    """A connection that leaves this machine in the clear."""
    address = parse(settings.redis_url)
    hosts = [each.host for each in address.sentinels] or [address.host]
    if address.scheme != UNIX and not address.has_tls and not all(map(is_loopback, hosts)):
        yield warning(
            "redis-tls",
            f"Redis at {address.shown}",
            "connections are not encrypted",
            "Figures and the password can be read and changed on the network between this machine and Redis.",
            f"Give Redis a port with TLS, and write redis{'s+sentinel' if address.sentinels else 's'}:// in"
            " WATCHROOM_REDIS_URL.",
        )


def of_rights(settings: Settings, missing: Sequence[str], info: Mapping[str, Any] | None) -> Iterator[Finding]:
    """Commands that our user may not run: those that we need, and INFO."""
    user = parse(settings.redis_url).user or "default"
    subject = f"Redis at {settings.redis_shown}"
    if missing:
        yield wrong(
            "redis-rights",
            subject,
            f"user {user!r} may not run {', '.join(missing)} on the keys of force {settings.force}",
            "Workers or exporter fail when they first need it.",
            f"Set the user's rights with the ACL line in {RIGHTS}.",
        )
    if info is None:
        yield unchecked(
            "redis-info",
            subject,
            f"user {user!r} may not run INFO: version, role, policy, evictions, memory and persistence are not known",
            "A Redis that evicts keys makes figures wrong, and nothing would say so.",
            f"ACL SETUSER {user} +info",
        )


def of_info(settings: Settings, info: Mapping[str, Any]) -> Iterator[Finding]:
    """What INFO says."""
    subject = f"Redis at {settings.redis_shown}"
    for found in findings.of_info(info):
        make = wrong if found.severity == "error" else warning
        yield make(CHECKS[found.check], subject, found.found, _sentence(found.why), _sentence(found.do))
    yield from _memory(subject, info)


def of_evictions(settings: Settings, info: Mapping[str, Any] | None, meta: Meta | None) -> Iterator[Finding]:
    """Keys that were evicted since Redis was filled."""
    for found in findings.of_evictions(info, meta.evictions) if meta else ():
        subject = f"Redis at {settings.redis_shown}"
        yield wrong("redis-evicted", subject, found.found, _sentence(found.why), _sentence(found.do))


def of_force(settings: Settings, meta: Meta | None, counts: Mapping[str, PartitionCounts]) -> Iterator[Finding]:
    """A force, or streams of it, that Redis does not hold, and rebuilds that were interrupted.

    Args:
        settings: They name force and streams.
        meta: Under what the figures were made.
        counts: What is known of each topic's partition counts.
    """
    subject = f"force {settings.force}"
    if meta is not None and meta.clearing:
        yield wrong("force", subject, CLEARING_SAID, "Everything is withheld until it has ended.", AGAIN)
    elif merging := [topic for topic in settings.topics.values() if topic in counts and counts[topic].is_rebuilding]:
        what = f"a rebuild that merges the partitions of {listed(merging)} is running, or was interrupted"
        why = "Workers read none of these topics, and their streams are withheld, until it has ended."
        yield wrong("force", subject, what, why, AGAIN)
    elif meta is None:
        yield wrong(
            "force",
            subject,
            f"Redis at {settings.redis_shown} holds nothing of it",
            "No worker has ever run with this force and this Redis.",
            "Check WATCHROOM_FORCE and WATCHROOM_REDIS_URL, and start `watchroom worker`.",
        )
    elif lacking := [stream for stream in settings.streams if stream not in meta.streams]:
        yield wrong(
            "force",
            subject,
            f"Redis holds nothing of {listed(lacking)}",
            "No worker has run that feeds this stream.",
            "Start the workers with the same WATCHROOM_STREAMS as here, or correct it here.",
        )


def of_definitions(changed: Mapping[str, str]) -> Iterator[Finding]:
    """Streams whose figures were made under other definitions; `changed` says what differs, by stream."""
    for stream, what in changed.items():
        yield wrong(
            "definitions",
            f"stream {stream}",
            f"Redis holds it under another definition: {what}",
            "Workers with these settings leave it alone, and its figures are withheld.",
            f"Use the catalogue and settings of the workers that filled it. If these are the right ones: {REBUILD}",
        )


def _memory(subject: str, info: Mapping[str, Any]) -> Iterator[Finding]:
    used, limit = int(info.get("used_memory", 0)), int(info.get("maxmemory", 0))
    if limit and used >= FULL * limit:
        yield warning(
            "redis-memory",
            subject,
            f"uses {used / limit:.0%} of maxmemory ({used:,} of {limit:,} bytes)",
            "Once it is full it refuses writes, and everything is withheld.",
            f"CONFIG SET maxmemory to twice as much ({2 * limit}), and the same in redis.conf.",
        )


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
