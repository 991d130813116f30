"""What shows in each output that a kind and a stream exist: signs, each with the registry rows that it needs."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import yaml

from tests.exporter.store import parsed, value
from tests.generate.rules.tools import run
from tests.planted.copies import Copy, Planted

Rows = frozenset[Planted]
KIND, STREAM = Rows({"kind"}), Rows({"stream"})
BOTH = KIND | STREAM
MEASURES: Mapping[str, Rows] = {
    "call_answer_spread": KIND,
    "visit_volume": STREAM,
    "visit_given_up": STREAM,
    "visits_waiting": STREAM,
    "visit_wait_spread": BOTH,
}
ALERTS: Mapping[str, Rows] = {"AnswersFarApart": KIND, "VisitorsGiveUp": STREAM, "WaitsFarApart": BOTH}
TYPES = ("visit.arrived", "visit.seen", "visit.left")


class Sign(NamedTuple):
    """One thing that an output shows; it is missing only if a row in `needs` is missing."""

    needs: Rows
    what: str
    is_there: bool


Check = Callable[[Copy, str], Iterator[Sign]]


def metrics(copy: Copy, redis_url: str) -> Iterator[Sign]:
    """`/metrics`: the numbers of the last hour, and each metric's HELP with the catalogue's text."""
    page: str = copy.figures(redis_url)["metrics"]
    samples = parsed(page)
    for needs, name, labels, number in (
        (KIND, "call_answer_spread_deviation_seconds", {"line": "999", "window": "1h"}, 3.0),
        (KIND, "call_answer_spread_average_seconds", {"line": "999", "window": "1h"}, 6.0),
        (KIND, "call_answer_spread_lengths", {"line": "101", "window": "1h"}, 0),
        (KIND, "call_answer_spread_unmeasured", {"line": "999", "window": "1h"}, 1),
        (KIND, "call_answer_spread_deviation_seconds", {"line": "999", "window": "month", "month": "2022-01"}, 2.0),
        (STREAM, "visit_volume", {"area": "stoke", "window": "1h"}, 4),
        (STREAM, "visit_given_up_part", {"area": "stoke", "window": "1h"}, 1),
        (STREAM, "visit_given_up_whole", {"area": "stoke", "window": "1h"}, 3),
        (STREAM, "visits_waiting_oldest_seconds", {"area": "stoke"}, 720),
        (STREAM, "stream_withheld", {"stream": "visits"}, 0),
        (BOTH, "visit_wait_spread_deviation_seconds", {"area": "stoke", "window": "1h"}, 480.0),
    ):
        yield Sign(needs, f"{name} {labels}", value(samples, name, **labels) == number)
    spread, waits = (
        "How far the times from the queue to the answer lie apart.",
        "How far the waits at the front counter",
    )
    visits = "Visits, counted by the time a number was taken."
    for needs, told in (
        (
            KIND,
            f"call_answer_spread_deviation_seconds Spread of answer times: standard deviation of the lengths. {spread}",
        ),
        (
            KIND,
            f"call_answer_spread_unmeasured Spread of answer times: how many have no start before their end. {spread}",
        ),
        (STREAM, f"visit_volume Visits to the front counter: number. {visits}"),
        (BOTH, f"visit_wait_spread_lengths Spread of waits: how many lengths. {waits} lie apart."),
    ):
        yield Sign(needs, f"HELP of {told}", f"# HELP watchroom_{told}\n" in page)


def built_in_page(copy: Copy, redis_url: str) -> Iterator[Sign]:
    """Cards with the quantities' titles and numbers, a tile with its state, and definitions."""
    found = copy.figures(redis_url)
    for needs, part, said in (
        (KIND, "card-call_answer_spread", "standard deviation mean length how many lengths 999 3.0 s 6.0 s 2"),
        (STREAM, "card-visit_volume", "number Stoke 4 County 0"),
        (STREAM, "card-visit_given_up", "share of the whole Stoke 33 % (1 of 3) County NONE"),
        (STREAM, "card-visits_waiting", "open now age of the oldest Stoke 1 12 min 00 s County 0 0 s"),
        (BOTH, "tile-visit_wait_spread-11", "Stoke 8 min 00 s WIDE County NONE"),
    ):
        yield Sign(needs, f"{part}: {said}", said in _text_of(found["page"], part))
    for measure, needs in MEASURES.items():
        yield Sign(needs, f"definition of {measure}", measure in found["definitions"])
    definition = found["definitions"].get("visit_wait_spread", "")
    yield Sign(BOTH, "the clock in words", "each from arrived to seen, placed at its end" in definition)
    yield Sign(BOTH, "the kind's own keys", "cap_s = 1200; step_s = 120" in definition)


