"""Imported months of baselines. They have their own keys, so they never mix with the force's own months."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, cast

from watchroom.kinds import names
from watchroom.redis_url import RedisServer
from watchroom.store.connection import one_off_client
from watchroom.store.keys import Keys


def put_baseline(server: RedisServer | str, force: str, name: str, counts: Mapping[tuple[str, str], int]) -> None:
    """Write imported months, whole or not at all.

    The stored months of the measures in `counts` are replaced, so importing again changes nothing.

    Args:
        server: Which Redis.
        force: Whose.
        name: The baseline's.
        counts: (month, bucket field) -> how much.

    Raises:
        StoreUnavailable: Redis did not answer; either nothing or everything was written.
    """
    keys = Keys(force)
    by_month: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for (month, field), number in counts.items():
        by_month[month][field] = number
    with one_off_client(server, timeout_s=30, decode_responses=True) as redis:
        pipe = redis.pipeline(transaction=True)
        for month, fields in by_month.items():
            key = keys.baseline(name, month)
            stored = cast("list[str]", redis.hkeys(key))
            if gone := _of_measures(stored, fields):
                pipe.hdel(key, *gone)
            pipe.hset(key, mapping=cast("dict[Any, Any]", fields))
        pipe.execute()


def _of_measures(stored: Iterable[str], fields: Iterable[str]) -> list[str]:
    """Stored fields that belong to the measures of the new ones."""
    measures = {names.parse_field(field).measure for field in fields}
    return [field for field in stored if names.parse_field(field).measure in measures]
