"""Plain values as YAML that people read: texts with quotes or line breaks are literal blocks."""

from __future__ import annotations

import re

import yaml


class _Dumper(yaml.SafeDumper):
    """Lists indented, nothing replaced by an alias, and quotes where a reader of YAML 1.2 or 1.1 would misread."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002  # pyyaml's
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  # pyyaml's
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    is_literal = "\n" in text or '"' in text
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if is_literal else None)


_Dumper.add_representer(str, _text)
# What pyyaml takes for texts and others do not: 1e3 is a number in YAML 1.2, y and n are truths in YAML 1.1.
_Dumper.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9.]+[eE][-+]?[0-9]+$"), list("-+.0123456789")
)
_Dumper.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"[yYnN]$"), list("yYnN"))


def yaml_text(value: object) -> str:
    """A document of mappings, lists, texts, numbers, truths and None."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=float("inf"))
