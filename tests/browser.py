"""Debian's Chromium for tests that read a page as a person does."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.parts import missing

# No sandbox: tests also run as root in a container. The rest: no calls home, no GPU to wait for.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
)
WALL = {"width": 1920, "height": 1080}


@contextmanager
def chromium() -> Iterator[Browser]:
    """A running browser; a machine without one skips the test (with CI=true: fails it)."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        missing("no Chromium on this machine: apt-get install chromium, or run `make test`")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


class Screen:
    """One page on a screen, with the errors and warnings on its console."""

    def __init__(self, context: BrowserContext) -> None:
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", lambda said: self._note(said.type, said.text))
        self.page.on("pageerror", lambda error: self._note("error", str(error)))

    def _note(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.complaints.append(text)

    def shows(self, condition: str, within_s: float = 20) -> None:
        """Wait until a JavaScript expression over the page is true.

        Polled from outside: the browser's own waiting evaluates text inside the page, which our pages forbid.
        """
        until_s = time.monotonic() + within_s
        while not self.page.evaluate(condition):
            if time.monotonic() > until_s:
                said = self.page.locator("body").inner_text()
                raise AssertionError(f"not within {within_s:g} s: {condition}\nthe page says:\n{said}")
            self.page.wait_for_timeout(100)

    def picture(self, file: Path) -> None:
        """The current screen, as a PNG."""
        self.page.screenshot(path=file)

    def each(self, selector: str, read: Callable[[Any], Any]) -> list[Any]:
        """What is read from every element."""
        return [read(element) for element in self.page.locator(selector).all()]


@contextmanager
def screen(browser: Browser, *, light: bool = False, script: bool = True, **more: Any) -> Iterator[Screen]:
    """A screen of its own (1920 x 1080 by default), with nothing stored."""
    options: dict[str, Any] = {"viewport": WALL, "locale": "en-GB", "java_script_enabled": script, **more}
    context = browser.new_context(color_scheme="light" if light else "dark", **options)
    context.set_default_timeout(20_000)
    try:
        yield Screen(context)
    finally:
        context.close()
