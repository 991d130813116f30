"""How many series are published: by area in few windows, all areas together in the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.exporter.series import most_series, series_by_metric
from tests.exporter.store import LONDON, NOON, ExporterStore, Samples
from tests.kinds.made import filled
from tests.parts import ROOT
from watchroom.catalogue.load import load_catalogue
from watchroom.catalogue.metrics import all_families
from watchroom.catalogue.model import Catalogue
from watchroom.exporter.sums import windows_of
from watchroom.kinds import kind_of, names
from watchroom.kinds.kind import Reads
from watchroom.kinds.measure import ALL, Measure
from watchroom.rolling.windows import windows_at

MOST = 30_000
CATALOGUE = load_catalogue(ROOT / "schemas" / "measures", Path("areas.toml"))


def test_a_full_scrape_of_the_shipped_areas_stays_below_30_000_series() -> None:
    """With areas in every window there would be a third more, and no space for future measures."""
    assert 5_000 < most_series(CATALOGUE) <= MOST
    everywhere = {id_: replace(m, area_windows=m.windows) for id_, m in CATALOGUE.measures.items() if m.area_label}
    assert most_series(Catalogue({**CATALOGUE.measures, **everywhere})) > 1.3 * most_series(CATALOGUE)


def fill_everything(store: ExporterStore) -> None:
    """Each series of each measure has something in each window."""
    buckets = frozenset[str]().union(*windows_at(NOON, _windows(), LONDON).values())
    chosen = [name for name in buckets if name.startswith(("month:", "hour:", "day:")) or name == f"10s:{NOON // 1000}"]
    fields: dict[str, int] = {}
    for measure in _counted_in_buckets(store.catalogue):
        kind = kind_of(measure)
        for by in measure.label_sets():
            series = names.series(measure.id, by)
            if kind.reads is Reads.OPEN_SET:
                store.waiting(series, {"INC-1": NOON - 60_000})
            else:
                fields |= {names.field(series, what): number for what, number in filled(kind).items()}
    for name in chosen:
        store.client.hset(store.keys.bucket(name), mapping=dict[Any, Any](fields))


def _counted_in_buckets(catalogue: Catalogue) -> list[Measure]:
    """All measures except those that are read separately, whose samples are in `test_tokens` and `test_figures`."""
    found = catalogue.measures.values()
    return [measure for measure in found if kind_of(measure).reads in (Reads.BUCKETS, Reads.OPEN_SET)]


def _windows() -> Iterator[str]:
    yield from sorted(frozenset[str]().union(*windows_of(CATALOGUE).values()))


@pytest.fixture
def page(store: ExporterStore) -> Samples:
    """What an exporter publishes if every series has something."""
    fill_everything(store)
    return store.scrape(NOON)


def test_a_full_page_has_as_many_series_as_the_catalogue_implies(page: Samples) -> None:
    """Compared metric by metric, so that a surplus in one cannot hide a shortage in another."""
    catalogue = Catalogue({measure.id: measure for measure in _counted_in_buckets(CATALOGUE)})
    of_measures = {family.name for family in all_families(catalogue).values() if family.measure}
    found = Counter(name for name, _ in page if name in of_measures)
    assert found == series_by_metric(catalogue)


def test_a_sum_over_areas_is_right_in_each_window(page: Samples) -> None:
    """Each window has either every area or `all`, never both, and the total is the same."""
    areas: dict[frozenset[tuple[str, str]], set[str]] = {}
    totals: dict[str, float] = {}
    for (name, labels), value in page.items():
        by = dict(labels)
        if name == "watchroom_incident_volume":
            areas.setdefault(frozenset({*labels} - {("area", by["area"])}), set()).add(by["area"])
            totals[by["window"] + by.get("month", "")] = totals.get(by["window"] + by.get("month", ""), 0) + value
    label = CATALOGUE.measures["incident_volume"].labels[1]
    for labels, said in areas.items():
        of = dict(labels)
        split = of["window"] in ("24h", "28d") or of.get("month") in ("2021-10", "2021-11")
        assert said == (set(label.all_values()) if split else {ALL}), of
    assert len({total for window, total in totals.items() if window.startswith("month")}) == 1
