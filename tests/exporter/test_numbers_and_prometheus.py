"""A tile's number on the built-in page is what a board gets from a real Prometheus: every quantity, every split.

Two exporters are scraped, so that a second one doubles nothing.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import NamedTuple

import pytest

from tests.exporter.full_store import fill
from tests.exporter.store import NOON, ExporterStore
from tests.flow.servers import PrometheusServer, RedisServer
from tests.parts import PartMissing, missing
from watchroom.exporter.exposition import CONTENT_TYPE
from watchroom.exporter.mirror import Mirror
from watchroom.exporter.numbers import Number, Numbers
from watchroom.exporter.server import Answer, Server
from watchroom.generate import promql
from watchroom.kinds import KINDS, area_windows, names, quantity_of
from watchroom.kinds.measure import Measure
from watchroom.kinds.shown import Shown
from watchroom.rolling.windows import LOCAL_HOUR
from watchroom.settings import read_settings
from watchroom.streams import STREAMS

LATER = NOON + 2_500  # the scrape: who waits has waited longer since the reading
WITHIN_S = 30


class Both(NamedTuple):
    """The page's side and Prometheus's side of the same moment."""

    store: ExporterStore
    mirror: Mirror
    prometheus: PrometheusServer

    def of_page(self, measure: Measure, shown: Shown) -> dict[str, Number]:
        """Numbers by label."""
        reading = self.mirror.reading
        if reading is None:
            raise AssertionError(self.mirror.redis_fault)
        found = Numbers(self.store.catalogue, self.mirror.sums, reading, LATER).shown(measure, shown)
        return {number.label: number for number in found}

    def asked(self, query: str, split: str) -> dict[str, float]:
        """Prometheus's answer by label."""
        found = {each["metric"].get(split, ""): each for each in self.prometheus.query(query)}
        return {label: float(each["value"][1]) for label, each in found.items()}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """A filled store, two exporters reading it at LATER, and a Prometheus that has scraped them (found within 5 s)."""
    with ExitStack() as open_:
        try:
            redis = RedisServer(tmp_path_factory.mktemp("redis"))
            open_.callback(redis.kill)
            redis.start()
            settings = read_settings(redis_url=redis.url, force="staffs", streams=tuple(STREAMS))
            store = ExporterStore(redis.client(), settings).begin(NOON)
            fill(store, NOON)
            mirror = store.mirror()
            mirror.refresh(NOON)
            text = store.page(mirror).text(LATER)
            ports = [open_.enter_context(serving(text)) for _ in range(2)]
            targets = [f"127.0.0.1:{port}" for port in ports]
            prometheus = PrometheusServer(tmp_path_factory.mktemp("prometheus"), targets)
        except PartMissing as error:
            missing(str(error))
        open_.callback(prometheus.stop)
        prometheus.start()
        deadline_s = time.monotonic() + WITHIN_S
        while len(prometheus.query("watchroom_redis_up == 1")) < len(ports):
            if time.monotonic() > deadline_s:
                raise AssertionError(prometheus.query("up"))
            time.sleep(0.1)
        yield Both(store, mirror, prometheus)


@contextmanager
def serving(text: str) -> Iterator[int]:
    """An exporter's server with this page; its port."""
    server = Server("127.0.0.1", 0, {"/metrics": lambda *_: Answer(text, CONTENT_TYPE)})
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def everything_shown(measure: Measure) -> Iterator[Shown]:
    """Each quantity alone, split by each label, and for one value of each label split by the others.

    For a measure with areas also in a window that is split by area; by area in no other window.
    """
    ways: list[tuple[dict[str, str], str]] = [({}, "")]
    ways += [({}, label.name) for label in measure.labels]
    ways += [({label.name: label.values[0]}, "") for label in measure.labels]
    ways += [
        ({label.name: label.values[1]}, other.name)
        for label in measure.labels
        for other in measure.labels
        if label is not other
    ]
    for what, quantity in KINDS[measure.kind].quantities.items():
        for where, split in ways:
            is_one_series = {*where, split} >= {label.name for label in measure.labels}
            if not quantity.is_additive and not is_one_series:
                continue  # the catalogue refuses it: ranks cannot be added
            if not quantity.misses_overdue or measure.display.overdue_from:
                windows = [window for window in area_windows(measure, quantity.suffix) if window != "month"]
                if measure.area_label not in {*where, split} - {""}:
                    windows = [*(w for w in measure.windows[1:2] if w != "month"), *windows[-1:]] or [
                        *measure.windows[:1]
                    ]
                for window in windows if measure.windows else [""]:
                    yield Shown(what, where, window, split)
                    if split and not where:
                        yield Shown(what, where, window, split, unlisted=True)


