"""What stops a replay before anything is sent; no server runs in these tests."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from watchroom.errors import RowRefused, WorkFailed
from watchroom.importer.command import Request, replay
from watchroom.importer.mapped import Mapped
from watchroom.importer.spool import spool
from watchroom.settings import Settings, read_settings

MAPPING = """
source = "acd"
about = "One row is one call."
[time]
zone = "Europe/London"
[entity]
key = "call"
{entity}
[[event]]
type = "call.queued"
time = "queued"
data.line = "line"
"""


Run = Callable[..., list[str]]


FULL = Path("/dev/full")


class Sending(Exception):
    """The replay would now start its servers."""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A replay of rows up to the start of its servers; returns the refused rows."""

    def stop(*_: object, **__: object) -> None:
        raise Sending

    monkeypatch.setattr("watchroom.importer.command.running_stack", stop)

    def go(rows: Sequence[str], entity: str = "", *, optional: bool = False) -> list[str]:
        mapping, calls = tmp_path / "m.toml", tmp_path / "calls.csv"
        mapping.write_text(MAPPING.format(entity=entity) + ("optional = true\n" if optional else ""))
        calls.write_text("call,line,queued\n" + "".join(f"{row}\n" for row in rows))
        refused: list[RowRefused] = []
        with replay(read_settings(), Request(mapping, (calls,)), refused=refused.append):
            pass
        return [str(row) for row in refused]

    return go


def call(key: object, minute: int = 0) -> str:
    """A row."""
    return f"{key},999,2021-11-30T{17 + minute // 60:02}:{minute % 60:02}:00"


def test_rows_that_share_a_key_stop_a_replay(run: Run) -> None:
    """A spreadsheet gave all rows the same id: four calls were counted as one, and the exit code was 0."""
    rows = [call(7, minute) for minute in range(4)]
    with pytest.raises(WorkFailed, match=r"^3 of 4 rows share their key \(call\) with .* nothing was sent"):
        run(rows)
    for entity in ('repeated_keys = "merge"', 'rows = "together"'):
        with pytest.raises(Sending):
            run(rows, entity)


def test_one_row_of_a_hundred_may_share_its_key(run: Run) -> None:
    """A few corrected rows are normal; more than 1 % or 100 are not."""
    rows = [call(key) for key in range(99)]
    with pytest.raises(Sending):
        run([*rows, call(0, 1)])
    with pytest.raises(WorkFailed, match=r"^2 of 101 rows share"):
        run([*rows, call(0, 1), call(1, 1)])
    many = [call(key) for key in range(10_100)]
    with pytest.raises(Sending):
        run([*many, *(call(key, 1) for key in range(100))])
    with pytest.raises(WorkFailed, match=r"^101 of 10,201 rows share"):
        run([*many, *(call(key, 1) for key in range(101))])


def test_rounded_keys_stop_a_replay(run: Run) -> None:
    """No row can be used, and nothing is sent."""
    with pytest.raises(WorkFailed, match="none of 4 rows could be used"):
        run([call("2.02111E+11", minute) for minute in range(4)])


def test_a_mapping_may_name_the_areas_and_zone_of_its_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another force's extract has other areas and another midnight; settings of given servers stay unchanged."""
    seen: list[Settings] = []

    def stop(settings: Settings, **_: object) -> None:
        seen.append(settings)
        raise Sending

    monkeypatch.setattr("watchroom.importer.command.running_stack", stop)
    mapping, calls = tmp_path / "m.toml", tmp_path / "calls.csv"
    mapping.write_text('[force]\nzone = "America/New_York"\nareas = ["north"]\n', encoding="utf-8")
    mapping.write_text(MAPPING.format(entity="").replace("[time]", f"{mapping.read_text()}[time]"), encoding="utf-8")
    calls.write_text(f"call,line,queued\n{call(1)}\n")
    for servers in ((None, None), ("127.0.0.1:1", "redis://127.0.0.1:1/0")):
        request = Request(mapping, (calls,), kafka=servers[0], redis_url=servers[1])
        with pytest.raises(Sending), replay(read_settings(), request, refused=lambda _: None):
            pass
    assert [(each.zone, each.areas) for each in seen] == [
        ("America/New_York", ("north",)),
        ("Europe/London", read_settings().areas),
    ]


def event(key: str) -> Mapped:
    """An event with a text that is not ASCII."""
    return Mapped("call.queued", f"{key}:x", key, 1, 2, {"line": "é", "flag": True})


def test_events_leave_the_spool_as_they_entered_it() -> None:
    """In the same order, and as often as they are read."""
    with spool() as kept:
        kept.fill([event("a"), event("b")])
        assert [list(kept), list(kept)] == [[event("a"), event("b")]] * 2
        assert (kept.events, kept.last_arrival_ms) == (2, 2)
        assert kept.size_bytes > 0


@pytest.mark.skipif(not FULL.exists(), reason="this system has no full disk")
def test_a_full_disk_gives_a_one_line_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says which folder is full, and what to set."""
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda: FULL.open("r+b", buffering=4096))
    with spool() as kept, pytest.raises(WorkFailed, match=r"No space left on device .*; set TMPDIR"):
        kept.fill(event("x" * 100) for _ in range(1000))
    with spool() as kept, pytest.raises(WorkFailed, match=r"No space left on device .*; set TMPDIR"):
        kept.fill([event("x")])


def test_a_missing_temporary_folder_gives_a_one_line_message(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A container may have no folder for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "no"))
    with pytest.raises(WorkFailed, match="cannot create a temporary file"), spool():
        pass


def test_a_file_without_any_event_is_refused(run: Run) -> None:
    """All times are empty: nothing was sent, yet the exit code used to be 0."""
    with pytest.raises(WorkFailed, match="none of 2 rows produced an event"):
        run(["1,999,", "2,999,"], optional=True)
    with pytest.raises(Sending):
        run(["1,999,", "2,999,2021-11-30T17:45:00"], optional=True)
