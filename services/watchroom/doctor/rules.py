"""Rules of Prometheus: the shipped ones, and whether the loaded ones are the same. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import yaml

from watchroom.backtest.rules import Rule
from watchroom.catalogue.model import Catalogue
from watchroom.generate.rules.files import rules_text
from watchroom.generate.rules.links import Links

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0}
_DURATION: Final = re.compile(r"(\d+)(ms|[smhdwy])")
_PARTS: Final = re.compile(r'"(?:[^"\\]|\\.)*"|\s+')
_ADDRESS: Final = "_url"  # annotations with links differ with the addresses in schemas/links.toml


def shipped_rules(catalogue: Catalogue) -> list[Rule]:
    """The rules in the files that `watchroom generate` writes."""
    nowhere = Links("http://exporter", "http://grafana")  # links are not compared
    return [
        Rule(
            name=each.get("alert") or each["record"],
            expression=each["expr"],
            is_alert="alert" in each,
            for_s=seconds(each.get("for", "")),
            keep_s=seconds(each.get("keep_firing_for", "")),
            labels=each.get("labels", {}),
            annotations=each.get("annotations", {}),
        )
        for text in rules_text(catalogue, nowhere).values()
        for group in yaml.safe_load(text)["groups"]
        for each in group["rules"]
    ]


def key(rule: Rule) -> tuple[bool, str, tuple[tuple[str, str], ...]]:
    """What two versions of a rule have in common."""
    return rule.is_alert, rule.name, tuple(sorted(rule.labels.items()))


def is_same(one: Rule, other: Rule) -> bool:
    """Whether two rules do the same."""
    return _content(one) == _content(other)


def seconds(text: str) -> float:
    """A duration such as `1h30m`."""
    return sum(float(number) * _UNITS[unit] for number, unit in _DURATION.findall(text))


def _content(rule: Rule) -> tuple[float, float, Mapping[str, str], str]:
    texts = {name: text for name, text in rule.annotations.items() if not name.endswith(_ADDRESS)}
    return rule.for_s, rule.keep_s, texts, _without_blanks(rule.expression)


def _without_blanks(expression: str) -> str:
    """Prometheus formats spaces outside of quotes in its own way."""
    return _PARTS.sub(lambda found: found[0] if found[0].startswith('"') else "", expression)
