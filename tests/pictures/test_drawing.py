"""How a drawn board is checked, and how far its graphs look back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.pictures.drawing import RENDER, board_files, faults, range_s
from watchroom.errors import WorkFailed


def drawn(**panel: Any) -> dict[str, Any]:
    """A report of one panel."""
    sound = {
        "id": 1,
        "title": "Waiting",
        "type": "stat",
        "isDrawn": True,
        "asked": 1,
        "series": 1,
        "text": "Waiting 3",
        "errors": [],
        "cut": [],
    }
    return {"board": "live.json", "out": "live.png", "failures": [], "complaints": [], "panels": [sound | panel]}


def test_a_sound_picture_has_no_faults() -> None:
    """Nobody reads a list that is never empty."""
    assert faults(drawn(), is_live=True) == []


@pytest.mark.parametrize(
    ("panel", "says"),
    [
        ({"errors": ["A: parse error"]}, "A: parse error"),
        ({"cut": ["Longest wa"]}, "cut off: 'Longest wa'"),
        ({"isDrawn": False, "type": "gauge"}, "type gauge is not drawn here"),
        ({"series": 0}, "no series"),
    ],
)
def test_each_fault_names_its_panel(panel: dict[str, Any], says: str) -> None:
    """Whoever repairs it must be able to find it."""
    (fault,) = faults(drawn(**panel), is_live=True)
    assert fault == f"live.png: panel 1 “Waiting”: {says}"


def test_no_data_is_not_a_fault_while_the_feed_is_dead() -> None:
    """It is what should be shown then."""
    assert faults(drawn(series=0, text="Waiting NO DATA"), is_live=False) == []


@pytest.mark.parametrize(
    ("panel", "says"),
    [
        ({"text": "Waiting 3"}, "shows “Waiting 3” while nothing is published"),
        ({"title": "Data age", "text": "Data age NORMAL 6 s"}, "says “Data age NORMAL 6 s” while nothing is published"),
    ],
)
def test_a_number_of_a_dead_feed_is_a_fault(panel: dict[str, Any], says: str) -> None:
    """People believe a board that keeps showing it or says that data is fresh."""
    (fault,) = faults(drawn(**panel), is_live=False)
    assert fault.endswith(says)


def test_the_platform_board_may_show_numbers_while_the_feed_is_dead() -> None:
    """People look there for the reason."""
    assert faults(drawn() | {"board": "watchroom-platform.json"}, is_live=False) == []


@pytest.mark.parametrize(
    ("start", "live_s", "expected"),
    [("now-30m", 600, 600), ("now-5m", 600, 300), ("now-6h", 10, 120), ("now/d", 9000, 3600)],
)
def test_graphs_look_back_only_as_far_as_the_history_goes(start: str, live_s: float, expected: int) -> None:
    """Six empty hours with a dot at the end are useless."""
    assert range_s({"time": {"from": start}}, live_s) == expected


def test_the_wall_is_drawn_first_and_an_empty_folder_is_refused(tmp_path: Path) -> None:
    """Only the wall is drawn in a surge."""
    for name in ("crime", "watchroom-live"):
        (tmp_path / f"{name}.json").write_text("{}")
    assert [path.stem for path in board_files(tmp_path)] == ["watchroom-live", "crime"]
    with pytest.raises(WorkFailed, match="make generate"):
        board_files(RENDER / "src")
