"""What /metrics shows and what it withholds, with a real Redis filled through the documented keys."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace

import pytest
from redis.exceptions import ResponseError

from tests.exporter.store import NOON, PARTITIONS, ExporterStore, Samples, names_of, parsed, value
from tests.flow.servers import RedisServer
from watchroom.catalogue.load import load_catalogue
from watchroom.catalogue.metrics import families
from watchroom.catalogue.model import Catalogue
from watchroom.exporter.run import health
from watchroom.settings import SourceRule, read_settings
from watchroom.store.keys import Keys
from watchroom.store.open_transactions import OpenTransaction, field
from watchroom.store.open_transactions import value as transaction
from watchroom.streams import STREAMS

NONE = dict.fromkeys(STREAMS, 0)
SETTINGS = read_settings()
CATALOGUE = load_catalogue(SETTINGS.schemas / "measures", SETTINGS.areas)
ANSWERED_8_S = {
    "call_volume|line=999|count": 1,
    "call_answer_time|line=999|observations": 1,
    "call_answer_time|line=999|sum_ms": 8000,
    "call_answer_time|line=999|within": 1,
    "call_answer_time|line=999|bin:7998": 1,
    "call_abandonment|line=999|whole": 1,
}


def of_stream(samples: Samples, stream: str) -> set[str]:
    """Names of a stream's measures on a page."""
    metrics = {family.name for measure in CATALOGUE.of_stream(stream) for family in families(measure)}
    return names_of(samples) & metrics


def test_a_quiet_stream_shows_0_calls_and_no_percentiles(store: ExporterStore) -> None:
    """If it is fresh and alive, every listed label value has 0; shares and percentiles of nothing are absent."""
    samples = store.scrape(NOON)
    for line in ("999", "101", "other", "unknown"):
        assert value(samples, "call_volume", line=line, window="5m") == 0
        assert value(samples, "calls_waiting", line=line) == 0
        assert value(samples, "call_answer_time_observations", line=line, window="5m") == 0
        assert value(samples, "call_abandonment_whole", line=line, window="today") == 0
    absent = {
        "watchroom_call_answer_time_mean_seconds",
        "watchroom_call_answer_time_percentile_seconds",
        "watchroom_call_abandonment_part",
        "watchroom_calls_waiting_oldest_seconds",
    }
    assert not absent & names_of(samples)


def test_an_open_transaction_is_reported_even_for_a_stream_that_nothing_waits_for(store: ExporterStore) -> None:
    """The stream is published all the same, so nothing else would say why its figures stopped."""
    topic = store.settings.topic("returns")
    store.client.hset(
        Keys(store.settings.force).open_transactions,
        field(topic, 0),
        transaction(OpenTransaction(7, NOON - 60_000, NOON - 1_000)),
    )
    mirror = store.mirror()
    mirror.refresh(NOON)
    page = store.page(mirror)
    assert page.faults(NOON)["returns"] == []
    (said,) = page.held_up(NOON)["returns"]
    assert f"{topic} partition 0: a transaction has been open since" in said
    assert page.held_up(NOON + 60_000) == {}
    assert "open_transactions" in json.loads(health(mirror, page).body)


def test_the_answered_call_of_the_design_example_is_published_under_its_metric_names(store: ExporterStore) -> None:
    """One 999 call answered after 8 s, 1 of 1 below 10 s, in every window.

    See docs/architecture.md#one-event-in-one-figure-out.
    """
    store.add(NOON, ANSWERED_8_S)
    samples = store.scrape(NOON)
    for window in ({"window": "5m"}, {"window": "28d"}, {"window": "month", "month": "2021-11"}):
        by = {"line": "999", **window}
        assert value(samples, "call_volume", **by) == 1
        assert value(samples, "call_answer_time_mean_seconds", **by) == 8.0
        assert value(samples, "call_answer_time_within", **by) == 1
        assert value(samples, "call_answer_time_percentile_seconds", **by, p="90") == pytest.approx(8, rel=0.01)
        assert value(samples, "call_abandonment_part", **by) == 0
        assert value(samples, "call_abandonment_whole", **by) == 1
    assert value(samples, "call_answer_time_within", line="101", window="5m") is None  # no target, no compliance
    assert value(samples, "call_volume", line="999", window="12mo") is None  # November is still running