def _text_of(page: str, part: str) -> str:
    """The text of the element with this id, up to the next card or tile."""
    _, _, after = page.partition(f'id="{part}"')
    inside = re.split(r"<article|<li|</section", after, maxsplit=1)[0]
    return " ".join(re.sub(r"<[^>]+>", " ", inside.partition(">")[2]).split())


MONTHS: tuple[tuple[Rows, str, dict[str, str], dict[str, object]], ...] = (
    (KIND, "call_answer_spread", {"line": "999"}, {"value": 2.0, "denominator": 2, "mean_s": 6.0, "unmeasured": 0}),
    (STREAM, "visit_volume", {"area": "stoke"}, {"value": 3, "numerator": 3}),
    (STREAM, "visit_given_up", {"area": "stoke"}, {"value": 0.333333, "numerator": 1, "denominator": 3}),
    (BOTH, "visit_wait_spread", {"area": "stoke"}, {"value": 300.0, "denominator": 2, "mean_s": 900.0, "unit": "s"}),
)
"""Rows of January 2022, as months and the replay give them."""


def months_json(copy: Copy, redis_url: str) -> Iterator[Sign]:
    """`months --format json`: a row with its figures under the kind's columns."""
    yield from _in_rows(json.loads(copy.months(redis_url, "json")))


def _in_rows(rows: list[dict[str, Any]]) -> Iterator[Sign]:
    for needs, measure, by, figures in MONTHS:
        found = [row for row in rows if (row["measure"], row["by"], row["period"]) == (measure, by, "2022-01")]
        is_there = len(found) == 1 and {name: found[0][name] for name in figures} == figures
        yield Sign(needs, f"{measure} {by}", is_there)


def months_csv(copy: Copy, redis_url: str) -> Iterator[Sign]:
    """`months --format csv`: the same rows; values that only the new kind has are columns of their own."""
    rows = list(csv.DictReader(io.StringIO(copy.months(redis_url, "csv"))))
    for needs, measure, by, figures in MONTHS:
        wanted = {"measure": measure, "period": "2022-01", **by, **{name: str(each) for name, each in figures.items()}}
        yield Sign(needs, f"{measure} {by}", any(wanted.items() <= row.items() for row in rows))
    yield Sign(KIND, "the column unmeasured", "unmeasured" in rows[0])


def months_table(copy: Copy, redis_url: str) -> Iterator[Sign]:
    """`months` for people: the kind's own text, and how far the stream is applied."""
    table = [" ".join(line.split()) for line in copy.months(redis_url, "table").splitlines()]
    for needs, measure, told in (
        (KIND, "call_answer_spread", "line=999 2022-01 2.0 s of 2, around 6.0 s · not closed"),
        (STREAM, "visit_volume", "area=stoke 2022-01 3 not closed"),
        (STREAM, "visit_given_up", "area=stoke 2022-01 33.33% 1 of 3 · not closed"),
        (BOTH, "visit_wait_spread", "area=stoke 2022-01 5 min 00 s of 2, around 15 min 00 s · not closed"),
    ):
        is_there = measure in table and table[table.index(measure) + 1] == told
        yield Sign(needs, f"{measure}: {told}", is_there)
    applied = any(line.startswith("visits: OLD, applied up to 2022-02-01 12:00:00 GMT") for line in table)
    yield Sign(STREAM, "how far visits are applied", applied)


