"""The parts of the demo that need no servers."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from watchroom.catalogue.formatting import NO_DATA
from watchroom.cli.options import progress
from watchroom.demo.command import run_demo
from watchroom.demo.screen import Screen, plain_line, tables
from watchroom.demo.view import NONE, Page, View, view
from watchroom.errors import ConfigurationInvalid
from watchroom.settings import Settings
from watchroom.streams import STREAMS

NOW_S = 1_767_571_200.0
PAGE = """\
# HELP watchroom_calls_waiting Calls waiting
# TYPE watchroom_calls_waiting gauge
watchroom_calls_waiting{line="999"} 2
watchroom_calls_waiting{line="101"} 0
watchroom_calls_waiting_oldest_seconds{line="999"} 75.5
watchroom_call_answer_time_observations{line="999",window="5m"} 21
watchroom_call_answer_time_within{line="999",window="5m"} 17
watchroom_call_answer_time_mean_seconds{line="999",window="5m"} 24.13
watchroom_call_answer_time_observations{line="101",window="5m"} 0
watchroom_call_abandonment_part{line="101",window="28d"} 30
watchroom_call_abandonment_whole{line="101",window="28d"} 100
watchroom_incidents_unattended{area="stoke",grade="1"} 1
watchroom_incidents_unattended{area="county",grade="1"} 3
watchroom_incidents_unattended_overdue{area="stoke",grade="1"} 1
watchroom_incidents_unattended_due{area="stoke",grade="1",within="15m"} 2
watchroom_incidents_unattended_due{area="stoke",grade="1",within="5m"} 1
watchroom_incident_attendance_time_observations{area="stoke",grade="1",window="28d"} 1
watchroom_incident_attendance_time_observations{area="county",grade="1",window="28d"} 3
watchroom_incident_attendance_time_within{area="stoke",grade="1",window="28d"} 1
watchroom_incident_attendance_time_within{area="county",grade="1",window="28d"} 1
watchroom_incident_attendance_time_mean_seconds{area="stoke",grade="1",window="28d"} 100
watchroom_incident_attendance_time_mean_seconds{area="county",grade="1",window="28d"} 500
watchroom_applied_timestamp_seconds{topic="watchroom.calls",partition="0"} 1767571199.5
watchroom_applied_timestamp_seconds{topic="watchroom.calls",partition="1"} 1767571197
watchroom_dead_letters{topic="watchroom.calls",reason="late"} 2
"""


@pytest.fixture
def seen() -> View:
    """The page above as of NOW_S."""
    return view(PAGE, NOW_S)


def call(seen: View, line: str, row: str) -> str:
    """One number in the table of calls."""
    return seen.calls[line][row]


def incident(seen: View, grade: str, row: str) -> str:
    """One number in the table of incidents."""
    return seen.incidents[grade][row]


def test_calls_are_shown_with_their_counts(seen: View) -> None:
    """A percentage of 21 calls fluctuates; the counts say how much it means."""
    assert call(seen, "999", "waiting") == "2"
    assert call(seen, "999", "longest wait") == "75.5 s"
    assert call(seen, "999", "5 min: under 10 s") == "17 of 21"
    assert call(seen, "999", "5 min: mean") == "24.1 s"
    assert call(seen, "101", "28 d: abandoned") == "30% of 100"


def test_areas_are_added_up_and_means_are_weighted(seen: View) -> None:
    """One line per grade: 1 x 100 s and 3 x 500 s are 400 s on average, not 300."""
    assert incident(seen, "Grade 1", "not attended") == "4"
    assert incident(seen, "Grade 1", "overdue") == "1"
    assert incident(seen, "Grade 1", "due in 15 min") == "2"
    assert incident(seen, "Grade 1", "28 d: within target") == "50% of 4"
    assert incident(seen, "Grade 1", "28 d: mean") == "6 min 40 s"


def test_a_withheld_figure_reads_no_data_and_an_empty_one_reads_none(seen: View) -> None:
    """Showing 0 for a dead feed is wrong; so is NO DATA for a quiet one."""
    assert call(seen, "101", "waiting") == "0"
    assert call(seen, "101", "longest wait") == NONE
    assert call(seen, "101", "5 min: mean") == NONE
    assert call(seen, "999", "1 h: mean") == NO_DATA
    assert incident(seen, "Grade 2", "not attended") == NO_DATA
    dead = view("", NOW_S)
    assert {cell for line in dead.calls.values() for cell in line.values()} == {NO_DATA}
    assert dead.data_age_s is None


def test_a_stream_that_is_not_fed_is_neither_shown_nor_waited_for() -> None:
    """A telephony-only force sees its calls, without NO DATA for what it never sends."""
    fed = "".join(f'watchroom_stream_fed{{stream="{stream}"}} {int(stream == "calls")}\n' for stream in STREAMS)
    volume = 'watchroom_call_volume{line="999",window="5m"} 2\n'
    assert Page(fed + volume).live
    assert not Page(fed).live
    assert not Page(volume).live
    seen = view(PAGE + fed, NOW_S)
    assert not seen.incidents
    out = io.StringIO()
    Console(file=out, width=80).print(tables(seen))
    assert "Calls" in out.getvalue()
    assert "Incidents" not in out.getvalue()
    assert "Grade 1" not in plain_line(seen, 3, 1.0)


def test_the_data_is_as_old_as_its_slowest_partition(seen: View) -> None:
    """A maximum would hide a stuck partition."""
    assert seen.data_age_s == pytest.approx(3.0)
    assert seen.dead_letters == 2


@pytest.mark.parametrize(
    ("part", "said"),
    [(0, "0% of 500"), (1, "<1% of 500"), (249, "49% of 500"), (499, "99% of 500"), (500, "100% of 500")],
)
def test_100_percent_means_all_and_0_percent_means_none(part: int, said: str) -> None:
    """A single caller who hung up is more than 0 %, and a single one who did not makes it less than 100 %."""
    labels = '{line="101",window="28d"}'
    page = f"watchroom_call_abandonment_part{labels} {part}\nwatchroom_call_abandonment_whole{labels} 500\n"
    assert call(view(page, NOW_S), "101", "28 d: abandoned") == said


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "log"])
def test_the_screen_has_the_same_content_in_a_terminal_and_in_a_log(seen: View, terminal: bool) -> None:
    """CI has no terminal: it gets lines, not control codes."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=120)
    with Screen(console, "heading") as screen:
        screen.show(seen, 3, 1.0)
    assert "17 of 21" in out.getvalue()
    assert ("\x1b[" in out.getvalue()) is terminal


def test_both_tables_fit_a_terminal_of_80_columns(seen: View) -> None:
    """New users do not enlarge the terminal window first."""
    out = io.StringIO()
    Console(file=out, width=80).print(tables(seen))
    assert "28 d: abandoned" in out.getvalue()
    assert "28 d: within target" in out.getvalue()
    assert "…" not in out.getvalue()
    assert plain_line(seen, 3, 1.0).count(NO_DATA) > 1


def test_arguments_that_cannot_be_used_are_all_named_at_once() -> None:
    """Nothing must be started after a typing mistake."""
    settings = Settings().model_copy(update={"streams": ("visits",)})
    with pytest.raises(ConfigurationInvalid) as refused:
        run_demo(settings, progress=progress, for_s=-1, busy=0, days=0)
    assert [fault.where for fault in refused.value.faults] == ["WATCHROOM_STREAMS", "--for", "--busy", "--days"]
    assert "only visits, which the simulator does not produce" in str(refused.value)
