"""Platform: whether the figures can be trusted, and why not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from watchroom.catalogue.metrics import ROW, suffixes
from watchroom.catalogue.model import Catalogue
from watchroom.catalogue.rows import ORDER
from watchroom.generate.boards import describe, palette, queries
from watchroom.generate.boards.age import data_age
from watchroom.generate.boards.board import Board, Section, Sources, all_runbooks, link_to, runbook
from watchroom.generate.boards.lines import trend
from watchroom.generate.boards.panels import COUNT, NO_WORDS, Head, Link, Query, SizedPanel, number, ranking, rows
from watchroom.generate.boards.states import NO_FIGURE, NOT_FED, StateText
from watchroom.kinds import KINDS, names
from watchroom.kinds.labels import capital, from_slug
from watchroom.registry import registry
from watchroom.streams import STREAMS

CHOSEN: Final = queries.CHOSEN[0]
RATE: Final = "$__rate_interval"
UP: Final = {
    1: StateText("UP", palette.QUIET),
    0: StateText("DOWN", palette.CRITICAL),
    2: StateText("EVICTED", palette.CRITICAL),  # it is up, and has dropped keys
}
HELD: Final = {
    0: StateText("PUBLISHED", palette.QUIET),
    1: StateText("WITHHELD", palette.CRITICAL),
    2: StateText("OTHER DEFINITION", palette.CRITICAL),
}
SILENT: Final = {0: StateText("ALIVE", palette.QUIET), 1: StateText("SILENT", palette.WARNING)}
TOPICS: Final = tuple(f"/{stream}$/" for stream in STREAMS)  # whatever their prefix
SOMETIMES: Final = {
    "stale_batches": "batches dropped because the partition had moved on",
    "moved": "Redis had a different next offset",
    "rebalances": "partition assignments by the group",
    "redis_retries": "Redis calls retried",
    "kafka_retries": "Kafka calls retried",
}
EXCLUDED: Final = registry(
    "exclusion texts for the suffix",
    (
        (suffix, family.excluded)
        for kind in KINDS.values()
        for suffix, family in kind.families.items()
        if family.excluded
    ),
)
NONE_UP: Final = {0: StateText("NONE UP", palette.CRITICAL)}


def make(sources: Sources) -> Sequence[Section]:
    """Whether everything is up and in time, what was refused, who is silent, and what is counted separately."""
    heads = _Heads(sources)
    return [
        Section("", list(_up(sources, heads))),
        Section("In time", list(_in_time(heads))),
        Section("Feeds", list(_feeds(heads))),
        Section("Refused, lost and excluded", list(_refused(heads, sources.catalogue))),
        Section("Workers", list(_workers(heads))),
    ]


BOARD: Final = Board(
    "platform", "Platform", "Whether the figures can be trusted: feeds, workers, Redis, refused events.", "6h", make
)


class _Heads:
    """Heads of panels about the platform."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def head(
        self,
        title: str,
        text: str,
        *,
        unit: str = COUNT,
        threshold: str = describe.NO_LIMITS,
        alert: str = "",
        words: Mapping[int, StateText] = NO_WORDS,
    ) -> Head:
        """A panel's head; `alert` names the one whose runbook says what to do."""
        links = [link_to("live"), Link("Health", f"{self._sources.exporter}/healthz")]
        book = Link(f"Runbook {alert}", runbook(self._sources, alert)) if alert else all_runbooks(self._sources)
        links.append(book)
        card = describe.platform_card(f"**Definition.** {text}", threshold)
        return Head(f"platform/{title}", title, card, unit, tuple(links), words=words)


def _metric(name: str, by: str = "", also: str = "") -> str:
    """Each series once, added up by labels."""
    labels = ", ".join(["force", *([by] if by else [])])
    return f"max by ({labels}) ({names.metric(name)}{{{','.join([CHOSEN, *([also] if also else [])])}}})"


def _rate(name: str) -> str:
    return f"sum by (force) (rate({names.metric(f'worker_{name}_total')}{{{CHOSEN}}}[{RATE}]))"


