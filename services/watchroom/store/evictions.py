"""Whether Redis has evicted keys, or may do so. The count in an evicted key is wrong from then on. Pure.

INFO shows it to users who may run INFO; for others nothing is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from watchroom.errors import ConfigurationInvalid, Fault
from watchroom.store import keys

GOOD_POLICY: Final = "noeviction"
STANDALONE, CLUSTER, SENTINEL = "standalone", "cluster", "sentinel"  # of redis_mode
POLICY_WRITE: Final = (
    f"{GOOD_POLICY} (`CONFIG SET maxmemory-policy {GOOD_POLICY}`, and in redis.conf), regardless of"
    " maxmemory; then stop the workers and run `watchroom rebuild`: evicted keys make figures wrong"
)
EVICTED_SAID: Final = "Redis has evicted keys, so figures may be wrong"


class Process(NamedTuple):
    """What a Redis process says about itself; None if it does not say it."""

    run_id: str
    policy: str | None = None  # maxmemory-policy
    evicted: int | None = None  # keys, since it started; None on a replica, which counts its own
    is_replica: bool = False
    mode: str = STANDALONE  # or cluster, or sentinel

    @property
    def may_evict(self) -> bool:
        """Whether it evicts keys once it is full."""
        return self.policy not in (None, GOOD_POLICY)

    @property
    def is_checked(self) -> bool:
        """Whether evictions can be seen; those of a replica's primary are checked by workers."""
        return self.policy is not None and (self.evicted is not None or self.is_replica)


def process_of(info: Mapping[str, Any]) -> Process:
    """From the fields of INFO."""
    policy, evicted = info.get("maxmemory_policy"), info.get("evicted_keys")
    is_primary = info.get("role") == "master"
    mode = info.get("redis_mode") or info.get("server_mode") or STANDALONE  # of Redis, of Valkey
    return Process(
        run_id=str(info["run_id"]),
        policy=None if policy is None else str(policy),
        evicted=int(evicted) if evicted is not None and is_primary else None,
        is_replica=info.get("role") == "slave",
        mode=CLUSTER if int(info.get("cluster_enabled", 0)) else str(mode),
    )


def process_of_hello(run_id: str, said: Mapping[str, Any]) -> Process:
    """From the answer to HELLO, for a user without the right to INFO; the caller chooses `run_id`."""
    return Process(run_id, is_replica=said.get("role") == "replica", mode=str(said.get("mode", STANDALONE)))


class Seen(NamedTuple):
    """The evictions that `meta` knows of: those of one process, before our figures or already reported."""

    run_id: str = ""
    evicted: int = 0
    marked: bool = False  # some happened while our figures were there

    @classmethod
    def of(cls, stored: Mapping[str, str]) -> Seen:
        """From the fields of `meta`."""
        return cls(stored.get(keys.EVICTIONS_OF, ""), int(stored.get(keys.EVICTIONS, 0)), keys.EVICTED in stored)

    def missed(self, process: Process) -> bool:
        """Whether the process has evicted more keys than is known; another process, or a reset, begins at 0."""
        known = self.evicted if self.run_id == process.run_id and not self.was_reset(process) else 0
        return process.evicted is not None and process.evicted > known

    def was_reset(self, process: Process) -> bool:
        """Whether the same process counts from 0 again, as after `CONFIG RESETSTAT`."""
        return self.run_id == process.run_id and process.evicted is not None and process.evicted < self.evicted


def refuse_evicting(process: Process, redis_shown: str) -> None:
    """Raise ConfigurationInvalid if a Redis may evict keys; `redis_shown` names it."""
    if process.may_evict:
        raise ConfigurationInvalid(
            [Fault(f"Redis at {redis_shown}", "maxmemory-policy", str(process.policy), POLICY_WRITE)]
        )


def as_seen(process: Process) -> dict[str, str]:
    """Fields of `meta` that note all evictions of the process up to now."""
    return {keys.EVICTIONS_OF: process.run_id, keys.EVICTIONS: str(process.evicted or 0)}
