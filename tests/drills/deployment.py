"""A control room to drill in: real Kafka and Redis, worker, exporter, feed, and the shipped monitoring around it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

from tests.browser import Screen, chromium, screen
from tests.drills.feed import SOURCE_OF, Feed
from tests.drills.monitoring import FACTOR, Monitoring, Webhook, until
from tests.flow.servers import RedisServer, Stack
from tests.flow.wall import now_ms
from tests.generate.rules.tools import divided
from tests.parts import ROOT
from watchroom.demo.processes import Process
from watchroom.demo.server import LOOPBACK, free_port
from watchroom.generate.rules.files import rules_text, shipped_catalogue
from watchroom.generate.rules.links import load_links
from watchroom.rolling.buckets import DAY_MS
from watchroom.rolling.calendar import Calendar
from watchroom.settings import Settings
from watchroom.simulator import SOURCES as SIMULATED
from watchroom.simulator import simulate
from watchroom.simulator.feed import Feed as HistoryFeed
from watchroom.store.read import Reader

AREAS = ("stoke", "tamworth")
MINUTE_MS = 60_000
# By the beginning of an open series' name: the event that ends a member. The history is cut in the middle of a day,
# so whether it leaves one open that is due depends on the hour of the test.
ENDED_BY = {
    "callbacks_due": ("calls", "call.callback_made"),
    "contacts_waiting|channel=live_chat": ("contacts", "contact.closed"),
    "incidents_": ("incidents", "incident.closed"),
}


def settings_of(stack: Stack, streams: Sequence[str] = tuple(SOURCE_OF)) -> Settings:
    """As shipped, but for names, ports and the streams fed: freshness limit 10 s, a silent source after 90 s."""
    sources = {
        stream: {name: {"heartbeats": True}, SIMULATED[stream]: {"heartbeats": False, "history": True}}
        for stream, name in SOURCE_OF.items()
        if stream in streams
    }
    fed = ",".join(streams)
    return stack.settings(
        streams=fed, sources=sources, health_port=free_port(), exporter_port=free_port(), partitions=2
    )


@dataclass
class Deployment:
    """Everything that a drill kills, silences and looks at."""

    settings: Settings
    redis: RedisServer
    worker: Process
    exporter: Process
    feed: Feed
    webhook: Webhook
    board: Screen
    monitoring: Monitoring

    def __post_init__(self) -> None:
        self.catalogue = shipped_catalogue(ROOT)
        self._number = count()

    def subject(self, what: str) -> str:
        """A new call, incident or crime."""
        return f"{what}-{next(self._number)}"

    def surge(self, calls: int, waited_s: float) -> list[str]:
        """This many 999 calls are in the queue, each already waiting for this long."""
        at_ms = now_ms() - round(waited_s * 1000)
        subjects = [self.subject("call") for _ in range(calls)]
        for subject in subjects:
            self.feed.send("calls", "call.presented", subject, at_ms - 2000, line="999")
            self.feed.send("calls", "call.queued", subject, at_ms, line="999")
        return subjects

    def answered(self, subjects: list[str]) -> None:
        """These calls are answered and ended now."""
        for subject in subjects:
            self.feed.send("calls", "call.answered", subject, now_ms())
            self.feed.send("calls", "call.ended", subject, now_ms() + 1)

    def answer_in_time(self, calls: int) -> None:
        """Answer this many 999 calls after 3 s, a minute ago, so that late calls of other drills burn no budget."""
        for _ in range(calls):
            subject, begin_ms = self.subject("call"), now_ms() - MINUTE_MS
            for kind, after_ms in (("presented", 0), ("queued", 2000), ("answered", 5000), ("ended", 30_000)):
                self.feed.send("calls", f"call.{kind}", subject, begin_ms + after_ms, line="999")

    def work(self) -> None:
        """One of everything in the last minutes: every line, grade, area, crime and outcome."""
        for line in ("999", "101"):
            begin_ms = now_ms() - 2 * MINUTE_MS
            for last in ("answered", "abandoned"):
                subject = self.subject("call")
                for kind, after_ms in (("presented", 0), ("queued", 2000), (last, 9000), ("ended", 60_000)):
                    self.feed.send("calls", f"call.{kind}", subject, begin_ms + after_ms, line=line)
        for area in AREAS:
            for grade in ("1", "2", "3"):
                self._incident(grade, area)
            subject = self.subject("crime")
            said = {"group": "robbery", "category": "robbery", "area": area}
            self.feed.send("crimes", "crime.recorded", subject, now_ms() - MINUTE_MS, **said)
            self.feed.send("crimes", "crime.outcome_assigned", subject, now_ms(), outcome="1")

    def _incident(self, grade: str, area: str) -> None:
        subject, begin_ms = self.subject("incident"), now_ms() - 5 * MINUTE_MS
        self.feed.send("incidents", "incident.created", subject, begin_ms, grade=grade, area=area)
        for kind, after_ms in (("resource_assigned", 20_000), ("resource_on_scene", 120_000)):
            self.feed.send("incidents", f"incident.{kind}", subject, begin_ms + after_ms, unit="u1")
        self.feed.send("incidents", "incident.closed", subject, begin_ms + 180_000)
        self.feed.send("incidents", "incident.created", self.subject("incident"), now_ms(), grade=grade, area=area)

    def end_what_is_open(self) -> None:
        """End everything that the simulated history left open, so that no alert is about it."""
        reader = Reader(self.settings.redis_url, self.settings.force)
        ends = {
            (subject, *end)
            for series in reader.open_sets()
            for prefix, end in ENDED_BY.items()
            if series.startswith(prefix)
            for subject, _ in reader.open_members(series)
        }
        reader.close()
        for subject, stream, kind in sorted(ends):
            self.feed.send(stream, kind, subject, now_ms())

    def board_says_no_data(self, streams: frozenset[str]) -> None:
        """On the page that was opened before anything broke: NO DATA on these streams' tiles, figures on the rest."""

        def states() -> dict[str, bool]:
            found = {}
            for measure, tile in self.catalogue.tiles():
                element = self.board.page.locator(f"#tile-{measure.id}-{tile.place}")
                found[element.get_attribute("id") or ""] = "NO DATA" in element.inner_text()
            return found

        wanted = {f"tile-{m.id}-{tile.place}": m.stream in streams for m, tile in self.catalogue.tiles()}
        until(f"the page says NO DATA for {sorted(streams)}", lambda: states() == wanted, 30)

    def shown(self, expression: str) -> bool:
        """Whether Prometheus has an answer to this now."""
        return bool(self.monitoring.query(expression))


