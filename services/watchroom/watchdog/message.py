"""The messages: in from Alertmanager, out through the fallback channels."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Literal

from watchroom.errors import EventRefused
from watchroom.watchdog.silence import Moment, News, Watch
from watchroom.wording import duration

ALERT = "Watchdog"


def holds_watchdog(body: bytes) -> bool:
    """Whether a webhook message of Alertmanager holds the firing alert `Watchdog`.

    A resolved one does not count: Alertmanager sends it when Prometheus has stopped sending the alert.

    Raises:
        EventRefused: It is something else; `detail` says what was found.
    """
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise EventRefused("bad_json", f"the body is not JSON ({error})") from error
    alerts = message.get("alerts") if isinstance(message, dict) else None
    if not isinstance(alerts, list):
        raise EventRefused("not_alertmanager", "no `alerts` list; send a webhook message from Alertmanager, version 4")
    return any(_fires(alert) for alert in alerts)


def _fires(alert: object) -> bool:
    if not isinstance(alert, dict):
        return False
    labels = alert.get("labels")
    return alert.get("status") == "firing" and isinstance(labels, dict) and labels.get("alertname") == ALERT


def outgoing(news: News | Literal["trial"], force: str, watch: Watch, now: Moment) -> dict[str, object]:
    """The message as JSON: `status`, `text` for people, and the rest for programs.

    It may arrive more than once. `silent` with the same `force` and `since` is about the same outage.
    """
    since = _utc(watch.since)
    last = f"last seen {since}" if watch.seen else f"not seen since this watchdog started at {since}"
    texts = {
        "silent": f"{force}: the {ALERT} alert has been missing for {duration(watch.quiet_for_s(now))} ({last}). "
        "Other alerts may not arrive either: check Prometheus, Alertmanager and the connection between them.",
        "back": f"{force}: the {ALERT} alert is arriving again ({last}), and so are other alerts.",
        "trial": f"{force}: this is a test of the channel that is used when the {ALERT} alert is missing. "
        "Nothing is wrong.",
    }
    return {
        "status": news,
        "text": texts[news],
        "force": force,
        "alert": ALERT,
        "heard": watch.seen,
        "since": since,
        "quiet_for_s": round(watch.quiet_for_s(now), 1),
        "sent": _utc(now),
    }


def _utc(moment: Moment) -> str:
    return datetime.fromtimestamp(moment.wall_ms / 1000, UTC).isoformat(timespec="milliseconds")
