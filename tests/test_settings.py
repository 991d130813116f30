"""Settings: where they come from, and that a wrong one is reported with what to write instead."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.parts import ROOT
from watchroom.errors import ConfigurationInvalid, Fault
from watchroom.settings import Days, Settings, SourceRule, read_settings
from watchroom.streams import STREAMS

KNOWN = ", ".join(STREAMS)
LATENESS = {name: stream.lateness_days for name, stream in STREAMS.items()}
KEEPING = {name: stream.keeping_days for name, stream in STREAMS.items()}


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the variables that a test sets are used."""
    for name in [name for name in os.environ if name.startswith("WATCHROOM_")]:
        monkeypatch.delenv(name)


def faults() -> tuple[Fault, ...]:
    """What is wrong with the current environment."""
    with pytest.raises(ConfigurationInvalid) as caught:
        read_settings()
    assert caught.value.exit_code == 2
    return caught.value.faults


def test_every_setting_has_a_default_for_one_machine() -> None:
    """`watchroom worker` starts without configuration and is not reachable over the network."""
    settings = read_settings()
    assert settings.health_host == settings.exporter_host == settings.watchdog_host == "127.0.0.1"
    assert settings.kafka.startswith("127.0.0.1:")
    assert settings.redis_url.startswith("redis://127.0.0.1:")
    assert (settings.schemas / "measures" / "labels.toml").is_file()


def test_lateness_bounds_and_retention_are_those_of_the_design() -> None:
    """Lateness 24 h, 7 and 30 days; retention 3 days, 100 days and 25 months."""
    settings = read_settings()
    day_ms = 86_400_000
    assert [settings.lateness_days.ms(stream) for stream in ("calls", "incidents", "crimes")] == [
        day_ms, 7 * day_ms, 30 * day_ms,
    ]  # fmt: skip
    assert settings.keeping_days.ms("calls") == 3 * day_ms
    assert settings.keeping_days.ms("incidents") == 100 * day_ms
    assert 25 * 30.4 * day_ms <= settings.keeping_days.ms("crimes") <= 26 * 30.5 * day_ms
    assert settings.future_s == 300


def test_days_are_exact_in_milliseconds() -> None:
    """A third of a day is not a whole number of ms; it is rounded, not cut."""
    assert Days({"calls": 0.5, "incidents": 1 / 3, "crimes": 2}).ms("incidents") == 28_800_000


def test_topics_follow_the_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two forces share one Kafka cluster under two prefixes."""
    monkeypatch.setenv("WATCHROOM_TOPIC_PREFIX", "north.live")
    settings = read_settings()
    assert settings.topic("calls") == "north.live.calls"
    assert settings.dead_letter_topic == "north.live.dead-letters"


def test_tables_are_read_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment variable is one text, and these settings are tables and lists."""
    declared = '{"calls": {"acd": {"heartbeats": false, "silence_s": 600}, "acd-archive": {"history": true}}}'
    monkeypatch.setenv("WATCHROOM_SOURCES", declared)
    monkeypatch.setenv("WATCHROOM_AREAS", '["north", "south_west"]')
    monkeypatch.setenv("WATCHROOM_LATENESS_DAYS", '{"calls": 2, "incidents": 7.5, "crimes": 30}')
    settings = read_settings()
    assert settings.sources == {
        "calls": {
            "acd": SourceRule(heartbeats=False, silence_s=600, history=False),
            "acd-archive": SourceRule(heartbeats=True, silence_s=None, history=True),
        }
    }
    assert settings.areas == ("north", "south_west")
    assert settings.lateness_days == Days({**LATENESS, "calls": 2, "incidents": 7.5, "crimes": 30})


