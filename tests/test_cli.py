"""The command line: every command explains itself, and every fault has a clear message and an exit code."""

from __future__ import annotations

import csv
import io
import json
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import pytest
import typer
from rich.console import Console

from tests.conftest import new_name
from tests.flow.commands import Done, Running
from tests.parts import ROOT
from tests.reports.redis_months import Happened, fill, settings_on
from tests.test_entered import NOT_PLAIN
from watchroom.cli import app, main
from watchroom.cli.options import progress
from watchroom.demo.embedded import EmbeddedStack
from watchroom.demo.server import LOOPBACK, free_port
from watchroom.kinds import KINDS
from watchroom.settings import Settings
from watchroom.streams import STREAMS

pytestmark = [pytest.mark.timeout(120), pytest.mark.embedded]
WITHIN_S = 60.0
EXTRACT = "call_id,line,presented_at,queued_at,answered_at,abandoned_at,ended_at\n17,999,2021-11-30 17:45:00,,,,\n"
FIGURES = "figures.csv"
CALL_LOG = str(ROOT / "schemas" / "mappings" / "acd-call-log.toml")
SIMULATED = json.dumps(
    {
        "calls": {"sim-telephony": {"history": True}},
        "incidents": {"sim-command-control": {"history": True}},
        "crimes": {"sim-crime": {"history": True}},
    }
)

# ---------------------------------------------------------------------------------------------- help


def commands() -> dict[str, Any]:
    """Every command by what is typed."""
    found: dict[str, Any] = {}

    def walk(group: Any, typed: tuple[str, ...]) -> None:
        found[" ".join(typed)] = group
        for name, command in getattr(group, "commands", {}).items():
            walk(command, (*typed, name))

    walk(typer.main.get_command(app), ())
    return found


@pytest.mark.parametrize("typed", commands())
def test_the_help_of_a_command_says_what_it_does_and_gives_the_defaults(typed: str) -> None:
    """At 3 a.m. nobody reads the source: each option has a text, and its default or that it is required."""
    command = commands()[typed]
    assert len(command.help) > 20
    for option in command.params:
        what = f"{typed} {option.name}"
        assert option.help, what
        if not option.required and not getattr(option, "is_flag", False) and option.default is None:
            assert "default" in option.help or "Required unless" in option.help, what
        if "--for" in option.opts:
            assert "seconds" in option.help


def numbers() -> dict[str, Callable[[str], float] | None]:
    """The parser of each option and argument that is a number."""
    found = {}
    for typed, command in commands().items():
        function = getattr(command, "callback", None)
        for name, hint in get_type_hints(function, include_extras=True).items() if function else ():
            if get_origin(hint) is Annotated and {int, float} & {hint.__origin__, *get_args(hint.__origin__)}:
                found[f"{typed} {name}"] = hint.__metadata__[0].parser
    return found


NUMBERS = numbers()


@pytest.mark.parametrize("option", NUMBERS)
def test_an_option_takes_numbers_in_plain_digits_only(option: str) -> None:
    """Other readers take `1_000` or `1e3` for a thousand, and digits of other scripts: a slip would count."""
    read = NUMBERS[option]
    assert read is not None
    assert read("1") == 1
    for text in NOT_PLAIN:
        with pytest.raises(typer.BadParameter, match="write a"):
            read(text)


def test_options_that_are_numbers_are_found() -> None:
    """The test above only covers options that are found."""
    assert {"report months_", "simulate busy", "simulate days", "demo for_s", "backtest step", "demo seed"} <= set(
        NUMBERS
    )


def test_all_commands_of_the_manual_are_there() -> None:
    """The test above only covers commands that are found."""
    manual = {"worker", "exporter", "demo", "simulate", "replay", "months", "open", "generate", "rebuild"}
    assert {*manual, "dead-letters list", "dead-letters show", "dead-letters replay"} <= set(commands())


# -------------------------------------------------------------------------------------------- faults


@pytest.fixture(scope="module")
def silent() -> Iterator[str]:
    """Host and port of a server that accepts connections and never sends anything."""
    with closing(socket.create_server((LOOPBACK, 0), backlog=200)) as listening:
        yield f"{LOOPBACK}:{listening.getsockname()[1]}"


