"""The text of a measure: reused while nothing has changed, and never older than the sums."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.exporter.store import LONDON, NOON
from tests.parts import ROOT
from watchroom.catalogue.load import load_catalogue
from watchroom.exporter.measures import WindowedMeasure
from watchroom.exporter.sums import WindowSums, by_area_of, windows_of
from watchroom.rolling.windows import windows_at

MEASURES: Path = ROOT / "schemas" / "measures"
CATALOGUE = load_catalogue(MEASURES, ("stoke", "county"))
OF_CALLS = [frozenset(measure.id for measure in CATALOGUE.of_stream("calls"))]
ANSWERS = CATALOGUE.measures["call_answer_time"]
WHATS = ("observations", "sum_ms", "within", "bin:7998", "bin:61000", "missing_start")

ATTENDED = CATALOGUE.measures["incident_attendance_time"]
OF_INCIDENTS = frozenset(measure.id for measure in CATALOGUE.of_stream("incidents"))

field = st.builds(
    lambda series, what: f"{series}|{what}",
    st.sampled_from(
        (
            "call_answer_time|line=999", "call_answer_time|line=101", "incident_attendance_time|grade=1,area=stoke",
            "incident_attendance_time|grade=1,area=county",
        )
    ),
    st.sampled_from(WHATS),
)  # fmt: skip
later_ms = st.one_of(st.integers(0, 400_000), st.just(30 * 86_400_000))  # another month is no longer split by area
change = st.tuples(later_ms, st.dictionaries(field, st.integers(0, 9), max_size=4), st.booleans())


@settings(max_examples=50)
@given(st.lists(change, max_size=8))
def test_reused_text_equals_text_that_is_written_from_scratch(
    changes: list[tuple[int, dict[str, int], bool]],
) -> None:
    """A window whose text was reused for too long would show an old number as a live one."""
    by_measure = windows_of(CATALOGUE)
    wanted = sorted(frozenset().union(*by_measure.values()))
    sums = WindowSums(by_measure, by_area_of(CATALOGUE.measures.values()))
    of = [(each, CATALOGUE.witnesses(each)) for each in (ANSWERS, ATTENDED)]
    kept = [WindowedMeasure(measure, witnesses) for measure, witnesses in of]
    now_ms = NOON
    for step_ms, fields, scraped in changes:
        now_ms += step_ms
        sums.move(windows_at(now_ms, wanted, LONDON))
        for name in (
            f"10s:{now_ms // 10_000 * 10}",
            f"day:{LONDON.day_of(now_ms)}",
            f"month:{LONDON.month_of(now_ms)}",
        ):
            sums.replace(name, fields)
        if scraped:
            again = [WindowedMeasure(measure, witnesses) for measure, witnesses in of]
            assert [each.text(sums) for each in kept] == [each.text(sums) for each in again]
