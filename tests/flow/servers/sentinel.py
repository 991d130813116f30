"""A primary, a replica, and sentinels that promote the replica when the primary is gone."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from redis import Redis

from tests.flow.servers.program import program
from tests.flow.servers.redis import RedisServer
from watchroom.demo.server import LOOPBACK, LocalServer, free_port, ping

SERVICE = "main"
DOWN_AFTER_MS = 500
WITHIN_S = 20.0


class SentinelServer:
    """One sentinel; `lines` are more of its configuration."""

    def __init__(self, folder: Path, primary_port: int, quorum: int, lines: Sequence[str] = ()) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        file = folder / "sentinel.conf"  # the sentinel writes into it
        said = [
            f"port {self.port}",
            f"bind {LOOPBACK}",
            f"dir {folder}",
            *lines,
            f"sentinel monitor {SERVICE} {LOOPBACK} {primary_port} {quorum}",
            f"sentinel down-after-milliseconds {SERVICE} {DOWN_AFTER_MS}",
            f"sentinel failover-timeout {SERVICE} 3000",
        ]
        file.write_text("\n".join(said) + "\n")
        command = [program("Redis", "redis-server"), str(file), "--sentinel"]
        self.server = LocalServer("Sentinel", command, folder / "sentinel.log", lambda: ping(self.port))

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.server.start(within_s=20)

    def client(self) -> Any:
        """A client of the sentinel itself, untyped."""
        return Redis(host=LOOPBACK, port=self.port, decode_responses=True)

    def kill(self) -> None:
        """SIGKILL."""
        self.server.kill()


class Replicated:
    """Two Redis servers, the second a replica of the first, and their sentinels.

    Args:
        folder: Of all files.
        sentinels: How many; a majority of them decides.
        redis_options: For both Redis, of redis-server's own.
        sentinel_lines: For each sentinel's configuration.
        tls: Whether they speak TLS with one another, on the ports of `tls_ports`.
    """

    def __init__(
        self,
        folder: Path,
        sentinels: int = 3,
        redis_options: Sequence[str] = (),
        sentinel_lines: Sequence[str] = (),
        *,
        tls: bool = False,
    ) -> None:
        self.tls_ports = [free_port(), free_port()] if tls else []
        encrypted: list[list[str]] = [["--tls-port", str(port), "--tls-replication", "yes"] for port in self.tls_ports]
        encrypted = encrypted or [[], []]
        redis_options = ("--repl-diskless-sync-delay", "0", *redis_options)
        self.first = RedisServer(folder / "first", *encrypted[0], *redis_options)
        listens = self.tls_ports[0] if tls else self.first.port
        of_first = ("--replicaof", f"{LOOPBACK} {listens}")
        self.second = RedisServer(folder / "second", *encrypted[1], *of_first, *redis_options)
        self.sentinel_tls_ports = [free_port() for _ in range(sentinels)] if tls else []
        lines = [
            [*sentinel_lines, *([f"tls-port {self.sentinel_tls_ports[n]}", "tls-replication yes"] if tls else [])]
            for n in range(sentinels)
        ]
        quorum = sentinels // 2 + 1
        self.sentinels = [SentinelServer(folder / f"sentinel-{n}", listens, quorum, lines[n]) for n in range(sentinels)]

    @property
    def url(self) -> str:
        """All sentinels, without TLS."""
        return f"redis+sentinel://{','.join(f'{LOOPBACK}:{each.port}' for each in self.sentinels)}/{SERVICE}/0"

    @property
    def tls_url(self) -> str:
        """All sentinels, with TLS."""
        return f"rediss+sentinel://{','.join(f'{LOOPBACK}:{port}' for port in self.sentinel_tls_ports)}/{SERVICE}/0"

    def start(self) -> None:
        """Start all, and wait until the sentinels know the replica and one another."""
        self.first.start()
        self.second.start()
        for sentinel in self.sentinels:
            sentinel.start()
        others = len(self.sentinels) - 1
        for sentinel in self.sentinels:
            with sentinel.client() as client:
                until(
                    "the sentinels know everybody",
                    lambda client=client: (
                        (state := client.sentinel_master(SERVICE))["num-slaves"] == 1
                        and state["num-other-sentinels"] == others
                        and all(each["master-link-status"] == "ok" for each in client.sentinel_slaves(SERVICE))
                    ),
                )

    def primary_port(self) -> int:
        """The primary's port, according to the first sentinel."""
        with self.sentinels[0].client() as client:
            return int(client.sentinel_get_master_addr_by_name(SERVICE)[1])

    def until_primary(self, port: int) -> None:
        """Wait until every sentinel names this one as the primary."""
        for sentinel in self.sentinels:
            with sentinel.client() as client:
                until(
                    f"the primary is at {port}",
                    lambda client=client: int(client.sentinel_get_master_addr_by_name(SERVICE)[1]) == port,
                )

    def kill(self) -> None:
        """SIGKILL all."""
        for sentinel in self.sentinels:
            sentinel.kill()
        self.second.kill()
        self.first.kill()


def until(what: str, done: Any) -> None:
    """Wait until `done()` holds."""
    give_up_s = time.monotonic() + WITHIN_S
    while not done():
        if time.monotonic() > give_up_s:
            raise AssertionError(f"not within {WITHIN_S:g} s: {what}")
        time.sleep(0.02)
