"""Holds the derived pages as Jinja templates.

In: a template's name and the values that it shows. Out: the text of the file. It may import the standard library and
Jinja only.

Start with the function `page` below; the templates are the files beside it.
"""

from __future__ import annotations

import json

from jinja2 import Environment, PackageLoader, StrictUndefined

_TEMPLATES = Environment(  # noqa: S701  # none of the files is HTML
    loader=PackageLoader(__name__, ""), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    keep_trailing_newline=True,
)  # fmt: skip
_TEMPLATES.filters["quoted"] = json.dumps


def page(template: str, /, **values: object) -> str:
    """The file that a template makes of these values; the filter `quoted` writes a text in JSON and YAML."""
    return _TEMPLATES.get_template(template).render(values)
