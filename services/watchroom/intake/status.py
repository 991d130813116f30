"""What the worker knows about itself: counters, what it waits for, how it ended. No I/O but log lines."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping

import structlog

from watchroom.catalogue.metrics import PLATFORM
from watchroom.settings import Settings

REPEAT_LOG_S = 30.0
COUNTERS = {
    family.name.removeprefix("watchroom_worker_").removesuffix("_total"): family.about
    for family in PLATFORM
    if family.by == "worker" and family.name.endswith("_total")
}

log = structlog.get_logger("watchroom.intake")


def servers_of(settings: Settings) -> dict[str, str]:
    """Names of the servers for `Status`; a password in the Redis URL is not among them."""
    return {
        "kafka": f"Kafka at {settings.kafka} (check that it runs, and WATCHROOM_KAFKA)",
        "redis": f"Redis at {settings.redis_shown} (check that it runs, and WATCHROOM_REDIS_URL)",
    }


class Status:
    """Counters and current waits of one worker.

    Args:
        servers: What a person is told about each server: its address, and the setting that names it.
    """

    def __init__(self, servers: Mapping[str, str] | None = None) -> None:
        self._servers = dict(servers or {})
        self.counts: Counter[str] = Counter(dict.fromkeys(COUNTERS, 0))
        self._waits: dict[str, tuple[str, float]] = {}  # by server: text, since (monotonic s)
        self._logged_at_s: dict[str, float] = {}

    def count(self, name: str, by: int = 1) -> None:
        """Add to a counter of `COUNTERS`."""
        self.counts[name] += by

    def waiting(self, server: str, text: str, *, is_whole: bool = False) -> None:
        """`server` (kafka, redis) does not answer; logged at once, then at most every 30 s.

        `is_whole`: the text itself names the server and what to check.
        """
        now_s = time.monotonic()
        since_s = self._waits[server][1] if server in self._waits else now_s
        if is_whole:
            text = f"waiting: {text}"
        elif name := self._servers.get(server):
            text = f"waiting for {name}: {text}"
        self._waits[server] = (text, since_s)
        if now_s - self._logged_at_s.get(server, -REPEAT_LOG_S) >= REPEAT_LOG_S:
            self._logged_at_s[server] = now_s
            log.warning(text, waiting_s=round(now_s - since_s, 1))

    def answered(self, server: str) -> None:
        """`server` answers (again)."""
        wait = self._waits.pop(server, None)
        if wait is not None and self._logged_at_s.pop(server, None) is not None:
            log.info("answers again", server=server, after_s=round(time.monotonic() - wait[1], 1))

    def waits(self) -> dict[str, str]:
        """What is being waited for, by server."""
        return {server: text for server, (text, _) in self._waits.items()}