def test_open_measures_show_the_oldest_the_deadlines_and_how_many_were_given_up(store: ExporterStore) -> None:
    """Grade 1 has 15 minutes: created 16 min ago is overdue, 11 min ago is due within 5 (and within 15)."""
    series = "incidents_unattended|grade=1,area=stoke"
    minute = 60_000
    store.waiting(series, {"late": NOON - 16 * minute, "due": NOON - 11 * minute, "lost": NOON - 40 * 86_400_000})
    samples = store.scrape(NOON)
    by = {"grade": "1", "area": "stoke"}
    assert value(samples, "incidents_unattended", **by) == 2
    assert value(samples, "incidents_unattended_oldest_seconds", **by) == 16 * 60
    assert value(samples, "incidents_unattended_due", **by, within="5m") == 1
    assert value(samples, "incidents_unattended_due", **by, within="15m") == 1
    assert value(samples, "incidents_unattended_overdue", **by) == 1
    assert value(samples, "incidents_unattended_gave_up", **by) == 1
    assert value(samples, "incidents_unattended_overdue", grade="ungraded", area="stoke") is None
    assert value(samples, "calls_waiting_overdue", line="101") is None


def test_a_share_that_an_alert_reads_has_its_counts_with_those_overdue_as_missed(store: ExporterStore) -> None:
    """A rule divides these two and adds nothing, so one overdue caller must be in the whole and not in the part."""
    store.add(NOON, ANSWERED_8_S)
    store.waiting("calls_waiting|line=999", {"overdue": NOON - 11_000, "in time": NOON - 9_000})
    samples = store.scrape(NOON)
    for window in ("1h", "5m", "6h", "30m"):
        by = {"measure": "call_answer_time", "quantity": "live_within", "line": "999", "window": window}
        assert (value(samples, "share_part", **by), value(samples, "share_whole", **by)) == (1, 2)
    abandoned = {"measure": "call_abandonment", "quantity": "share", "line": "101", "window": "1h"}
    assert (value(samples, "share_part", **abandoned), value(samples, "share_whole", **abandoned)) == (0, 0)
    store.client.hset(store.keys.partition(store.settings.topic("calls"), 0), "fresh_ms", NOON - 10_001)
    assert value(store.scrape(NOON), "share_whole", **abandoned) is None, "its stream is withheld"


WAITED_FOR = [name for name, stream in STREAMS.items() if stream.is_waited_for]


@pytest.mark.parametrize("stream", WAITED_FOR)
def test_one_stale_partition_withholds_its_stream_and_no_other(store: ExporterStore, stream: str) -> None:
    """The stream's figures would be too low; the other streams are not affected."""
    now = NOON + 20_000
    store.fresh(now, *(each for each in STREAMS if each != stream))
    store.fresh(now, stream)
    store.client.hset(store.keys.partition(store.settings.topic(stream), PARTITIONS - 1), "fresh_ms", now - 10_001)
    samples = store.scrape(now)
    for each in WAITED_FOR:
        assert bool(of_stream(samples, each)) == (each != stream)
        assert value(samples, "stream_withheld", stream=each) == (1 if each == stream else 0)
    topic = store.settings.topic(stream)
    assert value(samples, "applied_timestamp_seconds", topic=topic, partition="1") == (now - 10_001) / 1000


def test_a_partition_without_t_withholds_its_stream(store: ExporterStore) -> None:
    """A worker that has never seen the broker proves nothing."""
    store.client.hdel(store.keys.partition(store.settings.topic("calls"), 0), "fresh_ms")
    assert not of_stream(store.scrape(NOON), "calls")


def test_freshness_is_evaluated_at_the_scrape_and_not_at_the_reading(store: ExporterStore) -> None:
    """A page made later from the same reading shows nothing, however fresh the reading was then."""
    mirror = store.mirror()
    mirror.refresh(NOON)
    page = store.page(mirror)
    assert of_stream(parsed(page.text(NOON + 10_000)), "calls")
    assert not of_stream(parsed(page.text(NOON + 10_001)), "calls")


def test_a_stuck_loop_blanks_the_page_even_if_the_workers_clocks_are_ahead(store: ExporterStore) -> None:
    """A T up to 5 s ahead is accepted; the exporter's own reading must still be recent."""
    store.fresh(NOON + 5_000)
    mirror = store.mirror()
    mirror.refresh(NOON)
    later = parsed(store.page(mirror).text(NOON + 10_500))
    assert not of_stream(later, "calls")
    assert value(later, "redis_up") == 0


