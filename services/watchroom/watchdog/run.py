"""The watchdog process: one page that receives the Watchdog alert, one task for each fallback channel.

It keeps nothing over a restart: the time since the last alert starts at 0, and the end of an outage is not reported.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import structlog
from aiohttp import web

from watchroom.errors import WorkFailed
from watchroom.process import port_fault, run_until_stopped
from watchroom.settings import Settings
from watchroom.timing import now_ms
from watchroom.watchdog import pages
from watchroom.watchdog.channels import Send, channels_of
from watchroom.watchdog.message import ALERT, outgoing
from watchroom.watchdog.silence import Channel, Moment, Watch

LOOK_S = 0.2

log = structlog.get_logger("watchroom.watchdog")


def run(settings: Settings, *, trial: bool = False) -> int:
    """Alert through the fallback channels while the Watchdog alert is missing, until SIGTERM or SIGINT.

    Args:
        settings: Where to listen, how long the alert may be missing, and the fallback channels.
        trial: Instead, send one test message through each channel, and end.

    Returns:
        Exit code: 0; 1 if a test message did not arrive or the port cannot be used, 2 if no fallback channel is set.
    """

    async def serve(stop: asyncio.Event) -> int:
        watchdog = Watchdog(settings)
        return await (watchdog.try_channels() if trial else watchdog.serve(stop))

    return run_until_stopped(serve)


class Watchdog:
    """One run of the process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sends = channels_of(settings)
        self._channels = {name: Channel(settings.watchdog_repeat_s) for name in self._sends}
        self._watch = Watch(_now(), seen=False, silent_s=settings.watchdog_silent_s)

    async def serve(self, stop: asyncio.Event) -> int:
        """Listen, and alert when needed, until `stop` is set."""
        runner = pages.runner(self._received, self._report)
        await runner.setup()
        try:
            await self._listen(runner)
            async with asyncio.TaskGroup() as tasks:
                keeping = [tasks.create_task(self._keep(name, send)) for name, send in self._sends.items()]
                await stop.wait()
                for task in keeping:
                    task.cancel()
        finally:
            await runner.cleanup()
        log.info("watchdog stopped")
        return 0

    async def try_channels(self) -> int:
        """One test message through each channel; 1 if one did not arrive."""
        message = outgoing("trial", self._settings.force, self._watch, _now())
        code = 0
        for name, send in self._sends.items():
            try:
                await send(message)
            except WorkFailed as error:
                log.error("test message failed", channel=name, why=str(error))  # noqa: TRY400 - the reason says it all
                code = error.exit_code
            else:
                log.info("test message arrived", channel=name)
        return code

    async def _listen(self, runner: web.AppRunner) -> None:
        host, port = self._settings.watchdog_host, self._settings.watchdog_port
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise WorkFailed(str(port_fault("WATCHROOM_WATCHDOG_PORT", host, port, error))) from error
        log.info("watchdog started", page=f"http://{host}:{port}/watchdog", silent_s=self._watch.silent_s)

    def _received(self) -> None:
        now = _now()
        if not self._watch.seen or self._watch.is_silent(now):
            log.info("alert received", alert=ALERT, quiet_for_s=round(self._watch.quiet_for_s(now), 1))
        self._watch = self._watch.received(now)

    def _report(self) -> dict[str, Any]:
        """For `/healthz`. This process is healthy even while the alert is missing: restarting it would not help."""
        now = _now()
        return {
            "silent": self._watch.is_silent(now),
            "heard": self._watch.seen,
            "quiet_for_s": round(self._watch.quiet_for_s(now), 1),
            "silent_after_s": self._watch.silent_s,
            "channels": {name: {"failures_in_a_row": channel.failures} for name, channel in self._channels.items()},
        }

    async def _keep(self, name: str, send: Send) -> None:
        """Send what is due through one channel until cancelled; a slow channel does not delay the others."""
        channel = self._channels[name]
        while True:
            now = _now()
            news = channel.due(self._watch.is_silent(now), now.steady_s)
            if news is None:
                await asyncio.sleep(LOOK_S)
                continue
            try:
                await send(outgoing(news, self._settings.force, self._watch, now))
            except WorkFailed as error:
                channel.failed(news, _now().steady_s)
                log.error("message failed", channel=name, news=news, why=str(error))  # noqa: TRY400 - the reason says it all
            else:
                channel.arrived(news, _now().steady_s)
                log.warning("message sent", channel=name, news=news)


def _now() -> Moment:
    """The clocks, which are read only here."""
    return Moment(time.monotonic(), now_ms())
