"""`watchroom demo`: weeks of a simulated force up to now, then live, on embedded servers.

At their start a force already has open incidents, so the days before them are simulated and sent too. It is one
simulation: its past is sent as fast as possible. Once it has caught up with the clock, each event is sent at its
time, and calls and incidents that are open at that moment continue.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from rich.console import Console

from watchroom.demo.screen import Screen, tables
from watchroom.demo.server import get
from watchroom.demo.signals import end_requested, term_is_interrupt, with_free_port
from watchroom.demo.stack import Stack, running_stack
from watchroom.demo.view import Page, View, view
from watchroom.demo.waiting import wait_applied
from watchroom.errors import ConfigurationInvalid, Fault, WorkFailed
from watchroom.rolling.buckets import DAY_MS
from watchroom.settings import Settings, SourceRule
from watchroom.simulator import GOOD, LEAD_IN_MS, PUBLISHED, SOURCES, Surge, simulate
from watchroom.simulator.feed import Feed
from watchroom.timing import now_ms
from watchroom.wording import duration

LOOK_S = 0.2
SHOW_EVERY_S = 1.0
PUBLISHED_WITHIN_S = 60.0
INTERRUPTED = 130
ShowProgress = Callable[[str, int, int | None], None]  # what is done, how much of it, and out of how much
Progress = Callable[[Console], AbstractContextManager[ShowProgress]]
AREAS = Path("areas.toml")  # of the simulated force: those of the shipped file

SIMULATED_SOURCES = {stream: {name: SourceRule(heartbeats=True, history=True)} for stream, name in SOURCES.items()}


def run_demo(
    settings: Settings,
    *,
    progress: Progress,
    for_s: float | None = None,
    busy: float = 1.0,
    good: bool = False,
    seed: int = 1,
    days: int = 28,
    console: Console | None = None,
    examine: Callable[[Settings], str] | None = None,
) -> int:
    """Run the demo until `for_s` seconds after it is live, or until Ctrl-C.

    Args:
        settings: Of this process; servers, sources and health port become the demo's own. The streams are all
            that it simulates; of those that WATCHROOM_STREAMS names, if that is set, those that it simulates.
        progress: Shows on the console how far loading is.
        for_s: Seconds from the moment that everything loaded is applied and published; None: no end.
        busy: Demand of the live part, 1 is normal.
        good: A force that meets its targets instead of the published one.
        seed: Another seed gives other events.
        days: Simulated days before now; further days before them are simulated too, so that these are like any others.
        console: Where to draw; default standard output.
        examine: Called with the demo's settings once it is live; what it returns is printed. None: nothing is.

    Returns:
        Exit code: 0 when it has been live, 130 when interrupted before.

    Raises:
        ConfigurationInvalid: An argument cannot be used.
        WorkFailed: A part of the stack did not start, ended, or applies nothing.
    """
    _check(settings, for_s, busy, days)
    console = console or Console()
    settings = with_free_port(_own(settings), console)
    sources = {stream: SIMULATED_SOURCES[stream] for stream in settings.streams}
    try:
        with term_is_interrupt(), ExitStack() as ending:
            with console.status("starting the broker, store, worker and exporter"):
                stack = ending.enter_context(
                    running_stack(settings, kafka=None, redis_url=None, sources=sources, with_exporter=True)
                )
            running = _Demo(stack, console, good=good, seed=seed, days=days, busy=busy)
            return running.run(progress, for_s, examine)
    except KeyboardInterrupt:
        console.print("interrupted before the demo was live")
        return INTERRUPTED


class _Demo:
    """One run on a running stack."""

    def __init__(self, stack: Stack, console: Console, *, good: bool, seed: int, days: int, busy: float) -> None:
        self._stack = stack
        self._console = console
        self._days = days
        self._busy = busy
        self._now_ms = now_ms()
        self._start_ms = begins_ms(self._now_ms, days)
        self._feed = Feed(
            stack.settings,
            simulate(
                GOOD if good else PUBLISHED,
                seed=seed,
                start_ms=self._start_ms,
                zone=stack.settings.zone,
                surges=[Surge(self._now_ms, None, busy)] if busy != 1 else [],
                heartbeats_from_ms=self._now_ms,
            ),
        )

    def run(self, progress: Progress, for_s: float | None, examine: Callable[[Settings], str] | None) -> int:
        """Load, show, sum up."""
        address = f"http://{self._stack.settings.exporter_host}:{self._stack.settings.exporter_port}/"
        self._console.print(f"board: {address}  metrics: {address}metrics", highlight=False, soft_wrap=True)
        with self._feed:
            self._load(progress)
            self._await_published()
            if examine is not None:
                self._console.print(
                    _examined(examine, self._stack.settings), highlight=False, markup=False, soft_wrap=True
                )
            before = self._feed.sent
            seen, live_s = self._show(address, for_s)
            events = self._feed.sent - before
        self._sum_up(seen, events, live_s)
        return 0

    def _load(self, progress: Progress) -> None:
        began_s = time.monotonic()
        with progress(self._console) as show_progress:
            while self._feed.ends is None:
                self._look()
                self._feed.wait(LOOK_S)
                self._show_loaded(show_progress)
            self._look()
            ends, events = self._feed.ends or {}, self._feed.sent
            wait_applied(self._stack.reader, ends, self._look, lambda _: self._show_loaded(show_progress))
        took_s = time.monotonic() - began_s
        self._console.print(
            f"loaded {events:,} events from {self._days} days, and from the {LEAD_IN_MS // DAY_MS} days before, in "
            f"{duration(took_s, tenths=True)} ({events / took_s:,.0f} events/s simulated, sent and applied)",
            highlight=False,
        )

    def _applied(self) -> int:
        return sum(state.next_offset or 0 for state in self._stack.reader.partitions().values())

    def _show_loaded(self, show_progress: ShowProgress) -> None:
        sent_to_ms = self._now_ms if self._feed.ends is not None else self._feed.sent_to_ms
        day, days = ((until_ms - self._start_ms) // DAY_MS for until_ms in (sent_to_ms, self._now_ms))
        show_progress(
            f"{self._feed.sent:,} events sent, {self._applied():,} applied; day", max(0, min(day, days)), days
        )

    def _await_published(self) -> None:
        """Wait until the exporter publishes all streams, with everything that is applied now."""
        loaded_s, until_s = time.time(), time.monotonic() + PUBLISHED_WITHIN_S
        while True:
            page = Page(self._scrape())
            if page.live and page.applied_s is not None and page.applied_s >= loaded_s:
                return
            self._look()
            if time.monotonic() > until_s:
                raise WorkFailed(
                    f"the exporter published no measures within {PUBLISHED_WITHIN_S:.0f} s of the last applied event"
                )
            time.sleep(LOOK_S)

    def _show(self, address: str, for_s: float | None) -> tuple[View, float]:
        """Show the measures until the time is over or Ctrl-C; returns the last view and how long it was live."""
        began_s, sent = time.monotonic(), self._feed.sent
        heading = f"Watchroom demo at {self._busy:g}x normal demand; {address}; press Ctrl-C to stop"
        seen = self._seen()
        with end_requested() as asked, Screen(self._console, heading) as screen:
            while not asked() and (for_s is None or time.monotonic() - began_s < for_s):
                self._look()
                seen = self._seen()
                live_s = time.monotonic() - began_s
                screen.show(seen, self._feed.sent - sent, live_s)
                next_s = live_s + SHOW_EVERY_S if for_s is None else min(live_s + SHOW_EVERY_S, for_s)
                while not asked() and time.monotonic() - began_s < next_s:
                    time.sleep(min(LOOK_S, max(0.0, next_s - (time.monotonic() - began_s))))
        return seen, time.monotonic() - began_s

    def _sum_up(self, seen: View, events: int, live_s: float) -> None:
        self._console.print(tables(seen))
        self._console.print(
            f"live for {duration(live_s)} at {self._busy:g}x normal demand: {events:,} events sent; "
            f"{self._applied():,} of {self._feed.sent:,} events applied in total; dead letters: {seen.dead_letters:,}",
            highlight=False,
        )

    def _look(self) -> None:
        """Raise when a part has ended by itself."""
        self._stack.check()
        self._feed.check()

    def _seen(self) -> View:
        return view(self._scrape(), time.time())

    def _scrape(self) -> str:
        """The exporter's page; empty while it does not answer, so that every number reads NO DATA."""
        settings = self._stack.settings
        return get(settings.exporter_host, settings.exporter_port, "/metrics", timeout_s=5) or ""


