"""Runs inside a copy of the product, with the copy's own code: outputs that no command gives for a fixed moment.

`figures REDIS_URL FORCE` fills a Redis through the worker's own parts and prints what the exporter then shows;
`backtest` evaluates the copy's rules over a simulated hour; `lint` looks through its boards; `cases` prints promtool
tests of its alerts. They print JSON, and fail as a command does.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

from redis import Redis

from tests.exporter.store import ExporterStore
from tests.generate.boards.lint import faults, metrics_used
from tests.generate.rules.cases import cases_text
from tests.reports.redis_months import NOW_MS, Happened, fill, settings_on
from watchroom import errors
from watchroom.admission.models import STREAM_OF
from watchroom.backtest import blocks
from watchroom.backtest.evaluate import Span, evaluate
from watchroom.backtest.run import Samples, read_rules
from watchroom.catalogue.load import load_catalogue
from watchroom.catalogue.metrics import all_families
from watchroom.errors import WatchroomError
from watchroom.exporter.board.board_page import board_page
from watchroom.exporter.board.definitions import definition
from watchroom.rolling.calendar import Calendar
from watchroom.settings import read_settings
from watchroom.simulator import simulate

COPY = Path(errors.__file__).parents[2]
HOUR_MS = 3_600_000
TODAY = "2022-02-01T"
EVENTS = (
    Happened("call.queued", "17", "2022-01-10T09:00:00Z", {"line": "999"}),
    Happened("call.answered", "17", "2022-01-10T09:00:04Z"),
    Happened("call.queued", "18", "2022-01-10T09:05:00Z", {"line": "999"}),
    Happened("call.answered", "18", "2022-01-10T09:05:08Z"),
    Happened("visit.arrived", "v1", "2022-01-10T10:00:00Z", {"area": "stoke"}),
    Happened("visit.seen", "v1", "2022-01-10T10:10:00Z", {"counter": "3"}),
    Happened("visit.arrived", "v2", "2022-01-10T10:05:00Z", {"area": "stoke"}),
    Happened("visit.seen", "v2", "2022-01-10T10:25:00Z", {"counter": "3"}),
    Happened("visit.arrived", "v3", "2022-01-10T10:10:00Z", {"area": "stoke"}),
    Happened("visit.left", "v3", "2022-01-10T10:40:00Z"),
    Happened("visit.arrived", "v4", "2022-01-10T11:00:00Z", {"area": "county"}),
    Happened("visit.seen", "v4", "2022-01-10T11:05:00Z", {"counter": "1"}),
    # The last hour: answers after 3 s and 9 s, and one of a call that was never queued; waits of 5 and 25 minutes,
    # which count as 4 and 20: in steps of 2 minutes, and 20 at most.
    Happened("call.queued", "21", f"{TODAY}11:40:00Z", {"line": "999"}),
    Happened("call.answered", "21", f"{TODAY}11:40:03Z"),
    Happened("call.queued", "22", f"{TODAY}11:41:00Z", {"line": "999"}),
    Happened("call.answered", "22", f"{TODAY}11:41:09Z"),
    Happened("call.presented", "23", f"{TODAY}11:42:00Z", {"line": "999"}),
    Happened("call.answered", "23", f"{TODAY}11:42:05Z"),
    Happened("visit.arrived", "v11", f"{TODAY}11:10:00Z", {"area": "stoke"}),
    Happened("visit.seen", "v11", f"{TODAY}11:15:00Z", {"counter": "3"}),
    Happened("visit.arrived", "v12", f"{TODAY}11:15:00Z", {"area": "stoke"}),
    Happened("visit.seen", "v12", f"{TODAY}11:40:00Z", {"counter": "3"}),
    Happened("visit.arrived", "v13", f"{TODAY}11:20:00Z", {"area": "stoke"}),
    Happened("visit.left", "v13", f"{TODAY}11:50:00Z"),
    Happened("visit.arrived", "v14", f"{TODAY}11:48:00Z", {"area": "stoke"}),
)


def figures(redis_url: str, force: str) -> dict[str, object]:
    """The exporter's metrics and pages, for events of every stream in the copy."""
    settings = settings_on(redis_url, force=force)
    fill(settings, [event for event in EVENTS if event.type in STREAM_OF])
    with closing(Redis.from_url(redis_url)) as client:
        store = ExporterStore(client, settings)
        mirror = store.mirror()
        mirror.refresh(NOW_MS)
        page = store.page(mirror)
        seen = page.board(NOW_MS)
        return {
            "metrics": page.text(NOW_MS),
            "page": board_page(seen, ZoneInfo(settings.zone)),
            "definitions": {measure.id: definition(measure) for measure in store.catalogue.measures.values()},
        }


def backtest() -> dict[str, dict[str, object]]:
    """Every alert of the copy's rules over one simulated hour, by name, after three hours of warming up."""
    settings = read_settings()
    catalogue = load_catalogue(settings.schemas / "measures", settings.areas)
    rules = sorted(COPY.glob("deploy/prometheus/rules/*.yml"))
    span = Span(NOW_MS, NOW_MS + HOUR_MS, 300_000)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        inputs = read_rules(rules, catalogue, folder / "rules")
        samples = Samples(settings, inputs, catalogue, Calendar(settings.zone))
        events = simulate(seed=1, start_ms=NOW_MS - 3 * HOUR_MS, end_ms=span.last_ms + 1)
        blocks.write(samples.lines(events, [span], lambda *_: None), folder)
        results = evaluate(inputs, [span], folder, catalogue)
    return {
        each.rule.name: {
            "severity": each.rule.severity,
            "fired": [{"value": fired.firing.value, "counts": dict(fired.counts)} for fired in each.fired],
        }
        for each in results
    }


def lint() -> list[str]:
    """Faults of the copy's boards, and metrics of its catalogue that neither a board nor a rule uses."""
    settings = read_settings()
    families = all_families(load_catalogue(settings.schemas / "measures", settings.areas))
    boards = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(COPY.glob("grafana/dashboards/*.json"))]
    rules = "".join(path.read_text(encoding="utf-8") for path in COPY.glob("deploy/prometheus/rules/*.yml"))
    asked = set[str]().union(*map(metrics_used, boards))
    unused = [each.name for each in families.values() if each.measure and not each.why_unused]
    return [
        *(str(fault) for board in boards for fault in faults(board, families)),
        *(f"{name}: nobody asks for it" for name in unused if name not in asked and name not in rules),
    ]


def cases() -> str:
    """The promtool test file of the alerts on its measures."""
    settings = read_settings()
    catalogue = load_catalogue(settings.schemas / "measures", settings.areas)
    return cases_text(catalogue, str(COPY / "deploy" / "prometheus" / "rules"))


MAKERS: Mapping[str, Callable[..., object]] = {"figures": figures, "backtest": backtest, "lint": lint, "cases": cases}

if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    try:
        made = MAKERS[what](*arguments)
    except WatchroomError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
    sys.stdout.write(json.dumps(made))
