"""The frame of every page: head, header, what is alive, footer. The page itself contains no script or style."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from watchroom.catalogue.formatting import clock
from watchroom.exporter.board.markup import Html, join, tag

OLD_AFTER_S = 15  # older content counts as lost
POLL_EVERY_S = 2
GIVE_UP_S = 4  # an answer that takes longer counts as failed
REDRAW_S = 5  # without JavaScript


def document(
    title: str, force: str, main: Html, *, now_ms: int, zone: ZoneInfo, notices: Sequence[Html] = (), live: bool = True
) -> str:
    """A whole page.

    Args:
        title: What the page is about.
        force: Named on every page.
        main: The content.
        now_ms: When it is drawn.
        zone: Whose clock is shown.
        notices: What the reader must know first, shown above the content.
        live: Whether its content goes out of date: then the page reloads itself.
    """
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("title", f"{title} · {force} · Watchroom"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="dark light"),
        tag("link", rel="icon", href="/assets/icon.svg", type="image/svg+xml"),
        tag("link", rel="stylesheet", href="/assets/board.css"),
        *((tag("script", src="/assets/board.js", defer=True), _without_script()) if live else ()),
    )
    times = {"data_old_after_s": OLD_AFTER_S, "data_ask_every_s": POLL_EVERY_S, "data_give_up_s": GIVE_UP_S}
    alive = tag(
        "div",
        _header(title, force, now_ms, zone, notices),
        tag("main", main, id="main"),
        id="live",
        data_drawn_ms=now_ms,
        **(times if live else {}),
    )
    body = tag("body", tag("a", "Skip to main content", href="#main", class_="skip"), _lost(live), alive, _footer())
    return f"<!doctype html>\n{tag('html', head, body, lang='en-GB')}\n"


def _without_script() -> Html:
    return tag("noscript", tag("meta", http_equiv="refresh", content=str(REDRAW_S)))


def _lost(live: bool) -> Html:
    """Empty; the script writes here why nothing is shown. Outside what is replaced at each refresh."""
    return tag("p", id="lost", role="status", aria_live="polite") if live else Html("")


def _header(title: str, force: str, now_ms: int, zone: ZoneInfo, notices: Sequence[Html]) -> Html:
    drawn = tag("time", clock(now_ms, zone, "%H:%M:%S"), datetime=clock(now_ms, zone, "%Y-%m-%dT%H:%M:%S%z"))
    home = tag("a", "Watchroom", href="/", id="link-home")
    return tag(
        "header",
        tag("p", home, " ", tag("span", force, class_="force"), class_="name"),
        tag("h1", title),
        tag("div", *notices, class_="notices"),
        tag("p", "Drawn at ", drawn, class_="drawn"),
    )


def _footer() -> Html:
    links = (("/", "The wall"), ("/measures", "Definitions"), ("/runbook", "Runbooks"), ("/healthz", "Health"))
    made = [tag("a", text, href=href) for href, text in links]
    return tag("footer", tag("nav", *[join(link, " ") for link in made], aria_label="Pages"))
