"""What is wrong with a Prefect server, and what to do: one sentence each, chosen by HTTP status and error type."""

from __future__ import annotations

import ssl

import httpx
import prefect
from prefect.settings import (
    PREFECT_API_AUTH_STRING,
    PREFECT_API_KEY,
    PREFECT_CLOUD_API_URL,
    get_current_settings,
)

from prefect_together_video.flows.server.address import EXAMPLE, shown
from prefect_together_video.flows.server.answer import PATIENCE, VERSION, Answer, in_chain
from together_video.network.proxies import proxies_from_env
from together_video.text import printable

#: OpenSSL's numbers for what is wrong with a certificate: expired, for another host, for another IP address.
_EXPIRED, _OTHER_NAMES = 10, frozenset({62, 64})


def problem_of(answer: Answer, *, optional: bool) -> str:
    name = shown(answer.url)
    if answer.response is not None:
        if isinstance(answer.error, httpx.HTTPStatusError | TimeoutError) and not answer.redirects:
            return status_problem(name, answer)
        return _something_else(name, answer)
    error = answer.error
    if (refused := in_chain(error, ssl.SSLCertVerificationError)) is not None:
        return _certificate_problem(name, refused)
    if isinstance(error, httpx.ProxyError):
        proxy = _proxy_of(answer.url) or "HTTP_PROXY"
        return f"The proxy that {proxy} names refuses to reach {name}: correct it, or NO_PROXY."
    if in_chain(error, ssl.SSLError):
        return f"The server at {name} does not speak TLS: correct PREFECT_API_URL, perhaps to http://."
    if not isinstance(error, httpx.TransportError | TimeoutError):
        return f"Prefect's client cannot be used for {name}: {printable(str(error), 200).removesuffix('.')}."
    waited = f" within {PATIENCE:.0f} seconds" if isinstance(error, TimeoutError) else ""
    through = _through_proxy(answer.url)
    if through:
        host = httpx.URL(answer.url).host
        remedy = f"Start the proxy, unset {_proxy_of(answer.url)}, or add {host} to NO_PROXY"
        return f"The Prefect server at {name} does not answer{waited}{through}. {remedy}."
    instead = "unset PREFECT_API_URL to run without one" if optional else "correct PREFECT_API_URL"
    return f"The Prefect server at {name} does not answer{waited}. Start it, or {instead}."


def status_problem(name: str, answer: Answer) -> str:
    """The sentence about an HTTP status that is an error."""
    status = answer.status
    if status in {401, 403}:
        setting, is_set = _credentials(answer)
        if not is_set:
            return f"The Prefect server at {name} asks for credentials (HTTP {status}): set {setting}."
        return f"The Prefect server at {name} refuses the credentials (HTTP {status}): correct {setting}."
    if status == 407:
        proxy = _proxy_of(answer.url) or "HTTP_PROXY"
        return f"The proxy that {proxy} names asks for credentials (HTTP 407): correct it, or NO_PROXY."
    if status == 429:
        return (
            f"The Prefect server at {name} accepts no more requests for now (HTTP 429): run this again later."
        )
    if status is not None and (status >= 500 or status == 408):
        return (
            f"The Prefect server at {name} is not ready{_through_proxy(answer.url)} (HTTP {status}): run this again "
            "when it is, or see its log."
        )
    return _something_else(name, answer)


def _credentials(answer: Answer) -> tuple[str, bool]:
    """The setting for the credentials, as Prefect's client chooses it, and whether it is set."""
    is_cloud = answer.url.startswith(PREFECT_CLOUD_API_URL.value())
    usual = "PREFECT_API_KEY" if is_cloud else "PREFECT_API_AUTH_STRING"
    if PREFECT_API_AUTH_STRING.value():
        return "PREFECT_API_AUTH_STRING", True
    if PREFECT_API_KEY.value():
        return "PREFECT_API_KEY" if is_cloud else f"PREFECT_API_KEY, or set {usual}", True
    if get_current_settings().client.custom_headers:
        return f"PREFECT_CLIENT_CUSTOM_HEADERS, or set {usual}", True
    return usual, False


def _something_else(name: str, answer: Answer) -> str:
    where = f"PREFECT_API_URL is {name}, where {what_answers(answer)}"
    return f"{where}: set it to the address of a Prefect API, such as {EXAMPLE}."


def what_answers(answer: Answer) -> str:
    """Such as `an HTML page (nginx) answers instead of a Prefect API`."""
    response = answer.response
    if response is None:
        return f"the server speaks {'plain HTTP' if answer.url.startswith('https') else 'TLS'}"
    if answer.redirects:
        return f"a redirect to {shown(answer.address)} answers"
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    software = printable(response.headers.get("server", ""), 40)
    what = "an HTML page" if kind == "text/html" and response.is_success else f"HTTP {response.status_code}"
    return f"{what}{f' ({software})' if software else ''} answers instead of a Prefect API"


def version_problem(name: str, version: str | None) -> str | None:
    """Servers and clients of Prefect work together within a major version."""
    server, own = (VERSION.fullmatch(text or "") for text in (version, prefect.__version__))
    if server is None or own is None or server[1] == own[1]:
        return None
    return (
        f"The Prefect server at {name} has version {version}, but this program works with Prefect {own[1]}: "
        f"use a server of version {own[1]}."
    )


def _certificate_problem(name: str, error: ssl.SSLCertVerificationError) -> str:
    reason = printable(error.verify_message, 200).removesuffix(".")
    if error.verify_code == _EXPIRED:
        return f"The certificate of the Prefect server at {name} has expired: renew it on the server."
    if error.verify_code in _OTHER_NAMES:
        return (
            f"The certificate of the Prefect server at {name} is for another host ({reason}): "
            "set PREFECT_API_URL to the name that it is for."
        )
    return (
        f"The certificate of the Prefect server at {name} is not trusted ({reason}): set PREFECT_API_SSL_CERT_FILE "
        "to a file with the certificate of the authority that signed it."
    )


def _through_proxy(url: str) -> str:
    """The proxy in use, because it may be what is wrong."""
    proxy = _proxy_of(url)
    return f" through the proxy that {proxy} names" if proxy else ""


def _proxy_of(url: str) -> str | None:
    """The environment variable whose proxy a client uses for this address."""
    return proxies_from_env().variable_for(url)