def _up(sources: Sources, heads: _Heads) -> Iterator[SizedPanel]:
    yield data_age(sources, 6, 6, 64)
    text = (
        "Whether Redis answers the exporter; with several exporters, the worst answer counts. EVICTED after Redis has "
        "evicted keys, until a rebuild."
    )
    redis = heads.head("Redis", text, threshold="DOWN at 0, EVICTED at 2", alert="RedisDown", words=UP)
    up = f"min by (force) (watchroom_redis_up{{{CHOSEN}}})"
    evicted = f"2 * max by (force) (watchroom_redis_evicted{{{CHOSEN}}} == 1)"
    yield number(redis, [Query(f"{evicted} or {up}", "Redis")], height=6, size=64)
    for job, title, alert in (
        ("watchroom-worker", "Workers that answer", "WorkerStuck"),
        ("watchroom-exporter", "Exporters that answer", "ExporterAbsent"),
    ):
        text = f"Targets of job `{job}` that Prometheus could read at its last scrape."
        head = heads.head(title, text, threshold="NONE UP at 0", alert=alert, words=NONE_UP)
        yield number(head, [Query(f'sum by (force) (up{{job="{job}",{CHOSEN}}})', title)], height=6, size=64)


def _in_time(heads: _Heads) -> Iterator[SizedPanel]:
    text = "Time since the topic's slowest partition was last fully applied."
    threshold = "dashed line at 10 s, the age from which measures are withheld"
    head = heads.head("Age by topic", text, unit="suffix: s", threshold=threshold, alert="AppliedLag")
    expr = f"time() - min by (force, topic) (watchroom_applied_timestamp_seconds{{{CHOSEN}}})"
    yield trend(head, [Query(expr, "{{topic}}")], lines=TOPICS, limit=10)
    head = heads.head(
        "Offsets waiting", "Records known to be in the log but not yet applied, by topic.", alert="WorkerStuck"
    )
    lag = f"sum by (force, topic) ({_metric('worker_lag_offsets', 'topic, partition')})"
    yield trend(head, [Query(lag, "{{topic}}")], lines=TOPICS)
    text = (
        "Whether the measures of a stream are published. WITHHELD unless the stream is up to date and alive; OTHER "
        "DEFINITION while its figures in Redis were counted under a catalogue or settings that differ from the "
        "exporter's: /healthz says what differs, and `watchroom rebuild` counts again under the new ones."
    )
    threshold = "WITHHELD at 1, OTHER DEFINITION at 2"
    withheld = heads.head("Streams", text, threshold=threshold, alert="WindowsStale", words=HELD)
    expr = (
        f"{_metric('stream_withheld', 'stream')} + {_metric('stream_redefined', 'stream')}"  # redefined: withheld too
    )
    yield number(withheld, [Query(expr, "{{stream}}")], named=True, width=24, height=5, size=48)


def _feeds(heads: _Heads) -> Iterator[SizedPanel]:
    text = (
        "Whether a source that a stream waits for has been silent for longer than its limit. Not listed while its "
        "stream is behind: its events may not have been read yet."
    )
    threshold = "SILENT at 1, after 90 s unless declared otherwise"
    head = heads.head("Sources", text, threshold=threshold, alert="SourceSilent", words=SILENT)
    columns = [("stream", "Stream"), ("source", "Source")]
    yield rows(head, [Query(_metric("source_silent", "stream, source"), "State")], columns, width=8)
    for kind in ("heartbeat", "event"):
        text = f"Time since the last {kind} from a source, by Kafka's clock; undeclared sources appear as `other`."
        head = heads.head(f"Last {kind}", text, unit="dthms", alert="SourceSilent")
        expr = f"time() - ({_metric(f'feed_last_{kind}_timestamp_seconds', 'source')})"
        yield rows(head, [Query(expr, "Ago")], [("source", "Source")], width=8)


