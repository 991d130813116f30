"""The mapping of Asterisk's queue_log, compared with figures counted by hand, on our own log and the shared one."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.importer.extracts import Mapping, MapText
from tests.parts import ROOT
from watchroom.importer.convert import Conversion
from watchroom.importer.mapping import load_mapping
from watchroom.importer.rows import check_files, read_rows

MAPPING = ROOT / "schemas" / "mappings" / "asterisk-queue-log.toml"
OWN = Path(__file__).parent / "files" / "queue_log"
LINES = {"line101": "101", "line999": "999"}


def converted(file: Path) -> Mapping:
    """Every event of a log; no line may be refused."""
    words = load_mapping(MAPPING)
    check_files([file], words)
    conversion = Conversion(words, lambda row: pytest.fail(str(row)))
    return Mapping(list(conversion.events(read_rows([file], words))), [], conversion.tally)


@pytest.fixture(params=["own", "shared"])
def log(request: pytest.FixtureRequest) -> tuple[Path, Any]:
    """A log and the figures that it must give."""
    if request.param == "own":
        return OWN, json.loads(OWN.with_name("queue_log_expected.json").read_text())
    folder: Path = request.getfixturevalue("real_data")
    return folder / "queue_log_sample.txt", json.loads((folder / "queue_log_expected.json").read_text())


def test_events_give_the_figures_of_each_queue(log: tuple[Path, Any]) -> None:
    """By the definitions alone: first ENTERQUEUE, first CONNECT, ABANDON of an unanswered call."""
    file, expected = log
    made = converted(file)
    calls: dict[str, dict[str, Any]] = {}
    for event in made.events:
        call = calls.setdefault(event.subject, {"line": event.data["line"]})
        call.setdefault(event.type, event.time_ms / 1000)  # the log is in order of time: the earliest stays
    queued = [call for call in calls.values() if "call.queued" in call]
    assert len(queued) == expected["callers"]["ids"]
    for queue, figures in expected["by_queue"].items():
        of_queue = [call for call in queued if call["line"] == LINES.get(queue, "other")]
        answered = [call for call in of_queue if "call.answered" in call]
        unanswered = [call for call in of_queue if "call.answered" not in call]
        abandoned = [call for call in unanswered if "call.abandoned" in call]
        left_otherwise = [call for call in unanswered if call not in abandoned and "call.ended" in call]
        waits_s = [call["call.answered"] - call["call.queued"] for call in answered]
        waits_of_abandoned_s = [call["call.abandoned"] - call["call.queued"] for call in abandoned]
        found = {
            "offered": len(of_queue),
            "answered": len(answered),
            "waits_of_answered_s": sorted(waits_s),
            "answered_below_10_s": sum(wait_s < 10 for wait_s in waits_s),
            "abandoned": len(abandoned),
            "waits_of_abandoned_s": sorted(waits_of_abandoned_s),
            "abandoned_within_60_s": sum(wait_s <= 60 for wait_s in waits_of_abandoned_s),
            "timed_out": len(left_otherwise),
            "waiting_at_the_end": len(unanswered) - len(abandoned) - len(left_otherwise),
            "transferred": sum("call.transferred" in call for call in of_queue),
        }
        wanted = {name: figures[name] for name in found}
        assert found == {name: sorted(said) if isinstance(said, list) else said for name, said in wanted.items()}, queue
        assert sum(waits_s) / len(waits_s) == figures["mean_wait_of_answered_s"]


def test_lines_that_are_not_about_a_call_are_skipped_and_counted(log: tuple[Path, Any]) -> None:
    """They are not faults of the log, and every line is counted."""
    file, expected = log
    tally = converted(file).tally
    assert (tally.rows, tally.refused) == (expected["rows"], 0)
    not_a_call = next(count for reason, count in tally.skipped.items() if reason.startswith("not about a call"))
    assert not_a_call == sum(expected["rows_without_a_call"].values())
    assert tally.used + tally.skipped.total() == tally.rows


def test_no_event_names_an_agent_or_a_caller() -> None:
    """Agents are often identified by their own names, and the caller's number is next to them."""
    sent = b"".join(event.value("asterisk-queue-log") for event in converted(OWN).events).decode()
    log = OWN.read_text(encoding="utf-8")
    for name in ("Ann", "bob.example", "441914960", "Withheld"):
        assert name in log
        assert name not in sent


def test_the_last_end_of_a_call_counts(real_data: Path) -> None:
    """After an attended transfer the call continues with another agent; a consultation is a call of its own."""
    expected = json.loads((real_data / "queue_log_expected.json").read_text())["per_call"]
    ends = {}
    for event in converted(real_data / "queue_log_sample.txt").events:
        if event.type == "call.ended":
            ends[event.subject] = event.time_ms // 1000 - 1635757200
    left = ("ended", "abandoned", "timed_out")
    assert ends == {
        call: max(said[name] for name in left if name in said)
        for call, said in expected.items()
        if any(name in said for name in left)
    }


def test_a_line_that_is_longer_than_any_event_is_refused(map_text: MapText) -> None:
    """It is not part of the log; the lines around it are read."""
    words = tomllib.loads(MAPPING.read_text(encoding="utf-8"))
    made = map_text(words, "1638270010|c.1|line101|NONE|ENTERQUEUE||1|1\n1638270011|c.1|q|A|CONNECT|" + "|" * 9 + "\n")
    assert [event.type for event in made.events] == ["call.queued"]
    assert "15 fields where the header has 13" in made.refused[0]


def test_a_log_cut_off_in_its_last_line_loses_only_that_line(map_text: MapText) -> None:
    """Logs get copied while Asterisk is writing them."""
    words = tomllib.loads(MAPPING.read_text(encoding="utf-8"))
    made = map_text(words, "1638270010|c.1|line101|NONE|ENTERQUEUE||1|1\n1638270015|c.1|line1")
    assert ([event.type for event in made.events], made.refused) == (["call.queued"], [])
    assert made.tally.skipped.total() == 1


def test_a_rounded_call_id_is_refused_even_if_keys_may_repeat(map_text: MapText) -> None:
    """A spreadsheet gave all calls the same id: `repeated_keys = "merge"` must not make one call of them."""
    words = tomllib.loads(MAPPING.read_text(encoding="utf-8"))
    made = map_text(words, "".join(f"{1638270010 + n}|1.63827E+09|line101|NONE|ENTERQUEUE||1|1\n" for n in range(3)))
    assert (made.events, made.tally.refused) == ([], 3)
    assert "'1.63827E+09' is a rounded number, not a key" in made.refused[0]
