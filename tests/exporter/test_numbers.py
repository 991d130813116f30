"""The numbers of tiles from hand-filled figures: every quantity of every kind, with and without a split."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.exporter.store import LONDON, NOON
from tests.parts import ROOT
from watchroom.catalogue.load import load_catalogue
from watchroom.exporter.mirror import Reading
from watchroom.exporter.numbers import Number, Numbers
from watchroom.exporter.sums import WindowSums, by_area_of, windows_of
from watchroom.kinds import KINDS, duration_figures, names
from watchroom.kinds.open_now import OpenTile
from watchroom.kinds.shown import Shown
from watchroom.rolling.windows import windows_at

CATALOGUE = load_catalogue(ROOT / "schemas" / "measures", ("stoke", "county"))
EMPTY = OpenTile(open=0, oldest_ms=None, due_5min=None, due_15min=None, overdue=None, gave_up=0)
TIMED = EMPTY._replace(due_5min=0, due_15min=0, overdue=0)
ANSWERS = duration_figures.bins_of(CATALOGUE.measures["call_answer_time"])
CALL = {
    "call_volume|line=999|count": 3,
    "call_volume|line=101|count": 2,
    "call_volume|line=other|count": 7,
    "call_volume|line=unknown|count": 1,
}
ANSWERED = {
    "call_answer_time|line=999|observations": 4,
    "call_answer_time|line=999|sum_ms": 60_000,
    "call_answer_time|line=999|within": 3,
    f"call_answer_time|line=999|bin:{ANSWERS.lower_ms(8_000)}": 3,
    f"call_answer_time|line=999|bin:{ANSWERS.lower_ms(36_000)}": 1,
    "call_answer_time|line=101|observations": 1,
    "call_answer_time|line=101|sum_ms": 540_000,
    f"call_answer_time|line=101|bin:{ANSWERS.lower_ms(540_000)}": 1,
    "call_answer_time|line=999|missing_start": 9,
}
LEFT = {
    "call_abandonment|line=999|whole": 4,
    "call_abandonment|line=999|part": 1,
    "call_abandonment|line=other|whole": 2,
}
ATTENDED = {
    "incident_attendance_time|grade=1,area=stoke|observations": 8,
    "incident_attendance_time|grade=1,area=stoke|within": 6,
    "incident_attendance_time|grade=1,area=unknown|observations": 2,
    "incident_attendance_time|grade=ungraded,area=stoke|observations": 5,
}


def numbers(
    measure: str,
    shown: Shown,
    fields: Mapping[str, int] | None = None,
    tiles: Mapping[str, OpenTile] | None = None,
    later_ms: int = 0,
) -> list[Number]:
    """The numbers after one step at NOON with these fields, and with these open tiles."""
    by_measure = windows_of(CATALOGUE)
    sums = WindowSums(by_measure, by_area_of(CATALOGUE.measures.values()))
    sums.move(windows_at(NOON, sorted(frozenset().union(*by_measure.values())), LONDON))
    sums.replace(f"10s:{NOON // 1000}", fields or {})
    known = {
        names.series(each.id, by): (TIMED if each.target_for(by) else EMPTY)
        for each in CATALOGUE.measures.values()
        for by in (each.label_sets() if each.kind == "open" else ())
    }
    reading = Reading(NOON, None, {}, {}, {}, {**known, **(tiles or {})})
    return Numbers(CATALOGUE, sums, reading, NOON + later_ms).shown(CATALOGUE.measures[measure], shown)


def plain(value: float | None, label: str = "") -> Number:
    """A number that is not a share."""
    return Number(label, value, None, None)


def test_a_count_includes_every_label_value_but_is_split_only_by_the_listed_ones() -> None:
    """Calls on an unknown line count, but have no tile of their own."""
    assert numbers("call_volume", Shown("number", {}, "15m"), CALL) == [plain(13)]
    assert numbers("call_volume", Shown("number", {"line": "999"}, "15m"), CALL) == [plain(3)]
    assert numbers("call_volume", Shown("number", {}, "15m", "line"), CALL) == [plain(3, "999"), plain(2, "101")]
    assert numbers("call_volume", Shown("number", {}, "15m", "line")) == [plain(0, "999"), plain(0, "101")]


def test_unlisted_and_absent_values_can_be_one_further_number_with_a_name_of_its_own() -> None:
    """A tile's numbers then add up to its list, and an ungraded emergency appears on the wall."""
    shown = Shown("number", {}, "15m", "line", rest=True)
    assert numbers("call_volume", shown, CALL) == [plain(3, "999"), plain(2, "101"), plain(8, "unknown")]


def test_unlisted_and_absent_values_have_numbers_if_they_are_requested() -> None:
    """Calls without a line are calls: a card without them would say that there are none."""
    shown = Shown("number", {}, "15m", "line", unlisted=True)
    by_line = {number.label: number.value for number in numbers("call_volume", shown, CALL)}
    assert by_line == {"999": 3, "101": 2, "unknown": 1, "other": 7}
    assert [plain(sum(value or 0 for value in by_line.values()))] == numbers(
        "call_volume", Shown("number", {}, "15m"), CALL
    )


