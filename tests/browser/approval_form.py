"""The form in which a person answers a run that waits for approval, in both of Prefect's UIs."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from selenium.common.exceptions import TimeoutException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from tests.browser.chromium import Browser

_DIALOG = "//*[@role='dialog']"
_ENTRIES = "[role=dialog] textarea"
#: Seconds after which a form has taken over what was typed.
_SETTLED = 0.4
#: How often the button is pressed, and the seconds that each answer may take.
_TRIES, _SENT = 6, 15.0


class ApprovalPage:
    """The page of a suspended run with its form open. `ui` is "v1" or "v2"."""

    def __init__(self, browser: Browser, url: str, run: str, ui: str) -> None:
        self._browser, self._ui = browser, ui
        browser.get(f"{url}{'/v2' if ui == 'v2' else ''}/runs/flow-run/{run}")
        if ui == "v1":
            browser.at("//button[contains(normalize-space(.), 'Resume')]").click()
        else:
            # The button is in the menu of the run.
            browser.at("//button[normalize-space(.)='Open menu']").send_keys(Keys.ENTER)
            browser.at("//*[@role='menuitem'][contains(normalize-space(.), 'Resume')]").click()
        browser.at(f"{_DIALOG}//*[normalize-space(.)='Decision']")
        browser.until(lambda here: here.shown(_ENTRIES))

    @property
    def text(self) -> str:
        """All that is read in the form."""
        return str(self._browser.until(lambda here: here.one("[role=dialog]").text))

    @property
    def entries(self) -> list[str]:
        """What the fields of texts hold: the prompts, then what is left out, then the model."""
        return [str(entry.get_property("value")) for entry in self._browser.shown(_ENTRIES)]

    @property
    def amount(self) -> str:
        return str(self._browser.one("[role=dialog] input[type=number]").get_property("value"))

    def edit(self, before: str, after: str) -> None:
        """Type over the field that holds this text."""

        def edited(browser: Browser) -> bool:
            for entry in browser.shown(_ENTRIES):
                if entry.get_property("value") == before:
                    browser.type_over(entry, after)
            time.sleep(_SETTLED)
            return after in self.entries

        self._browser.until(edited)

    def set_amount(self, text: str) -> None:
        def filled(browser: Browser) -> bool:
            entry = browser.one("[role=dialog] input[type=number]")
            browser.type_over(entry, text)
            time.sleep(_SETTLED)
            return bool(entry.get_property("value") == text)

        self._browser.until(filled)

    def remove(self, item: str) -> None:
        """Take a prompt out of the list, by the button or the menu beside it."""
        entry = next(one for one in self._browser.shown(_ENTRIES) if one.get_property("value") == item)
        row: Any = entry
        while not (buttons := row.find_elements(By.CSS_SELECTOR, "button")):
            row = row.find_element(By.XPATH, "..")
        if self._ui == "v1":
            buttons[0].click()
        else:
            buttons[-1].send_keys(Keys.ENTER)
            self._browser.at("//*[@role='menuitem'][contains(normalize-space(.), 'Delete')]").click()
        self._browser.until(lambda _: item not in self.entries)

    def choose(self, decision: str) -> None:
        if self._ui == "v1":
            fields = self._browser.all("[role=dialog] select")
            field = next(one for one in fields if decision in str(one.get_property("textContent")))
            Select(field).select_by_visible_text(decision)
        else:
            self._browser.at(f"{_DIALOG}//button[@aria-haspopup='listbox']").send_keys(Keys.ENTER)
            self._browser.at(f"//*[@role='option'][normalize-space(.)='{decision}']").click()

    def send(self) -> None:
        """Press the button that resumes the run; gives back once the form is closed.

        It is pressed again where a busy server has answered 503, which leaves the form open: a run is resumed once.
        """
        name = "Submit" if self._ui == "v1" else "Resume"
        for _ in range(_TRIES):
            self._browser.at(f"{_DIALOG}//button[normalize-space(.)='{name}']").click()
            with suppress(TimeoutException):
                self._browser.until(lambda here: not here.shown("[role=dialog]"), _SENT)
                return
        raise AssertionError(f"the form is not accepted\n{self._browser.text}")