def test_a_silent_source_withholds_the_streams_that_wait_for_it(store: ExporterStore) -> None:
    """With heartbeats stopped "no calls" cannot be distinguished from "no line"; feed timestamps stay."""
    now = NOON + 90_001
    store.fresh(now)
    store.source_seen(now, "incidents", "crimes")
    samples = store.scrape(now)
    assert not of_stream(samples, "calls")
    assert of_stream(samples, "incidents")
    assert value(samples, "feed_last_heartbeat_timestamp_seconds", source="acd") == NOON / 1000


def test_undeclared_sources_are_combined_as_other_and_not_waited_for(store: ExporterStore) -> None:
    """Once a stream declares its sources, a silent undeclared one withholds nothing and gets no label of its own."""
    store.settings = store.settings.model_copy(update={"sources": {"calls": {"acd": SourceRule()}}})
    store.source_seen(NOON - 10**8, "calls", source="stranger", what="event")
    samples = store.scrape(NOON)
    assert of_stream(samples, "calls")
    assert value(samples, "feed_last_event_timestamp_seconds", source="other") == (NOON - 10**8) / 1000
    assert value(samples, "feed_last_event_timestamp_seconds", source="stranger") is None


def test_a_feed_that_invents_names_does_not_fill_prometheus(store: ExporterStore) -> None:
    """A thousand made-up sources become at most fifty named ones and `other`."""
    for number in range(1000):
        store.source_seen(NOON, "calls", source=f"made-up-{number}", what="event")
    shown = [key for key in store.scrape(NOON) if key[0] == "watchroom_feed_last_event_timestamp_seconds"]
    assert len(shown) <= 51


def changed(store: ExporterStore, measure: str) -> Catalogue:
    """The catalogue with another `at` of one measure."""
    measures = store.catalogue.measures
    return Catalogue({**measures, measure: replace(measures[measure], at="another")})


def redefined(samples: Samples) -> dict[str, float | None]:
    """By stream, what the page says about its definition."""
    return {stream: value(samples, "stream_redefined", stream=stream) for stream in STREAMS}


def test_figures_of_another_definition_are_withheld_and_the_other_streams_are_not(store: ExporterStore) -> None:
    """Under another definition the same field name means something else, in that stream alone."""
    store.bind("crimes", changed(store, "crime_recorded"))
    samples = store.scrape(NOON)
    assert [stream for stream in WAITED_FOR if of_stream(samples, stream)] == [
        stream for stream in WAITED_FOR if stream != "crimes"
    ]
    assert redefined(samples) == {**NONE, "crimes": 1}
    withheld = {stream: value(samples, "stream_withheld", stream=stream) for stream in STREAMS}
    assert withheld == {**NONE, "crimes": 1}


def test_a_changed_definition_is_the_first_reason_and_names_the_change(store: ExporterStore) -> None:
    """Tiles show the first reason: nobody must look for a stuck worker, because no worker handles the stream."""
    store.bind("crimes", changed(store, "crime_recorded"))
    mirror = store.mirror()
    mirror.refresh(NOON)
    page = store.page(mirror)
    assert page.faults(NOON)["calls"] == []
    first, *others = page.faults(NOON + 9_000)["crimes"]
    assert "under a different definition from this exporter's (measure crime_recorded changed)" in first
    assert "run `watchroom rebuild`" in first
    assert others == []
    store.fresh(NOON - 60_000, "crimes")
    mirror.refresh(NOON)
    first, *others = page.faults(NOON)["crimes"]
    assert "a different definition" in first
    assert "60.0 s old" in others[0]


def test_a_stream_that_is_stale_is_not_redefined(store: ExporterStore) -> None:
    """The board must distinguish the two: one needs a worker, the other a rebuild."""
    store.fresh(NOON - 60_000, "crimes")
    samples = store.scrape(NOON)
    assert redefined(samples) == NONE
    assert value(samples, "stream_withheld", stream="crimes") == 1


def test_a_definition_that_changes_while_the_exporter_runs_is_noticed(store: ExporterStore) -> None:
    """A cached verdict must be tied to the definition that it was made for."""
    mirror = store.mirror()
    page = store.page(mirror)
    for catalogue, expected in ((store.catalogue, 0), (changed(store, "crime_recorded"), 1), (store.catalogue, 0)):
        store.bind("crimes", catalogue)
        mirror.refresh(NOON)
        assert redefined(parsed(page.text(NOON)))["crimes"] == expected