def _refused(heads: _Heads, catalogue: Catalogue) -> Iterator[SizedPanel]:
    letters = _metric("dead_letters", "topic, reason")
    late = _metric("dead_letters", "topic, reason", 'reason="late"')
    lost = _metric("lost_records", "topic, partition")
    text = "Unusable events since the last rebuild, by reason; `watchroom dead-letters list` shows them."
    head = heads.head("Dead letters by reason", text, alert="DeadLettersRising")
    yield ranking(head, Query(f"sort_desc(topk(10, sum by (force, reason) ({letters})))", "{{reason}}"))
    head = heads.head(
        "Dead letters by topic", f"{text} A step up means that new ones have arrived.", alert="DeadLettersRising"
    )
    yield trend(head, [Query(f"sum by (force, topic) ({letters})", "{{topic}}")], lines=TOPICS)
    text = (
        "Late: dead letters that arrived later than their stream allows. Orphans: entities of the last 28 days whose "
        "first event has not arrived; no measure counts them. Lost: records that Kafka deleted before they were "
        "applied."
    )
    queries = [
        Query(f"sum by (force, topic) ({late})", "Late"),
        Query(_metric("orphans", "topic"), "Orphans"),
        Query(f"sum by (force, topic) ({lost})", "Lost records"),
    ]
    yield rows(heads.head("Late, orphans, lost", text, alert="RecordsLost"), queries, [("topic", "Topic")], height=6)
    yield from _refused_fields(heads)
    text = "How many label sets of a measure have no figure newer than its entry allows; empty if none is reported."
    old = replace(heads.head("Old figures", text, alert="FigureOld"), nothing=NO_FIGURE)
    yield rows(old, [Query(_metric("figures_old", "measure"), "Old")], [("measure", "Measure")], width=8, height=6)
    yield from _excluded(heads, catalogue)


def _refused_fields(heads: _Heads) -> Iterator[SizedPanel]:
    """Fields of events: what is ignored, and what should never have been sent."""
    text = (
        "Events since the last rebuild with an invalid optional field. The field counts as absent; the "
        "event is counted like any other."
    )
    fields = Query(_any_or_none("ignored_fields", "topic, field"), "Events")
    head, by = heads.head("Ignored fields", text), [("topic", "Topic"), ("field", "Field")]
    yield rows(head, [fields], by, width=8, height=6)
    text = (
        "Events since the last rebuild that held, or may have held, a name, number or address in a field for a token. "
        "They are refused, and neither their value nor their key is kept."
    )
    head = heads.head("Raw identifiers", text, alert="RawIdentifier")
    sources = Query(_any_or_none("raw_identifiers", "topic, source"), "Events")
    yield rows(head, [sources], [("topic", "Topic"), ("source", "Source")], width=8, height=6)


def _any_or_none(name: str, labels: str) -> str:
    """Those that are not 0; if all are 0, one row that says so: an empty panel would look like a dead exporter."""
    return f"({_metric(name, labels)} > 0) or sum by (force) ({_metric(name, labels)})"


def _excluded(heads: _Heads, catalogue: Catalogue) -> Iterator[SizedPanel]:
    """What every measure excludes because the feed was wrong."""
    for suffix, text in EXCLUDED.items():
        measures = [measure for measure in catalogue.measures.values() if suffix in suffixes(measure)]
        windows = sorted({next((name for name in ("24h", *m.windows) if name in m.windows), "") for m in measures})
        if not measures:
            continue
        by = f'quantity="{suffix}",window=~"{"|".join(windows)}",{ORDER}="",{CHOSEN}'
        streams = "|".join(dict.fromkeys(stream for measure in measures for stream in measure.streams))
        unfed = _metric("stream_fed", "stream", f'stream=~"{streams}"')
        asked = (
            f"max by (force, measure) ({ROW}{{{by}}})"
            f' or label_replace(({unfed} == 0) - 1, "measure", "stream $1", "stream", "(.*)")'
        )
        head = heads.head(capital(from_slug(suffix)), text, words=NOT_FED)
        yield rows(head, [Query(asked, "Number")], [("measure", "Measure")], hide=("stream",), width=8)


def _workers(heads: _Heads) -> Iterator[SizedPanel]:
    head = heads.head(
        "Events applied", "Records applied per second, including dead letters.", unit="eps", alert="WorkerStuck"
    )
    yield trend(head, [Query(_rate("events"), "events")])
    head = heads.head("Batches applied", "Fetched batches applied per second.", unit="ops", alert="WorkerStuck")
    yield trend(head, [Query(_rate("batches"), "batches")])
    text = "How often in the last hour, all workers combined. A few times is normal; dozens of times is not."
    head = heads.head("What workers had to do again", text, alert="WorkerStuck")
    queries = [
        Query(f"sum by (force) (increase({names.metric(f'worker_{name}_total')}{{{CHOSEN}}}[1h]))", title.capitalize())
        for name, title in SOMETIMES.items()
    ]
    yield rows(head, queries, [], height=4)
