"""Clears the keys of one force, so that after a crash half-way nobody takes the rest for complete."""

from __future__ import annotations

from typing import Any, cast

from redis import Redis
from redis.exceptions import NoPermissionError

from watchroom.redis_url import RedisServer
from watchroom.store import keys
from watchroom.store.connection import one_off_client
from watchroom.store.evictions import as_seen, process_of
from watchroom.store.keys import Keys
from watchroom.store.old_meta import BEING_CLEARED, BY_STREAM_SAID, OLD_DEFINITION, OLD_FINGERPRINT
from watchroom.store.rights import refuse_missing

AT_ONCE = 1000


def clear(server: RedisServer | str, force: str) -> int:
    """Remove every key of a force that events have made; `meta` last. After an error, call it again to continue.

    Imported months of baselines and the partition counts of topics stay: no log could restore them.

    Returns:
        How many keys were removed.

    Raises:
        StoreUnavailable: Redis did not answer; workers refuse to start until this has been called again.
        StoreRefuses: Our user lacks a right that this or the following work needs; nothing was changed.
    """
    ours = Keys(force)
    refuse_missing(server, ours)
    with one_off_client(server, timeout_s=30) as redis:
        # From here on no worker of this or the previous version writes, until `meta` is removed.
        said: dict[Any, Any] = {keys.CLEARING: 1, OLD_FINGERPRINT: BEING_CLEARED, OLD_DEFINITION: BY_STREAM_SAID}
        redis.hset(ours.meta, mapping=said)
        gone = 0
        for found in _in_parts(redis, ours):
            gone += len(found)
            redis.unlink(*found)
        known = _evictions(redis)
        pipe = redis.pipeline(transaction=True)
        pipe.delete(ours.meta)
        if known:
            pipe.hset(ours.meta, mapping=cast("dict[Any, Any]", known))
        pipe.execute()
    return gone


def _evictions(redis: Redis) -> dict[str, str]:
    """The count of evicted keys from which to go on: those up to now are not among the new figures."""
    try:
        process = process_of(redis.info())
    except NoPermissionError:
        return {}
    return as_seen(process) if process.evicted else {}


def _in_parts(redis: Redis, ours: Keys) -> list[list[bytes]]:
    kept = (ours.meta.encode(), ours.partition_counts.encode())
    baselines = ours.baselines.encode()
    found = [
        key
        for key in redis.scan_iter(f"{ours.prefix}*", count=AT_ONCE)
        if key not in kept and not key.startswith(baselines)
    ]
    return [found[i : i + AT_ONCE] for i in range(0, len(found), AT_ONCE)]
