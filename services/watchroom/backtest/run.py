"""`watchroom backtest`: how often every shipped rule would have paged in a simulated month."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from watchroom.backtest import blocks
from watchroom.backtest.evaluate import AlertResult, Span, count_queries, evaluate
from watchroom.backtest.figures import Figures, Sample
from watchroom.backtest.healthy import HealthyPlatform
from watchroom.backtest.prometheus import Prometheus
from watchroom.backtest.rules import RuleInputs, from_api
from watchroom.backtest.simulated_store import SimulatedStore
from watchroom.catalogue.load import load_catalogue
from watchroom.catalogue.model import Catalogue
from watchroom.errors import ConfigurationInvalid, Fault
from watchroom.rolling.buckets import DAY_MS
from watchroom.rolling.calendar import Calendar
from watchroom.settings import Settings
from watchroom.simulator import GOOD, PUBLISHED, Simulated, Surge, simulate

WARM_UP_DAYS = 8  # before the first evaluation: open incidents of Grade 3 need days to build up
LONG_WINDOWS = {"7d": 8, "28d": 29}  # window -> days of history that it needs
BAD_FROM_H, BAD_FOR_H, BAD_FACTOR = 14, 3, 4.0  # a bad day: from 14:00 local, three hours of four times the demand

Progress = Callable[[str, int, int | None], None]


@dataclass(frozen=True, slots=True)
class Request:
    """What to back-test.

    `month` as `2026-10`; `bad_day` a day of it, or empty; `step_s` seconds between evaluations. Prometheus as
    shipped evaluates every 5 s. Here `for` counts whole steps, rounded up: an episode of less than two steps
    may be missed, and one that is interrupted between two steps counts as unbroken.
    """

    month: str
    good: bool = False
    seed: int = 1
    bad_day: str = ""
    step_s: int = 60


def backtest(settings: Settings, request: Request, rule_files: Sequence[Path], report: Progress) -> list[AlertResult]:
    """Simulate the month, let Prometheus evaluate every rule over it, and find when each alert fired.

    Args:
        settings: Zone, force, areas, bounds and the folder of the catalogue.
        request: Which month of which force.
        rule_files: As shipped.
        report: Called with the current step, how much of it is done, and out of how much.

    Raises:
        ConfigurationInvalid: An argument, or the catalogue, cannot be used.
        WorkFailed: Prometheus is missing, or a rule reads a series that cannot be simulated.
    """
    _check(request, rule_files)
    catalogue = load_catalogue(settings.schemas / "measures", settings.areas)
    calendar = Calendar(settings.zone)
    step_ms = request.step_s * 1000
    span = Span(calendar.month_start_ms(request.month), calendar.month_end_ms(request.month) - step_ms, step_ms)
    with TemporaryDirectory(prefix="watchroom-backtest-") as folder:
        report("reading the rules", 0, None)
        inputs = read_rules(rule_files, catalogue, Path(folder) / "rules")
        samples = Samples(settings, inputs, catalogue, calendar)
        start_ms = span.first_ms - samples.history_days * DAY_MS
        events = simulate(
            GOOD if request.good else PUBLISHED,
            seed=request.seed,
            start_ms=start_ms,
            end_ms=span.last_ms + step_ms,
            zone=settings.zone,
            surges=[bad_day(request.bad_day, settings.zone)] if request.bad_day else [],
        )
        blocks.write(samples.lines(events, [span], report), Path(folder))
        report("querying Prometheus", 0, None)
        return evaluate(inputs, [span], Path(folder), catalogue)


def read_rules(rule_files: Sequence[Path], catalogue: Catalogue, folder: Path) -> RuleInputs:
    """The rules as Prometheus reads them, and the series that they and the counts behind each alert need."""
    with Prometheus(folder, rule_files) as server:
        rules = from_api(server.rule_groups())
        counts = [
            server.printed(query)
            for measure, alert in catalogue.alerts()
            for query in count_queries(alert, measure).values()
        ]
    return RuleInputs(rules, catalogue, counts)


def bad_day(day: str, zone: str) -> Surge:
    """The planted surge of all demand on a local day."""
    begin = datetime.fromisoformat(day).replace(hour=BAD_FROM_H, tzinfo=ZoneInfo(zone))
    end = begin + timedelta(hours=BAD_FOR_H)
    return Surge(int(begin.timestamp() * 1000), int(end.timestamp() * 1000), BAD_FACTOR)


class Samples:
    """The samples that Prometheus gets: what an exporter would publish after these events."""

    def __init__(self, settings: Settings, inputs: RuleInputs, catalogue: Catalogue, calendar: Calendar) -> None:
        fed = Catalogue(
            {name: each for name, each in catalogue.measures.items() if set(each.streams) <= set(settings.streams)}
        )
        self._figures = Figures(fed, inputs.series, settings.force, calendar)
        self._platform = HealthyPlatform(inputs.series, settings)
        self._store = SimulatedStore(catalogue, self._figures.measures, settings, calendar)
        self.history_days = max([WARM_UP_DAYS, *(LONG_WINDOWS.get(window, 0) for window in self._figures.windows)])

    def lines(self, events: Iterable[Simulated], spans: Sequence[Span], report: Progress) -> Iterator[str]:
        """OpenMetrics lines at every step of the spans, oldest first."""
        moments_ms = [at_ms for span in spans for at_ms in span.moments_ms()]
        for done, (now_ms, arrived) in enumerate(_until(events, moments_ms)):
            self._store.apply(arrived, now_ms)
            stamp = f" {now_ms / 1000:.3f}\n"
            for sample in self.at(now_ms):
                yield f"{sample.series} {sample.value!r}{stamp}"
            report("simulating", done, len(moments_ms))

    def at(self, now_ms: int) -> Iterator[Sample]:
        """Every series that the rules read."""
        yield from self._figures.at(self._store, now_ms)
        yield from self._platform.at(now_ms)


def _until(events: Iterable[Simulated], moments_ms: Iterable[int]) -> Iterator[tuple[int, list[Simulated]]]:
    """For each moment, the events that arrived since the moment before."""
    waiting = iter(events)
    ahead = next(waiting, None)
    for now_ms in moments_ms:
        arrived = []
        while ahead is not None and ahead.arrival_ms <= now_ms:
            arrived.append(ahead)
            ahead = next(waiting, None)
        yield now_ms, arrived


def _check(request: Request, rule_files: Sequence[Path]) -> None:
    faults = []
    if not rule_files:
        faults.append(Fault("--rules", "", "no rule file", "the *.yml files in deploy/prometheus/rules"))
    faults += [
        Fault("--rules", "", f"no file {path}", "the path of an existing file")
        for path in rule_files
        if not path.is_file()
    ]
    if not 5 <= request.step_s <= 300:
        faults.append(Fault("--step", "", f"{request.step_s}", "a number of seconds from 5 to 300"))
    if request.bad_day and not request.bad_day.startswith(f"{request.month}-"):
        faults.append(Fault("--bad-day", "", repr(request.bad_day), f"a day in {request.month}"))
    if request.bad_day and not _is_day(request.bad_day):
        faults.append(Fault("--bad-day", "", repr(request.bad_day), f"a day such as {request.month}-14"))
    if faults:
        raise ConfigurationInvalid(faults)


def _is_day(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).strftime("%Y-%m-%d") == text
    except ValueError:
        return False
