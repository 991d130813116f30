"""What counts as the Watchdog alert, and what is sent through the fallback channels."""

from __future__ import annotations

import json
from typing import Any

import pytest

from watchroom.errors import EventRefused
from watchroom.watchdog.message import holds_watchdog, outgoing
from watchroom.watchdog.silence import Moment, Watch


def message(*alerts: Any) -> bytes:
    """A body as Alertmanager sends it, with these alerts."""
    return json.dumps({"version": "4", "status": "firing", "groupKey": "{}", "alerts": alerts}).encode()


def alert(name: str = "Watchdog", status: str = "firing") -> dict[str, Any]:
    """One alert of a message."""
    return {"status": status, "labels": {"alertname": name, "severity": "none"}, "annotations": {}}


@pytest.mark.parametrize(
    ("body", "counts"),
    [
        (message(alert()), True),
        (message(alert("RedisDown"), alert()), True),
        (message(alert(status="resolved")), False),
        (message(alert("RedisDown")), False),
        (message(), False),
        (message("Watchdog", {"status": "firing"}, {"status": "firing", "labels": "Watchdog"}), False),
    ],
    ids=["firing", "among others", "resolved", "another alert", "none", "odd shapes"],
)
def test_only_the_firing_watchdog_counts(body: bytes, counts: bool) -> None:
    """Alertmanager sends "resolved" after Prometheus has died. Counting it would hide the outage for longer."""
    assert holds_watchdog(body) is counts


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe\xfd", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "no `alerts` list"),
        (b'{"alerts": {"labels": {}}}', "no `alerts` list"),
    ],
    ids=["empty", "cut", "no text", "deep", "a list", "no list"],
)
def test_a_body_that_is_not_a_message_is_refused_with_a_reason(body: bytes, says: str) -> None:
    """Whoever sends something else sees from the answer what was found."""
    with pytest.raises(EventRefused, match=says):
        holds_watchdog(body)


def test_the_message_names_the_force_and_the_start_of_the_outage() -> None:
    """The message does not come through the usual channels, so its text must be complete."""
    watch = Watch(Moment(0, 1_600_000_000_000), seen=True, silent_s=300)
    sent = outgoing("silent", "north", watch, Moment(312.34, 1_600_000_312_340))
    assert sent["text"] == (
        "north: the Watchdog alert has been missing for 5 min 12 s (last seen 2020-09-13T12:26:40.000+00:00). Other "
        "alerts may not arrive either: check Prometheus, Alertmanager and the connection between them."
    )
    assert {key: sent[key] for key in ("status", "force", "heard", "since", "quiet_for_s", "sent")} == {
        "status": "silent",
        "force": "north",
        "heard": True,
        "since": "2020-09-13T12:26:40.000+00:00",
        "quiet_for_s": 312.3,
        "sent": "2020-09-13T12:31:52.340+00:00",
    }


def test_never_seen_back_and_trial_have_different_texts() -> None:
    """They mean a wrong route, the end of an outage, and a test that must not alarm anybody."""
    never, now = Watch(Moment(0, 0), seen=False, silent_s=300), Moment(300, 300_000)
    assert "not seen since this watchdog started at 1970-01-01" in str(outgoing("silent", "north", never, now)["text"])
    assert "alert is arriving again" in str(outgoing("back", "north", never.received(now), now)["text"])
    assert "Nothing is wrong" in str(outgoing("trial", "north", never, now)["text"])
