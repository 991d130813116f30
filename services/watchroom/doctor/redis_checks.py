"""Redis: may it be written, does it keep what it is given, and what does it hold of this force?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from watchroom.doctor.broker_checks import is_loopback
from watchroom.doctor.facts import Redis
from watchroom.doctor.finding import Finding, listed, unchecked, warning, wrong
from watchroom.redis_url import parse
from watchroom.settings import Settings
from watchroom.store.connection import RIGHTS
from watchroom.store.evictions import EVICTED_SAID, GOOD_POLICY, process_of
from watchroom.store.inspect import Inspection
from watchroom.store.meta import CLEARING_SAID, Meta

OLDEST: Final = (6, 2)  # the first with ZRANGE ... BYSCORE
FULL: Final = 0.9  # of maxmemory
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
    if address.scheme == "redis" and not is_loopback(address.host):
        yield warning(
            "redis-tls",
            f"Redis at {address.shown}",
            "connections are not encrypted",
            "Figures and the password can be read and changed on the network between this machine and Redis.",
            "Give Redis a port with TLS, and write rediss:// in WATCHROOM_REDIS_URL.",
        )


def of_rights(settings: Settings, inspection: Inspection) -> Iterator[Finding]:
    """Commands that our user may not run."""
    user = parse(settings.redis_url).user or "default"
    subject = f"Redis at {settings.redis_shown}"
    if inspection.denied:
        yield wrong(
            "redis-rights",
            subject,
            f"user {user!r} may not run {', '.join(inspection.denied)} on the keys of force {settings.force}",
            "Workers or exporter fail when they first need it.",
            f"Set the user's rights with the ACL line in {RIGHTS}.",
        )
    if inspection.info is None:
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
    for found in (_version(info), _role(info), _policy(info), _memory(info), *_persistence(info)):
        if found is not None:
            yield found._replace(subject=subject)


def of_evictions(settings: Settings, info: Mapping[str, Any] | None, meta: Meta | None) -> Iterator[Finding]:
    """Keys that were evicted since Redis was filled."""
    is_told = info is not None and "run_id" in info
    if meta and (meta.evictions.marked or (is_told and meta.evictions.missed(process_of(info or {})))):
        why = "What was evicted is missing from figures, and is counted wrongly from then on."
        yield wrong("redis-evicted", f"Redis at {settings.redis_shown}", EVICTED_SAID, why, REBUILD)


def of_force(settings: Settings, meta: Meta | None) -> Iterator[Finding]:
    """A force, or streams of it, that Redis does not hold."""
    subject = f"force {settings.force}"
    if meta is None:
        yield wrong(
            "force",
            subject,
            f"Redis at {settings.redis_shown} holds nothing of it",
            "No worker has ever run with this force and this Redis.",
            "Check WATCHROOM_FORCE and WATCHROOM_REDIS_URL, and start `watchroom worker`.",
        )
    elif meta.clearing:
        why = "Everything is withheld until it has ended."
        fix = "Wait for it if it runs; otherwise run `watchroom rebuild` again."
        yield wrong("force", subject, CLEARING_SAID, why, fix)
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


def _version(info: Mapping[str, Any]) -> Finding | None:
    text = str(info.get("redis_version", ""))
    found = re.match(r"(\d+)\.(\d+)", text)
    if found is None or (int(found[1]), int(found[2])) >= OLDEST:
        return None
    why = "Commands that Watchroom needs do not exist there."
    return wrong("redis-version", "", f"is version {text}", why, "Use Redis 7 or later, or Valkey.")


def _role(info: Mapping[str, Any]) -> Finding | None:
    if info.get("role") in (None, "master"):
        return None
    primary = f"{info.get('master_host', 'its primary')}:{info.get('master_port', '')}".rstrip(":")
    return wrong(
        "redis-role",
        "",
        f"is a replica of {primary}",
        "It takes no writes, so workers wait.",
        "Write the primary into WATCHROOM_REDIS_URL; after a failover, one that moves with it.",
    )


def _policy(info: Mapping[str, Any]) -> Finding | None:
    policy = info.get("maxmemory_policy")
    if policy in (None, GOOD_POLICY):
        return None
    return wrong(
        "redis-policy",
        "",
        f"maxmemory-policy is {policy}",
        "Redis deletes keys when it is full, and figures are then wrong. No worker starts with it.",
        f"CONFIG SET maxmemory-policy {GOOD_POLICY}, the same in redis.conf, then stop the workers and run"
        " `watchroom rebuild`.",
    )


def _memory(info: Mapping[str, Any]) -> Finding | None:
    used, limit = int(info.get("used_memory", 0)), int(info.get("maxmemory", 0))
    if not limit or used < FULL * limit:
        return None
    return warning(
        "redis-memory",
        "",
        f"uses {used / limit:.0%} of maxmemory ({used:,} of {limit:,} bytes)",
        "Once it is full it refuses writes, and everything is withheld.",
        f"CONFIG SET maxmemory to twice as much ({2 * limit}), and the same in redis.conf.",
    )


def _persistence(info: Mapping[str, Any]) -> Iterator[Finding]:
    if info.get("aof_enabled") == 0:
        yield warning(
            "redis-persistence",
            "",
            "the append-only file is off",
            "After a restart of Redis everything is read from Kafka again, and no figure is shown until then.",
            "CONFIG SET appendonly yes, and the same in redis.conf (deploy/redis/redis.conf).",
        )
    names = {
        "aof_last_write_status": "the append-only file",
        "aof_last_bgrewrite_status": "the rewritten append-only file",
        "rdb_last_bgsave_status": "a snapshot",
    }
    if failed := [what for name, what in names.items() if info.get(name, "ok") != "ok"]:
        yield wrong(
            "redis-persistence",
            "",
            f"could not write {' and '.join(failed)}",
            "It refuses writes, or forgets everything with its next restart.",
            "Look at its log and at the space on its disk.",
        )
