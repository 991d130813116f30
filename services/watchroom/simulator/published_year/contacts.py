"""The year's digital contacts: received and closed. Their channels and classes are assumptions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from watchroom.rolling.buckets import DAY_MS
from watchroom.simulator.envelope import Simulated
from watchroom.simulator.published_year.even import Allocation, Year, exponential, shared
from watchroom.simulator.published_year.levels import CHANNELS, Contact
from watchroom.simulator.published_year.putting import put

STREAM: Final = "contacts"
BEFORE: Final = {**CHANNELS, "live_chat": 0.0}  # live chat began in late April 2021 (printed)
CHAT_MONTH, CHAT_BEFORE_MS = "2021-05", 5 * DAY_MS  # it began in late April; the day is assumed
PARTNER: Final = "partner_agency"
CLASSES: Final = ("non_emergency", "general_enquiry", "non_emergency", "non_emergency")
TAKES_MS: Final = 4 * 3_600_000  # mean time until it is closed


def contacts(year: Year, level: Contact) -> Iterator[Simulated]:
    """Those that count among the non-emergency contacts, and partner agencies'."""
    counts = [(count, channel) for channel, count in shared(level.digital, CHANNELS).items()]
    kinds = Allocation([*counts, (level.partner, PARTNER)], 0)
    chat_from_ms = year.calendar.month_start_ms(CHAT_MONTH) - CHAT_BEFORE_MS
    for i in range(kinds.total):
        entity = kinds.at(i)
        takes_ms = exponential(entity.quantile, TAKES_MS)
        received_ms = year.moment((i + 0.5) / kinds.total, takes_ms)
        channel = "single_online_home" if entity.what == "live_chat" and received_ms < chat_from_ms else entity.what
        class_ = CLASSES[0] if channel == PARTNER else CLASSES[i % len(CLASSES)]
        data = f'"channel":"{channel}","class":"{class_}"'
        yield put(STREAM, "contact.received", f"d-{i}", received_ms, data)
        yield put(STREAM, "contact.closed", f"d-{i}", received_ms + takes_ms)
