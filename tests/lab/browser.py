"""The distribution's Chromium, as somebody uses it: what it complains of is kept, and it reaches loopback alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, StorageState, sync_playwright

CHROMIUM: Final = Path("/usr/bin/chromium")
HANGS_MS: Final = 120_000
_HERE_ALONE: Final = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"


class Person:
    """Somebody at a browser of their own. `complaints` is what it says of pages: errors, what a policy stopped."""

    def __init__(self, context: BrowserContext) -> None:
        self._context = context
        self.complaints: list[str] = []
        context.set_default_timeout(HANGS_MS)
        context.on("console", self._said)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        self.page = self.another_page()

    def another_page(self) -> Page:
        """In the same session."""
        return self._context.new_page()

    def session(self) -> StorageState:
        """What the browser keeps: another one that has it is logged in, too."""
        return self._context.storage_state()

    def _said(self, message: ConsoleMessage) -> None:
        # That an answer was a refusal is told by the page.
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self.complaints.append(message.text)


@contextmanager
def chromium() -> Iterator[Browser]:
    """One for a whole module: it takes a second to start."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, chromium_sandbox=False, args=[_HERE_ALONE], timeout=HANGS_MS
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def a_person(browser: Browser, url: str, **how: Any) -> Iterator[Person]:
    """With a fresh browser. No page may have made it complain."""
    context = browser.new_context(base_url=url, viewport={"width": 1280, "height": 800}, **how)
    try:
        person = Person(context)
        yield person
        assert person.complaints == []
    finally:
        context.close()