def _examined(examine: Callable[[Settings], str], settings: Settings) -> str:
    """The text of the examination; the demo continues even if it fails."""
    try:
        return examine(settings).rstrip("\n")
    except Exception as error:  # noqa: BLE001 - any error is shown
        return f"doctor: failed to run ({type(error).__name__}: {error})"


def begins_ms(before_ms: int, days: int) -> int:
    """When the simulation begins: long enough before the last `days` that these are like any others.

    All of it is sent. If only the open incidents were, the figures of those days would contain only the slowest ones.
    """
    return before_ms - days * DAY_MS - LEAD_IN_MS


def _own(settings: Settings) -> Settings:
    """Settings without those of the real force, for whose sources the demo would wait in vain."""
    asked = settings.streams if "streams" in settings.model_fields_set else SOURCES
    simulated = tuple(stream for stream in asked if stream in SOURCES)
    return settings.model_copy(
        update={"sources": {}, "areas": AREAS, "replication": 1, "streams": simulated, "exporter_url": ""}
    )


def _check(settings: Settings, for_s: float | None, busy: float, days: int) -> None:
    faults = []
    if SOURCES.keys().isdisjoint(settings.streams):
        found = f"only {', '.join(settings.streams)}, which the simulator does not produce"
        faults.append(Fault("WATCHROOM_STREAMS", "", found, f"at least one of {', '.join(SOURCES)}"))
    if for_s is not None and for_s < 0:
        faults.append(Fault("--for", "", f"{for_s:g}", "a number of seconds, 0 or more"))
    if not 0 < busy <= 1000:
        faults.append(Fault("--busy", "", f"{busy:g}", "a multiple of normal demand, greater than 0 and at most 1000"))
    if not 0 < days <= 400:
        faults.append(Fault("--days", "", f"{days}", "a number of days from 1 to 400"))
    if faults:
        raise ConfigurationInvalid(faults)
