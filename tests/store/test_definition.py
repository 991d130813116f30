"""A stream's definition changes with everything that affects contributions and nothing else; changes are named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from tests.catalogue.folder import COUNT, DURATION, LABELS, OPEN, load, with_platform_alerts
from tests.store.steps import DEFINITIONS
from watchroom.catalogue.load import load_catalogue
from watchroom.catalogue.model import Catalogue
from watchroom.errors import WatchroomError
from watchroom.kinds import KINDS
from watchroom.kinds.measure import Condition, Label, Target
from watchroom.rolling.buckets import KEEP_10S_MS, KEEP_DAY_MS, KEEP_FOREVER, KEEP_HOUR_MS
from watchroom.settings import read_settings
from watchroom.store import definition
from watchroom.store.definition import as_json, definition_of, fingerprint, what_changed, without_defaults
from watchroom.store.keys import Keys
from watchroom.store.meta import Bound
from watchroom.store.read import Reader
from watchroom.store.write import Store
from watchroom.streams import STREAMS

CRIMES = (
    '[crimes_in]\nkind = "count"\nstream = "crimes"\nat = "recorded"\nwindows = ["month"]\n'
    'brief = "Some brief"\ndefinition = "Some definition"\nsource = "Some source"\n'
)
LATENESS = {"calls": 1, "incidents": 7, "crimes": 30}
KEEPING = {"calls": 3, "incidents": 100, "crimes": 761}


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """Three measures of calls and one of crimes."""
    return load(tmp_path_factory.mktemp("measures"), LABELS, measures=COUNT + DURATION + OPEN + CRIMES)


def text(catalogue: Catalogue, stream: str = "calls", partitions: int = 4, **settings: Any) -> str:
    """The definition as stored."""
    return as_json(definition_of(read_settings(**settings), catalogue, stream, partitions))


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
def test_texts_windows_and_give_up_do_not_change_the_definition(more: dict[str, Any], catalogue: Catalogue) -> None:
    """They change what is shown, not what is stored: better wording needs no rebuild."""
    ours = text(changed(catalogue, "calls_now", **more))
    assert fingerprint(ours) == fingerprint(text(catalogue))
    assert what_changed(text(catalogue), ours) == "unidentified differences"


def test_a_reference_table_is_part_of_the_definition(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another table puts the same crimes into other groups, so earlier contributions could not be taken back."""
    before = text(catalogue, "crimes")
    other = {**STREAMS["crimes"].reference, "offence codes": "0123456789ab"}
    monkeypatch.setitem(STREAMS, "crimes", replace(STREAMS["crimes"], reference=other))
    ours = text(catalogue, "crimes")
    assert fingerprint(ours) != fingerprint(before)
    assert what_changed(before, ours).startswith("table of offence codes changed from ")
    assert "table of" not in text(catalogue, "calls")


@pytest.mark.parametrize(
    "more",
    [
        {"at": "ended"}, {"start": "presented"}, {"edges_ms": (1,)}, {"labels": ()},
        {"labels": (Label("line", "line", ("999",), "unknown"),)}, {"targets": ()},
        {"targets": (Target({"line": "999"}, 10_000, inclusive=True),)},
        {"targets": (Target({"line": "101"}, 10_000, inclusive=False),)},
        {"where": Condition({"line": ("999",)})},
        {"part": Condition({}, "queued", "answered", 1)},
    ],
    ids=str,
)  # fmt: skip
def test_moments_labels_label_values_and_targets_change_the_definition(
    more: dict[str, Any], catalogue: Catalogue
) -> None:
    """A difference of contributions under another entry would take back what was never added."""
    ours = text(changed(catalogue, "calls_time", **more))
    assert fingerprint(ours) != fingerprint(text(catalogue))
    assert what_changed(text(catalogue), ours) == "measure calls_time changed"


def test_titles_of_a_label_and_its_values_do_not_change_the_definition(catalogue: Catalogue) -> None:
    """Better wording on the wall must not require a rebuild of every stream."""
    plain = changed(catalogue, "calls_time", labels=(Label("line", "line", ("999",), "unknown"),))
    titled = Label("line", "line", ("999",), "unknown", title="number that was called", titles={"999": "emergency"})
    assert text(changed(plain, "calls_time", labels=(titled,))) == text(plain)


@pytest.mark.parametrize(
    "more",
    [
        {"labels": (Label("line", "line", ("999",), "unknown", aliases={"emergency": "999"}),)},
        {"labels": (Label("line", "line", ("999",), "unknown", other="another"),)},
    ],
    ids=["aliases", "other"],
)
def test_a_nested_key_with_another_value_than_its_default_changes_the_definition(
    more: dict[str, Any], catalogue: Catalogue
) -> None:
    """Only a key with its default value is left out, at whatever depth."""
    plain = changed(catalogue, "calls_time", labels=(Label("line", "line", ("999",), "unknown"),))
    assert text(changed(plain, "calls_time", **more)) != text(plain)