def unreachable(kafka: str, redis_url: str, bad: str, extract: Path) -> dict[str, list[str]]:
    """Commands for which one server does not answer, by name; the other one does."""
    bad_redis = ["--redis", f"redis://hunter2@{bad}/0"]
    replay = ["replay", "--map", CALL_LOG, str(extract)]
    return {
        "months": ["months", *bad_redis],
        "open": ["open", "--measure", "calls_waiting", *bad_redis],
        "rebuild without Redis": ["rebuild", "--kafka", kafka, *bad_redis],
        "rebuild without Kafka": ["rebuild", "--kafka", bad, "--redis", redis_url],
        "replay without Redis": [*replay, "--kafka", kafka, *bad_redis],
        "replay without Kafka": [*replay, "--kafka", bad, "--redis", redis_url],
        "dead-letters list": ["dead-letters", "list", "--kafka", bad],
        "dead-letters show": ["dead-letters", "show", "watchroom.calls", "0", "0", "--kafka", bad],
        "dead-letters replay": ["dead-letters", "replay", "--kafka", bad],
        "simulate": ["simulate", "--days", "1", "--kafka", bad],
        "figures import": ["figures", "import", str(extract.parent / FIGURES), "--kafka", bad],
        "figures list": ["figures", "list", *bad_redis],
        "report": ["report", *bad_redis],
    }


NAMES = list(unreachable("", "", "", Path()))
SILENT = (
    "months",
    "open",
    "rebuild without Kafka",
    "replay without Redis",
    "replay without Kafka",
    "dead-letters list",
)


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One call; beside it a file of one figure."""
    file = tmp_path_factory.mktemp("extract") / "calls.csv"
    file.with_name(FIGURES).write_text("measure,period,as_at,numerator\ncomplaints,2021,2022-01-21,1450\n")
    file.write_text(EXTRACT)
    return file


@pytest.fixture(scope="module")
def waiting(embedded: EmbeddedStack, silent: str, extract: Path) -> dict[str, Running]:
    """The commands with a silent server, started together because each waits for 10 to 15 s."""
    all_of_them = unreachable(embedded.kafka, embedded.redis_url, silent, extract)
    environment = {"WATCHROOM_FORCE": new_name()}
    return {name: Running("watchroom", *all_of_them[name], environment=environment) for name in SILENT}


def is_one_line(done: Done, typed: Sequence[str]) -> None:
    """Exit code 1: what does not answer, its address, what to check; no user name."""
    assert done.code == 1, done
    assert done.out == b""
    (line,) = done.lines
    with_user = [text for text in typed if "hunter2" in text]
    address = with_user[0] if with_user else typed[typed.index("--kafka") + 1]
    assert address.rpartition("@")[2] in line
    assert line.count("check that") == 1
    assert ("--redis" if with_user else "--kafka") in line
    assert "hunter2" not in line


@pytest.mark.parametrize("name", NAMES)
def test_a_server_that_is_not_running_is_reported_in_one_line_with_its_address(
    embedded: EmbeddedStack,
    extract: Path,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nothing listens on this port."""
    monkeypatch.setenv("WATCHROOM_SOURCES", SIMULATED)
    monkeypatch.setenv("WATCHROOM_FORCE", new_name())
    typed = unreachable(embedded.kafka, embedded.redis_url, f"{LOOPBACK}:{free_port()}", extract)[name]
    is_one_line(typed_here(typed, monkeypatch, capsys), typed)


@pytest.mark.parametrize("name", SILENT)
def test_a_server_that_never_answers_is_reported_in_the_same_line_within_a_minute(
    waiting: dict[str, Running], name: str
) -> None:
    """It accepts the connection and never answers: a firewall, or a server that hangs."""
    running = waiting[name]
    is_one_line(running.end(WITHIN_S), running.arguments)


BAD_SETTINGS = {
    "WATCHROOM_ZONE": "Europe/Lodnon",
    "WATCHROOM_KAFKA": "broker:lots",
    "WATCHROOM_REDIS_URL": "http://:hunter2@cache:6379",
    "WATCHROOM_STEP_EVENTS": "0",
}
ALL = ["worker", "exporter", "months", "open --measure calls_waiting", "rebuild", "dead-letters list"]
USAGE = {
    "no-such-command": "No such command",
    "months --no-such-option": "No such option",
    "months --format xml": "'xml' is not one of 'table', 'json', 'csv'",
    "replay": "Missing",
    "open": "Missing option",
    "dead-letters show watchroom.calls zero 0": "found 'zero'; write a whole number of 0 or more,",
    "report --months 0": "found '0'; write a whole number from 1 to 600, using only the digits 0 to 9",
    "dead-letters list --reason lateness": "--reason: found 'lateness'; write one of raw_identifier, too_large,",
    "months --month 2021-13": "--month: found '2021-13'; write a month such as 2021-04",
    "months --measure call_volumes --month 2021-1": "--month: found '2021-1'; write a month such as 2021-04",
    "months --month 2021-00 --measure call_volumes": "--measure: found 'call_volumes'; write one of call_volume,",
    "months --log --month 2021-13": "--month: found '2021-13'; write a month such as 2021-04",
    "months --measure call_volumes": "--measure: found 'call_volumes'; write one of call_volume,",
    "open --measure call_volume": "--measure: found 'call_volume', a count; write one of the open measures",
    "rebuild --lose-before 2021-4": "--lose-before: found '2021-4'; write a month such as 2021-04",
    "rebuild --lose-before November": "--lose-before: found 'November'; write a month such as 2021-04",
    "months --redis localhost:6379": "--redis: found no redis://, rediss://, unix://",
    "dead-letters list --kafka localhost": "WATCHROOM_KAFKA: found 'localhost'; write host:port",
}


