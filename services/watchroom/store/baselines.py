"""Imported months of baselines. They lie in keys of their own: no own month is ever written here, or by them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, cast

from watchroom.kinds import names
from watchroom.redis_url import RedisServer
from watchroom.store.connection import one_off_client
from watchroom.store.keys import Keys


def put_baseline(server: RedisServer | str, force: str, name: str, cells: Mapping[tuple[str, str], int]) -> None:
    """Write imported months, whole or not at all.

    What was there of a measure and month that `cells` names is replaced, so that importing again changes nothing.

    Args:
        server: Which Redis.
        force: Whose.
        name: The baseline's.
        cells: (month, bucket field) -> how much.

    Raises:
        StoreUnavailable: Redis did not answer; nothing was written, or all was.
    """
    keys = Keys(force)
    by_month: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for (month, field), number in cells.items():
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
    """Stored fields of the measures that new ones name."""
    measures = {names.parse_field(field).measure for field in fields}
    return [field for field in stored if names.parse_field(field).measure in measures]
