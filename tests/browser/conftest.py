"""One headless Chromium for all browser tests, and a gallery page with real videos on disk."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.browser.chromium import Browser, missing_browser


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Chromium; a machine without it skips the tests, unless BROWSER_TESTS=required, as in CI."""
    if reason := missing_browser():
        if os.environ.get("BROWSER_TESTS") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    browser = Browser()
    yield browser
    browser.quit()


@pytest.fixture
def browser(chromium: Browser) -> Browser:
    """Chromium on a wide, light screen, with an empty console."""
    chromium.screen()
    chromium.get("about:blank")
    chromium.get_log("browser")
    return chromium