def differences(both: Both, measure: Measure, shown: Shown) -> Iterator[tuple[object, ...]]:
    """Where page and Prometheus disagree."""
    page = both.of_page(measure, shown)
    query = promql.expression(both.store.catalogue, measure, shown)
    asked = both.asked(query, shown.split)
    for label in {**page, **asked}:
        number, answer = page.get(label), asked.get(label)
        value = None if number is None else number.value
        if number is not None and value is None:
            value = math.nan  # a share or mean of nothing is NaN there, and not absent
        if not same(value, answer):
            yield measure.id, shown, label, number, answer, query
    if quantity_of(measure, shown).counts:
        parts, wholes = (both.asked(each, shown.split) for each in promql.counts(both.store.catalogue, measure, shown))
        for label, number in page.items():
            if (number.part, number.whole) != (parts.get(label, 0), wholes.get(label)):
                yield measure.id, shown, label, number, parts.get(label), wholes.get(label)


def same(value: float | None, answer: float | None) -> bool:
    """Equal but for the last digits of a sum of means; absent equals absent, NaN equals NaN."""
    if value is None or answer is None:
        return value is answer
    return (math.isnan(value) and math.isnan(answer)) or math.isclose(value, answer, rel_tol=1e-9)


def all_differences(both: Both, asked: Sequence[tuple[Measure, Shown]]) -> list[tuple[object, ...]]:
    """The differences of every query."""
    return [found for measure, shown in asked for found in differences(both, measure, shown)]


def test_every_tile_and_every_quantity_shows_the_same_number_as_prometheus(both: Both) -> None:
    """Two pages next to each other in a control room must not differ."""
    tiles = [(measure, replace(tile.shown, rest=False)) for measure, tile in both.store.catalogue.tiles()]
    words = [(m, shown) for m in both.store.catalogue.measures.values() for shown in everything_shown(m)]
    assert {(m.kind, shown.what) for m, shown in words} == {
        (kind.name, word) for kind in KINDS.values() for word in kind.quantities
    }
    assert all_differences(both, [*tiles, *words]) == []


def test_the_number_for_absent_and_unlisted_values_is_the_same_as_in_prometheus(both: Both) -> None:
    """Ungraded incidents are one number on both pages."""
    tiles = [(measure, tile.shown) for measure, tile in both.store.catalogue.tiles() if tile.shown.rest]
    assert tiles
    for measure, shown in tiles:
        label = next(label for label in measure.labels if label.name == shown.split)
        (theirs,) = both.prometheus.query(promql.rest(both.store.catalogue, measure, shown))
        assert both.of_page(measure, shown)[label.absent].value == float(theirs["value"][1]) > 0


def test_the_hours_of_a_baseline_are_the_same_as_in_prometheus(both: Both) -> None:
    """The board queries the last hour and past ones, added up over the lines, by week."""
    calls = both.store.catalogue.measures["call_volume"]
    asked = {
        weeks: {each["metric"]["weeks_ago"]: float(each["value"][1]) for each in both.prometheus.query(query)}
        for weeks in ("0", "[1-6]")
        if (query := promql.local_hour(calls, {}, "", weeks))
    }
    held = {
        window.weeks_ago: sum(
            both.mirror.sums.series(window, names.series(calls.id, by)).get(names.COUNT, 0) for by in calls.label_sets()
        )
        for window in both.mirror.sums.windows
        if window.name == LOCAL_HOUR
    }
    assert all(held[ago] > 0 for ago in "013")
    assert asked == {"0": {"0": held["0"]}, "[1-6]": {"1": held["1"], "3": held["3"]}}


def test_a_planted_difference_is_found(both: Both) -> None:
    """A thousand calls that only the page has: every number that includes them differs, and no other."""
    sums, name = both.mirror.sums, f"10s:{NOON // 1000 - 10}"
    before = sums._held[name]
    sums.replace(name, {**before, "call_volume|line=999|count": 1_000})
    calls = both.store.catalogue.measures["call_volume"]
    try:
        found = all_differences(both, [(calls, shown) for shown in everything_shown(calls)])
    finally:
        sums.replace(name, before)
    assert {each[2] for each in found} == {"", "999"}
