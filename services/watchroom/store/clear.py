"""Clearing one force's keys, so that a crash half-way cannot pass for a finished state."""

from __future__ import annotations

from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from watchroom.redis_url import RedisServer
from watchroom.store import keys
from watchroom.store.connection import connection, unavailable
from watchroom.store.keys import Keys
from watchroom.store.old_meta import BEING_CLEARED, BY_STREAM_SAID, OLD_DEFINITION, OLD_FINGERPRINT

AT_ONCE = 1000


def clear(server: RedisServer | str, force: str) -> int:
    """Remove every key of a force that events made; `meta` last. Calling again after a fault goes on.

    Imported months of baselines stay: no log could give them back.

    Returns:
        How many keys there were.

    Raises:
        StoreUnavailable: Redis did not answer; workers refuse to start until this was called again.
    """
    ours = Keys(force)
    redis = Redis(**connection(server), socket_timeout=30, socket_connect_timeout=5, retry=Retry(NoBackoff(), 0))
    try:
        # No worker writes from here on until `meta` is gone, neither of this version nor of the previous one.
        said: dict[Any, Any] = {keys.CLEARING: 1, OLD_FINGERPRINT: BEING_CLEARED, OLD_DEFINITION: BY_STREAM_SAID}
        redis.hset(ours.meta, mapping=said)
        gone = 0
        for found in _in_parts(redis, ours):
            gone += len(found)
            redis.unlink(*found)
        redis.delete(ours.meta)
    except (RedisError, OSError) as error:
        raise unavailable(server, error) from error
    else:
        return gone
    finally:
        redis.close()


def _in_parts(redis: Redis, ours: Keys) -> list[list[bytes]]:
    kept = ours.baselines.encode()
    found = [
        key
        for key in redis.scan_iter(f"{ours.prefix}*", count=AT_ONCE)
        if key != ours.meta.encode() and not key.startswith(kept)
    ]
    return [found[i : i + AT_ONCE] for i in range(0, len(found), AT_ONCE)]
