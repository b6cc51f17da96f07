"""What happened in a page of Prefect's UI: its calls of the API, the toasts that came and went, its console."""

from __future__ import annotations

from typing import Any

from tests.browser.chromium import Browser

#: Runs before the page's own scripts. A toast is gone after four seconds, so each is written down as it appears.
_RECORDER = """
(() => {
  if (window.recorded) return;
  const recorded = window.recorded = {calls: [], toasts: []};
  const fetched = window.fetch;
  window.fetch = async function (what, options) {
    const address = String(what && what.url || what);
    const method = options && options.method || what && what.method || 'GET';
    const call = {method, address, status: null, answer: ''};
    if (method !== 'GET' && address.includes('/api/')) recorded.calls.push(call);
    try {
      const answer = await fetched.apply(this, arguments);
      answer.clone().text().then(text => { call.answer = text.slice(0, 1000); }, () => {});
      call.status = answer.status;
      return answer;
    } catch (error) {
      call.status = String(error);
      throw error;
    }
  };
  new MutationObserver(() => {
    for (const toast of document.querySelectorAll('[data-sonner-toast]'))
      if (toast.innerText && !recorded.toasts.includes(toast.innerText)) recorded.toasts.push(toast.innerText);
  }).observe(document, {childList: true, subtree: true, characterData: true});
})()
"""
#: Fields by their labels. The browser's own check of a form is shown in a bubble that is no text of the page.
_FIELDS = """
return [...document.querySelectorAll('form input, form textarea, form [role=combobox]')]
  .filter(field => field.offsetParent)
  .map(field => ({
    title: (document.querySelector(`label[for="${field.id}"]`) || {}).innerText || '',
    value: field.value ?? field.innerText,
    refusal: field.validationMessage || '',
  }))
"""


class PageRecord:
    """Opens a page and records it until the browser leaves it."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser = browser
        script = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": _RECORDER})
        browser.get_log("browser")
        browser.get(url)
        browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)

    @property
    def calls(self) -> list[dict[str, Any]]:
        """Those that Submit makes, and all that failed, in their order; `status` is None without an answer yet."""
        found: list[dict[str, Any]] = self._browser.run("return window.recorded ? window.recorded.calls : []")
        by_submit = ("/ui/schemas/validate", "/create_flow_run")
        return [c for c in found if c["address"].endswith(by_submit) or c["status"] not in (None, 200)]

    @property
    def refusals(self) -> list[str]:
        """What the browser itself refuses of the form; nothing is sent before that is fixed."""
        return [
            f"{field['title'] or 'a field'} is {field['value']!r}: {field['refusal']}"
            for field in self._fields()
            if field["refusal"]
        ]

    def told(self) -> str:
        """All of it, line by line, for the message of a failed test."""
        toasts = self._browser.run("return window.recorded ? window.recorded.toasts : []")
        calls = [f"{c['method']} {c['address']}: {c['status']} {c['answer']}" for c in self.calls]
        fields = [f"{field['title']!r}: {field['value']!r}" for field in self._fields()]
        parts = {
            "the browser refuses": self.refusals,
            "toasts": toasts,
            "calls of the API": calls,
            # Pictures and statistics of other hosts, which this browser does not reach.
            "console": [said for said in self._browser.complaints if "ERR_NAME_NOT_RESOLVED" not in said],
            "fields": fields,
            "page": [self._browser.text],
        }
        return "\n".join(f"{name}:\n  " + "\n  ".join(said or ["nothing"]) for name, said in parts.items())

    def _fields(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = self._browser.run(_FIELDS)
        return found
