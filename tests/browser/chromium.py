"""Headless Chromium, for the browser tests and for the pictures in the documentation."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from selenium.common.exceptions import (
    ElementClickInterceptedException,
    NoSuchElementException,
    StaleElementReferenceException,
)
from selenium.webdriver import Chrome
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

Found = TypeVar("Found")

_SWITCHES = (
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    # Nobody but this machine is asked for anything.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


def missing_browser() -> str | None:
    """What this machine lacks to run Chromium, in words; None if it has all."""
    lacks = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    return (
        f"no {' and no '.join(lacks)} on this machine: apt-get install chromium chromium-driver"
        if lacks
        else None
    )


#: Selects what is there and types over it at once: a page that is drawn again in between loses the selection,
#: and what is typed then stands behind the old text.
_TYPE = """
const [entry, text] = arguments;
entry.focus();
entry.select();
document.execCommand('insertText', false, text);
"""


class Browser(Chrome):
    """Chromium with one tab, by the names that a person would use."""

    def __init__(self, *, charts: bool = False) -> None:
        """`charts` draws what needs WebGL, such as Prefect's graph of a run: in software, so it costs much."""
        options = Options()
        options.binary_location = shutil.which("chromium") or ""
        for switch in (*_SWITCHES, "--enable-unsafe-swiftshader" if charts else "--disable-3d-apis"):
            options.add_argument(switch)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        super().__init__(options=options, service=Service(shutil.which("chromedriver") or ""))
        self.screen()

    def screen(
        self, width: int = 1400, height: int = 900, *, phone: bool = False, dark: bool = False
    ) -> None:
        """The screen that pages see from now on, in CSS pixels."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone}
        self.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        self.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": phone})
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})

    def until(self, met: Callable[[Browser], Found], seconds: float = 60) -> Found:
        """Wait for a condition; a TimeoutException if it is not met. Pages may change while they are read."""
        changes = (StaleElementReferenceException, NoSuchElementException, ElementClickInterceptedException)
        wait: WebDriverWait[Browser] = WebDriverWait(self, seconds, 0.1, changes)
        return wait.until(met)

    def all(self, css: str) -> list[WebElement]:
        return self.find_elements(By.CSS_SELECTOR, css)

    def one(self, css: str) -> WebElement:
        return self.find_element(By.CSS_SELECTOR, css)

    def shown(self, css: str) -> list[WebElement]:
        """Those that a person sees."""
        return [found for found in self.all(css) if found.is_displayed()]

    def at(self, xpath: str, seconds: float = 60) -> WebElement:
        """The first of these that is shown, as soon as it is."""
        return self.until(
            lambda here: next((e for e in here.find_elements(By.XPATH, xpath) if e.is_displayed()), None),
            seconds,
        )  # type: ignore[return-value]

    @property
    def text(self) -> str:
        return str(self.execute_script("return document.body.innerText"))

    def run(self, script: str, *given: Any) -> Any:
        return self.execute_script(script, *given)

    def type_over(self, entry: WebElement, text: str) -> None:
        """Replace the text in an entry of a form with `text`."""
        self.run(_TYPE, entry, text)

    @property
    def complaints(self) -> list[str]:
        """What the console says of errors since it was last asked."""
        return [
            entry["message"] for entry in self.get_log("browser") if entry["level"] in {"SEVERE", "WARNING"}
        ]

    def picture(self, file: Path) -> None:
        """A PNG of what is on the screen."""
        shot = self.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
        file.write_bytes(base64.b64decode(shot["data"]))
