"""What the doctor asks of Redis: INFO and our rights, without running anything."""

from __future__ import annotations

import re

import pytest

from tests.flow.servers import RedisServer
from tests.parts import ROOT
from watchroom.redis_url import RedisServer as Server
from watchroom.replay.server import LOOPBACK
from watchroom.store.inspect import NEEDED, inspect

pytestmark = pytest.mark.real
LINE = re.search(r"^user watchroom .*$", (ROOT / "deploy" / "redis" / "rights.md").read_text(), re.MULTILINE)
ALWAYS = {"HELLO", "SELECT", "MULTI", "EXEC"}  # asked for by asking


def test_every_command_of_the_page_is_asked_for() -> None:
    """A command that is needed and not asked for is missed by the doctor, and by whoever follows it."""
    assert LINE is not None
    needed = {" ".join(command[:2]) if command[0] == "SCRIPT" else command[0] for command in NEEDED}
    assert {name.upper().replace("|", " ") for name in re.findall(r"[+]([a-z|]+)", LINE[0])} == needed | ALWAYS


@pytest.mark.parametrize(
    ("rights", "denied", "has_info"),
    [
        ("page", (), False),
        ("+@all ~*", (), True),
        ("+@all ~* -hset -script", ("SCRIPT LOAD", "HSET"), True),
        ("+@all -@scripting ~* -exec", ("EXEC", "EVALSHA", "SCRIPT LOAD"), True),
        ("+@all ~other:* -info", "keys", False),
        ("+@all ~* -multi", ("MULTI",), True),
    ],
)
def test_what_a_user_may_not_run_is_named_and_nothing_is_run(
    redis_server: RedisServer, rights: str, denied: tuple[str, ...] | str, has_info: bool
) -> None:
    """It is asked where figures live: a right is known once a command is queued, and nothing is ever run."""
    assert LINE is not None
    page = LINE[0].replace("user watchroom on >PASSWORD ", "").replace("{force}", "{f}")
    with redis_server.client() as client:
        client.set("{f}:meta", "1")
        given = page if rights == "page" else rights
        client.execute_command("ACL", "SETUSER", "wr", "reset", "on", ">secret", "resetchannels", *given.split())
        before = {key: client.dump(key) for key in client.scan_iter()}
        seen = inspect(Server(f"redis://wr:secret@{LOOPBACK}:{redis_server.port}/0"), "f", 2.0)
        with_keys = tuple(command[0] for command in NEEDED if "KEY" in command)
        assert seen.denied == (with_keys if denied == "keys" else denied)
        assert (seen.info is not None) is has_info
        assert {key: client.dump(key) for key in client.scan_iter()} == before
