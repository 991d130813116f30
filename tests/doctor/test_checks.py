"""Each check on plain facts: it finds its fault, and finds nothing without it."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from tests.doctor.cases import CASES, SETTINGS, Case, settings
from tests.parts import ROOT
from watchroom.cli.processes import doctor
from watchroom.doctor import settings_checks as own
from watchroom.doctor.examine import examine_environment
from watchroom.doctor.finding import CHECKS, Finding, Severity, as_text
from watchroom.doctor.kafka_facts import LAST_RECORDS
from watchroom.settings import Settings


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.check}: {case.says}")
def test_a_fault_is_reported_with_what_to_do_and_nothing_is_reported_without_it(case: Case) -> None:
    """A check that never fails, or always fails, is worthless."""
    (found,) = case.broken
    assert (found.check, found.severity) == (case.check, case.severity)
    assert re.search(case.says, f"{found.subject}: {found.what}")
    assert re.search(case.fix, found.fix)
    assert all(found)  # no empty field
    assert list(case.fine) == []


def test_every_check_has_a_case_and_a_line_on_the_page() -> None:
    """An operator who reads `[lag]` must be able to find out what was checked."""
    assert {case.check for case in CASES} == CHECKS.keys()
    page = (ROOT / "deploy" / "doctor.md").read_text()
    assert re.findall(r"^\| `([a-z-]+)` \| (.+) \|$", page, re.MULTILINE) == list(CHECKS.items())


def test_the_page_says_how_many_records_are_read() -> None:
    """A source without any of these records is not checked, and operators must know this."""
    assert f"the last {LAST_RECORDS} records of each partition" in (ROOT / "deploy" / "doctor.md").read_text()


def test_a_finding_of_a_server_takes_one_line() -> None:
    """A server's answer may contain anything, and a log is read line by line."""
    finding = Finding(Severity.WRONG, "kafka", "Kafka", "no\nway", "It\r\nmatters.", "Do\x0bit.")
    assert as_text([finding]).splitlines() == [
        "WRONG: Kafka: no way [kafka]", "    why: It matters.", "    do:  Do it.", "doctor: 1 wrong",
    ]  # fmt: skip


def test_files_that_cannot_be_used_are_named_before_any_server_is_contacted(tmp_path: Path) -> None:
    """Otherwise a certificate that cannot be read looks like a broker that does not answer."""
    used = settings(kafka_security="ssl", kafka_ca=str(tmp_path / "none.pem"))
    (fault,) = own.unusable_files(used)
    assert fault.where == "WATCHROOM_KAFKA_CA"
    assert own.unusable_files(SETTINGS) == []


REDIS_URLS = [
    "redis://127.0.0.1:6379/0",
    "redis+sentinel://127.0.0.1:26379,127.0.0.1:26380/mymaster",
    "unix:///run/redis/redis.sock",
]


@pytest.mark.parametrize("url", REDIS_URLS)
def test_a_redis_url_of_every_form_has_no_unusable_files(url: str) -> None:
    """With sentinels the server has no address of its own yet; its files are checked all the same."""
    assert own.unusable_files(settings(redis_url=url)) == []


@pytest.mark.parametrize("url", ["rediss://127.0.0.1:6379/0", "rediss+sentinel://127.0.0.1:26379/mymaster/0"])
def test_a_certificate_that_cannot_be_read_is_named_for_redis_and_its_sentinels(url: str, tmp_path: Path) -> None:
    """Otherwise it looks like a Redis that does not answer."""
    assert own.unusable_files(settings(redis_url=url)) == []
    (fault,) = own.unusable_files(settings(redis_url=url, redis_ca=str(tmp_path / "none.pem")))
    assert fault.where == "WATCHROOM_REDIS_CA"


def test_files_of_secrets_are_found_with_their_permissions(tmp_path: Path) -> None:
    """A password that every user of a machine can read protects nothing."""
    key, secret = tmp_path / "key.pem", tmp_path / "watchroom_redis_url"
    for file, mode in ((key, 0o600), (secret, 0o644), (tmp_path / "other", 0o644)):
        file.write_text("x")
        file.chmod(mode)
    used = SETTINGS.model_copy(update={"kafka_key": str(key), "redis_key": str(key / "of-no-folder")})
    modes = own.secret_files(used, str(tmp_path))
    assert {file: mode & 0o777 for file, mode in modes.items()} == {key: 0o600, secret: 0o644}
    (found,) = own.of_secret_files(modes)
    assert found.subject == str(secret)
    assert own.secret_files(SETTINGS, str(tmp_path / "none")) == {}


SECRETS = [
    "watchroom_kafka_password",
    "watchroom_redis_url",
    "watchroom_redis_sentinel_password",
    "WATCHROOM_TOKEN_KEY",  # settings are read from files of any case
    "watchroom_watchdog_webhook",
    "watchroom_exporter_url",
    "watchroom_prometheus_url",
    "watchroom_alertmanager_url",
]


@pytest.mark.parametrize("name", SECRETS)
def test_the_file_of_every_secret_setting_is_checked(tmp_path: Path, name: str) -> None:
    """A secret that is forgotten here stays readable by everybody."""
    for file in (tmp_path / name, tmp_path / "watchroom_zone"):
        file.write_text("x")
        file.chmod(0o644)
    assert own.secret_files(SETTINGS, str(tmp_path)).keys() == {tmp_path / name}


def test_a_folder_of_secrets_that_is_a_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The folder of secrets is read before any setting; this once ended in a traceback."""
    secrets = tmp_path / "secrets"
    secrets.write_text("x")
    monkeypatch.setitem(Settings.model_config, "secrets_dir", str(secrets))
    assert [each.subject for each in examine_environment()] == ["WATCHROOM_SECRETS_DIR", "everything else"]


def test_no_control_character_from_a_server_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A page at an address may contain anything, and a terminal obeys control characters."""
    finding = Finding(Severity.WARNING, "exporter", "page", "\x1b[2J\x9b1m\u202e", "why", "fix")
    monkeypatch.setattr("watchroom.doctor.examine.examine_environment", lambda **_: [finding])
    doctor()
    text = capsys.readouterr().out
    assert "\\x1b[2J\\x9b1m\\u202e" in text
    assert text.replace("\n", "").isprintable()
    doctor(output="json")
    text = capsys.readouterr().out
    assert text.replace("\n", "").isprintable()
    assert json.loads(text)[0]["what"] == finding.what


def test_every_text_of_a_finding_is_used_and_no_other_is_named() -> None:
    """A misspelt name would fail only when something is wrong."""
    code = "".join(path.read_text() for path in (ROOT / "services/watchroom/doctor").glob("*.py"))
    named = {name for name in re.findall(r'"([a-z-]+(?:\.[a-z]+)?)"', code) if name.partition(".")[0] in CHECKS}
    named |= {f"{check}.silent" for check in ("prometheus", "alertmanager")}  # in `no_answer`
    named |= {f"{check}.refused" for check in ("settings", "catalogue")}  # in `of_faults`
    files = (ROOT / "services/watchroom/doctor").glob("*_findings.toml")
    texts = {check: table for path in files for check, table in tomllib.loads(path.read_text()).items()}
    known = {
        f"{check}.{name}" for check, table in texts.items() for name, value in table.items() if isinstance(value, dict)
    }
    assert {name for name in named if "." in name} == known
    assert {check for check, table in texts.items() if "what" in table} <= named