def test_a_share_has_its_counts_and_a_share_of_nothing_is_none() -> None:
    """0 % of nothing would look like a finding."""
    assert numbers("call_abandonment", Shown("share", {}, "1h"), LEFT) == [Number("", 1 / 6, 1, 6)]
    split = numbers("call_abandonment", Shown("share", {}, "1h", "line"), LEFT)
    assert split == [Number("999", 0.25, 1, 4), Number("101", None, 0, 0)]
    part = numbers("call_abandonment", Shown("part", {}, "1h", "line"), LEFT)
    assert part == [plain(1, "999"), plain(0, "101")]


def test_quantities_of_a_duration_are_computed_from_its_observations() -> None:
    """Mean of (60 + 540) s over 5; percentiles within 1 %; a missing start is not an observation."""
    assert numbers("call_answer_time", Shown("observations", {}, "5m"), ANSWERED) == [plain(5)]
    assert numbers("call_answer_time", Shown("mean", {}, "5m"), ANSWERED) == [plain(120.0)]
    found = {
        word: numbers("call_answer_time", Shown(word, {"line": "999"}, "5m"), ANSWERED)[0].value
        for word in ("mean", "p50", "p90", "p95")
    }
    expected = {"mean": 15, "p50": 8, "p90": 36, "p95": 36}
    assert found == pytest.approx(expected, rel=0.01)
    for word in ("mean", "p50", "p90", "p95"):
        assert numbers("call_answer_time", Shown(word, {"line": "999"}, "5m")) == [plain(None)]


def test_only_label_values_with_a_target_have_a_share_within_it() -> None:
    """101 has no target, so it has no compliance: neither 0 % nor a part of the total."""
    assert numbers("call_answer_time", Shown("within", {}, "5m", "line"), ANSWERED) == [Number("999", 0.75, 3, 4)]
    assert numbers("call_answer_time", Shown("within", {}, "5m"), ANSWERED) == [Number("", 0.75, 3, 4)]
    assert numbers("call_answer_time", Shown("within", {"line": "101"}, "5m"), ANSWERED) == []
    within = numbers("incident_attendance_time", Shown("within", {}, "1h", "grade"), ATTENDED)
    assert within == [Number("1", 0.6, 6, 10), Number("2", None, 0, 0), Number("3", None, 0, 0)]


def test_entities_that_are_overdue_now_count_as_missed_in_live_compliance() -> None:
    """6 of 10 were attended in time and 5 are waiting past their deadline: 6 of 15."""
    late = {
        "incidents_unattended|grade=1,area=stoke": TIMED._replace(open=6, overdue=4),
        "incidents_unattended|grade=1,area=other": TIMED._replace(open=1, overdue=1),
        "incidents_unattended|grade=2,area=stoke": TIMED._replace(open=2, overdue=2),
    }
    live = Shown("live_within", {}, "1h", "grade")
    assert numbers("incident_attendance_time", live, ATTENDED, late) == [
        Number("1", 6 / 15, 6, 15),
        Number("2", 0, 0, 2),
        Number("3", None, 0, 0),
    ]
    nobody_has_one = Shown("live_within", {"grade": "ungraded"}, "1h")
    assert numbers("incident_attendance_time", nobody_has_one, ATTENDED, late) == []


def test_open_tiles_add_up_their_counts_and_show_the_highest_age() -> None:
    """Ages grow after the reading; the longest wait of an empty queue is 0 s."""
    tiles = {
        "incidents_unattended|grade=1,area=stoke": OpenTile(3, 60_000, 1, 2, 1, 9),
        "incidents_unattended|grade=1,area=unknown": OpenTile(1, 90_500, 0, 1, 0, 0),
        "incidents_unattended|grade=ungraded,area=stoke": EMPTY._replace(open=5, oldest_ms=10_000),
    }

    def shown(what: str, later_ms: int = 0) -> list[Number]:
        return numbers("incidents_unattended", Shown(what, split="grade"), tiles=tiles, later_ms=later_ms)

    assert shown("open") == [plain(4, "1"), plain(0, "2"), plain(0, "3")]
    assert shown("oldest", 2_500) == [plain(93.0, "1"), plain(0, "2"), plain(0, "3")]
    assert [number.value for number in shown("due_5m")] == [1, 0, 0]
    assert [number.value for number in shown("due_15m")] == [3, 0, 0]
    assert [number.value for number in shown("overdue")] == [1, 0, 0]
    assert numbers("incidents_unattended", Shown("open"), tiles=tiles) == [plain(9)]
    assert numbers("incidents_unattended", Shown("overdue", {"grade": "ungraded"}), tiles=tiles) == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_quantity_of_a_kind_can_be_shown_for_each_of_its_measures(kind: str) -> None:
    """A quantity that is only in the list would break the page of whoever uses it."""
    for measure in CATALOGUE.measures.values():
        if measure.kind != kind:
            continue
        for word, quantity in KINDS[kind].quantities.items():
            if not quantity.misses_overdue or measure.display.overdue_from:
                numbers(measure.id, Shown(word, {}, measure.windows[0] if measure.windows else ""))


def test_every_tile_of_the_shipped_wall_has_a_number() -> None:
    """A tile without a number would say NO DATA for ever."""
    for measure, tile in CATALOGUE.tiles():
        assert numbers(measure.id, tile.shown), tile.title
