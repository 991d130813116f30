"""Alertmanager's configuration: which receivers an alert is routed to, and whether they send it anywhere. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import yaml

Alert = Mapping[str, str]
"""The labels of an alert."""

_MATCHER: Final = re.compile(
    r'\s*([a-zA-Z_:][\w:.]*|"(?:[^"\\]|\\.)*")\s*(=~|!~|!=|=)\s*("(?:[^"\\]|\\.)*"|[^,"}]*)\s*(?:,|$)'
)
_ESCAPED: Final = re.compile(r"\\(.)")
_NOWHERE: Final = (".invalid", ".example", "@example.com")  # reserved names, which do not exist (RFC 2606)
# parts of a time interval that include every time, as Alertmanager writes them
_EVERY: Final[Mapping[str, Sequence[object]]] = {
    "times": ({"start_time": "00:00", "end_time": "24:00"},),
    "weekdays": ("sunday:saturday",),
    "days_of_month": ("1:31", "1:-1"),
    "months": ("1:12",),
    "years": (),
}


class Reached(NamedTuple):
    """A receiver that an alert is routed to."""

    receiver: str
    is_muted: bool  # at all times


class Configuration(NamedTuple):
    """The configuration file."""

    root: Mapping[str, Any]  # the top route
    receivers: Mapping[str, Mapping[str, Any]]
    smarthost: str = ""
    intervals: Mapping[str, Sequence[Mapping[str, Any]]] = {}  # time intervals by name

    def reached(self, alert: Alert) -> list[Reached]:
        """The receivers that an alert is routed to, and whether their routes are always muted."""
        routes = _reached(self.root, alert, str(self.root.get("receiver", "")))
        return [Reached(receiver, self._is_muted(route)) for route, receiver in routes]

    def _is_muted(self, route: Mapping[str, Any]) -> bool:
        """Whether a route never notifies. Routes do not inherit this."""
        mutes, active = (route.get(f"{name}_time_intervals") or () for name in ("mute", "active"))
        is_always = any(any(map(_is_always, self.intervals.get(name, ()))) for name in mutes)
        return is_always or (bool(active) and not any(self.intervals.get(name) for name in active))

    def integrations(self, receiver: str) -> int:
        """The number of a receiver's integrations."""
        return sum(len(configs) for configs in self._configs(receiver).values())

    def is_example(self, receiver: str) -> bool:
        """Whether it only sends mail, to an address or through a server that cannot exist."""
        configs = self._configs(receiver)
        mails = configs.get("email_configs", ())
        return bool(mails) and configs.keys() == {"email_configs"} and all(self._leads_nowhere(mail) for mail in mails)

    def _leads_nowhere(self, mail: Mapping[str, Any]) -> bool:
        host = str(mail.get("smarthost") or self.smarthost).rpartition(":")[0]
        return host.endswith(_NOWHERE) or str(mail.get("to", "")).endswith(_NOWHERE)

    def _configs(self, receiver: str) -> dict[str, Sequence[Mapping[str, Any]]]:
        found = self.receivers.get(receiver, {})
        return {name: configs for name, configs in found.items() if name.endswith("_configs") and configs}


def configuration(status: object) -> Configuration | None:
    """From the body of /api/v2/status; None if it is something else."""
    try:
        text = status["config"]["original"] if isinstance(status, Mapping) else None
        read = yaml.safe_load(text) if isinstance(text, str) else None
    except (KeyError, TypeError, yaml.YAMLError):
        return None
    if not isinstance(read, dict) or not isinstance(read.get("route"), dict):
        return None
    receivers = {str(each.get("name")): each for each in read.get("receivers") or ()}
    named = [*(read.get("time_intervals") or ()), *(read.get("mute_time_intervals") or ())]
    intervals = {str(each.get("name")): each.get("time_intervals") or () for each in named}
    smarthost = str((read.get("global") or {}).get("smtp_smarthost") or "")
    return Configuration(read["route"], receivers, smarthost, intervals)


def _is_always(interval: Mapping[str, Any]) -> bool:
    """Whether a time interval includes every time. Ranges that do so only together are not recognised."""
    return all(not interval.get(part) or any(each in full for each in interval[part]) for part, full in _EVERY.items())


def _reached(route: Mapping[str, Any], alert: Alert, receiver: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    """As in Alertmanager: the first child that matches, the next ones while `continue` is set; otherwise itself."""
    receiver = str(route.get("receiver") or receiver)
    found = False
    for child in route.get("routes") or ():
        if all(_matches(alert, *matcher) for matcher in _matchers(child)):
            found = True
            yield from _reached(child, alert, receiver)
            if not child.get("continue"):
                break
    if not found:
        yield route, receiver


def _matches(alert: Alert, label: str, operator: str, wanted: str) -> bool:
    value = alert.get(label, "")
    if operator in ("=", "!="):
        return (value == wanted) is (operator == "=")
    return (re.fullmatch(wanted, value) is not None) is (operator == "=~")


def _matchers(route: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Matchers in the current form, and in the two earlier ones: label, operator and value."""
    for text in route.get("matchers") or ():
        for label, operator, value in _MATCHER.findall(str(text).strip().removeprefix("{").removesuffix("}")):
            yield _unquoted(label), operator, _unquoted(value.strip())
    for label, value in (route.get("match") or {}).items():
        yield label, "=", str(value)
    for label, value in (route.get("match_re") or {}).items():
        yield label, "=~", str(value)


def _unquoted(text: str) -> str:
    return _ESCAPED.sub(r"\1", text[1:-1]) if text.startswith('"') else text