def measures_page(copy: Copy, _: str) -> Iterator[Sign]:
    """schemas/measures/README.md: entry, clock, metrics, and the vocabulary of the stream."""
    page = copy.read("schemas/measures/README.md")
    for measure, needs in MEASURES.items():
        yield Sign(needs, measure, f"\n## {measure}\n" in page)
    for needs, told in (
        (KIND, "- kind: spread, each from `queued` to `answered`, placed at its end; stream calls"),
        (KIND, "- metrics: `watchroom_call_answer_spread_lengths`, `watchroom_call_answer_spread_average_seconds`, "),
        (KIND, "\n- `cap_s = 3600`\n- `step_s = 1`\n"),
        (BOTH, "\n- `cap_s = 1200`\n- `step_s = 120`\n"),
        (STREAM, "- kind: open, counted while `waiting`; age measured from `arrived`; stream visits"),
        (STREAM, "## visits\n\nWhat is known about each visit."),
        (STREAM, "- moment `wait_over`: seen, or left by who was never seen"),
        (BOTH, "- alert [WaitsFarApart](../../deploy/runbooks/WaitsFarApart.md), a page: "),
    ):
        yield Sign(needs, told, told in page)


def boards(copy: Copy, _: str) -> Iterator[Sign]:
    """The stream's own board, the existing board of an entry's stream, the wall, the months, the platform."""
    for needs, name, asked in (
        (KIND, "demand", 'measure="call_answer_spread",quantity="deviation",window="1h"'),
        (STREAM, "counter", "watchroom_visit_volume{"),
        (STREAM, "counter", 'measure="visit_given_up",quantity="whole"'),
        (STREAM, "counter", 'measure="visits_waiting",quantity="oldest"'),
        (BOTH, "counter", 'measure="visit_wait_spread",quantity="average"'),
        (BOTH, "live", 'watchroom_tile{tile="Waits far apart"'),
        (KIND, "month", 'measure="call_answer_spread",quantity="deviation",window="month"'),
        (STREAM, "month", "watchroom_visit_given_up_whole{"),
        (BOTH, "month", "watchroom_visit_wait_spread_lengths{"),
        (KIND, "platform", 'watchroom_row{quantity="unmeasured"'),
    ):
        yield Sign(needs, f"{name}: {asked}", asked in " ".join(_queries(copy, name)))
    for needs, name, told in (
        (STREAM, "counter", "Front counter"),
        (STREAM, "counter", "`arrived` (the earliest visit.arrived)"),
        (BOTH, "live", "Waits far apart"),
        (KIND, "platform", "counted here and in no spread."),
        (STREAM, "platform", "/visits$/"),
    ):
        yield Sign(needs, f"{name}: {told}", told in copy.read(_board(name)))
    faults = copy.linted()
    yield Sign(Rows(), f"boards in which the linter finds nothing {faults}", not faults)


def _board(name: str) -> str:
    return f"grafana/dashboards/watchroom-{name}.json"


