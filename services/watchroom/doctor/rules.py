"""Rules of Prometheus: those that we ship, those that it has loaded, and whether they are the same. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import yaml

from watchroom.catalogue.model import Catalogue
from watchroom.generate.rules.files import rules_text
from watchroom.generate.rules.links import Links

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0}
_DURATION: Final = re.compile(r"(\d+)(ms|[smhdwy])")
_PARTS: Final = re.compile(r'"(?:[^"\\]|\\.)*"|\s+|[()]')
_ADDRESS: Final = "_url"  # annotations with links differ with the addresses in schemas/links.toml


class Rule(NamedTuple):
    """One rule."""

    name: str  # of an alert or a recorded series
    expression: str
    labels: Mapping[str, str]  # `alertname` among those of an alert
    annotations: Mapping[str, str] = {}
    for_s: float = 0.0
    keep_firing_for_s: float = 0.0
    error: str = ""  # of its last evaluation

    @property
    def key(self) -> tuple[str, tuple[tuple[str, str], ...]]:
        """By what two versions of one rule are recognised."""
        return self.name, tuple(sorted(self.labels.items()))

    def is_same(self, other: Rule) -> bool:
        """Whether two rules do the same. Prometheus writes an expression in its own way."""
        ours = (self.for_s, self.keep_firing_for_s, _texts(self.annotations), _canonical(self.expression))
        return ours == (
            other.for_s, other.keep_firing_for_s, _texts(other.annotations), _canonical(other.expression),
        )  # fmt: skip


def shipped_rules(catalogue: Catalogue) -> list[Rule]:
    """Those of the rule files that `watchroom generate` writes."""
    nowhere = Links("http://exporter", "http://grafana")  # links are not compared
    return [
        Rule(
            name=each.get("alert") or each["record"],
            expression=each["expr"],
            labels={**each.get("labels", {}), **_alertname(each.get("alert"))},
            annotations=each.get("annotations", {}),
            for_s=seconds(each.get("for", "")),
            keep_firing_for_s=seconds(each.get("keep_firing_for", "")),
        )
        for text in rules_text(catalogue, nowhere).values()
        for group in yaml.safe_load(text)["groups"]
        for each in group["rules"]
    ]


def loaded_rules(groups: Sequence[Mapping[str, Any]]) -> list[Rule]:
    """Those that Prometheus has, from `data.groups` of its /api/v1/rules."""
    return list(_loaded(groups))


def _loaded(groups: Sequence[Mapping[str, Any]]) -> Iterator[Rule]:
    for group in groups:
        for each in group.get("rules") or ():
            alert = each["name"] if each.get("type") == "alerting" else None
            yield Rule(
                name=each["name"],
                expression=each.get("query", ""),
                labels={**(each.get("labels") or {}), **_alertname(alert)},
                annotations=each.get("annotations") or {},
                for_s=float(each.get("duration") or 0),
                keep_firing_for_s=float(each.get("keepFiringFor") or 0),
                error=each.get("lastError") or "",
            )


def seconds(text: str) -> float:
    """A duration such as `1h30m`."""
    return sum(float(number) * _UNITS[unit] for number, unit in _DURATION.findall(text))


def _alertname(alert: str | None) -> dict[str, str]:
    return {"alertname": alert} if alert else {}


def _texts(annotations: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in annotations.items() if not name.endswith(_ADDRESS)}


def _canonical(expression: str) -> str:
    """Without blanks and parentheses outside of quotes, which Prometheus sets in its own way."""
    return _PARTS.sub(lambda found: found[0] if found[0].startswith('"') else "", expression)
