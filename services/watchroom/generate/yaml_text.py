"""Plain values as readable YAML: texts with quotes or line breaks are literal blocks."""

from __future__ import annotations

import re
from typing import Final

import yaml

UNICODE_LINE_BREAKS: Final = "\x85\u2028\u2029"
"""pyyaml reads them back as spaces or line feeds unless they are escaped, which only double quotes allow."""


class _Dumper(yaml.SafeDumper):
    """Lists indented, nothing replaced by an alias, and quotes where a reader of YAML 1.2 or 1.1 would misread."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002  # pyyaml's
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  # pyyaml's
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text or '"' in text else None
    if any(char in text for char in UNICODE_LINE_BREAKS):
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
# What pyyaml reads as text but other parsers do not: 1e3 is a number in YAML 1.2, y and n are booleans in YAML 1.1.
_Dumper.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9.]+[eE][-+]?[0-9]+$"), list("-+.0123456789")
)
_Dumper.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"[yYnN]$"), list("yYnN"))


def yaml_text(value: object) -> str:
    """A document of mappings, lists, texts, numbers, booleans and None."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=float("inf"))
