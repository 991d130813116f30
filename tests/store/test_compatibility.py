"""Which streams may be read, by their definitions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from tests.store import before
from watchroom.catalogue.load import load_catalogue
from watchroom.errors import OtherDefinitions, RebuildNeeded, WorkFailed
from watchroom.settings import Settings, read_settings
from watchroom.store import definition
from watchroom.store.compatibility import Compatibility, check_compatible
from watchroom.store.definition import definition_of
from watchroom.store.keys import Keys
from watchroom.store.read import Reader
from watchroom.store.write import Store
from watchroom.streams import STREAMS

CRIMES = {"crimes_in": ("recorded", "outcome_assigned")}
CHANGED = {"crimes": "measure crimes_in changed"}


@pytest.fixture(autouse=True)
def _old_folds(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that nothing changes except what a test changes."""
    before.use_old_folds(monkeypatch)


@pytest.fixture
def settings(tmp_path: Path, redis_url: str, force: str) -> Settings:
    """The settings of a reader."""
    areas = ("stoke", "county")  # the areas of that time, in a list
    return read_settings(schemas=before.schemas(tmp_path / "schemas"), redis_url=redis_url, force=force, areas=areas)


async def fill(settings: Settings, partitions: int = 3) -> None:
    """Write what a worker with these settings writes when it starts."""
    catalogue = load_catalogue(settings.schemas / "measures", settings.areas)
    definitions = {stream: definition_of(settings, catalogue, stream, partitions) for stream in STREAMS}
    store = Store(settings.redis_url, settings.force, definitions)
    await store.open()
    await store.close()


def under(settings: Settings, folder: Path, **changed: tuple[str, str]) -> Settings:
    """The same settings with some entries changed."""
    return settings.model_copy(update={"schemas": before.schemas(folder, **changed)})


def check(reader: Reader, settings: Settings) -> Compatibility:
    """The result for a command with these settings."""
    return check_compatible(reader, settings, load_catalogue(settings.schemas / "measures", settings.areas))


async def test_nothing_is_refused_under_matching_definitions(settings: Settings, reader: Reader) -> None:
    """Whatever number of partitions the workers found."""
    await fill(settings)
    found = check(reader, settings)
    assert found.refused == {}
    assert found.refused_topics(settings) == set()
    found.refuse(STREAMS)


async def test_a_stream_under_another_definition_is_refused_and_named(
    settings: Settings, reader: Reader, tmp_path: Path
) -> None:
    """The other streams may be read; a command that asks for this one says what to do."""
    await fill(settings)
    changed = under(settings, tmp_path / "changed", **CRIMES)
    found = check(reader, changed)
    assert found.refused == CHANGED
    assert found.refused_topics(changed) == {"watchroom.crimes"}
    found.refuse(["calls", "incidents"])
    with pytest.raises(OtherDefinitions, match="crimes: measure crimes_in changed; run `watchroom rebuild`"):
        found.refuse(["calls", "crimes"])


async def test_nothing_may_be_read_when_no_stream_matches(settings: Settings, reader: Reader) -> None:
    """Something common to all was changed; the streams are named together."""
    await fill(settings)
    with pytest.raises(
        OtherDefinitions, match=f"{', '.join(STREAMS)}: reporting zone changed from Europe/London to UTC"
    ):
        check(reader, settings.model_copy(update={"zone": "UTC"}))


async def test_a_stream_that_this_version_does_not_know_does_not_count_as_readable(
    settings: Settings, reader: Reader, client: Redis, keys: Keys
) -> None:
    """A later version added it and was rolled back: an empty table and exit code 0 would say that nothing happened."""
    await fill(settings)
    client.hset(keys.meta, mapping={"fingerprint:visits": "f", "definition:visits": "{}"})
    assert check(reader, settings).refused == {}
    with pytest.raises(OtherDefinitions, match=f"{', '.join(STREAMS)}: reporting zone changed"):
        check(reader, settings.model_copy(update={"zone": "UTC"}))


async def test_both_the_old_and_the_new_topic_of_a_refused_stream_are_known(settings: Settings, reader: Reader) -> None:
    """Its orphans and restatements are stored under the topic that they came from."""
    await fill(settings)
    with pytest.raises(OtherDefinitions):
        check(reader, settings.model_copy(update={"topic_prefix": "north"}))
    meta = reader.meta()
    assert meta is not None
    moved = Compatibility(meta, {"crimes": "topic changed"}).refused_topics(
        settings.model_copy(update={"topic_prefix": "north"})
    )
    assert moved == {"watchroom.crimes", "north.crimes"}


def test_an_interrupted_rebuild_stops_every_reader(
    settings: Settings, reader: Reader, client: Redis, keys: Keys
) -> None:
    """Incomplete content must not be read, whatever the definitions were."""
    before_it: dict[Any, Any] = {"fingerprint": "being cleared", "definition": '{"rebuild": "interrupted"}'}
    for clearing in ({"clearing": 1}, before_it):
        client.delete(keys.meta)
        client.hset(keys.meta, mapping=dict[Any, Any](clearing))
        with pytest.raises(RebuildNeeded, match=r"a rebuild is running, or was interrupted.*run `watchroom rebuild`"):
            check(reader, settings)


def test_an_empty_redis_is_not_reported_as_a_different_definition(settings: Settings, reader: Reader) -> None:
    """Nothing has ever been written there, so the address may be wrong."""
    with pytest.raises(WorkFailed, match="holds no data for force"):
        check(reader, settings)


async def test_an_old_meta_is_compared_part_by_part(  # noqa: PLR0917 - fixtures
    settings: Settings, reader: Reader, client: Redis, keys: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command may be upgraded before the worker has converted it."""
    old_streams = {name: replace(stream, fold_version=1) for name, stream in STREAMS.items()}
    monkeypatch.setattr(
        definition, "STREAMS", old_streams
    )  # a fold that has changed since needs a rebuild in either form
    old: dict[Any, Any] = before.old_meta()
    client.hset(keys.meta, mapping=old)
    assert check(reader, settings).refused == {}
    assert check(reader, under(settings, tmp_path / "changed", **CRIMES)).refused == CHANGED
