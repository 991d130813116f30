"""What a person should know about a Redis before trusting figures in it. Pure: from the fields of its INFO.

Workers log the warnings when they start; `watchroom doctor` shows everything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

from watchroom.errors import ConfigurationInvalid, Fault
from watchroom.store.evictions import EVICTED_SAID, POLICY_WRITE, Process, Seen, process_of
from watchroom.store.refusals import RIGHTS, UNUSABLE

LEAST_VERSION: Final = (7, 0)


class Finding(NamedTuple):
    """One thing about a Redis: what was found, why it matters, and what to do."""

    check: str  # version, mode, role, eviction, persistence or replication
    found: str
    why: str
    do: str
    severity: Literal["error", "warning"]  # error: no worker runs with it, or figures are withheld

    def __str__(self) -> str:
        return f"Redis: {self.found}: {self.why}; {self.do}"


def of_info(info: Mapping[str, Any], *, is_written: bool = True) -> list[Finding]:
    """All findings from INFO, which should be requested without a section.

    Args:
        info: Its fields as redis-py reads them. A field that a service leaves out is not checked.
        is_written: Workers write there; False for a Redis that an exporter only reads.
    """
    found = [*_version(info), *_mode(info), *_policy(info), *_persistence(info), *_replication(info)]
    if is_written:
        found += _role(info)
    return found


def of_evictions(info: Mapping[str, Any] | None, seen: Seen) -> list[Finding]:
    """Whether Redis has evicted keys of ours; `seen` is `Meta.evictions`, `info` is None without the right to it."""
    if not (seen.marked or (info is not None and "run_id" in info and seen.missed(process_of(info)))):
        return []
    why = "a count whose key was evicted is too low from then on, so every figure is withheld"
    return [Finding("eviction", EVICTED_SAID, why, "stop the workers and run `watchroom rebuild`", "error")]


def without_info() -> Finding:
    """Our user may not run INFO."""
    return Finding(
        "eviction",
        "the Redis user may not run INFO",
        "everything works, but there is no way to tell whether Redis evicts keys, is persistent and is recent enough",
        f"add +info to its rights, see {RIGHTS}",
        "warning",
    )


def refuse_mode(process: Process, redis_shown: str) -> None:
    """Raise ConfigurationInvalid for a node of a cluster, and for a sentinel; `redis_shown` names it."""
    if process.mode in UNUSABLE:
        said, write = UNUSABLE[process.mode]
        setting, _, write = write.partition(": write ")
        raise ConfigurationInvalid([Fault(setting, "", f"{redis_shown}, which {said}", write)])


def _version(info: Mapping[str, Any]) -> Iterator[Finding]:
    version = str(info.get("redis_version", ""))  # Valkey shows the version of Redis with which it is compatible
    numbers = re.match(r"(\d+)\.(\d+)", version)
    if numbers and (int(numbers[1]), int(numbers[2])) < LEAST_VERSION:
        why = "before 7.0, a script cannot check its rights, so a right that is revoked can leave a step half written"
        yield Finding("version", f"version {version}", why, "use Redis 7.0 or later, or Valkey", "warning")


def _mode(info: Mapping[str, Any]) -> Iterator[Finding]:
    mode = process_of({"run_id": "", **info}).mode
    if mode in UNUSABLE:
        said, write = UNUSABLE[mode]
        yield Finding("mode", f"the server {said}", "workers cannot use it", f"check {write}", "error")


def _role(info: Mapping[str, Any]) -> Iterator[Finding]:
    if info.get("role") == "slave":
        of = f"{info.get('master_host', '?')}:{info.get('master_port', '?')}"
        why = "a replica does not accept writes, so workers wait"
        do = "set WATCHROOM_REDIS_URL to the primary's address, or to redis+sentinel://"
        yield Finding("role", f"the server is a replica of {of}", why, do, "error")


def _policy(info: Mapping[str, Any]) -> Iterator[Finding]:
    process = process_of({"run_id": "", **info})
    if process.may_evict:
        why = "Redis evicts keys when it is full, and a count whose key was evicted is too low from then on"
        yield Finding("eviction", f"maxmemory-policy is {process.policy}", why, f"write {POLICY_WRITE}", "error")


def _persistence(info: Mapping[str, Any]) -> Iterator[Finding]:
    if "aof_enabled" not in info:
        return
    if not int(info["aof_enabled"]):
        why = (
            "a restart loses everything since the last snapshot, if there is one; workers can recount it only as far"
            " back as Kafka keeps the records"
        )
        do = "set `appendonly yes` in redis.conf (and run CONFIG SET appendonly yes), see deploy/redis/redis.conf"
        yield Finding("persistence", "the append-only file is off", why, do, "warning")
    written = {
        "aof_last_write_status": "the append-only file",
        "aof_last_bgrewrite_status": "the rewritten append-only file",
        "rdb_last_bgsave_status": "a snapshot",
    }
    for field, what in written.items():
        if str(info.get(field, "ok")) != "ok":
            why, do = (
                "it refuses writes, or loses everything at its next restart",
                "check its log and its free disk space",
            )
            yield Finding("persistence", f"the server could not write {what}", why, do, "error")


def _replication(info: Mapping[str, Any]) -> Iterator[Finding]:
    if info.get("role") == "slave" and str(info.get("master_link_status", "up")) != "up":
        why = "its data has been out of date since the link broke, so exporters withhold its figures"
        do = "check `INFO replication` and the logs of both servers"
        yield Finding("replication", "the replica's link to its primary is down", why, do, "warning")
