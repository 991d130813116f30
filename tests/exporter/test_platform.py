"""Which sources are silent, and that pages have exactly the metrics of the list."""

from __future__ import annotations

from typing import Any

from prometheus_client.core import CollectorRegistry
from prometheus_client.exposition import generate_latest

from tests.exporter.full_store import fill
from tests.exporter.store import NOON, PARTITIONS, ExporterStore, Samples, parsed, value
from tests.flow.servers import RedisServer
from tests.intake.recorder import Recorder, RecordingApplier
from watchroom.catalogue.metrics import PLATFORM, ROW, Family, all_families
from watchroom.catalogue.shares import PART, WHOLE
from watchroom.exporter.page import Page
from watchroom.intake.assigned_partition import Answer
from watchroom.intake.health import Health, Status
from watchroom.intake.intake import Intake
from watchroom.settings import SourceRule
from watchroom.timing import now_ms as worker_now_ms

SILENT_MS = 90_000


def silent(samples: Samples, stream: str = "calls") -> dict[str, float]:
    """Source -> 1 or 0."""
    by_labels = ((dict(labels), number) for (name, labels), number in samples.items() if name.endswith("source_silent"))
    return {labels["source"]: number for labels, number in by_labels if labels["stream"] == stream}


def declare(store: ExporterStore, **rules: SourceRule) -> None:
    """Sources of the calls stream."""
    store.settings = store.settings.model_copy(update={"sources": {"calls": rules}})


def test_a_source_turns_silent_after_its_limit_and_alive_again(store: ExporterStore) -> None:
    """If none is declared, every source seen is waited for; exactly at the limit it is still alive."""
    store.fresh(NOON + SILENT_MS)
    store.source_seen(NOON, "incidents", source="cad")
    assert silent(store.scrape(NOON + SILENT_MS)) == {"acd": 0}
    store.source_seen(NOON + SILENT_MS, "incidents", source="cad")
    later = store.scrape(NOON + SILENT_MS + 1)
    assert silent(later) == {"acd": 1}
    assert silent(later, "incidents") == {"acd": 1, "cad": 0}
    store.source_seen(NOON + SILENT_MS, "calls")
    assert silent(store.scrape(NOON + SILENT_MS + 1)) == {"acd": 0}


def test_a_declared_source_that_was_never_seen_is_silent(store: ExporterStore) -> None:
    """The stream waits for it; undeclared sources and one-off imports have no sample."""
    declare(
        store,
        acd=SourceRule(),
        backup=SourceRule(),
        slow=SourceRule(heartbeats=False, silence_s=600),
        once=SourceRule(heartbeats=False, history=True),
    )
    store.source_seen(NOON - 500_000, "calls", source="slow", what="event")
    store.source_seen(NOON, "calls", source="stranger", what="event")
    assert silent(store.scrape(NOON)) == {"acd": 0, "backup": 1, "slow": 0}


def test_silence_is_evaluated_at_the_scrape_and_shown_while_the_stream_is_withheld(store: ExporterStore) -> None:
    """The alert that mutes a dead feed's measures must not vanish with them."""
    store.fresh(NOON + SILENT_MS)
    mirror = store.mirror()
    mirror.refresh(NOON + SILENT_MS)
    page = store.page(mirror)
    assert silent(parsed(page.text(NOON + SILENT_MS))) == {"acd": 0}
    withheld = parsed(page.text(NOON + SILENT_MS + 1))
    assert (silent(withheld), value(withheld, "stream_withheld", stream="calls")) == ({"acd": 1}, 1)


def test_no_source_is_called_silent_before_its_records_have_been_applied(store: ExporterStore) -> None:
    """After a cold start the last heartbeat in Redis is old, and newer ones are still waiting in Kafka."""
    later_ms = NOON + 10 * SILENT_MS
    assert silent(store.scrape(later_ms)) == {}
    store.fresh(later_ms, "calls")
    samples = store.scrape(later_ms)
    assert silent(samples) == {"acd": 1}
    assert silent(samples, "incidents") == {}
    assert value(samples, "stream_withheld", stream="incidents") == 1
    store.client.hset(
        store.keys.partition(store.settings.topic("calls"), PARTITIONS - 1), "fresh_ms", later_ms - 10_001
    )
    assert silent(store.scrape(later_ms)) == {}


def test_silence_is_unknown_while_redis_does_not_answer(store: ExporterStore, redis_server: RedisServer) -> None:
    """Only the Redis alert should fire."""
    mirror = store.mirror()
    mirror.refresh(NOON)
    redis_server.kill()
    mirror.refresh(NOON + 1_000)
    assert silent(parsed(store.page(mirror).text(NOON + 1_000))) == {}


def test_a_thousand_sources_become_fifty_and_other(store: ExporterStore) -> None:
    """`other` is silent as soon as one of its sources is, because the stream waits for each of them."""
    for number in range(100):
        store.source_seen(NOON, "calls", source=f"made-up-{number:03}")
    samples = store.scrape(NOON)
    assert len(silent(samples)) == 51
    assert silent(samples)["other"] == 0
    store.source_seen(NOON - SILENT_MS - 1, "calls", source="made-up-060")
    assert silent(store.scrape(NOON))["other"] == 1