def test_the_areas_come_from_the_shipped_file_unless_another_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A path stays a path, so that processes that we start read the same file."""
    assert read_settings().areas == Path("areas.toml")
    monkeypatch.setenv("WATCHROOM_AREAS", "/etc/watchroom/north.toml")
    assert read_settings().areas == Path("/etc/watchroom/north.toml")
    assert read_settings().model_dump(mode="json")["areas"] == "/etc/watchroom/north.toml"


def test_naming_one_stream_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others keep their defaults, so a stream of a later version does not break a configuration."""
    monkeypatch.setenv("WATCHROOM_LATENESS_DAYS", '{"calls": 2}')
    monkeypatch.setenv("WATCHROOM_KEEPING_DAYS", '{"incidents": 50}')
    settings = read_settings()
    assert settings.lateness_days == Days({**LATENESS, "calls": 2})
    assert settings.keeping_days == Days({**KEEPING, "incidents": 50})


def test_the_fed_streams_are_listed_in_the_order_of_the_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever order somebody wrote them in; if unset, the list has the streams that are fed by default."""
    assert read_settings().streams == tuple(name for name, stream in STREAMS.items() if stream.by_default)
    monkeypatch.setenv("WATCHROOM_STREAMS", "crimes, calls,crimes")
    assert read_settings().streams == ("calls", "crimes")
    assert read_settings().model_dump(mode="json")["streams"] == "calls,crimes"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("", ["found ''; write at least one of "]),
        (" , ", ["found ''; write at least one of "]),
        ("crims,foo", ["found 'crims'; write one of ", "found 'foo'; write one of "]),
        ("Calls", ["found 'Calls'; write one of "]),
    ],
)
def test_streams_that_cannot_be_used_are_each_reported_once(
    given: str, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two wrong names are two faults, without a third one that no stream is named."""
    monkeypatch.setenv("WATCHROOM_STREAMS", given)
    with pytest.raises(ConfigurationInvalid) as refused:
        read_settings()
    lines = str(refused.value).splitlines()
    assert len(lines) == len(told)
    assert all(f"WATCHROOM_STREAMS: {text}" in line for text, line in zip(told, lines, strict=True)), lines


def test_an_extra_comma_does_not_name_a_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """`calls,` remains if somebody removes the last name from a list."""
    monkeypatch.setenv("WATCHROOM_STREAMS", "calls, ,")
    assert read_settings().streams == ("calls",)


def test_an_option_overrides_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """`--kafka` on a command line overrides what the shell exports."""
    monkeypatch.setenv("WATCHROOM_KAFKA", "from-environment:9092")
    monkeypatch.setenv("WATCHROOM_FORCE", "north")
    settings = read_settings(kafka="from-option:9092", areas=("north",))
    assert (settings.kafka, settings.force, settings.areas) == ("from-option:9092", "north", ("north",))


def test_a_secret_comes_from_its_file_unless_the_environment_sets_it(tmp_path: Path) -> None:
    """Orchestrators hand passwords over as files; the folder is named by WATCHROOM_SECRETS_DIR."""
    (tmp_path / "watchroom_redis_url").write_text("rediss://:secret@redis:6380/0\n")
    program = "from watchroom.settings import read_settings; print(read_settings().redis_url)"
    base = {"PYTHONPATH": str(ROOT / "services"), "WATCHROOM_SECRETS_DIR": str(tmp_path)}
    for more, said in ({}, "rediss://:secret@redis:6380/0"), ({"WATCHROOM_REDIS_URL": "redis://x"}, "redis://x"):
        answer = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={**base, **more}
        )
        assert answer.stdout.strip() == said


