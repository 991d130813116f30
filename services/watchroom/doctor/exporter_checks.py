"""The exporter: does it answer, and does it publish?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from watchroom.doctor.facts import Page
from watchroom.doctor.finding import Finding, listed, wrong
from watchroom.doctor.web import exporter_address, shown
from watchroom.settings import Settings


def of_exporter(settings: Settings, page: Page) -> Iterator[Finding]:
    """An exporter that does not answer, or does not publish."""
    subject = f"exporter at {shown(exporter_address(settings))}"
    blind = "No board shows a figure, and no alert can fire."
    if not page.status:
        fix = "Start `watchroom exporter`, or write its address into WATCHROOM_EXPORTER_URL."
        yield wrong("exporter", subject, page.failure, blind, fix)
        return
    if not isinstance(page.body, Mapping) or not isinstance(page.body.get("withheld"), Mapping):
        fix = "Write the exporter's address into WATCHROOM_EXPORTER_URL."
        yield wrong("exporter", subject, f"is no exporter of ours (HTTP {page.status})", blind, fix)
        return
    if not page.body.get("redis_answers"):
        said = page.body.get("redis") or "no reason given"
        yield wrong("exporter", subject, f"gets no answer from Redis: {said}", blind, "Check its WATCHROOM_REDIS_URL.")
        return
    withheld = page.body["withheld"]
    for stream in settings.streams:
        if stream not in withheld:
            what, fix = f"does not know the stream {stream}", "Give every process the same WATCHROOM_STREAMS."
            yield wrong("exporter-withholds", subject, what, "The stream has no figures.", fix)
        elif reasons := withheld[stream]:
            yield wrong(
                "exporter-withholds",
                subject,
                f"withholds {stream}: {listed(reasons, 3)}",
                "Boards show NO DATA for this stream, and none of its alerts can fire.",
                "Remove the causes: other findings name them. Compare its WATCHROOM_SOURCES with these.",
            )
