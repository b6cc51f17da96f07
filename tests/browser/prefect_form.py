"""The form with which Prefect's UI starts a run of a deployment."""

from __future__ import annotations

from selenium.common.exceptions import TimeoutException
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from tests.browser.chromium import Browser

_ENTRY = "textarea, input"


class Form:
    """The form of a deployment, by the names that it shows."""

    def __init__(self, browser: Browser, url: str, deployment_id: str) -> None:
        self._browser = browser
        browser.get(f"{url}/v2/deployments/deployment/{deployment_id}/run")
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
        def filled(browser: Browser) -> bool:
            entry = self.place(title).find_element("css selector", _ENTRY)
            entry.send_keys(Keys.CONTROL, "a")
            browser.execute_cdp_cmd("Input.insertText", {"text": text})
            return entry.get_attribute("value") == text

        self._browser.until(filled)

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
        """Press Submit; the page that comes is the run's or the deployment's. A click that was lost is made again."""
        form = self._browser.current_url

        def left(browser: Browser) -> bool:
            return browser.current_url != form

        for seconds, by_script in ((20, False), (20, True), (60, False)):
            button = self._browser.at("//button[normalize-space()='Submit']")
            if by_script:
                self._browser.execute_script("arguments[0].click()", button)
            else:
                button.send_keys(Keys.ENTER)
            try:
                self._browser.until(left, seconds)
                return
            except TimeoutException:
                continue
        raise AssertionError(f"the form was not accepted:\n{self._browser.text}")
