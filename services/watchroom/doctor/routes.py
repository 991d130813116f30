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
_NOWHERE: Final = (".invalid", ".example", "@example.com")  # names that lead nowhere (RFC 2606)


class Configuration(NamedTuple):
    """What the file says."""

    root: Mapping[str, Any]  # the top route
    receivers: Mapping[str, Mapping[str, Any]]
    smarthost: str = ""

    def route(self, alert: Alert) -> list[str]:
        """Names of the receivers that an alert reaches."""
        return list(dict.fromkeys(_reached(self.root, alert, str(self.root.get("receiver", "")))))

    def integrations(self, receiver: str) -> int:
        """How many ways a receiver sends by."""
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
    """From the body of /api/v2/status; None if it is none."""
    try:
        text = status["config"]["original"] if isinstance(status, Mapping) else None
        read = yaml.safe_load(text) if isinstance(text, str) else None
    except (KeyError, TypeError, yaml.YAMLError):
        return None
    if not isinstance(read, dict) or not isinstance(read.get("route"), dict):
        return None
    receivers = {str(each.get("name")): each for each in read.get("receivers") or ()}
    return Configuration(read["route"], receivers, str((read.get("global") or {}).get("smtp_smarthost") or ""))


def _reached(route: Mapping[str, Any], alert: Alert, receiver: str) -> Iterator[str]:
    """As Alertmanager goes: the first child that matches, and those after it while `continue` is set; else itself."""
    receiver = str(route.get("receiver") or receiver)
    found = False
    for child in route.get("routes") or ():
        if all(matches(alert) for matches in _matchers(child)):
            found = True
            yield from _reached(child, alert, receiver)
            if not child.get("continue"):
                break
    if not found:
        yield receiver


class _Matcher(NamedTuple):
    label: str
    operator: str
    value: str

    def __call__(self, alert: Alert) -> bool:
        value = alert.get(self.label, "")
        if self.operator in ("=", "!="):
            return (value == self.value) is (self.operator == "=")
        return (re.fullmatch(self.value, value) is not None) is (self.operator == "=~")


def _matchers(route: Mapping[str, Any]) -> Iterator[_Matcher]:
    """In the form of today, and in the two of before."""
    for text in route.get("matchers") or ():
        for label, operator, value in _MATCHER.findall(str(text).strip().removeprefix("{").removesuffix("}")):
            yield _Matcher(_unquoted(label), operator, _unquoted(value.strip()))
    for label, value in (route.get("match") or {}).items():
        yield _Matcher(label, "=", str(value))
    for label, value in (route.get("match_re") or {}).items():
        yield _Matcher(label, "=~", str(value))


def _unquoted(text: str) -> str:
    return _ESCAPED.sub(r"\1", text[1:-1]) if text.startswith('"') else text