def test_while_the_keys_are_cleared_everything_is_withheld_and_nothing_is_redefined(store: ExporterStore) -> None:
    """Nobody must see half the content; the definition from before no longer means anything."""
    store.client.hset(store.keys.meta, "clearing", 1)
    store.bind("crimes", changed(store, "crime_recorded"))
    mirror = store.mirror()
    mirror.refresh(NOON)
    page = store.page(mirror)
    samples = parsed(page.text(NOON))
    assert not any(of_stream(samples, stream) for stream in STREAMS)
    assert redefined(samples) == NONE
    for faults in page.faults(NOON).values():
        assert "a rebuild is running, or was interrupted" in faults[0]


def test_a_cleared_redis_shows_no_zeros(store: ExporterStore) -> None:
    """During a rebuild nothing is known; 0 calls would be a false claim."""
    mirror = store.mirror()
    mirror.refresh(NOON)
    store.client.flushall()
    mirror.refresh(NOON + 1_000)
    samples = parsed(store.page(mirror).text(NOON + 1_000))
    assert not any(of_stream(samples, stream) for stream in STREAMS)


def test_without_redis_only_redis_up_and_the_fed_streams_are_shown(
    store: ExporterStore, redis_server: RedisServer
) -> None:
    """Also at the start. When Redis goes away, timestamps vanish at once and measures within their limit."""
    mirror = store.mirror()
    mirror.refresh(NOON)
    redis_server.kill()
    without = {("watchroom_stream_fed", frozenset({("stream", stream)})): 1.0 for stream in STREAMS}
    without["watchroom_redis_up", frozenset()] = 0
    assert store.scrape(NOON) == without
    mirror.refresh(NOON + 1_000)
    page = store.page(mirror)
    soon = parsed(page.text(NOON + 1_000))
    assert value(soon, "redis_up") == 0
    assert value(soon, "applied_timestamp_seconds", topic=store.topics[0], partition="0") is None
    assert parsed(page.text(NOON + 10_001)) == without


def test_a_redis_that_refuses_writes_counts_as_up(store: ExporterStore) -> None:
    """A full disk or a replica: the exporter only reads. WorkerStuck fires, and its first steps find the cause."""
    store.client.config_set("min-replicas-to-write", 1)
    with pytest.raises(ResponseError, match="NOREPLICAS"):
        store.source_seen(NOON)
    samples = store.scrape(NOON + 11_000)
    assert value(samples, "redis_up") == 1
    assert value(samples, "stream_withheld", stream="calls") == 1
    steps = " ".join(CATALOGUE.platform_alerts["WorkerStuck"].action)
    assert all(word in steps for word in ("/readyz", "Redis refuses writes", "INFO persistence"))


def test_a_redis_at_its_memory_limit_counts_as_down(store: ExporterStore) -> None:
    """It refuses even reads within a transaction. RedisDown fires, and one of its steps finds the cause."""
    store.client.config_set("maxmemory", 1)
    assert value(store.scrape(NOON), "redis_up") == 0
    assert any("INFO memory" in step for step in CATALOGUE.platform_alerts["RedisDown"].action)


def test_platform_counts_are_shown_by_topic(store: ExporterStore) -> None:
    """Orphans of 28 days and dead letters since the beginning, with 0 for every reason that never occurred."""
    topic = store.settings.topic("incidents")
    store.add(NOON, {f"orphans|topic={topic}|count": 3})
    store.client.hset(store.keys.dead_letters, f"{topic}|late", 5)
    samples = store.scrape(NOON)
    assert value(samples, "orphans", topic=topic) == 3
    assert value(samples, "orphans", topic=store.settings.topic("calls")) == 0
    assert value(samples, "dead_letters", topic=topic, reason="late") == 5
    assert value(samples, "dead_letters", topic=topic, reason="future") == 0


def test_promtool_finds_no_fault_in_the_page(store: ExporterStore) -> None:
    """`promtool check metrics` knows the naming rules; no gauge may have a suffix that histograms use."""
    store.add(NOON, ANSWERED_8_S)
    mirror = store.mirror()
    mirror.refresh(NOON)
    text = store.page(mirror).text(NOON)
    assert not [name for name in names_of(parsed(text)) if name.endswith(("_count", "_sum", "_bucket", "_total"))]
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is missing: apt-get install prometheus")
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
