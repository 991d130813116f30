"""Finds the series that a PromQL expression reads.

Only these are written for a back-test: a month of everything that an exporter publishes would be 900 million samples.
Expressions are as Prometheus prints them, so a selector is a name followed directly by its matchers in braces.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from watchroom.errors import WorkFailed

_TEXT = r'"(?:[^"\\]|\\.)*"'
_TOKEN = re.compile(rf"(?P<text>{_TEXT})|(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)?(?P<braces>\{{(?:[^\"}}]|{_TEXT})*\}})?")
_MATCHER = re.compile(rf"(?P<label>[a-zA-Z_][a-zA-Z0-9_]*)\s*(?P<sign>=~|!~|!=|=)\s*(?P<value>{_TEXT})")
_ESCAPED = re.compile(r"\\(.)")


class Matcher(NamedTuple):
    """One condition on a label; an absent label counts as empty, as in Prometheus."""

    label: str
    sign: str  # = != =~ !~
    value: str

    def accepts(self, labels: Mapping[str, str]) -> bool:
        """Whether a series with these labels passes."""
        found = labels.get(self.label, "")
        if self.sign in ("=", "!="):
            return (found == self.value) == (self.sign == "=")
        return (re.fullmatch(self.value, found) is not None) == (self.sign == "=~")


class Selector(NamedTuple):
    """One metric name and its matchers."""

    metric: str
    matchers: tuple[Matcher, ...]

    def accepts(self, labels: Mapping[str, str]) -> bool:
        """Whether a series of this metric passes all matchers."""
        return all(matcher.accepts(labels) for matcher in self.matchers)


def selectors(expression: str, known: Collection[str]) -> Iterator[Selector]:
    """Every selector of an expression.

    Args:
        expression: As Prometheus prints it.
        known: Every possible metric name; other bare names are functions, keywords and labels.

    Raises:
        WorkFailed: Matchers have no name, or an unknown one.
    """
    for token in _TOKEN.finditer(expression):
        name, braces = token["name"], token["braces"]
        if name in known:
            found = _MATCHER.finditer(braces or "")
            yield Selector(
                name, tuple(Matcher(m["label"], m["sign"], _ESCAPED.sub(r"\1", m["value"][1:-1])) for m in found)
            )
        elif braces or (name or "").startswith("watchroom_"):
            raise WorkFailed(
                f"a rule reads {name or ''}{braces or ''}, but no exporter or worker publishes it: {expression}; "
                "use a metric from the catalogue or a recording rule from the same files"
            )
