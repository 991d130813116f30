"""Our rules on time: a board shows the present, and draws nothing where nothing was measured."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from tests.generate.boards.lint.grafana import Found, panels, title
from watchroom.catalogue.metrics import Family

REFRESH: Final = "10s"
_LATER: Final = re.compile(r"\b\w+_over_time\s*\(|\boffset\b|@\s*(?:\d|start|end)")
_QUOTED: Final = re.compile(r'"[^"]*"')


def _now(dashboard: Mapping[str, Any], _: Mapping[str, Family]) -> Found:
    for panel in panels(dashboard):
        for target in panel.get("targets", ()):
            for found in _LATER.findall(_QUOTED.sub('""', target["expr"])):
                yield title(panel), found, "the number of this moment: a past one would stay when the feed is dead"


def _refresh(dashboard: Mapping[str, Any], _: Mapping[str, Family]) -> Found:
    if dashboard.get("refresh") != REFRESH:
        yield "board", f"refresh {dashboard.get('refresh')!r}", f"{REFRESH!r}: an open board must notice a dead feed"


def _gaps(dashboard: Mapping[str, Any], _: Mapping[str, Family]) -> Found:
    for panel in panels(dashboard):
        if panel.get("fieldConfig", {}).get("defaults", {}).get("custom", {}).get("spanNulls"):
            yield title(panel), "spanNulls", "no line over a gap: nobody knows what was there"


RULES: Final[Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Family]], Found]]] = {
    "number-of-now": _now,
    "refresh": _refresh,
    "gaps-stay-gaps": _gaps,
}