def test_a_new_optional_key_changes_no_definition() -> None:
    """A later version of the catalogue may add one: nobody who does not use it should have to rebuild."""
    label = {"name": "line", "value_of": "line", "values": ["999"], "absent": "unknown"}
    said = {"id": "a", "kind": "count", "labels": [label], "part": {"accepted": {"line": ["999"]}}, "stream": "calls"}
    optional: dict[str, Any] = {"where": None, "targets": [], "edges_ms": [], "start": "", "state": ""}
    more_label = {**label, "aliases": {}, "other": "other"}
    more_part = {"accepted": {"line": ["999"]}, "start": "", "end": "", "within_ms": 0}
    assert without_defaults({**said, **optional, "labels": [more_label], "part": more_part}) == said


@pytest.mark.parametrize(
    ("under", "said"),
    [
        ({"zone": "Europe/Paris"}, "reporting zone changed from Europe/London to Europe/Paris"),
        ({"lateness_days": {**LATENESS, "calls": 2}}, "lateness, ms changed from 86400000 to 172800000"),
        ({"keeping_days": {**KEEPING, "calls": 4}}, "keeping, ms changed from 259200000 to 345600000"),
        ({"future_s": 0}, "future bound, ms changed from 300000 to 0"),
        ({"partitions": 8}, "partitions changed from 4 to 8"),
        ({"topic_prefix": "north"}, "topic changed from watchroom.calls to north.calls"),
    ],
)
def test_bounds_zone_topic_and_partitions_change_the_definition(
    under: dict[str, Any], said: str, catalogue: Catalogue
) -> None:
    """The message gives the old and the new value."""
    assert fingerprint(text(catalogue, **under)) != fingerprint(text(catalogue))
    assert what_changed(text(catalogue), text(catalogue, **under)) == said


@pytest.mark.parametrize("under", [{"lateness_days": {**LATENESS, "crimes": 31}}, {"partitions": 8}])
def test_a_change_of_one_stream_changes_no_other_definition(under: dict[str, Any], catalogue: Catalogue) -> None:
    """A force that changes its crimes does not stop its calls."""
    assert text(catalogue, "crimes", **under) != text(catalogue, "crimes")
    assert text(catalogue, "calls", **{**under, "partitions": 4}) == text(catalogue, "calls")
    other = changed(catalogue, "crimes_in", at="outcome_assigned")
    assert text(other, "crimes") != text(catalogue, "crimes")
    assert text(other, "calls") == text(catalogue, "calls")


