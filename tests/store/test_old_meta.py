"""A `meta` of before is taken over where its parts are equal, and what differs is named."""

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
def _fold_of_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that only what a test changes is changed."""
    before.fold_of_then(monkeypatch)


@pytest.fixture
def settings(tmp_path: Path, redis_url: str, force: str) -> Settings:
    """With the measures of before, as they still are."""
    areas = ("stoke", "county")  # those of then, in a list
    return read_settings(schemas=before.schemas(tmp_path / "schemas"), redis_url=redis_url, force=force, areas=areas)


@pytest.fixture(autouse=True)
def _fold_versions_of_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream whose fold has changed since needs a rebuild whatever form its definition has: not what this tests."""
    of_then = {name: replace(stream, fold_version=1) for name, stream in STREAMS.items()}
    monkeypatch.setattr(definition, "STREAMS", of_then)


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


def test_the_stored_definition_is_the_one_of_before() -> None:
    """Of the code of then, byte for byte: its fingerprint says so."""
    text = json.dumps(before.DEFINITION, sort_keys=True)
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == before.FINGERPRINT
    assert before.old_meta()["fingerprint"] == before.FINGERPRINT


def test_its_parts_are_todays_definitions(settings: Settings) -> None:
    """Whatever has not changed since is equal, so nobody has to rebuild for a new form."""
    assert parts_by_stream(json.dumps(before.DEFINITION)) == ours(settings)


async def test_a_worker_takes_it_over_whole(settings: Settings, client: Redis, keys: Keys) -> None:
    """Each stream is ours, no old definition is left, everything else stands as it stood."""
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
async def test_a_stream_of_which_a_measure_differs_is_changed_and_the_others_are_not(
    change: dict[str, tuple[str, str]], left: dict[str, str], settings: Settings, client: Redis, keys: Keys
) -> None:
    """A measure that is gone is its stream's: the old entry says which that was."""
    schemas = before.schemas(settings.schemas / "changed", **change)
    changed = settings.model_copy(update={"schemas": schemas})
    client.hset(keys.meta, mapping=before.old_meta())
    async with worker(changed) as store:
        assert await store.open() == left
        assert await store.open() == left  # taken over, and still named
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
async def test_what_was_common_to_all_changes_each(
    parts: dict[str, Any], left: str, settings: Settings, client: Redis, keys: Keys
) -> None:
    """Then none is left for a worker that differs in it."""
    client.hset(keys.meta, mapping=before.old_meta(**parts))
    async with worker(settings) as store:
        assert await store.open() == dict.fromkeys(before.STREAMS, left)


async def test_another_topic_prefix_is_no_second_start(settings: Settings, client: Redis, keys: Keys) -> None:
    """The same figures would be counted again, from other topics, beside the old ones."""
    client.hset(keys.meta, mapping=before.old_meta(prefix="north"))
    async with worker(settings) as store:
        left = await store.open()
    assert left == {stream: f"topic changed from north.{stream} to watchroom.{stream}" for stream in before.STREAMS}
    assert "partitions:watchroom.calls" not in fields(client, keys)


async def test_readers_understand_it_and_write_nothing(
    settings: Settings, client: Redis, keys: Keys, reader: Reader
) -> None:
    """An exporter that is new before its worker is shows what it showed."""
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


async def test_one_that_was_being_cleared_lets_nobody_in(settings: Settings, client: Redis, keys: Keys) -> None:
    """A rebuild of before was killed: the state that it left is as unfinished as today's."""
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


async def test_only_the_definition_that_was_read_is_taken_over(settings: Settings, client: Redis, keys: Keys) -> None:
    """Somebody wrote another one in between: its fingerprint no longer fits, so nothing of the first is written."""
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


# The scripts of before, as far as they decide whether a worker of then writes.
OLD_OPEN = """
local known = redis.call('HGET', KEYS[1], 'fingerprint')
if not known or known == ARGV[1] then redis.call('HSETNX', KEYS[1], 'fingerprint', ARGV[1]) end
return redis.call('HGET', KEYS[1], 'fingerprint')
"""


async def test_a_worker_of_before_finds_no_place_for_its_own_definition(
    settings: Settings, client: Redis, keys: Keys, force: str
) -> None:
    """Somebody goes back to the last version: it must not write on under whatever catalogue it has."""
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
    assert raw.eval(OLD_OPEN, 1, keys.meta, before.FINGERPRINT) == before.FINGERPRINT.encode()  # of its own again


@pytest.mark.parametrize("filled_by", ["this version", "the previous version"])
async def test_a_rebuild_that_was_killed_stops_workers_of_the_previous_version_too(
    filled_by: str, settings: Settings, client: Redis, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of the keys are gone; whoever goes back a version then must not write on."""
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
