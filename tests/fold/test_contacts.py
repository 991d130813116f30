"""What contacts contribute, sentence by sentence of the issue."""

from __future__ import annotations

import pytest

from tests.fold.said import adds, contribution, open_in, placed, said, state_of
from watchroom.events.record import Event

RECEIVED = said("contact.received", "09:00:00", channel="live_chat")
REPLIED = said("contact.first_reply", "09:04:00")
CLOSED = said("contact.closed", "09:30:00")


def test_a_contact_counts_at_the_time_it_was_received() -> None:
    """Under its channel; a second event about its receipt does not count it again."""
    again = said("contact.received", "09:10:00", channel="live_chat")
    assert adds("contact_volume", RECEIVED, again, REPLIED) == {"channel=live_chat count": 1}
    assert placed("contact_volume", RECEIVED, again) == {"09:00:00"}


@pytest.mark.parametrize(
    ("channel", "counted"),
    [("Single Online Home", "single_online_home"), ("Front-counter", "front_counter"), ("letter", "other")],
)
def test_an_unlisted_channel_is_other(channel: str, counted: str) -> None:
    """A feed may spell a listed one in its own way."""
    received = said("contact.received", "09:00:00", channel=channel)
    assert adds("contact_volume", received) == {f"channel={counted} count": 1}


def test_the_latest_channel_and_class_count() -> None:
    """A later event corrects a contact that was entered under the wrong ones; it is not counted twice."""
    right = said("contact.received", "09:01:00", channel="email", **{"class": "emergency"})
    assert adds("contact_volume", RECEIVED, right) == {"channel=email count": 1}
    assert adds("contact_volume_by_class", RECEIVED, right) == {"class=emergency count": 1}
    assert placed("contact_volume", RECEIVED, right) == {"09:00:00"}


def test_the_time_to_the_first_reply_counts_at_the_reply() -> None:
    """From the receipt to the earliest reply."""
    later = said("contact.first_reply", "09:20:00")
    found = adds("contact_reply_time", RECEIVED, later, REPLIED)
    assert (found["channel=live_chat observations"], found["channel=live_chat sum_ms"]) == (1, 240_000)
    assert placed("contact_reply_time", RECEIVED, REPLIED) == {"09:04:00"}


def test_a_reply_before_the_receipt_is_negative_and_excluded_from_durations() -> None:
    """Which of the two is wrong is unknown."""
    early = said("contact.first_reply", "08:59:59")
    assert adds("contact_reply_time", RECEIVED, early) == {"channel=live_chat negative": 1}


@pytest.mark.parametrize("end", [REPLIED, CLOSED], ids=lambda event: event.type)
def test_a_contact_waits_until_it_is_replied_to_or_closed(end: Event) -> None:
    """It waits from the moment it was received."""
    assert open_in("contacts_waiting", RECEIVED) == {"channel=live_chat": "09:00:00"}
    assert open_in("contacts_waiting", RECEIVED, end) == {}


def test_the_latest_close_counts() -> None:
    """A contact may be reopened."""
    later = said("contact.closed", "11:00:00")
    assert state_of(RECEIVED, CLOSED, later).closed_ms == later.time_ms


def test_an_outgoing_contact_counts_only_in_the_measure_of_classes() -> None:
    """Nobody waits for an answer to what the force itself wrote."""
    outgoing = said("contact.received", "09:00:00", channel="email", **{"class": "Outgoing"})
    for events in ((outgoing,), (outgoing, REPLIED), (outgoing, CLOSED)):
        found = contribution(*events)
        assert list(found.increments) == ["contact_volume_by_class|class=outgoing|count"]
        assert found.open_sets == {}


@pytest.mark.parametrize("event", [REPLIED, CLOSED], ids=lambda event: event.type)
def test_a_contact_without_its_receipt_is_one_orphan_and_nothing_else(event: Event) -> None:
    """Until the receipt arrives."""
    found = contribution(event)
    assert (list(found.increments), found.open_sets) == (["orphans|topic=watchroom.contacts|count"], {})
    assert adds("orphans", event, RECEIVED) == {}
