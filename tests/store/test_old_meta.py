"""An old `meta` is converted where its parts are equal, and what differs is named."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from tests.store import before
from tests.store.steps import content
from watchroom.catalogue.load import load_catalogue
from watchroom.errors import StoreUnavailable
from watchroom.settings import Settings, read_settings
from watchroom.store import definition
from watchroom.store.clear import clear
from watchroom.store.compatibility import redefined
from watchroom.store.definition import definition_of
from watchroom.store.keys import Keys
from watchroom.store.meta import CLEARING_SAID, Bound, meta_of
from watchroom.store.old_meta import BEING_CLEARED, BY_STREAM, BY_STREAM_SAID, parts_by_stream
from watchroom.store.read import Reader
from watchroom.store.write import Store
from watchroom.streams import STREAMS


@pytest.fixture(autouse=True)
def _old_folds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A changed fold needs a rebuild whatever form its definition has, and is not tested here."""
    before.use_old_folds(monkeypatch)
    old_streams = {name: replace(stream, fold_version=1) for name, stream in STREAMS.items()}
    monkeypatch.setattr(definition, "STREAMS", old_streams)


@pytest.fixture
def settings(tmp_path: Path, redis_url: str, force: str) -> Settings:
    """Settings with the old measures, unchanged."""
    areas = ("stoke", "county")  # the areas of that time, in a list
    return read_settings(schemas=before.schemas(tmp_path / "schemas"), redis_url=redis_url, force=force, areas=areas)


def ours(settings: Settings) -> dict[str, dict[str, Any]]:
    """Today's definition of each stream."""
    catalogue = load_catalogue(settings.schemas / "measures", settings.areas)
    return {stream: definition_of(settings, catalogue, stream, before.PARTITIONS) for stream in before.STREAMS}


@asynccontextmanager
async def worker(settings: Settings) -> AsyncIterator[Store]:
    """A worker's side, not opened."""
    store = Store(settings.redis_url, settings.force, ours(settings))
    yield store
    await store.close()


def fields(client: Redis, keys: Keys) -> dict[str, str]:
    """The fields of `meta`."""
    stored: Any = client.hgetall(keys.meta)
    return {field.decode(): value.decode() for field, value in stored.items()}


def test_the_stored_definition_is_the_original_old_one() -> None:
    """Byte for byte from the old code, as its fingerprint shows."""
    text = json.dumps(before.DEFINITION, sort_keys=True)
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == before.FINGERPRINT
    assert before.old_meta()["fingerprint"] == before.FINGERPRINT


def test_the_parts_of_an_old_definition_equal_those_of_today(settings: Settings) -> None:
    """Whatever has not changed since is equal, so nobody has to rebuild because of the new form."""
    assert parts_by_stream(json.dumps(before.DEFINITION)) == ours(settings)


async def test_a_worker_converts_an_old_meta_completely(settings: Settings, client: Redis, keys: Keys) -> None:
    """Each stream matches, no old definition is left, and everything else is unchanged."""
    old = before.old_meta()
    client.hset(keys.meta, mapping=old)
    async with worker(settings) as store:
        assert await store.open() == {}
        after = fields(client, keys)
        assert await store.open() == {}
    assert fields(client, keys) == after
    kept = {name: str(value) for name, value in old.items() if name not in ("fingerprint", "definition")}
    bound = {stream: Bound.of(parts) for stream, parts in ours(settings).items()}
    new = {f"fingerprint:{stream}": each.fingerprint for stream, each in bound.items()}
    new |= {"fingerprint": BY_STREAM, "definition": BY_STREAM_SAID}
    assert after == kept | new | {f"definition:{stream}": each.definition for stream, each in bound.items()}


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ({"crimes_in": ("recorded", "outcome_assigned")}, {"crimes": "measure crimes_in changed"}),
        ({"calls_time": ("below_s = 10", "below_s = 9")}, {"calls": "measure calls_time changed"}),
        (
            {"incidents_met": ("incidents_met", "incidents_made")},
            {"incidents": "measure incidents_made is new, measure incidents_met was removed"},
        ),
    ],
    ids=["crimes", "calls", "incidents"],
)
async def test_a_changed_measure_changes_its_own_stream_only(
    change: dict[str, tuple[str, str]], left: dict[str, str], settings: Settings, client: Redis, keys: Keys
) -> None:
    """A removed measure belongs to its stream: the old entry says which one that was."""
    schemas = before.schemas(settings.schemas / "changed", **change)
    changed = settings.model_copy(update={"schemas": schemas})
    client.hset(keys.meta, mapping=before.old_meta())
    async with worker(changed) as store:
        assert await store.open() == left
        assert await store.open() == left  # converted, and still named
    stored = fields(client, keys)
    (stream,) = left
    assert json.loads(stored[f"definition:{stream}"]) == parts_by_stream(json.dumps(before.DEFINITION))[stream]
    assert stored["fingerprint"] == BY_STREAM


@pytest.mark.parametrize(
    ("parts", "left"),
    [
        ({"reporting zone": "UTC"}, "reporting zone changed from UTC to Europe/London"),
        ({"bins": [1, 2]}, "bins changed"),
        ({"fold version": 0}, "fold version changed from 0 to 1"),
    ],
)
async def test_a_change_of_what_was_common_changes_every_stream(
    parts: dict[str, Any], left: str, settings: Settings, client: Redis, keys: Keys
) -> None:
    """Then a worker that differs in it has no stream left."""
    client.hset(keys.meta, mapping=before.old_meta(**parts))
    async with worker(settings) as store:
        assert await store.open() == dict.fromkeys(before.STREAMS, left)


