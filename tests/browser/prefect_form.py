"""The form with which Prefect's UI starts a run of a deployment."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from selenium.common.exceptions import TimeoutException
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from tests.browser.chromium import Browser
from tests.browser.page_record import PageRecord

_ENTRY = "textarea, input"
#: Seconds after which the form has taken over what was typed: each level of its values waits some milliseconds.
_SETTLED = 0.3
#: Seconds that the page has to send something after Submit, and that the server has to answer all of it.
_SENT, _ANSWERED = 20.0, 120.0
#: What the server answers when it has made a run, and when its database is locked by others for too long; seconds until
#: it is asked again.
_MADE, _BUSY = 201, 503
_PAUSES = (2.0, 5.0, 10.0, 20.0, 30.0)


class Form:
    """The form of a deployment in the second UI, by the names that it shows."""

    def __init__(self, browser: Browser, address: str) -> None:
        self._browser = browser
        # What was typed into which field: two may have the same title.
        self._filled: list[tuple[str, WebElement, str]] = []
        self._record = PageRecord(browser, address)
        browser.at("//button[normalize-space()='Submit']")

    def place(self, title: str) -> WebElement:
        label = f"//label[normalize-space()='{title}' or normalize-space()='{title} (Optional)']"
        return self._browser.at(f"{label}/ancestor::div[contains(@class, 'grid')][1]/..")

    def words(self, title: str) -> list[str]:
        """All that is read at a field, line by line, from its title on."""
        text = self._browser.until(lambda _: self.place(title).text)
        return [line for line in text.split("\n") if line != "Open menu"]

    def value(self, title: str) -> str:
        entries = self._browser.until(
            lambda _: [self.place(title).find_element("css selector", _ENTRY).get_property("value")]
        )
        return str(entries[0])

    def fill(self, title: str, text: str) -> None:
        def filled(browser: Browser) -> WebElement | None:
            entry = self.place(title).find_element("css selector", _ENTRY)
            if entry.get_property("value") != text:
                browser.type_over(entry, text)
            time.sleep(_SETTLED)
            return entry if entry.get_property("value") == text else None

        entry = self._browser.until(filled)
        assert entry is not None
        self._filled.append((title, entry, text))

    def press(self, title: str, button: str) -> None:
        def pressed(_: Browser) -> bool:
            self.place(title).find_element("xpath", f".//button[normalize-space()='{button}']").click()
            return True

        self._browser.until(pressed)

    def options(self, title: str, button: str) -> list[WebElement]:
        """What a choice offers, once it is opened."""
        self.press(title, button)
        self._browser.at("//*[@role='option']")
        return self._browser.shown("[role=option]")

    def submit(self) -> None:
        """Press Submit, and return once the server has made a run.

        Submit is pressed again only where nothing was sent, or where a busy server has answered 503, which it does
        when its database is locked by others for too long: else there would be two runs.
        """
        lost = [title for title, entry, text in self._filled if entry.get_property("value") != text]
        if lost or self._record.refusals:
            raise AssertionError(f"the form cannot be sent, and has lost {lost}\n{self._record.told()}")
        form = self._browser.current_url
        for pause in (*_PAUSES, None):
            answer = self._submitted(form)
            if answer != _BUSY or pause is None:
                break
            time.sleep(pause)
        if self._browser.current_url == form and answer != _MADE:
            raise AssertionError(f"the run was refused\n{self._record.told()}")

    def _submitted(self, form: str) -> int | None:
        """Press Submit once: the status that the run was answered with; None if the page has changed by then."""
        before = len(self._record.calls)

        def made() -> list[dict[str, Any]]:
            calls = self._record.calls[before:]
            return [c for c in calls if c["address"].endswith("/create_flow_run") and c["status"] is not None]

        def sent(browser: Browser) -> bool:
            return browser.current_url != form or len(self._record.calls) > before

        try:
            self._press_submit(sent)
            self._browser.until(lambda browser: browser.current_url != form or bool(made()), _ANSWERED)
        except TimeoutException:
            raise AssertionError(f"the form was not accepted\n{self._record.told()}") from None
        return None if self._browser.current_url != form else made()[-1]["status"]

    def _press_submit(self, sent: Callable[[Browser], bool]) -> None:
        button = "//button[normalize-space()='Submit']"
        self._browser.at(button).send_keys(Keys.ENTER)
        try:
            self._browser.until(sent, _SENT)
        except TimeoutException:
            self._browser.run("arguments[0].click()", self._browser.at(button))
            self._browser.until(sent, _SENT)


class FirstForm:
    """The form of a deployment in the first UI, which is open in the browser, as it is."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser

    def submit(self) -> None:
        """Press Submit, and return once the browser has left the form; again where the server was busy."""
        form = self._browser.current_url
        for pause in _PAUSES:
            self._browser.at("//button[normalize-space()='Submit']").click()
            with suppress(TimeoutException):
                self._browser.until(lambda browser: browser.current_url != form, _SENT)
                return
            time.sleep(pause)
        raise AssertionError(f"the form is not accepted\n{self._browser.text}")
