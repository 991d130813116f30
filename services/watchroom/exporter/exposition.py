"""Prometheus' text format 0.0.4, written by hand.

A full page has about 20,000 samples. prometheus_client writes each of them again at every scrape
(6 microseconds per sample, and as much again to build its objects); here a line is made once and kept
until its number changes. A test reads the page back with prometheus_client's parser.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})
_HELP_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n"})


def labels_text(labels: Mapping[str, str]) -> str:
    """`line="999",window="5m"`, values escaped."""
    return ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in labels.items())


def line(name: str, labels: str, value: float) -> str:
    """One sample; `labels` as `labels_text` writes them."""
    return f"{name}{{{labels}}} {value!r}\n" if labels else f"{name} {value!r}\n"


def gauge(name: str, about: str, lines: Iterable[str]) -> str:
    """One family with its lines; empty if there are none."""
    body = "".join(lines)
    if not body:
        return ""
    return f"# HELP {name} {about.translate(_HELP_ESCAPES)}\n# TYPE {name} gauge\n{body}"