def typed_here(typed: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Done:
    """A command in this process, as the script runs it: for faults that end it before it does anything."""
    monkeypatch.setattr(sys, "argv", ["watchroom", *typed])
    with pytest.raises(SystemExit) as ended:
        main()
    out, said = capsys.readouterr()
    return Done(int(str(ended.value.code)), out.encode(), said)


def bad_schemas(folder: Path) -> Path:
    """Our schemas with a fault in each of two files."""
    schemas = folder / "schemas"
    shutil.copytree(ROOT / "schemas", schemas)
    for name, right, bad in (("calls", 'at = "answered"', 'at = "replied"'), ("crimes", '"12mo"', '"13mo"')):
        file = schemas / "measures" / f"{name}.toml"
        text = file.read_text()
        assert right in text
        file.write_text(text.replace(right, bad, 1))
    return schemas


@pytest.mark.parametrize("typed", USAGE)
def test_wrong_usage_exits_with_2_and_says_what_to_write(
    typed: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A script sees from `$?` that retrying is useless."""
    done = typed_here(typed.split(), monkeypatch, capsys)
    assert done.code == 2
    assert USAGE[typed] in " ".join(done.said.replace("│", " ").split())


@pytest.mark.parametrize("typed", ALL)
def test_all_bad_settings_are_listed_at_once(
    typed: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line each: the variable, what was found, what to write; a password is not repeated."""
    for name, value in BAD_SETTINGS.items():
        monkeypatch.setenv(name, value)
    done = typed_here(typed.split(), monkeypatch, capsys)
    assert done.code == 2
    assert {line.partition(":")[0] for line in done.lines} == set(BAD_SETTINGS)
    assert len(done.lines) == len(BAD_SETTINGS)
    assert all("; write " in line for line in done.lines)
    assert "hunter2" not in done.said


@pytest.mark.parametrize("typed", [each for each in ALL if each != "dead-letters list"])
def test_all_faults_of_a_catalogue_are_listed_at_once(
    typed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """File, entry and key, what was found, what to write; nothing is shown or written with half a catalogue."""
    environment = {"WATCHROOM_SCHEMAS": str(bad_schemas(tmp_path)), "WATCHROOM_HEALTH_PORT": str(free_port())}
    if typed in ("worker", "exporter"):  # they change how their process logs
        done = Running("watchroom", typed, environment=environment).end(WITHIN_S)
    else:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        done = typed_here(typed.split(), monkeypatch, capsys)
    assert done.code == 2
    first, second = (line for line in done.lines if ".toml" in line)
    assert "calls.toml: " in first
    assert ".at: found 'replied'; write a moment of calls: " in first
    assert "crimes.toml: " in second
    assert ".windows: found '13mo'; write one of the windows 5m, " in second


UNKNOWN_NAMES = """
[wrong_key]
kind = "count"
stream = "calls"
at = "offered"
give_up_s = 60
windows = ["5m"]
brief = "Wrong key"
definition = "A count has no deadline."
source = "A test"

[wrong_words]
kind = "duration"
stream = "crimes"
start = "noticed"
at = "outcome_assigned"
by = { area = "district" }
windows = ["5m"]
brief = "Wrong words"
definition = "Of words that the stream does not have."
source = "A test"

[wrong_stream]
kind = "open"
stream = "visits"
at = "arrived"
state = "waiting"
give_up_s = 60
brief = "Wrong stream"
definition = "Of a stream that nobody has."
source = "A test"

[wrong_kind]
kind = "spread"
stream = "calls"
at = "answered"
windows = ["5m"]
brief = "Wrong kind"
definition = "Of a kind that nobody has."
source = "A test"
"""
UNKNOWN_TOLD = (
    "wrong_key.give_up_s: found 60; write an entry without give_up_s: kind count does not have it; its keys are kind",
    "wrong_words.start: found 'noticed'; write a moment of crimes: recorded,",
    "wrong_words.by.area: found 'district'; write a value of crimes: group, category,",
    f"wrong_stream.stream: found 'visits'; write one of {', '.join(map(repr, STREAMS))}",
    f"wrong_kind.kind: found 'spread'; write one of {', '.join(map(repr, KINDS))}",
)


@pytest.mark.parametrize("typed", ["months", "exporter", "replay"])
def test_unknown_names_of_kinds_and_streams_are_reported_with_the_known_ones(
    typed: str, tmp_path: Path, extract: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A misspelt key, term, stream or kind must not silently leave out a measure."""
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    (tmp_path / "schemas" / "measures" / "wrong.toml").write_text(UNKNOWN_NAMES)
    monkeypatch.setenv("WATCHROOM_SCHEMAS", str(tmp_path / "schemas"))
    options = ["--map", CALL_LOG, str(extract)] if typed == "replay" else []
    done = typed_here([typed, *options], monkeypatch, capsys)
    assert (done.code, done.out) == (2, b"")
    for told in UNKNOWN_TOLD:
        assert [line for line in done.lines if f"wrong.toml: {told}" in line], told
    assert len(done.lines) == len(UNKNOWN_TOLD)


KNOWN = ", ".join(STREAMS)
BAD_STREAMS = {
    "none": ("WATCHROOM_STREAMS", "", [f"found ''; write at least one of {KNOWN}, comma separated"]),
    "two unknown ones": (
        "WATCHROOM_STREAMS",
        "calls,visits,crims",
        [f"found '{name}'; write one of {KNOWN}" for name in ("visits", "crims")],
    ),
    "a source of one": (
        "WATCHROOM_SOURCES",
        '{"visits": {"acd": {}}}',
        [f"found 'visits'; write one of {KNOWN}"],
    ),
    "days of one": (
        "WATCHROOM_LATENESS_DAYS",
        '{"visits": 1}',
        [f"found 'visits'; write one of {KNOWN}"],
    ),
}


@pytest.mark.parametrize("case", BAD_STREAMS)
@pytest.mark.parametrize("typed", ["months", "worker", "exporter"])
def test_a_setting_that_names_no_stream_or_an_unknown_one_exits_with_2(
    typed: str, case: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each message names the known streams; a fault in another setting is reported too."""
    name, value, told = BAD_STREAMS[case]
    monkeypatch.setenv(name, value)
    monkeypatch.setenv("WATCHROOM_ZONE", "Europe/Lodnon")
    done = typed_here([typed], monkeypatch, capsys)
    assert (done.code, done.out) == (2, b"")
    ours = [line for line in done.lines if line.startswith(f"{name}: ")]
    see = f" (see deploy/settings.md#{name.lower()})"
    assert [line[line.index("found ") :] for line in ours] == [f"{text}{see}" for text in told]
    assert len(done.lines) == len(told) + 1


def test_all_faults_of_a_mapping_are_listed_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are listed before a server is contacted."""
    mapping, extract = tmp_path / "bad.toml", tmp_path / "calls.csv"
    mapping.write_text('source = "desk"\nsurprise = 1\n[time]\nzone = "Nowhere/City"\n')
    extract.write_text(EXTRACT)
    done = typed_here(["replay", "--map", str(mapping), str(extract)], monkeypatch, capsys)
    assert done.code == 2
    assert len(done.lines) > 2
    assert all("bad.toml: " in line and "; write " in line for line in done.lines)
    assert any("surprise" in line for line in done.lines)
    assert any("Nowhere/City" in line for line in done.lines)


# ------------------------------------------------------------------------------------------- output

EVENTS = (
    Happened("incident.created", "1", "2021-11-27T20:00:00Z", {"grade": "1", "area": "stoke"}),
    Happened("incident.resource_on_scene", "1", "2021-11-27T20:08:00Z", {"unit": "U1"}),
    Happened("crime.recorded", "x", "2021-11-10T10:00:00Z", {"group": "Robbery", "area": "stoke"}),
    Happened("crime.cancelled", "x", "2022-01-10T10:00:00Z"),
)


@pytest.fixture(scope="module")
def small(embedded: EmbeddedStack) -> Settings:
    """A small force: November 2021, and one incident that has been waiting for ten minutes."""
    settings = settings_on(embedded.redis_url, force=new_name())
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 600))
    fill(settings, [*EVENTS, Happened("incident.created", "2", at, {"grade": "1", "area": "stoke"})])
    return settings


@pytest.fixture
def printed(
    small: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[str], str]:
    """What a command prints about it; it must succeed, with no other message than that no worker is running."""
    monkeypatch.setenv("WATCHROOM_REDIS_URL", small.redis_url)
    monkeypatch.setenv("WATCHROOM_FORCE", small.force)
    monkeypatch.setenv("WATCHROOM_STREAMS", ",".join(small.streams))

    def text_of(typed: str) -> str:
        done = typed_here(typed.split(), monkeypatch, capsys)
        assert done.code == 0
        assert all(line.startswith("not live: ") or ": OLD, applied up to " in line for line in done.said.splitlines())
        return done.out.decode()

    return text_of


MONTHS, OPEN = "months --month 2021-11", "open --measure incidents_unattended"


def test_months_have_the_same_rows_in_json_csv_and_the_table(printed: Callable[[str], str]) -> None:
    """Programs parse it; nothing but rows is on standard output."""
    rows = json.loads(printed(f"{MONTHS} --format json"))
    flat = list(csv.DictReader(io.StringIO(printed(f"{MONTHS} --format csv"))))
    assert len(rows) == len(flat) > 2
    for row, line in zip(rows, flat, strict=True):
        assert {"measure", "by", "period", "value", "numerator", "denominator", "unit", "as_of", "closed"} <= set(row)
        assert (line["measure"], line["period"]) == (row["measure"], row["period"]) == (row["measure"], "2021-11")
        assert all(line[label] == value for label, value in row["by"].items())
    table = printed(f"{MONTHS} --format table")
    assert all(row["measure"] in table for row in rows)
    stands = [line.rsplit(", ", 1)[0] for line in table.splitlines()[-len(STREAMS) :]]
    assert stands == [f"{name}: OLD, applied up to 2022-02-01 12:00:00 GMT" for name in STREAMS]
    (attended,) = [row for row in rows if row["measure"] == "incident_attendance_time"]
    assert (attended["count"], attended["mean_s"], attended["unit"]) == (1, 480.0, "s")


def test_a_measure_without_events_is_still_valid_json_and_csv(printed: Callable[[str], str]) -> None:
    """Programs parse an empty result too."""
    asked = "months --month 2021-11 --measure crime_homicide"
    assert json.loads(printed(f"{asked} --format json")) == []
    assert printed(f"{asked} --format csv").startswith("measure,period,")


def test_the_restatement_log_has_one_object_per_line(printed: Callable[[str], str]) -> None:
    """The cancelled crime was removed from a closed November."""
    entries = [json.loads(line) for line in printed("months --log").splitlines()]
    assert {(entry["month"], entry["event_type"]) for entry in entries} == {("2021-11", "crime.cancelled")}


def test_the_open_list_is_the_same_in_json_csv_and_the_table(printed: Callable[[str], str]) -> None:
    """Age in seconds, times in UTC; for people also how old the figures are."""
    (row,) = json.loads(printed(f"{OPEN} --format json"))
    assert (row["measure"], row["id"], row["by"]) == ("incidents_unattended", "2", {"grade": "1", "area": "stoke"})
    assert 600 <= row["age_s"] < 700
    (line,) = csv.DictReader(io.StringIO(printed(f"{OPEN} --format csv")))
    assert (line["id"], line["since"], line["deadline"]) == ("2", row["since"], row["deadline"])
    table = printed(f"{OPEN} --format table").splitlines()
    assert table[1].split()[:3] == ["id", "grade", "area"]
    assert table[-2].startswith("Out of date: events have been applied only up to ")
    assert table[-1].startswith("FEED SILENT: log was last seen ")


def test_progress_in_a_log_is_an_occasional_line() -> None:
    """Progress bars must not fill a service's log; a terminal gets one."""
    text = io.StringIO()
    with progress(Console(file=text), say_every_s=0) as tell:
        tell("rebuilding", 1200, 5000)
        tell("reading", 7, None)
    assert text.getvalue() == "rebuilding: 1,200 of 5,000\nreading: 7\n"
    quiet = io.StringIO()
    with progress(Console(file=quiet)) as tell:
        tell("rebuilding", 1200, 5000)
    assert quiet.getvalue() == ""
    terminal = io.StringIO()
    with progress(Console(file=terminal, force_terminal=True, width=100)) as tell:
        tell("rebuilding", 1200, 5000)
    assert "rebuilding" in terminal.getvalue()
    assert "1200/5000" in terminal.getvalue()
