"""How often a row was restated: each event once, however many fields and series of the row it changed."""

from __future__ import annotations

from watchroom.fold.batch import Restatement
from watchroom.reports.held import Held, StoredMonth, added_up


def line(offset: int, grade: str, field: str, delta: int, *, month: str = "2021-10", topic: str = "t") -> Restatement:
    """A line of the log."""
    return Restatement(topic, 0, offset, 0, "e", month, "m", {"grade": grade}, field, delta)


def held(*log: Restatement) -> Held:
    """An empty month with this log."""
    return added_up([StoredMonth("2021-10", {}, log)], ("2021-10",), {}, {}, {})


def counted(*log: Restatement) -> tuple[int, int, int]:
    """Restatements of grade 1, of grade 2, and of both together."""
    one, two = "m|grade=1", "m|grade=2"
    return held(*log).restatements([one]), held(*log).restatements([two]), held(*log).restatements([one, two])


def test_an_event_that_changes_several_fields_is_one_restatement() -> None:
    """A duration has three or more fields, a figure five."""
    log = [line(7, "1", "observations", 1), line(7, "1", "sum_ms", 900), line(7, "1", "bin:900", 1)]
    assert counted(*log) == (1, 0, 1)
    assert held(*log).published["m|grade=1"] == {"observations": -1, "sum_ms": -900, "bin:900": -1}


def test_two_events_that_cancel_out_are_two_restatements() -> None:
    """The published figure was wrong in between. Offsets repeat in every topic-partition."""
    assert counted(line(7, "1", "count", 1), line(8, "1", "count", -1)) == (2, 0, 2)
    assert counted(line(7, "1", "count", 1), line(7, "1", "count", -1, topic="other")) == (2, 0, 2)


def test_an_event_that_changes_two_series_of_a_row_is_one_restatement_of_the_row() -> None:
    """A call that moved from one line's abandoned calls to another's counts once in the sum over all lines."""
    assert counted(line(7, "1", "count", 1), line(7, "2", "count", 1)) == (1, 1, 1)


def test_a_move_within_a_row_restates_its_parts_but_not_the_row() -> None:
    """If an incident changes grade, or month within the report, the row's own numbers stay as published."""
    assert counted(line(7, "1", "count", -1), line(7, "2", "count", 1)) == (1, 1, 0)
    assert counted(line(7, "1", "count", -1), line(7, "1", "count", 1, month="2021-11")) == (0, 0, 0)


def test_without_a_log_there_is_no_restatement() -> None:
    """An unchanged row must not look restated."""
    assert counted() == (0, 0, 0)
