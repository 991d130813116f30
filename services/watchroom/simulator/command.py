"""`watchroom simulate`: sends the events of a simulated force to a given Kafka, up to now or also live."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from watchroom.errors import ConfigurationInvalid, Fault
from watchroom.kafka.produce import check_topics
from watchroom.rolling.buckets import DAY_MS
from watchroom.rolling.calendar import Calendar
from watchroom.settings import Settings
from watchroom.simulator import GOOD, PUBLISHED, SOURCES, Surge, simulate
from watchroom.simulator.feed import Feed
from watchroom.simulator.published_year import NAMES, baseline_csv, load_printed, published_year
from watchroom.streams import STREAMS
from watchroom.timing import now_ms
from watchroom.wording import duration

LOOK_S = 0.2
SAY_EVERY_S = 5.0


def run_simulate(
    settings: Settings,
    *,
    days: float | None = None,
    months: int | None = None,
    live: bool = False,
    for_s: float | None = None,
    busy: float = 1.0,
    good: bool = False,
    seed: int = 1,
    console: Console | None = None,
) -> int:
    """Send simulated events to `settings.kafka`.

    Args:
        settings: Brokers, topics, zone, and the sources that the workers know.
        days: Simulated days before now; default 28 when `months` is not given, 0 for none.
        months: Instead of days: this number of complete months of the reporting zone, and the current one.
        live: Continue after now, each event at its time, with heartbeats.
        for_s: Seconds after which a live run ends; None: it ends at Ctrl-C.
        busy: Demand of the live part, 1 is normal.
        good: A force that meets its targets instead of the published one.
        seed: A different seed gives different events.
        console: Where to report progress; defaults to standard error.

    Returns:
        Exit code 0, also after Ctrl-C in the live part.

    Raises:
        ConfigurationInvalid: An argument cannot be used, or the simulator's sources are not declared.
        WorkFailed: A topic is missing.
        BrokerUnavailable: Kafka does not answer.
    """
    console = console or Console(stderr=True)
    _check(settings, days, months, busy)
    until_ms = now_ms()
    start_ms = until_ms - round((28 if days is None else days) * DAY_MS)
    if months is not None:
        calendar = Calendar(settings.zone)
        start_ms = calendar.month_start_ms(calendar.months_before(calendar.month_of(until_ms), months))
    check_topics(settings, settings.topics.values())
    events = simulate(
        GOOD if good else PUBLISHED,
        seed=seed,
        start_ms=start_ms,
        end_ms=None if live else until_ms,
        zone=settings.zone,
        surges=[Surge(until_ms, None, busy)] if busy != 1 else [],
        heartbeats_from_ms=until_ms if live else None,
    )
    with Feed(settings, events) as feed:
        _report(feed, console, start_ms, until_ms)
        if live:
            _stay(feed, console, for_s)
        feed.check()
    return 0


def run_published_year(
    settings: Settings, *, scale: float = 1.0, baselines: Path | None = None, console: Console | None = None
) -> int:
    """Send the year of the published report to `settings.kafka`.

    Args:
        settings: Brokers, topics, zone, and the sources that the workers know.
        scale: Fraction of the calls and contacts to send; incidents, crimes and figures are always sent in full.
        baselines: Folder for the months that the year is compared with, one CSV per baseline; None: not written.
        console: Where to report progress; defaults to standard error.

    Returns:
        Exit code 0.

    Raises:
        ConfigurationInvalid: The scale cannot be used, a file cannot be written, or the simulator's sources are not
            declared.
        WorkFailed: A topic is missing.
        BrokerUnavailable: Kafka does not answer.
    """
    console = console or Console(stderr=True)
    faults = list(_source_faults(settings))
    if not 0.1 <= scale <= 1:
        faults.append(Fault("--scale", "", f"{scale:g}", "a fraction of the calls and contacts, from 0.1 to 1"))
    if faults:
        raise ConfigurationInvalid(faults)
    printed = load_printed(settings.schemas)
    if baselines is not None:
        for name in NAMES:
            file = baselines / f"{name.replace('/', '-')}.csv"
            _write(file, baseline_csv(name, printed, scale))
            console.print(f"next: watchroom months import --baseline {name} {file}", highlight=False, soft_wrap=True)
    check_topics(settings, settings.topics.values())
    calendar = Calendar(settings.zone)
    with Feed(settings, published_year(printed, zone=settings.zone, scale=scale)) as feed:
        _report(feed, console, calendar.month_start_ms(printed.first_month), calendar.month_end_ms(printed.last_month))
    return 0


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        found = f"{file} ({error.strerror})"
        raise ConfigurationInvalid([Fault("--baselines", "", found, "the path of a writable folder")]) from error


def _report(feed: Feed, console: Console, start_ms: int, end_ms: int) -> None:
    """Print every few seconds how much of the past has been sent, and at the end how long that took."""
    began_s = said_s = time.monotonic()
    while feed.ends is None:
        feed.wait(LOOK_S)
        if time.monotonic() - said_s >= SAY_EVERY_S:
            said_s = time.monotonic()
            day, of = (feed.sent_to_ms - start_ms) / DAY_MS, (end_ms - start_ms) / DAY_MS
            console.print(f"day {max(0, day):.0f} of {of:.0f}, {feed.sent:,} events sent", highlight=False)
    feed.check()
    console.print(f"sent {feed.sent:,} events in {duration(time.monotonic() - began_s, tenths=True)}", highlight=False)


def _stay(feed: Feed, console: Console, for_s: float | None) -> None:
    console.print("live; press Ctrl-C to stop")
    began_s = time.monotonic()
    try:
        while for_s is None or time.monotonic() - began_s < for_s:
            feed.check()
            time.sleep(LOOK_S)
    except KeyboardInterrupt:
        console.print(f"stopped after {feed.sent:,} events", highlight=False)


def _check(settings: Settings, days: float | None, months: int | None, busy: float) -> None:
    faults = []
    if days is not None and months is not None:
        faults.append(Fault("--days", "", "--months as well", "only one of the two"))
    if days is not None and not 0 <= days <= 800:
        faults.append(Fault("--days", "", f"{days:g}", "a number of days from 0 to 800"))
    if months is not None and not 0 <= months <= 26:
        faults.append(Fault("--months", "", f"{months}", "a number of complete months from 0 to 26"))
    if not 0 < busy <= 1000:
        faults.append(Fault("--busy", "", f"{busy:g}", "a multiple of normal demand, greater than 0 and at most 1000"))
    faults += _source_faults(settings)
    if faults:
        raise ConfigurationInvalid(faults)


def _source_faults(settings: Settings) -> Iterator[Fault]:
    for stream, source in SOURCES.items():
        if stream not in settings.streams or not STREAMS[stream].is_waited_for:
            continue  # returns are never late
        declared = settings.sources.get(stream, {}).get(source)
        if declared is None or not declared.history:
            found = "no such source" if declared is None else "a source that is not declared as history"
            write = f'{{"{stream}": {{"{source}": {{"history": true}}}}}} here and in the settings of the workers'
            yield Fault("WATCHROOM_SOURCES", f"{stream}.{source}", found, write)
