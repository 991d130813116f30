"""The fingerprint: what decides contributions changes it, what does not leaves it, and a person is told which."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from redis import Redis

from tests.catalogue.folder import COUNT, DURATION, LABELS, OPEN, load
from tests.store.steps import PARTITIONS, PARTS, TOPIC
from watchroom.catalogue.model import Catalogue
from watchroom.errors import RebuildNeeded, WatchroomError
from watchroom.kinds.measure import Label, Target
from watchroom.store.definition import as_json, definition, fingerprint, what_changed
from watchroom.store.keys import Keys
from watchroom.store.read import Reader
from watchroom.store.write import Store

DAY_MS = 86_400_000
UNDER: dict[str, Any] = {
    "zone": "Europe/London",
    "lateness_ms": {"calls": DAY_MS},
    "keeping_ms": {"calls": 3 * DAY_MS},
    "future_ms": 300_000,
    "partitions": {TOPIC: 4},
}


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """Three measures."""
    return load(tmp_path_factory.mktemp("measures"), LABELS, measures=COUNT + DURATION + OPEN)


def text(catalogue: Catalogue, **under: Any) -> str:
    """The definition as stored."""
    return as_json(definition(catalogue, **{**UNDER, **under}))


def changed(catalogue: Catalogue, name: str, **more: Any) -> Catalogue:
    """A catalogue with one entry changed."""
    return Catalogue({**catalogue.measures, name: replace(catalogue.measures[name], **more)})


@pytest.mark.parametrize(
    "more",
    [
        {"brief": "Other"},
        {"definition": "Other"},
        {"source": "Other"},
        {"windows": ("1h",)},
        {"give_up_ms": 1},
        {"unit": "x"},
    ],
    ids=lambda more: next(iter(more)),
)
def test_texts_windows_and_give_up_decide_nothing(more: dict[str, Any], catalogue: Catalogue) -> None:
    """They change what is shown, not what is stored: no rebuild for a better sentence."""
    ours = text(changed(catalogue, "calls_now", **more))
    assert fingerprint(ours) == fingerprint(text(catalogue))
    assert what_changed(text(catalogue), ours) == "nothing that can be named"


@pytest.mark.parametrize(
    "more",
    [
        {"at": "ended"}, {"start": "presented"}, {"stream": "incidents"}, {"edges_ms": (1,)}, {"labels": ()},
        {"labels": (Label("line", "line", ("999",), "unknown"),)}, {"targets": ()},
        {"targets": (Target({"line": "999"}, 10_000, inclusive=True),)},
        {"targets": (Target({"line": "101"}, 10_000, inclusive=False),)},
    ],
    ids=str,
)  # fmt: skip
def test_moments_labels_their_values_and_targets_decide(more: dict[str, Any], catalogue: Catalogue) -> None:
    """A difference of contributions under another entry would take back what was never added."""
    ours = text(changed(catalogue, "calls_time", **more))
    assert fingerprint(ours) != fingerprint(text(catalogue))
    assert what_changed(text(catalogue), ours) == "measure calls_time changed"


@pytest.mark.parametrize(
    ("under", "said"),
    [
        ({"zone": "Europe/Paris"}, "reporting zone changed from Europe/London to Europe/Paris"),
        ({"lateness_ms": {"calls": 1}}, "lateness of calls, ms changed from 86400000 to 1"),
        ({"keeping_ms": {"calls": 1}}, "keeping of calls, ms changed from 259200000 to 1"),
        ({"future_ms": 0}, "future bound, ms changed from 300000 to 0"),
        ({"partitions": {TOPIC: 8}}, "partitions of watchroom.calls changed from 4 to 8"),
        ({"partitions": {}}, "partitions of watchroom.calls is gone"),
        ({"partitions": {TOPIC: 4, "x": 1}}, "partitions of x is new"),
    ],
)
def test_bounds_zone_and_partitions_decide(under: dict[str, Any], said: str, catalogue: Catalogue) -> None:
    """The message says from what to what."""
    assert fingerprint(text(catalogue, **under)) != fingerprint(text(catalogue))
    assert what_changed(text(catalogue), text(catalogue, **under)) == said


def test_the_order_of_entries_decides_nothing(catalogue: Catalogue) -> None:
    """Moving a table within a file is no change."""
    turned = Catalogue(dict(reversed(list(catalogue.measures.items()))))
    assert fingerprint(text(turned)) == fingerprint(text(catalogue))


def test_all_changes_are_named(catalogue: Catalogue) -> None:
    """One sentence for a person."""
    fewer = Catalogue({name: m for name, m in catalogue.measures.items() if name != "calls_in"})
    said = what_changed(text(catalogue), text(fewer, zone="UTC"))
    assert said == "measure calls_in is gone, reporting zone changed from Europe/London to UTC"


async def test_the_first_worker_writes_its_definition_and_others_find_it(store: Store, reader: Reader) -> None:
    """Opening again, also by another worker, changes nothing."""
    first = reader.meta()
    await store.open()
    assert reader.meta() == first
    assert first is not None
    assert first.definition == as_json(PARTS)


async def test_a_worker_under_other_definitions_stops_and_says_why(
    store: Store, redis_url: str, force: str, reader: Reader
) -> None:
    """Exit 2: what changed, and the command that helps; what is stored stays as it was."""
    before = reader.meta()
    other = Store(redis_url, force, {**PARTS, "reporting zone": "UTC"}, {**PARTITIONS, "new": 1})
    with pytest.raises(RebuildNeeded) as stopped:
        await other.open()
    await other.close()
    assert "reporting zone changed from Europe/London to UTC; run `watchroom rebuild`" in str(stopped.value)
    assert stopped.value.exit_code == 2
    await store.open()
    after = reader.meta()
    assert before is not None
    assert after is not None
    assert after == before  # its topics must not stay behind: an exporter would take them for ours


async def test_a_force_that_is_being_cleared_lets_no_worker_in(store: Store, client: Redis, keys: Keys) -> None:
    """`rebuild` was interrupted: half a content must not be added to."""
    client.hset(keys.meta, mapping={"fingerprint": "being cleared", "definition": '{"rebuild": "interrupted"}'})
    with pytest.raises(RebuildNeeded, match="a rebuild is running, or was interrupted"):
        await store.open()


async def test_a_meta_key_of_another_type_is_a_fault_of_ours_to_name(
    redis_url: str, force: str, client: Redis, keys: Keys
) -> None:
    """No error of the client leaves the store: nobody else knows the client."""
    client.set(keys.meta, "not mine")
    other = Store(redis_url, force, PARTS, PARTITIONS)
    with pytest.raises(WatchroomError, match="WRONGTYPE"):
        await other.open()
    await other.close()
