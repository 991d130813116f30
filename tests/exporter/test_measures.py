"""The text of a measure: kept where nothing changed, and never older than the sums."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.exporter.control_room import LONDON, NOON
from tests.parts import ROOT
from watchroom.catalogue.load import load_catalogue
from watchroom.exporter.measures import WindowedMeasure
from watchroom.exporter.sums import WindowSums, windows_at, windows_of

MEASURES: Path = ROOT / "schemas" / "measures"
CATALOGUE = load_catalogue(MEASURES, ("stoke", "county"))
OF_CALLS = [frozenset(measure.id for measure in CATALOGUE.of_stream("calls"))]
ANSWERS = CATALOGUE.measures["call_answer_time"]
WHATS = ("observations", "sum_ms", "within", "bin:7998", "bin:61000", "missing_start")

field = st.builds(
    lambda line, what: f"call_answer_time|line={line}|{what}", st.sampled_from(("999", "101")), st.sampled_from(WHATS)
)
change = st.tuples(st.integers(0, 400_000), st.dictionaries(field, st.integers(0, 9), max_size=4), st.booleans())


@given(st.lists(change, max_size=8))
def test_kept_text_is_what_writing_everything_again_would_give(
    changes: list[tuple[int, dict[str, int], bool]],
) -> None:
    """A window whose text was kept too long would show an old number as a live one."""
    by_measure = windows_of(CATALOGUE)
    wanted = sorted(frozenset().union(*by_measure.values()))
    sums = WindowSums(by_measure)
    measure = WindowedMeasure(ANSWERS, OF_CALLS)
    now_ms = NOON
    for later_ms, fields, scraped in changes:
        now_ms += later_ms
        sums.move(windows_at(now_ms, wanted, LONDON))
        for name in (
            f"10s:{now_ms // 10_000 * 10}",
            f"day:{LONDON.day_of(now_ms)}",
            f"month:{LONDON.month_of(now_ms)}",
        ):
            sums.replace(name, fields)
        if scraped:
            assert measure.text(sums) == WindowedMeasure(ANSWERS, OF_CALLS).text(sums)