def filled_page(store: ExporterStore) -> Page:
    """Every measure has something, under most labels."""
    fill(store, NOON)
    mirror = store.mirror()
    mirror.refresh(NOON)
    return store.page(mirror)


def without_month(family: Family) -> set[str]:
    """The labels of windows that are not months, without empty labels."""
    return set(family.labels) - {"month"}


def test_the_exporter_s_page_has_every_metric_of_the_list_with_its_labels_and_no_other(store: ExporterStore) -> None:
    """Boards and rules are made from the list: a different name or label would mean NO DATA for ever."""
    listed = all_families(store.catalogue)
    samples = parsed(filled_page(store).text(NOON))
    of_measures = {label.name for measure in store.catalogue.measures.values() for label in measure.labels}
    for name, labels in samples:
        family, found = listed[name], {label for label, _ in labels}
        if name == ROW:
            found = {label for label in found if label not in of_measures} | {"order", "window", "month"}
        if name in (PART, WHOLE):
            found -= of_measures
        if name.startswith("watchroom_tile"):
            found |= {"split", *(["state"] if "state" in family.labels else [])}  # empty for most tiles: no label
        assert found in (set(family.labels), without_month(family)), (name, found)
    expected = {name for name, family in listed.items() if family.by == "exporter"}
    assert {name for name, _ in samples} == expected
    assert {name for name, labels in samples if "month" in dict(labels)} == {
        name for name, family in listed.items() if "month" in family.labels
    }


def test_help_on_the_page_is_the_text_of_the_list(store: ExporterStore) -> None:
    """One text per metric, wherever it is read."""
    page = filled_page(store).text(NOON)
    for family in all_families(store.catalogue).values():
        if family.by == "exporter":
            assert f"# HELP {family.name} {family.about}\n# TYPE {family.name} gauge\n" in page


def test_the_worker_s_page_has_every_metric_of_the_list_with_its_labels_and_no_other() -> None:
    """The same for the worker: its counters and the lag of each of its partitions."""
    listed = {family.name: (family.about, set(family.labels)) for family in PLATFORM if family.by == "worker"}
    registry = CollectorRegistry()
    registry.register(working())
    page = generate_latest(registry).decode()
    assert {name: {label for label, _ in labels} for name, labels in parsed(page)} == {
        name: labels for name, (_, labels) in listed.items()
    }
    for name, (about, _) in listed.items():
        assert f"# HELP {name} {about}\n# TYPE {name} {'counter' if name.endswith('_total') else 'gauge'}\n" in page


def working() -> Health:
    """A worker with one partition that it follows."""
    status = Status()
    health = Health(status)
    health.intake = Intake(lambda topic, partition: RecordingApplier(Recorder(), (topic, partition)), status)
    health.intake.assign([("watchroom.calls", 0)])
    (partition,) = health.intake.assignment
    partition.start_at(0)
    partition.freshness_written()
    partition.note(Answer(worker_now_ms(), 0, 3))
    return health


def test_ignored_fields_and_raw_identifiers_are_0_until_there_are_some(store: ExporterStore) -> None:
    """Every loose field of every stream and every known source: an alert needs a 0 before the first occurrence."""
    samples = store.scrape(NOON)
    assert value(samples, "ignored_fields", topic="watchroom.calls", field="cli_type") == 0
    assert value(samples, "raw_identifiers", topic="watchroom.calls", source="acd") == 0
    assert value(samples, "raw_identifiers", topic="watchroom.calls", source="other") == 0
    store.client.hset(store.keys.ignored_fields, "watchroom.calls|cli_type", 3)
    store.client.hset(store.keys.raw_identifiers, mapping={"watchroom.calls|acd": 2, "watchroom.calls|a|b": 1})
    samples = store.scrape(NOON)
    assert value(samples, "ignored_fields", topic="watchroom.calls", field="cli_type") == 3
    assert value(samples, "raw_identifiers", topic="watchroom.calls", source="acd") == 2
    assert value(samples, "raw_identifiers", topic="watchroom.calls", source="a|b") == 1


def test_raw_identifiers_of_undeclared_sources_are_combined_as_other(store: ExporterStore) -> None:
    """A feed that invents names must not fill Prometheus; a declared source that was never seen has a 0."""
    declare(store, acd=SourceRule(), backup=SourceRule())
    counts: Any = {"watchroom.calls|acd": 2, "watchroom.calls|stranger": 1, "watchroom.calls|other": 4}
    store.client.hset(store.keys.raw_identifiers, mapping=counts)
    samples = store.scrape(NOON)
    found = {
        source: value(samples, "raw_identifiers", topic="watchroom.calls", source=source)
        for source in ("acd", "backup", "other")
    }
    assert found == {"acd": 2, "backup": 0, "other": 5}
    assert not any("stranger" in dict(labels).values() for _, labels in samples)
