"""Debian's redis-server with the configuration that production uses, and a way to restore older content."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import cast

from redis import Redis

from tests.flow.servers.program import program
from tests.parts import ROOT
from watchroom.demo.server import LOOPBACK, LocalServer, free_port, ping

_AOF = "appendonlydir"


class RedisServer:
    """One Redis with its append-only file on. Its port and content survive `stop`, `kill` and `restart`.

    `options` are more of redis-server's own, for example a port with TLS beside the plain one.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"redis://{LOOPBACK}:{self.port}/0"
        # A copy, because a sentinel has Redis write into it.
        ours = shutil.copy(ROOT / "deploy" / "redis" / "redis.conf", folder / "redis.conf")
        command = [program("Redis", "redis-server"), str(ours)]
        command += ["--port", str(self.port), "--dir", str(folder), "--appenddirname", _AOF]
        # A rewrite would change the files during a snapshot.
        command += ["--auto-aof-rewrite-percentage", "0", *options]
        self.server = LocalServer("Redis", command, folder / "redis.log", lambda: ping(self.port))

    def start(self) -> None:
        """Start it and wait until it has loaded its content and answers."""
        self.server.start(within_s=20)

    def stop(self) -> None:
        """Shut it down cleanly."""
        self.server.stop()

    def kill(self) -> None:
        """SIGKILL; what `written` has waited for is still there after a restart."""
        self.server.kill()

    def restart(self) -> None:
        """Start it again with its content, after a clean shutdown if it still runs."""
        self.stop()
        self.start()

    def client(self) -> Redis:
        """A client; the caller closes it."""
        return Redis.from_url(self.url)

    def written(self) -> None:
        """Wait until everything acknowledged is in the file's pages, where it outlives the process.

        With `appendfsync everysec`, Redis holds writes back for up to 2 s while a slow fsync is under way.
        """
        give_up_s = time.monotonic() + 20
        with self.client() as redis:
            while cast("dict[str, int]", redis.info("persistence"))["aof_buffer_length"]:
                if time.monotonic() > give_up_s:
                    raise TimeoutError(f"Redis at {self.url} did not write its append-only file within 20 s")
                time.sleep(0.01)

    def snapshot(self) -> Path:
        """A copy of everything acknowledged so far, taken while it runs.

        The file only grows and each step is in it as a whole or, at the torn end, not at all, so a copy
        is the content at one moment.
        """
        self.written()
        copy = Path(tempfile.mkdtemp(prefix="snapshot-", dir=self._folder))
        shutil.copytree(self._folder / _AOF, copy / _AOF)
        return copy

    def restore(self, snapshot: Path) -> None:
        """Restore older content, as a failover to a late replica would: same port, later writes gone."""
        self.kill()
        shutil.rmtree(self._folder / _AOF)
        shutil.copytree(snapshot / _AOF, self._folder / _AOF)
        self.start()
