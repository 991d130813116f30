"""HTML by function: anything but markup is escaped, so no text of a feed or an entry can become markup."""

from __future__ import annotations

from html import escape


class Html(str):
    """Markup that this module made; a plain string is text."""

    __slots__ = ()


VOID = frozenset({"link", "meta"})  # elements without an inside that our pages use; SVG has none in HTML


def tag(name: str, /, *inside: str, **attributes: str | float | bool | None) -> Html:
    """One element.

    Args:
        name: Name of the element.
        inside: Text, which is escaped, or Html, which is not.
        attributes: `class_` is class, `aria_label` is aria-label; None and False leave the attribute out.
    """
    words = [
        _name(key) if value is True else f'{_name(key)}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    ]
    start = " ".join([name, *words])
    return Html(f"<{start}>") if name in VOID else Html(f"<{start}>{join(*inside)}</{name}>")


def join(*parts: str) -> Html:
    """Parts one after the other, text escaped."""
    return Html("".join(part if isinstance(part, Html) else escape(part) for part in parts))


def _name(key: str) -> str:
    return key.rstrip("_").replace("_", "-")