@contextmanager
def running_deployment(
    stack: Stack,
    redis: RedisServer,
    folder: Path,
    *,
    streams: Sequence[str] = tuple(SOURCE_OF),
    factor: int = FACTOR,
    silent_s: float = 90,
    with_history: bool = True,
) -> Iterator[Deployment]:
    """A deployment that is quiet and fresh, with a year of simulated history unless said otherwise; most is thin.

    Args:
        stack: Kafka and Redis.
        redis: The same Redis, to be killed.
        folder: For logs and data.
        streams: What the force feeds.
        silent_s: How long a source may send nothing before it counts as silent.
        factor: What the waiting times of rules and Alertmanager are divided by.
        with_history: Whether anything happened before now.
    """
    settings = settings_of(stack, streams).model_copy(update={"silent_s": silent_s})
    rules = divided(rules_text(shipped_catalogue(ROOT), load_links(ROOT)), factor)
    with ExitStack() as entered:
        worker = entered.enter_context(Process("worker", settings, folder / "worker.log"))
        if with_history:
            _history(settings)
        exporter = entered.enter_context(Process("exporter", settings, folder / "exporter.log"))
        feed = entered.enter_context(Feed(settings))
        webhook = entered.enter_context(Webhook())
        targets = {
            "watchroom-exporter": f"{LOOPBACK}:{settings.exporter_port}",
            "watchroom-worker": f"{LOOPBACK}:{settings.health_port}",
        }
        monitoring = entered.enter_context(
            Monitoring(folder / "monitoring", targets, settings.force, webhook.url, rules, factor=factor)
        )
        board = entered.enter_context(screen(entered.enter_context(chromium())))
        board.page.goto(f"http://{LOOPBACK}:{settings.exporter_port}/")
        deployment = Deployment(settings, redis, worker, exporter, feed, webhook, board, monitoring)
        if with_history:
            deployment.end_what_is_open()
        deployment.answer_in_time(40)
        shown = f"count(watchroom_stream_withheld == 0) == {len(streams)}"
        until("every stream is shown", lambda: deployment.shown(shown), 60)
        yield deployment


def _history(settings: Settings) -> None:
    """One day twelve months ago, when the feed begins, then the last complete month and the current one.

    It ends two hours ago, so that none of its calls is in a queue now.
    """
    calendar, end_ms = Calendar(settings.zone), now_ms() - 120 * MINUTE_MS
    running = calendar.month_of(end_ms)
    first_ms, start_ms = (calendar.month_start_ms(calendar.months_before(running, ago)) for ago in (12, 1))
    events = chain(
        simulate(seed=1, start_ms=first_ms, end_ms=first_ms + DAY_MS, zone=settings.zone),
        simulate(seed=1, start_ms=start_ms, end_ms=end_ms, zone=settings.zone),
    )
    reader = Reader(settings.redis_url, settings.force)
    with HistoryFeed(settings, events) as history:
        until("the history is sent", lambda: history.ends is not None, 120)
        history.check()
    ends = history.ends or {}

    def applied() -> bool:
        stored = {place: state.next_offset or 0 for place, state in reader.partitions().items()}
        return all(stored.get(place, 0) >= end for place, end in ends.items())

    until("the history is applied", applied, 120)
    reader.close()