def _queries(copy: Copy, name: str) -> Iterator[str]:
    """Every query of a board; none if there is no such board."""

    def walk(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            yield from (text for key, text in node.items() if key == "expr")
            node = list(node.values())
        if isinstance(node, list):
            for each in node:
                yield from walk(each)

    yield from walk(json.loads(copy.read(_board(name)) or "{}"))


def rules(copy: Copy, _: str) -> Iterator[Sign]:
    """The rule, its promtool cases and its runbook; promtool parses them and confirms that each alert fires in time."""
    (group,) = yaml.safe_load(copy.read("deploy/prometheus/rules/measures.yml"))["groups"]
    labels = {rule["alert"]: rule["labels"] for rule in group["rules"]}
    cases = copy.promtool_cases()
    for alert, needs in ALERTS.items():
        yield Sign(needs, f"rule {alert}", alert in labels)
        yield Sign(needs, f"case of {alert}", f"{alert} fires after" in cases)
        yield Sign(needs, f"runbook of {alert}", "## What to do now" in copy.read(f"deploy/runbooks/{alert}.md"))
    yield Sign(STREAM, "the stream as a label", labels.get("VisitorsGiveUp", {}).get("stream") == "visits")
    wide = "Condition: by area, standard deviation, last hour: above 15 min."
    yield Sign(BOTH, wide, wide in copy.read("deploy/runbooks/WaitsFarApart.md"))
    files = sorted((copy.root / "deploy" / "prometheus" / "rules").glob("*.yml"))
    yield Sign(Rows(), "rules that Prometheus reads", not run("promtool", "check", "rules", *files).returncode)
    ours = copy.root / "planted_test.yml"  # tests of the product's own alerts take long, and run elsewhere
    document = yaml.safe_load(cases)
    document["tests"] = [case for case in document["tests"] if case["name"].partition(" ")[0] in ALERTS]
    ours.write_text(yaml.safe_dump(document), encoding="utf-8")
    judged = run("promtool", "test", "rules", ours)
    in_time = not judged.returncode and len(document["tests"]) > 0
    yield Sign(Rows(), f"alerts that fire in time {judged.stdout}{judged.stderr}", in_time)


def documents(copy: Copy, _: str) -> Iterator[Sign]:
    """schemas/events: a schema for each type, the index of types, and the channel of the topic."""
    index = copy.read("schemas/events/README.md")
    described = yaml.safe_load(copy.read("schemas/events/asyncapi.yaml"))
    channel = described["channels"].get("visits", {})
    for name in TYPES:
        schema = json.loads(copy.read(f"schemas/events/{name}.json") or "{}")
        yield Sign(STREAM, f"schema of {name}", schema.get("title") == name)
        yield Sign(STREAM, f"message {name}", name in channel.get("messages", {}))
        payload = described["components"]["messages"].get(name, {}).get("payload", {})
        yield Sign(STREAM, f"payload of {name}", payload.get("schema") == {"$ref": f"./{name}.json"})
    yield Sign(STREAM, "address", channel.get("address") == "watchroom.visits")
    yield Sign(STREAM, "operation", "receive-visits" in described["operations"])
    yield Sign(STREAM, "topic in the index", "\n## Topic `watchroom.visits`\n" in index)
    line = "| [`visit.seen`](visit.seen.json) | A visitor was called to a counter. | `counter` | `area` |"
    yield Sign(STREAM, line, line in index)


def replay(copy: Copy, _: str) -> Iterator[Sign]:
    """`watchroom replay` of a log, through broker, worker and store: the months' rows, and what is open at its end."""
    rows = copy.replayed()
    yield from _in_rows(rows)
    waiting = [row["value"] for row in rows if (row["measure"], row["by"]) == ("visits_waiting", {"area": "county"})]
    yield Sign(STREAM, "who waits", waiting == [1])


def backtest(copy: Copy, _: str) -> Iterator[Sign]:
    """Every alert is evaluated. The simulator's calls make the kind's alert fire; it sends no visits."""
    found = copy.backtested()
    for alert, needs in ALERTS.items():
        yield Sign(needs, alert, alert in found)
    fired = found.get("AnswersFarApart", {}).get("fired", [])
    is_told = bool(fired) and fired[0]["value"] > 20 and fired[0]["counts"]["base"] >= 5
    yield Sign(KIND, "AnswersFarApart fired, with its figure and on how many it rests", is_told)
    yield Sign(STREAM, "VisitorsGiveUp is silent", found.get("VisitorsGiveUp", {}).get("fired") == [])


CHECKS: Mapping[str, Check] = {
    check.__name__: check
    for check in (
        metrics, built_in_page, months_table, months_json, months_csv, measures_page, boards, rules, documents, replay,
        backtest,
    )
}  # fmt: skip
