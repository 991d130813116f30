"""The exporter: does it answer, and does it publish?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from watchroom.doctor.facts import Page
from watchroom.doctor.finding import Finding, finding, listed
from watchroom.doctor.pages import exporter_address, shown
from watchroom.settings import Settings


def of_exporter(settings: Settings, page: Page) -> Iterator[Finding]:
    """An exporter that does not answer, or does not publish."""
    subject = f"exporter at {shown(exporter_address(settings))}"
    if not page.status:
        yield finding("exporter.silent", subject, failure=page.failure)
        return
    if not isinstance(page.body, Mapping) or not isinstance(page.body.get("withheld"), Mapping):
        yield finding("exporter.strange", subject, status=page.status)
        return
    if not page.body.get("redis_answers"):
        yield finding("exporter.redis", subject, reason=page.body.get("redis") or "no reason given")
        return
    withheld = page.body["withheld"]
    for stream in settings.streams:
        if stream not in withheld:
            yield finding("exporter-withholds.unknown", subject, stream=stream)
        elif reasons := withheld[stream]:
            yield finding("exporter-withholds.withheld", subject, stream=stream, reasons=listed(reasons, 3))