WRONG = {
    "no JSON": ("SOURCES", "acd", "", "'acd'", 'JSON such as {"calls": {"acd": '),
    "a list without brackets": (
        *("AREAS", "stoke,county", "", "'stoke,county'"),
        'JSON such as ["stoke", "county"], or the path of a .toml file (Exp',
    ),
    "an unknown stream": (
        *("SOURCES", '{"call": {}}', "call", "'call'"),
        f"one of {KNOWN}",
    ),
    "an unknown rule": (
        *("SOURCES", '{"calls": {"acd": {"beats": 1}}}', "calls.acd.beats", "1"),
        "one of heartbeats, silence_s, history, not beats",
    ),
    "no silence": ("SOURCES", '{"calls": {"acd": {"silence_s": 0}}}', "calls.acd.silence_s", "0", "a number above 0"),
    "an area that no event can have": (
        *("AREAS", '["stoke-north"]', "0", "'stoke-north'"),
        "words joined by _, for example stoke_north",
    ),
    "no such zone": ("ZONE", "Europe/Lodnon", "", "'Europe/Lodnon'", "such as Europe/London"),
    "a folder of zones": ("ZONE", "Europe", "", "'Europe'", "such as Europe/London"),
    "no zone": ("ZONE", "", "", "''", "such as Europe/London"),
    "a force with a space": ("FORCE", "West Midlands", "", "'West Midlands'", "for example west-midlands"),
    "a topic with a space": ("TOPIC_PREFIX", "watch room", "", "'watch room'", "for example north.live"),
    "a port beyond 65535": ("EXPORTER_PORT", "65536", "", "'65536'", "a number of 65535 or less"),
    "no partition": ("PARTITIONS", "0", "", "'0'", "a number of 1 or more"),
    "a word for a number": ("STEP_EVENTS", "many", "", "'many'", "a whole number"),
    "no bound": ("LATENESS_DAYS", '{"calls": 0, "incidents": 7, "crimes": 30}', "calls", "0", "a number above 0"),
    "a keeping below the bound": (
        *("KEEPING_DAYS", '{"calls": 0.5, "incidents": 100, "crimes": 761}', "", "0.5"),
        "at least WATCHROOM_LATENESS_DAYS plus WATCHROOM_FUTURE_S for calls",
    ),
    "a command without brackets": (
        *("WATCHDOG_COMMAND", "page --now", "", "'page --now'"),
        'JSON such as ["page", "--now"] (Exp',
    ),
    "an address without http": ("WATCHDOG_WEBHOOK", "pager.example/s3cret", "", "(hidden)", "such as https://"),
    "a list for a table": (
        *("SOURCES", '["acd"]', "", "['acd']"),
        'JSON such as {"calls": {"acd": {"heartbeats": true}}}',
    ),
    "a truth for a table": ("SOURCES", '{"calls": {"acd": true}}', "calls.acd", "True", 'JSON such as {"calls": '),
    "a word for a list": ("AREAS", '"stoke"', "", "'stoke'", 'JSON such as ["stoke", "county"]'),
    "an unknown stream with days": (
        *("LATENESS_DAYS", '{"calls": 1, "incidents": 7, "crimes": 30, "visits": 1}', "visits", "'visits'"),
        f"one of {KNOWN}",
    ),
    "an unknown stream that is fed": ("STREAMS", "calls,visits", "", "'visits'", f"one of {KNOWN}"),
    "no stream that is fed": ("STREAMS", " ", "", "''", f"at least one of {KNOWN}, comma separated"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_setting_is_reported_with_what_to_write(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable, its key, what was found and what is accepted; never a traceback."""
    name, value, key, found, write = WRONG[case]
    monkeypatch.setenv(f"WATCHROOM_{name}", value)
    (fault,) = faults()
    assert (fault.where, fault.key) == (f"WATCHROOM_{name}", key)
    assert found in fault.found
    assert write in fault.write


def test_all_wrong_settings_are_listed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One start of a process is enough to see all faults."""
    monkeypatch.setenv("WATCHROOM_SOURCES", "{")
    monkeypatch.setenv("WATCHROOM_ZONE", "Nowhere")
    monkeypatch.setenv("WATCHROOM_EXPORTER_PORT", "0")
    monkeypatch.setenv("WATCHROOM_LATENESS_DAYS", '{"calls": -1, "incidents": 0, "crimes": 30}')
    assert {(fault.where, fault.key) for fault in faults()} == {
        ("WATCHROOM_SOURCES", ""),
        ("WATCHROOM_ZONE", ""),
        ("WATCHROOM_EXPORTER_PORT", ""),
        ("WATCHROOM_LATENESS_DAYS", "calls"),
        ("WATCHROOM_LATENESS_DAYS", "incidents"),
    }


def test_an_unknown_setting_is_refused_and_the_message_suggests_the_intended_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With WATCHROOM_PARTITON=3 there would otherwise silently be four partitions."""
    monkeypatch.setenv("WATCHROOM_PARTITON", "3")
    monkeypatch.setenv("WATCHROOM_COLOUR", "s3cret")
    monkeypatch.setenv("WATCHROOM_EXPORTER_PORT", "0")
    said = sorted(map(str, faults()))
    assert (
        said[0]
        == "WATCHROOM_COLOUR: found no such setting; write a setting that exists, or remove it (see deploy/settings.md)"
    )
    assert said[1].startswith("WATCHROOM_EXPORTER_PORT: found '0'")
    assert said[2].startswith("WATCHROOM_PARTITON: found no such setting (did you mean WATCHROOM_PARTITIONS?); write")


def test_variables_of_other_programs_are_not_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Our tests read some, and Kubernetes gives every pod the address of a service called `watchroom`."""
    address = "tcp://10.0.0.7:9464"
    links = {"SERVICE_HOST": "10.0.0.7", "SERVICE_PORT": "9464", "SERVICE_PORT_HTTP": "9464", "PORT": address}
    links |= {
        "PORT_9464_TCP": address,
        "PORT_9464_TCP_PROTO": "tcp",
        "BOARD_SERVICE_HOST": "10.0.0.7",
        "REAL_DATA": "/data",
    }
    for name, value in links.items():
        monkeypatch.setenv(f"WATCHROOM_{name}", value)
    monkeypatch.setenv("watchroom_force", "north")
    assert read_settings().force == "north"


def test_a_wrong_option_is_reported_too() -> None:
    """Command-line options pass the same checks."""
    with pytest.raises(ConfigurationInvalid, match=r"WATCHROOM_PARTITIONS: found 0; write a number of 1 or more"):
        read_settings(partitions=0)


def test_a_token_key_comes_from_its_file_and_is_shown_nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Not in a repr, not in what is passed on to our own worker, and not on the settings page."""
    key = "0123456789abcdef" * 2
    (tmp_path / "watchroom_token_key").write_text(f"{key}\n")
    script = "from watchroom.settings import read_settings; print(read_settings().token_key.get_secret_value())"
    environment = {**os.environ, "WATCHROOM_SECRETS_DIR": str(tmp_path), "PYTHONPATH": str(ROOT / "services")}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == f"{key}\n"
    monkeypatch.setenv("WATCHROOM_TOKEN_KEY", f" {key}\n")
    settings = read_settings()
    assert settings.token_key.get_secret_value() == key
    shown = (repr(settings), str(settings), settings.model_dump_json(), str(settings.model_dump()))
    assert not any(key in text for text in shown)


@pytest.mark.parametrize("key", ["0123456789abcdef" * 2, "", "é" * 16])
def test_a_token_key_has_at_least_32_bytes_or_is_unset(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    """As many as the hash has; counted in bytes, not characters."""
    monkeypatch.setenv("WATCHROOM_TOKEN_KEY", key)
    assert read_settings().token_key.get_secret_value() == key


def test_a_short_token_key_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message may end in a log."""
    monkeypatch.setenv("WATCHROOM_TOKEN_KEY", "too-short-a-secret")
    monkeypatch.setenv("WATCHROOM_TOKEN_KEY_ID", "K 1")
    monkeypatch.setenv("WATCHROOM_TOKEN_COUNTRY", "Britain")
    found = {fault.where: str(fault) for fault in faults()}
    assert "32 bytes" in found["WATCHROOM_TOKEN_KEY"]
    assert "short" not in found["WATCHROOM_TOKEN_KEY"]
    assert "1 to 8 lower-case letters and digits" in found["WATCHROOM_TOKEN_KEY_ID"]
    assert "two-letter country code in capitals" in found["WATCHROOM_TOKEN_COUNTRY"]


def test_no_two_groups_of_settings_have_a_validator_of_the_same_name() -> None:
    """Pydantic would run only one of them, and faults in the other group would go unnoticed."""
    groups = [group for group in Settings.__mro__ if group.__module__.startswith("watchroom.")]
    names = [name for group in groups for name in vars(group) if name.startswith("_") and not name.startswith("__")]
    own = [name for name in names if hasattr(Settings, name) and not name.startswith("_abc")]
    assert [name for name, times in Counter(own).items() if times > 1] == []
