"""The fallback channels: each gets the JSON, and each kind of failure has its own reason."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest

from tests.watchdog.receiver import running_receiver
from watchroom.demo.server import free_port
from watchroom.errors import ConfigurationInvalid, WorkFailed
from watchroom.settings import read_settings
from watchroom.watchdog.channels import channels_of

MESSAGE = {"status": "silent", "text": "north: no Watchdog"}


async def test_a_webhook_gets_the_json_and_its_token_is_not_in_its_name() -> None:
    """The name appears in logs and in /healthz; the token must not."""
    with running_receiver() as receiver:
        channels = channels_of(read_settings(watchdog_webhook=receiver.url))
        assert list(channels) == [f"webhook 127.0.0.1:{receiver.server_port}"]
        for send in channels.values():
            await send(MESSAGE)
        assert receiver.posted == [MESSAGE]


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_a_webhook_that_does_not_answer_with_a_success_status_has_failed(status: int) -> None:
    """A redirect is not a delivery: a server that sends one has not accepted the message."""
    with running_receiver() as receiver:
        receiver.answers = [status]
        (send,) = channels_of(read_settings(watchdog_webhook=receiver.url)).values()
        with pytest.raises(WorkFailed, match=f"answered with status {status}"):
            await send(MESSAGE)


async def test_a_webhook_that_hangs_or_is_down_fails_in_time_and_without_its_token() -> None:
    """A channel that hangs must be retried, and many people read the log."""
    with running_receiver() as receiver:
        receiver.hold.clear()
        (send,) = channels_of(read_settings(watchdog_webhook=receiver.url), timeout_s=0.2).values()
        with pytest.raises(WorkFailed, match=r"did not answer within 0\.2 s"):
            await send(MESSAGE)
    (send,) = channels_of(read_settings(watchdog_webhook=f"http://127.0.0.1:{free_port()}/token-s3cret")).values()
    with pytest.raises(WorkFailed, match="could not be reached") as caught:
        await send(MESSAGE)
    assert "s3cret" not in str(caught.value)


async def test_a_command_gets_its_arguments_unchanged_and_the_json_on_standard_input(tmp_path: Path) -> None:
    """There is no shell: a semicolon in an argument is only a semicolon."""
    program = "import sys; open(sys.argv[1], 'w').write(sys.argv[2] + sys.stdin.read())"
    file = tmp_path / "message"
    command = (sys.executable, "-c", program, str(file), "$HOME; exit 1|")
    (send,) = channels_of(read_settings(watchdog_command=command)).values()
    await send(MESSAGE)
    assert file.read_text() == "$HOME; exit 1|" + json.dumps(MESSAGE) + "\n"


@pytest.mark.parametrize(
    ("program", "says"),
    [("raise SystemExit(3)", "exited with code 3"), ("import time; time.sleep(60)", r"did not finish within 0\.5 s")],
)
async def test_a_command_that_fails_or_hangs_has_failed(program: str, says: str) -> None:
    """Only exit code 0 means success, and a program that hangs is ended."""
    (send,) = channels_of(read_settings(watchdog_command=(sys.executable, "-c", program)), timeout_s=0.5).values()
    began_s = time.monotonic()
    with pytest.raises(WorkFailed, match=says):
        await send(MESSAGE)
    assert time.monotonic() - began_s < 20


async def test_a_missing_command_has_failed() -> None:
    """It may be installed between retries; the process must not end."""
    (send,) = channels_of(read_settings(watchdog_command=("/no/such/program",))).values()
    with pytest.raises(WorkFailed, match=r"/no/such/program could not be started \(No such file"):
        await send(MESSAGE)


def test_both_channels_may_be_set_and_one_must_be() -> None:
    """A watchdog that cannot alert anybody looks like one that works."""
    assert len(channels_of(read_settings(watchdog_webhook="http://pager.example/x", watchdog_command=("page",)))) == 2
    with pytest.raises(ConfigurationInvalid, match="no fallback channel; write a URL, or a program"):
        channels_of(read_settings())