async def test_another_topic_prefix_does_not_start_a_second_count(
    settings: Settings, client: Redis, keys: Keys
) -> None:
    """The same figures would be counted again, from other topics, in addition to the old ones."""
    client.hset(keys.meta, mapping=before.old_meta(prefix="north"))
    async with worker(settings) as store:
        left = await store.open()
    assert left == {stream: f"topic changed from north.{stream} to watchroom.{stream}" for stream in before.STREAMS}
    assert "partitions:watchroom.calls" not in fields(client, keys)


async def test_readers_understand_an_old_meta_and_write_nothing(
    settings: Settings, client: Redis, keys: Keys, reader: Reader
) -> None:
    """An exporter that is upgraded before its worker shows what it showed before."""
    client.hset(keys.meta, mapping=before.old_meta())
    stored = content(client, keys)
    meta = reader.meta()
    assert meta is not None
    catalogue = load_catalogue(settings.schemas / "measures", settings.areas)
    assert redefined(meta, settings, catalogue) == {}
    assert (meta.seq, meta.clearing, meta.partitions) == (7, False, {f"watchroom.{s}": 2 for s in before.STREAMS})
    assert content(client, keys) == stored
    async with worker(settings) as store:
        await store.open()
    assert reader.meta() == meta


async def test_no_worker_starts_on_an_old_meta_that_was_being_cleared(
    settings: Settings, client: Redis, keys: Keys
) -> None:
    """An old rebuild was killed: what it left is as incomplete as it would be today."""
    interrupted: dict[Any, Any] = {"fingerprint": "being cleared", "definition": '{"rebuild": "interrupted"}'}
    client.hset(keys.meta, mapping={**before.old_meta(), **interrupted})
    stored = fields(client, keys)
    async with worker(settings) as store:
        assert await store.open() == dict.fromkeys(before.STREAMS, CLEARING_SAID)
    assert fields(client, keys) == stored
    meta = meta_of(stored)
    assert meta is not None
    assert meta.clearing
    clear(settings.redis_url, settings.force)
    async with worker(settings) as store:
        assert await store.open() == {}


async def test_only_the_definition_that_was_read_is_converted(settings: Settings, client: Redis, keys: Keys) -> None:
    """Another one was written in between: its fingerprint differs, so nothing of the first is written."""
    client.hset(keys.meta, mapping=before.old_meta())
    async with worker(settings) as store:
        bind = store._bind

        async def and_then_another_is_written() -> dict[str, str]:
            stored = await bind()
            client.hset(keys.meta, mapping=before.old_meta(**{"reporting zone": "UTC"}))
            return stored

        store._bind = and_then_another_is_written  # type: ignore[method-assign]  # another writes in between
        left = await store.open()
    assert left.keys() == set(before.STREAMS)
    assert "definition:calls" not in fields(client, keys)


# The old scripts, as far as they decide whether an old worker writes.
OLD_OPEN = """
local known = redis.call('HGET', KEYS[1], 'fingerprint')
if not known or known == ARGV[1] then redis.call('HSETNX', KEYS[1], 'fingerprint', ARGV[1]) end
return redis.call('HGET', KEYS[1], 'fingerprint')
"""


async def test_an_old_worker_cannot_store_its_own_definition(
    settings: Settings, client: Redis, keys: Keys, force: str
) -> None:
    """After a rollback to the last version it must not continue under whatever catalogue it has."""
    raw: Any = client
    async with worker(settings) as store:
        await store.open()
    for _ in ("bound by a first worker", "taken over"):
        assert raw.eval(OLD_OPEN, 1, keys.meta, before.FINGERPRINT) == BY_STREAM.encode()
        assert fields(client, keys)["definition"] == BY_STREAM_SAID
        client.delete(keys.meta)
        client.hset(keys.meta, mapping=before.old_meta())
        async with worker(settings) as store:
            assert await store.open() == {}
    clear(settings.redis_url, force)
    assert client.hgetall(keys.meta) == {}
    assert (
        raw.eval(OLD_OPEN, 1, keys.meta, before.FINGERPRINT) == before.FINGERPRINT.encode()
    )  # it can store its own again


@pytest.mark.parametrize("filled_by", ["this version", "the previous version"])
async def test_a_rebuild_that_was_killed_stops_workers_of_the_previous_version_too(
    filled_by: str, settings: Settings, client: Redis, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of the keys are gone, so a worker that is rolled back must not continue to write."""
    raw: Any = client
    if filled_by == "this version":
        async with worker(settings) as store:
            await store.open()
    else:
        client.hset(keys.meta, mapping=before.old_meta())

    def killed(*_: object) -> list[list[bytes]]:
        raise RedisConnectionError("the process was killed here")

    monkeypatch.setattr("watchroom.store.clear._in_parts", killed)
    with pytest.raises(StoreUnavailable):
        clear(settings.redis_url, settings.force)
    assert raw.eval(OLD_OPEN, 1, keys.meta, before.FINGERPRINT) == BEING_CLEARED.encode()
    async with worker(settings) as store:
        assert set((await store.open()).values()) == {CLEARING_SAID}
    monkeypatch.undo()
    clear(settings.redis_url, settings.force)
    async with worker(settings) as store:
        assert await store.open() == {}