def test_what_all_streams_have_in_common_is_part_of_each_definition(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other bins, another zone or other buckets change the contributions of every stream."""
    for stream in ("calls", "incidents", "crimes"):
        before = text(catalogue, stream)
        assert text(catalogue, stream, zone="UTC") != before
        for name, value in (("GROWTH_PERCENT", 3), ("BUCKET_LEVELS", {"10s": 1})):
            with monkeypatch.context() as patched:
                patched.setattr(definition, name, value)
                assert text(catalogue, stream) != before


def test_a_changed_fold_changes_the_definition_of_its_own_stream_only(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A different state of crimes from the same events stops the crimes, not the calls."""
    before = {stream: text(catalogue, stream) for stream in STREAMS}
    raised = replace(STREAMS["crimes"], fold_version=STREAMS["crimes"].fold_version + 1)
    monkeypatch.setitem(STREAMS, "crimes", raised)
    after = {stream: text(catalogue, stream) for stream in STREAMS}
    assert [stream for stream in STREAMS if after[stream] != before[stream]] == ["crimes"]


def test_a_changed_kind_changes_the_definitions_of_the_streams_that_use_it_only(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was added under the old version would be taken back as the new one adds it."""
    (kind,) = {measure.kind for measure in catalogue.of_stream("crimes")}
    before = {stream: text(catalogue, stream) for stream in STREAMS}
    monkeypatch.setitem(KINDS, kind, replace(KINDS[kind], version=2))
    after = {stream: text(catalogue, stream) for stream in STREAMS}
    has_it = [stream for stream in STREAMS if any(m.kind == kind for m in catalogue.of_stream(stream))]
    assert "crimes" in has_it
    assert [stream for stream in STREAMS if after[stream] != before[stream]] == has_it
    for stream in has_it:
        assert "measure " in what_changed(before[stream], after[stream])


def test_the_levels_in_the_definition_are_those_of_the_buckets() -> None:
    """A level with longer retention, or one more level, is a different definition."""
    levels = {"10s": KEEP_10S_MS, "hour": KEEP_HOUR_MS, "day": KEEP_DAY_MS, "month": KEEP_FOREVER}
    assert levels == definition.BUCKET_LEVELS


def test_the_order_of_entries_does_not_change_the_definition(catalogue: Catalogue) -> None:
    """Moving a table within a file is not a change."""
    turned = Catalogue(dict(reversed(list(catalogue.measures.items()))))
    assert fingerprint(text(turned)) == fingerprint(text(catalogue))


def test_all_changes_are_named_in_one_message(catalogue: Catalogue) -> None:
    """One sentence for a person."""
    fewer = Catalogue({name: m for name, m in catalogue.measures.items() if name != "calls_in"})
    said = what_changed(text(catalogue), text(fewer, zone="UTC"))
    assert said == "measure calls_in was removed, reporting zone changed from Europe/London to UTC"


def with_change(stream: str, **more: Any) -> dict[str, dict[str, Any]]:
    """The definitions of these tests, one of them changed."""
    return {**DEFINITIONS, stream: {**DEFINITIONS[stream], **more}}


async def test_the_first_worker_writes_its_definitions_and_later_ones_find_them(store: Store, reader: Reader) -> None:
    """Opening again, also by another worker, changes nothing."""
    first = reader.meta()
    assert await store.open() == {}
    assert reader.meta() == first
    assert first is not None
    assert first.streams == {stream: Bound.of(parts) for stream, parts in DEFINITIONS.items()}


async def test_a_worker_that_differs_in_one_stream_learns_which_and_why(
    store: Store, redis_url: str, force: str, reader: Reader
) -> None:
    """The other stream matches; what is stored stays unchanged."""
    before = reader.meta()
    changed = with_change("incidents", **{"reporting zone": "UTC", "topic": "other.incidents"})
    other = Store(redis_url, force, changed)
    assert await other.open() == {
        "incidents": "reporting zone changed from Europe/London to UTC, "
        "topic changed from watchroom.incidents to other.incidents"
    }
    await other.close()
    assert await store.open() == {}
    assert reader.meta() == before  # its topic must not be stored: an exporter would take it for ours


@pytest.mark.usefixtures("store")
async def test_a_stream_without_a_stored_definition_is_added_beside_the_others(
    redis_url: str, force: str, reader: Reader
) -> None:
    """A version that knows one more stream adds it, and leaves the others unchanged."""
    before = reader.meta()
    crimes = {**DEFINITIONS["calls"], "topic": "watchroom.crimes", "partitions": 3}
    other = Store(redis_url, force, {**with_change("calls", bins=[3, 4]), "crimes": crimes})
    assert list(await other.open()) == ["calls"]
    await other.close()
    after = reader.meta()
    assert before is not None
    assert after is not None
    assert after.streams == {**before.streams, "crimes": Bound.of(crimes)}
    assert after.partitions == {**before.partitions, "watchroom.crimes": 3}


@pytest.mark.usefixtures("store")
async def test_no_worker_starts_on_a_force_that_is_being_cleared(
    client: Redis, keys: Keys, redis_url: str, force: str
) -> None:
    """`rebuild` was interrupted: nothing may be added to incomplete content, and no definition stored."""
    client.hset(keys.meta, "clearing", 1)
    before = client.hgetall(keys.meta)
    crimes = {**DEFINITIONS["calls"], "topic": "watchroom.crimes"}
    other = Store(redis_url, force, {**DEFINITIONS, "crimes": crimes})
    left = await other.open()
    await other.close()
    assert left.keys() == {"calls", "incidents", "crimes"}
    assert set(left.values()) == {"a rebuild is running, or was interrupted before it had cleared everything"}
    assert client.hgetall(keys.meta) == before


async def test_a_meta_key_of_another_type_raises_an_error_of_our_own(
    redis_url: str, force: str, client: Redis, keys: Keys
) -> None:
    """No error class of the client leaves the store: no other code knows the client."""
    client.set(keys.meta, "not mine")
    other = Store(redis_url, force, DEFINITIONS)
    with pytest.raises(WatchroomError, match="WRONGTYPE"):
        await other.open()
    await other.close()


def test_area_values_and_aliases_change_the_definition_but_groups_and_area_windows_do_not(tmp_path: Path) -> None:
    """An alias decides where an event is counted; a group is only added up when somebody reads."""
    entry = CRIMES + 'by = { area = "area" }\n'

    def said(areas: str, more: str = "") -> str:
        (tmp_path / "measures").mkdir(exist_ok=True)
        (tmp_path / "measures" / "labels.toml").write_text(LABELS)
        (tmp_path / "measures" / "crimes.toml").write_text(entry + more)
        (tmp_path / "areas.toml").write_text(areas)
        return text(load_catalogue(with_platform_alerts(tmp_path / "measures"), Path("areas.toml")), "crimes")

    before = said('values = ["a", "b"]')
    assert said('values = ["a", "b"]\ngroups = { g = ["a"] }') == before
    assert said('values = ["a", "b"]', "area_windows = []\n") == before
    for other in ('values = ["a"]', 'values = ["a", "b"]\naliases = { c = "a" }'):
        assert what_changed(before, said(other)) == "measure crimes_in changed"
