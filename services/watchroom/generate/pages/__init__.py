"""Holds the prose of derived pages as Markdown, with `@name@` where a generator inserts what it derived.

In: a page's name and its parts. Out: the text of the page. It may import the standard library only.

Start with `page`; the prose is in the Markdown files beside it.
"""

from __future__ import annotations

from importlib.resources import files


def page(name: str, **parts: str) -> str:
    """A page with its parts filled in."""
    text = files(__package__).joinpath(f"{name}.md").read_text(encoding="utf-8")
    for part, written in parts.items():
        text = text.replace(f"@{part}@", written)
    return text
