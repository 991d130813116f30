"""Derived names: they can be parsed again, and a label value has one form."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from watchroom.kinds import duration_figures, names

IDS = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)
VALUES = st.from_regex(r"[a-z0-9_]{1,20}|watchroom\.calls", fullmatch=True)
BY = st.dictionaries(IDS, VALUES, max_size=3)
WHATS = st.sampled_from(["count", "part", "whole", "observations", "sum_ms", "within", "bin:7950", "bin:0"])


@given(IDS, BY)
def test_a_series_name_can_be_parsed(measure: str, by: dict[str, str]) -> None:
    """The exporter parses measure and labels from the keys of open sets."""
    assert names.parse_series(names.series(measure, by)) == (measure, by)


@given(IDS, BY, WHATS)
def test_a_field_name_can_be_parsed(measure: str, by: dict[str, str], what: str) -> None:
    """The restatement log names the measure, labels and field that changed."""
    assert names.parse_field(names.field(names.series(measure, by), what)) == (measure, by, what)


def test_names_keep_the_spelling_that_others_rely_on() -> None:
    """People and boards read Redis fields and metrics; a changed spelling would break them."""
    series = names.series("call_answer_time", {"line": "999"})
    assert names.field(series, f"{duration_figures.BIN}7950") == "call_answer_time|line=999|bin:7950"
    assert names.field(names.series("call_volume", {}), names.COUNT) == "call_volume||count"
    assert names.metric("call_volume") == "watchroom_call_volume"
    assert names.metric("call_answer_time", "mean_seconds") == "watchroom_call_answer_time_mean_seconds"
