"""The servers of a replay: the embedded stack or given ones, and our own worker."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from watchroom.catalogue.load import load_catalogue
from watchroom.demo.embedded import EmbeddedStack
from watchroom.demo.processes import Process
from watchroom.demo.server import free_port
from watchroom.demo.waiting import worker_runs
from watchroom.errors import ConfigurationInvalid, Fault, StoreRefuses, StoreUnavailable
from watchroom.kafka.produce import produce
from watchroom.settings import Settings, SourceRule
from watchroom.store.compatibility import check_compatible
from watchroom.store.evictions import refuse_evicting
from watchroom.store.read import Reader
from watchroom.streams import STREAMS

OF_ANOTHER_REDIS = (  # settings that the embedded Redis does not need
    "redis_ca",
    "redis_cert",
    "redis_key",
    "redis_sentinel_user",
    "redis_sentinel_password",
    "redis_read_from",
)
EMBEDDED_SESSION_S = 6.0  # Tansu holds a first join for half of it
WORKER_NAME = "watchroom-replay"  # its own, and always the same: a second replay joins at once


@dataclass(frozen=True, slots=True)
class Stack:
    """Servers that answer and a worker that is ready."""

    settings: Settings
    reader: Reader
    check: Callable[[], None]  # raises when a part of it has ended by itself


@contextmanager
def running_stack(
    settings: Settings,
    *,
    kafka: str | None,
    redis_url: str | None,
    sources: dict[str, dict[str, SourceRule]],
    with_exporter: bool,
) -> Iterator[Stack]:
    """Everything that a replay needs, stopped in reverse order afterwards.

    Args:
        settings: Of this process.
        kafka: Brokers; None: an embedded broker, in memory.
        redis_url: Redis; None: the one in the settings if brokers are given, otherwise an embedded store, in memory.
        sources: The rules of the replay's source, by stream.
        with_exporter: Also serve /metrics.

    Raises:
        BrokerUnavailable, StoreUnavailable: A given server does not answer.
        ConfigurationInvalid: Only one was given, or a worker runs that takes the source for a live one.
        RebuildNeeded: Redis holds a stream of the source under another definition: no worker would apply its events.
        WorkFailed: A part did not start.
    """
    if kafka is not None and redis_url is None and "redis_url" in settings.model_fields_set:
        redis_url = settings.redis_url  # the only way to one with a password: an option may not hold it
    if (kafka is None) is not (redis_url is None):
        given, other = ("--kafka", "--redis") if redis_url is None else ("--redis", "--kafka")
        raise ConfigurationInvalid([Fault(given, "", f"no {other}", "both, or neither to use the embedded stack")])
    with ExitStack() as ending:
        own: dict[str, object] = {
            "health_port": free_port(),
            "worker_name": WORKER_NAME,
            "sources": _with(settings.sources, sources),
            "streams": tuple(stream for stream in STREAMS if stream in sources or stream in settings.streams),
        }
        checks = []
        if kafka is None:
            embedded = ending.enter_context(EmbeddedStack())
            own |= {name: Settings.model_fields[name].default for name in OF_ANOTHER_REDIS}
            own |= {"kafka": embedded.kafka, "redis_url": embedded.redis_url, "session_timeout_s": EMBEDDED_SESSION_S}
            checks.append(embedded.check)
        else:
            _check_fed(settings, sources)
            own |= {"kafka": kafka, "redis_url": redis_url}
        ours = settings.model_copy(update=own)
        reader = Reader(ours.redis, ours.force)
        ending.callback(reader.close)
        _refuse_evicting(reader, ours)
        produce(ours, [])  # fails before anything starts if the broker does not answer
        folder = Path(ending.enter_context(TemporaryDirectory(prefix="watchroom-replay-")))
        processes = []
        if not _have_worker(reader, ours, settings, sources):
            processes.append(Process("worker", ours, folder / "worker.log"))
        _refuse_others(reader, ours, sources)
        if with_exporter:
            processes.append(Process("exporter", ours, folder / "exporter.log"))
        for process in processes:
            ending.enter_context(process)
            checks.append(process.check)

        def check() -> None:
            for part in checks:
                part()

        yield Stack(ours, reader, check)


def _refuse_evicting(reader: Reader, ours: Settings) -> None:
    """Raise ConfigurationInvalid if Redis may evict keys; a Redis that does not answer is reported later."""
    with suppress(StoreUnavailable):
        refuse_evicting(reader.process(), ours.redis_shown)


def _refuse_others(reader: Reader, ours: Settings, streams: Iterable[str]) -> None:
    """Raise RebuildNeeded if Redis holds one of these streams under another definition."""
    if reader.meta() is not None:
        check_compatible(reader, ours, load_catalogue(ours.schemas / "measures", ours.areas)).refuse(streams)


def _check_fed(settings: Settings, streams: Iterable[str]) -> None:
    """Raise ConfigurationInvalid if given servers have no topic for a stream of the mapping: it is not fed there."""
    if unfed := [stream for stream in streams if stream not in settings.streams]:
        found = f"no {', '.join(unfed)}, for which the mapping produces events"
        write = f"{','.join(dict.fromkeys((*settings.streams, *unfed)))} here and for the workers"
        raise ConfigurationInvalid([Fault("WATCHROOM_STREAMS", "", found, write)])


def _have_worker(reader: Reader, ours: Settings, settings: Settings, sources: dict[str, dict[str, SourceRule]]) -> bool:
    """Whether a worker already runs, and knows that the source's events come from history."""
    try:
        runs = worker_runs(reader, ours.touch_s)
    except StoreRefuses:
        raise  # its message is complete
    except StoreUnavailable as error:
        raise StoreUnavailable(
            f"no answer from Redis at {ours.redis_shown} ({error}); check that it is running and that "
            "the host, port and password are correct (--redis)"
        ) from error
    if not runs:
        return False
    faults = []
    for stream, rules in sources.items():
        for name in rules:
            declared = settings.sources.get(stream, {}).get(name)
            if declared is None or not declared.history:
                write = (
                    f'{{"{stream}": {{"{name}": {{"heartbeats": false, "history": true}}}}}} here and for that worker'
                )
                found = f"no history source {name!r} for {stream}, but a worker is running for force {ours.force!r}"
                faults.append(Fault("WATCHROOM_SOURCES", stream, found, f"{write}; or stop that worker"))
    if faults:
        raise ConfigurationInvalid(faults)
    return True


def _with(
    declared: dict[str, dict[str, SourceRule]], more: dict[str, dict[str, SourceRule]]
) -> dict[str, dict[str, SourceRule]]:
    return {stream: declared.get(stream, {}) | more.get(stream, {}) for stream in {**declared, **more}}
