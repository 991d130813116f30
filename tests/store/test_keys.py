"""The table of keys in `store/keys.py` is complete: it has every key that a worker writes, with its type."""

from __future__ import annotations

import re

import pytest
from redis import Redis

from tests.fold.said import at
from tests.intake.one_partition import FORCE, NOW_MS, OnePartition, batch, record
from watchroom.kinds.tokens import Bands
from watchroom.store import keys as keys_module
from watchroom.store import open_transactions
from watchroom.store.bands import Both, MonthBands, field
from watchroom.store.baselines import put_baseline
from watchroom.store.keys import Keys
from watchroom.store.noted import NotedHash
from watchroom.store.open_transactions import OpenTransaction
from watchroom.store.partition_counts import Count, PartitionCountStore

FORMS = {
    "<topic>": r"watchroom\.\w+", "<n>": r"\d+", "<subject>": r"[\s\S]+", "<epoch s>": r"\d+",
    "<YYYY-MM-DD>": r"\d{4}-\d\d-\d\d", "<YYYY-MM>": r"\d{4}-\d\d", "<series>": r"\w+\|[\w=,]*",
    "<name>": r"[\w/-]+", "<measure>": r"\w+",
}  # fmt: skip
IN_DECEMBER_MS = at("+20 00:00:00")  # when November is closed for every stream but crimes


def documented() -> dict[str, tuple[re.Pattern[str], str]]:
    """For each pattern of the table: what it matches, and the type."""
    rows = re.findall(r"^(\S.*?) \((hash|string|zset|list|set)\)", keys_module.__doc__ or "", re.MULTILINE)
    table = {}
    for pattern, kind in rows:
        parts = re.split(r"(<[^>]+>)", pattern)
        table[pattern] = re.compile("".join(FORMS.get(part) or re.escape(part) for part in parts)), kind
    return table


def undocumented(found: dict[str, str]) -> dict[str, str]:
    """Keys (without prefix) and types that no row of the table covers."""
    table = documented().values()
    return {key: kind for key, kind in found.items() if not any(p.fullmatch(key) and kind == k for p, k in table)}


async def everything(redis_url: str) -> None:
    """A worker that processes every kind of event: all streams, heartbeats, letters, restatements, losses."""
    one = OnePartition(redis_url)
    events = {
        "calls": [
            record(0, "call.queued", "09:00:00", "a b:c\nd", line="999"),
            record(1, "call.answered", "09:00:08", "17"),
            record(2, "feed.heartbeat", "09:00:30", "acd"),
            record(3, "call.queued", "-3 09:00:00", "late", arrived=at("09:00:00")),
            record(4, "call.queued", "09:00:00", "18", cli_type=7),
            record(5, "call.queued", "09:00:00", "19", caller_token="no token"),
            record(6, "call.queued", "09:00:00", "20", caller_token=f"k1.{'A' * 26}", cli_type="mobile"),
        ],
        "incidents": [
            record(0, "incident.created", "09:00:00", grade="1", area="stoke"),
            record(1, "incident.resource_assigned", "09:02:00", unit="A1"),
            record(2, "incident.graded", "+19 09:03:00", grade="2", arrived=IN_DECEMBER_MS),
        ],
        "crimes": [
            record(0, "crime.recorded", "09:00:00", group="Robbery", category="robbery"),
            record(1, "crime.outcome_assigned", "10:00:00", outcome="1"),
        ],
    }
    for stream, records in events.items():
        applier = await one.started(stream)
        await applier.begin(0, NOW_MS)
        await applier.apply(batch(0, *records, stream=stream), NOW_MS, NOW_MS)
        await applier.write_freshness(NOW_MS, NOW_MS)
        await applier.lost(records[-1].offset + 1, 10, NOW_MS)
    await _tokens_that_were_deleted(one)
    await one.close()


async def _tokens_that_were_deleted(one: OnePartition) -> None:
    """Bands of a month are kept; a day's tokens are deleted, and then an event of that day arrives."""
    no_bands = MonthBands(Both(Bands(), Bands()), None, {})
    assert await one.store.write_bands("calls", field("mobile_callers", "2021-11"), no_bands)
    applier = await one.started("calls")
    later_ms = NOW_MS + 61 * 86_400_000
    await applier.write_freshness(None, later_ms)
    landline = record(10, "call.ended", "09:01:00", "20", cli_type="landline")
    await applier.apply(batch(10, landline, stream="calls"), None, later_ms)


async def found_on(client: Redis, redis_url: str) -> dict[str, str]:
    """Every key that a worker and an import wrote, without prefix, with its type."""
    client.flushall()  # another test of this module's Redis may have left a key of the same force
    await everything(redis_url)
    left_open = {open_transactions.field("watchroom.calls", 0): open_transactions.value(OpenTransaction(5, 1, 2))}
    NotedHash(redis_url, Keys(FORCE).open_transactions).change(left_open)
    PartitionCountStore(redis_url, FORCE).note("watchroom.calls", Count(4, 0), None)
    put_baseline(redis_url, FORCE, "2018/19", {("2018-12", "call_volume|line=999|count"): 1})
    names = [bytes(key).decode() for key in client.scan_iter(count=1000)]
    head = Keys(FORCE).prefix
    assert [name for name in names if not name.startswith(head)] == []
    kinds = {name: client.type(name) for name in names}
    return {name.removeprefix(head): k.decode() if isinstance(k, bytes) else k for name, k in kinds.items()}


async def test_every_key_that_a_worker_writes_is_documented(redis_url: str, client: Redis) -> None:
    """A new key needs a new row: pattern, type, retention, readers; and every row is used."""
    found = await found_on(client, redis_url)
    assert undocumented(found) == {}
    unused = [row for row, (pattern, _) in documented().items() if not any(map(pattern.fullmatch, found))]
    assert unused == []


@pytest.mark.parametrize(
    ("key", "kind"), [("new-thing", "hash"), ("month:2021-11", "string"), ("open:", "zset"), ("day:2021-11", "hash")]
)
def test_a_key_that_is_missing_from_the_table_is_found(key: str, kind: str) -> None:
    """The check above must be able to fail."""
    assert undocumented({key: kind, "meta": "hash"}) == {key: kind}


def test_the_table_has_a_row_for_each_key_that_keys_can_name() -> None:
    """All names are under the force's hash tag."""
    ours = Keys("north")
    made = [
        ours.meta, ours.changed, ours.dead_letters, ours.open_until, ours.partition("watchroom.calls", 0),
        ours.state("watchroom.calls", "17"), ours.bucket("10s:1"), ours.bucket("hour:1"), ours.bucket("day:2021-11-27"),
        ours.bucket("month:2021-11"), ours.open_set("m|a=b"), ours.restatements("2021-11"),
        ours.sources("watchroom.calls"), ours.ignored_fields, ours.raw_identifiers,
        ours.baseline("2018/19", "2018-12"), ours.tokens("m:day:2021-11-27"), ours.tokens("m:month:2021-11"),
        ours.token_versions, ours.token_ends, ours.tokens_ended, ours.not_restated, ours.bands,
            ours.partition_counts, ours.open_transactions,
    ]  # fmt: skip
    assert all(key.startswith("{north}:") for key in made)
    bare = [key.removeprefix("{north}:") for key in made]
    rows = documented()
    assert [name for name in bare if not any(pattern.fullmatch(name) for pattern, _ in rows.values())] == []
    assert len(bare) == len(rows)
