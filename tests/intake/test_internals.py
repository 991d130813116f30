"""What `faust_app` and `fetching` rely on in Faust and aiokafka: a new version must fail here, not in production."""

from __future__ import annotations

import hashlib
import inspect
import re
from importlib.metadata import version
from typing import Any

import faust
import pytest
from aiokafka import AIOKafkaConsumer, client
from aiokafka.consumer import fetcher, group_coordinator, subscription_state
from aiokafka.record import default_records, memory_records
from faust.assignor.cluster_assignment import ClusterAssignment
from faust.assignor.partition_assignor import PartitionAssignor
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.transport.consumer import Consumer as FaustConsumer
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport

from watchroom.errors import WorkFailed
from watchroom.intake import faust_app, fetching


def test_the_pinned_versions_are_installed() -> None:
    """The hashes in this module are those of these versions."""
    assert version("faust-streaming") == faust_app.FAUST_VERSION
    assert version("aiokafka") == faust_app.AIOKAFKA_VERSION


def test_another_version_is_refused_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker on internals that nobody has reviewed could lose events silently."""
    monkeypatch.setattr(faust_app, "FAUST_VERSION", "0.15.2")
    app = faust_app.BatchApp("refused", broker="kafka://127.0.0.1:9")
    with pytest.raises(WorkFailed, match=r"requires exactly 0\.15\.2"):
        faust_app.consume_batches(app, None)  # type: ignore[arg-type]  # refused before it is looked at


# Function bodies that were reviewed, and that ours replace or depend on. When one changes: review it, run
# tests/flow/test_record_batches.py, then enter its new hash here.
READ = {
    FaustConsumer.getmany: "8468d6f9e141",
    FaustConsumer._wait_next_records: "c34256c0fb33",
    FaustConsumer._drain_messages: "3cc2d2bad16e",
    FaustConsumer.perform_seek: "fb84a3ee6ae9",
    FaustConsumer._new_offset: "ffdef42849d4",
    FaustConsumer._add_gap: "45af9f477361",
    FaustConsumer.ack: "83cc0ad75a29",
    FaustConsumer.on_partitions_assigned: "47b4496a3457",
    FaustConsumer.on_partitions_revoked: "e19963e7e040",
    Consumer._new_consumer_thread: "0bc8e7de1009",
    Consumer._to_message: "e20ceb92c6ec",
    Transport.create_consumer: "2d7652cb3d54",
    AIOKafkaConsumerThread.on_thread_stop: "35848da74236",
    AIOKafkaConsumerThread.on_start: "62a726b8a143",
    AIOKafkaConsumerThread._create_worker_consumer: "f283c3eca62a",
    AIOKafkaConsumerThread._fetch_records: "86a9aeddd3a9",
    AIOKafkaConsumerThread._commit: "728c9122908a",
    AIOKafkaConsumerThread.subscribe: "00d17921ac66",
    TableManager.on_start: "c39281f83579",
    Recovery._resume_streams: "2e0bbba90e6d",
    faust.Schema.compile: "8dbf7e3cb0c2",
    AIOKafkaConsumer.start: "be31a8d54f33",
    AIOKafkaConsumer.seek: "90b8add72010",
    AIOKafkaConsumer.subscribe: "8cdc08cd8c3e",
    fetcher.Fetcher._fetch_requests_routine: "9795b89ba261",
    group_coordinator.GroupCoordinator._coordination_routine: "65a66000c1d4",
    group_coordinator.GroupCoordinator._GroupCoordinator__coordination_routine: "4e8657297eae",
    group_coordinator.GroupCoordinator.ensure_active_group: "24f80ff4e2b4",
    group_coordinator.GroupCoordinator._on_join_complete: "7685d8bf2054",
    group_coordinator.GroupCoordinator.request_rejoin: "05d8a4223eb3",
    PartitionAssignor.metadata: "e90f5c571101",
    group_coordinator.GroupCoordinator._do_rejoin_group: "4cd602ad0a72",
    group_coordinator.GroupCoordinator._on_join_prepare: "c90421f9b6da",
    ClusterAssignment.copartitioned_assignments: "a3f2b85ae4ce",
    client.AIOKafkaClient._get_conn: "560c98483e77",
    group_coordinator.GroupCoordinator._push_error_to_user: "cc740081b9ee",
    fetcher.Fetcher._proc_fetch_request: "7ba996ef7098",
    fetcher.Fetcher._get_actions_per_node: "cbc515639044",
    fetcher.Fetcher._update_fetch_positions: "843a652bce9d",
    fetcher.Fetcher.fetched_records: "2510a6f4da3b",
    fetcher.Fetcher._create_fetch_waiter: "4a4e4b56ce8b",
    fetcher.FetchResult.getall: "9669e7e2380f",
    fetcher.FetchResult.check_assignment: "6d6c09b06b9f",
    fetcher.PartitionRecords._unpack_records: "10b83276e7de",
    memory_records._MemoryRecordsPy._cache_next: "5a02125b8c52",
    memory_records._MemoryRecordsPy.next_batch: "210593ff6e9e",
    default_records._DefaultRecordBatchPy._maybe_uncompress: "eafd7320e5b2",
    default_records._DefaultRecordBatchPy._read_msg: "729e29b7c460",
    default_records._DefaultRecordBatchPy.__next__: "f5f1bd76c9b3",
    subscription_state.TopicPartitionState.seek: "ef768e480bfa",
    subscription_state.SubscriptionState._change_subscription: "5a2ef8f51eb9",
    subscription_state.Subscription._unsubscribe: "3e3c06eb45d4",
    subscription_state.Subscription._assign: "b7b8642497ff",
    subscription_state.SubscriptionState.fetch_context: "3093a3447eea",
}


@pytest.mark.parametrize("function", READ, ids=lambda function: function.__qualname__)
def test_the_reviewed_code_is_the_installed_code(function: Any) -> None:
    """A signature can stay while the body changes its meaning: the source is compared, except for spaces."""
    assert digest(function) == READ[function]


def digest(function: Any) -> str:
    """A short hash of a function's source, without comments and spaces."""
    source = re.sub(r"#.*", "", inspect.getsource(function))
    return hashlib.sha256("".join(source.split()).encode()).hexdigest()[:12]


def test_each_of_our_overrides_still_has_a_base_method() -> None:
    """A method whose base method is gone would never be called."""
    for ours, theirs in ((faust_app.BatchConsumer, Consumer), (fetching.BatchThread, AIOKafkaConsumerThread)):
        own = {"begins", "fetch_from", "rejoin_if_incomplete"}
        own |= {name for name in vars(ours) if name.startswith("__")}
        helpers = {"_start_partitions", "_fetch_failed", "_message", "_noting", "_wanted", "_drain"}
        helpers |= {"_unsubscribe_left", "_check_forever", "_begin"}
        overriding = {name for name in vars(ours) if callable(getattr(ours, name, None))} - own - helpers
        missing = {name for name in overriding if not hasattr(theirs, name)}
        assert not missing
