"""The webhook is called through the proxy that the environment names, as operators expect of every program."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.flow.commands import watchroom
from tests.watchdog.receiver import running_receiver
from watchroom.demo.server import LOOPBACK, free_port
from watchroom.errors import WorkFailed
from watchroom.settings import read_settings
from watchroom.watchdog.channels import channels_of

MESSAGE = {"status": "silent"}
HOOK = "http://pager.invalid/token-s3cret"


class Proxy(ThreadingHTTPServer):
    """Records its requests, and refuses tunnels."""

    def __init__(self) -> None:
        super().__init__((LOOPBACK, 0), Handler)
        self.asked: list[tuple[str, Mapping[str, str]]] = []

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{LOOPBACK}:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """One request to it."""

    server: Proxy

    def do_POST(self) -> None:
        """Accept it."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._note(200)

    def do_CONNECT(self) -> None:
        """Refuse it: only its target matters."""
        self._note(403)

    def _note(self, status: int) -> None:
        self.server.asked.append((self.path, dict(self.headers)))
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def running_proxy() -> Iterator[Proxy]:
    """A proxy for one test."""
    with Proxy() as proxy:
        thread = threading.Thread(target=proxy.serve_forever, daemon=True)
        thread.start()
        yield proxy
        proxy.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the variables that a test sets are used."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


async def send(hook: str) -> None:
    """Send a message through the webhook."""
    (channel,) = channels_of(read_settings(watchdog_webhook=hook)).values()
    await channel(MESSAGE)


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize("scheme", ["http://", ""])
async def test_a_webhook_goes_through_the_proxy(monkeypatch: pytest.MonkeyPatch, name: str, scheme: str) -> None:
    """The host need not be resolvable here: the proxy looks it up."""
    with running_proxy() as proxy:
        monkeypatch.setenv(name, scheme + proxy.url.removeprefix("http://"))
        await send(HOOK)
        assert [path for path, _ in proxy.asked] == [HOOK]


async def test_an_https_webhook_asks_the_proxy_for_a_tunnel(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy's answer is not a delivery, and the token is not in the message."""
    with running_proxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(WorkFailed, match="through the environment's proxy") as failed:
            await send("https://pager.invalid/token-s3cret")
        assert [path for path, _ in proxy.asked] == ["pager.invalid:443"]
        assert "s3cret" not in str(failed.value)


@pytest.mark.parametrize("no_proxy", ["pager.invalid", ".invalid", "other.example,pager.invalid:80", "*"])
async def test_a_host_in_no_proxy_is_called_directly(monkeypatch: pytest.MonkeyPatch, no_proxy: str) -> None:
    """The host does not exist here, so the call fails; the proxy gets no request."""
    with running_proxy() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", no_proxy)
        with pytest.raises(WorkFailed, match=r"could not be reached \("):
            await send(HOOK.replace("pager.invalid", "pager.invalid:80"))
        assert proxy.asked == []


async def test_our_own_machine_is_never_called_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would try its own loopback."""
    monkeypatch.setenv("http_proxy", f"http://{LOOPBACK}:{free_port()}")
    with running_receiver() as receiver:
        await send(receiver.url)
        assert receiver.posted == [MESSAGE]


async def test_no_password_is_taken_from_netrc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is meant for other programs: neither the proxy nor the host gets it."""
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine pager.invalid login a password s3cret\nmachine {LOOPBACK} login b password s3cret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with running_proxy() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        await send(HOOK)
        ((_, headers),) = proxy.asked
    assert not [name for name in headers if "authorization" in name.lower()]


async def test_an_unsupported_proxy_is_named_in_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its password is not in the message."""
    monkeypatch.setenv("ALL_PROXY", "socks5://user:s3cret@proxy.example:1080")
    with pytest.raises(
        WorkFailed, match=r"environment sets for http:// uses socks5://; set one that uses http://"
    ) as failed:
        await send(HOOK)
    assert "s3cret" not in str(failed.value)


def test_a_trial_goes_through_the_proxy() -> None:
    """`watchroom watchdog --try` once did not use the proxy and could not reach the pager."""
    with running_proxy() as proxy:
        done = watchroom(
            "watchdog",
            "--try",
            environment={"http_proxy": proxy.url, "WATCHROOM_WATCHDOG_WEBHOOK": HOOK, "no_proxy": ""},
        )
        assert done.code == 0, done
        assert [path for path, _ in proxy.asked] == [HOOK]
