"""Pages in Debian's Chromium, driven by Playwright: what a page does that it should not is noted, and fails its test.

That is: an error or a warning on the console, an exception, a dialog, something against the Content-Security-Policy, a
request to any other host, or an answer that is an error.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Self
from urllib.parse import urlsplit

import pytest

NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
WIDE, PHONE = (1280, 900), (390, 844)
_FLAGS: Final = (
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
    "--disable-component-update", "--force-color-profile=srgb",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip
_TOLD: Final = (
    "document.addEventListener('securitypolicyviolation', (one) => console.error('CSP: ' + one.violatedDirective))"
)
_TRIES: Final = 5
PATIENCE_MS: Final = 30_000.0


def missing(what: str) -> None:
    """Where CI is set a missing tool fails, elsewhere it skips."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(what)


@contextmanager
def chromium() -> Iterator[Any]:
    """The browser; None never comes, as a test without one is skipped or fails."""
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 (it may not be installed)
    except ImportError:
        missing("Playwright is missing: pip install -e '.[browser]'")
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        missing("no browser: install Debian's package chromium")
    with sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=program, args=list(_FLAGS))
        try:
            yield running
        finally:
            running.close()


class Watched:
    """Pages of one test, each with a profile of its own, and what they did that they should not."""

    def __init__(self, browser: Any) -> None:
        self.faults: list[str] = []
        self.asked: list[str] = []
        """Addresses that were asked for."""
        self._browser, self._contexts = browser, []  # type: ignore[var-annotated]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for context in self._contexts:
            context.close()
        if kind is None:
            assert not self.faults, self.faults

    def open(self, url: str, size: tuple[int, int] = WIDE, *, own_clock: bool = False, **options: Any) -> Any:
        """A page; on a clock of its own minutes can pass at once. Others are those of a context of Playwright."""
        context = self._browser.new_context(viewport={"width": size[0], "height": size[1]}, **options)
        self._contexts.append(context)
        if own_clock:
            context.clock.install()
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script(_TOLD)
        page = context.new_page()
        self._watch(page, urlsplit(url).netloc)
        for _ in range(_TRIES):
            answer = page.goto(url, wait_until="load")
            if answer.status == 200 and not page.locator("#lacks").count():
                break
            self.faults.clear()  # a machine that stalls for seconds: then the page says so, and comes later
            page.wait_for_timeout(1000)
        assert answer.status == 200, answer.text()
        return page

    def violations(self, page: Any) -> list[str]:
        """What axe-core finds against WCAG and its own good practice."""
        from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415 (it may not be installed)

        found = Axe().run(page).response["violations"]
        return [f"{one['id']}: {node['html']}: {node['failureSummary']}" for one in found for node in one["nodes"]]

    def _watch(self, page: Any, host: str) -> None:
        note = self.faults.append
        page.on(
            "console", lambda said: note(f"{said.type}: {said.text}") if said.type in {"error", "warning"} else None
        )
        page.on("pageerror", lambda error: note(f"exception: {error}"))
        page.on("response", lambda answer: note(f"{answer.status}: {answer.url}") if answer.status >= 400 else None)
        page.on("dialog", lambda dialog: (note(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("popup", lambda other: note(f"popup: {other.url}"))
        page.on("request", lambda request: self._look(request.url, host))

    def _look(self, url: str, host: str) -> None:
        self.asked.append(url)
        if urlsplit(url).scheme not in {"data", "about"} and urlsplit(url).netloc != host:
            self.faults.append(f"request: {url}")
