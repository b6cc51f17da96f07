"""Addresses of a Prefect API: whether a text is one, how it is shown, and what a wrong text probably means.

Nothing here imports Prefect or calls a server, so a command can refuse an address before it loads Prefect.
"""

from __future__ import annotations

import os
import re
from urllib.parse import SplitResult, urlsplit

import httpx

from together_video.errors import ConfigurationError
from together_video.masking import masked
from together_video.text import printable

EXAMPLE = "http://127.0.0.1:4200/api"
_CLOUD_API = "https://api.prefect.cloud/api"
_CLOUD_HOSTS = frozenset({"api.prefect.cloud", "app.prefect.cloud"})
_WORKSPACE = re.compile(r"/accounts?/([^/]+)/workspaces?/([^/]+)")
#: A slash must follow the colon: `localhost:4200` has no scheme.
_SCHEME = re.compile(r"([A-Za-z]+):/+")
#: The segments of a page's path that may belong to the prefix under which a reverse proxy serves Prefect.
_PREFIX_SEGMENTS = 3


def refuse_wrong_address(url: str | None = None) -> None:
    """Refuse an obviously wrong address. By default: the one in PREFECT_API_URL, if it is set.

    Prefect itself prints long warnings about some of these when it is imported, and cannot be imported with others.

    Raises:
        ConfigurationError: it cannot be parsed, or is a page of Prefect Cloud.
    """
    given = os.environ.get("PREFECT_API_URL") if url is None else url
    if not given:
        return
    if meant := cloud_address(given):
        raise ConfigurationError(f"{cloud_problem(given, meant).removesuffix('.')}; nothing was created.")
    if not _is_parsable(given):
        raise ConfigurationError(f"{no_address(given).removesuffix('.')}; nothing was created.")


def is_address(url: str) -> bool:
    """Whether a client can send a request to it: http or https, a host, and a valid port."""
    if " " in url or not url.isprintable() or not _is_parsable(url):
        return False
    parts = urlsplit(url)
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def no_address(url: str) -> str:
    """The sentence about a text that is not the address of a Prefect API."""
    # A single word is as likely to be nonsense as the name of a host.
    likely = candidates(url) if set(url.strip()) & set(".:/") else ()
    example = shown(likely[0]) if likely else EXAMPLE
    return f"PREFECT_API_URL is {shown(url)!r}, which is not the address of a Prefect API: set one such as {example}."


def shown(url: str) -> str:
    """The address for a message: on one line, with *** instead of user, password and query."""
    return printable(masked(url), 200)


def cloud_address(url: str) -> str | None:
    """The API address of the Prefect Cloud workspace that `url` is a page of.

    It contains <account id> and <workspace id> if `url` names no workspace. None if `url` is not an address of Prefect
    Cloud, or is already right.
    """
    parts = _split(_with_scheme(url.strip(), "https"))
    if parts is None or parts.hostname not in _CLOUD_HOSTS:
        return None
    found = _WORKSPACE.search(parts.path)
    account, workspace = found.groups() if found else ("<account id>", "<workspace id>")
    meant = f"{_CLOUD_API}/accounts/{account}/workspaces/{workspace}"
    return None if url.rstrip("/") == meant else meant


def cloud_problem(url: str, meant: str) -> str:
    """The sentence about an address of Prefect Cloud that is not its API."""
    return (
        f"PREFECT_API_URL is {shown(url)}, which is not the address of a workspace's API in Prefect Cloud: "
        f"set it to {meant}."
    )


def candidates(url: str) -> tuple[str, ...]:
    """Addresses that the user may have meant if no Prefect API answers at `url`, the likeliest first.

    A page of the UI becomes the API next to it, a missing scheme is added, and what follows the API's path is cut off.
    Addresses with a different scheme come last. `url` itself is not among them.
    """
    text = url.strip().strip("\"'<>").strip()
    match = _SCHEME.match(text)
    given = match[1].lower() if match else ""
    parts = _split("//" + (text[match.end() :] if match else text.lstrip("/")))
    if parts is None or not parts.netloc:
        return ()
    found = (
        f"{scheme}://{parts.netloc}{path}" for scheme in _schemes(given, parts) for path in _paths(parts)
    )
    return tuple(one for one in dict.fromkeys(found) if is_address(one) and one != url.rstrip("/"))


def _is_parsable(url: str) -> bool:
    try:
        httpx.URL(url)
    except httpx.InvalidURL:
        return False
    return _split(url) is not None


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises if it is not a port
    except ValueError:
        return None
    return parts


def _with_scheme(url: str, scheme: str) -> str:
    return url if _SCHEME.match(url) else f"{scheme}://{url.lstrip('/')}"


def _schemes(given: str, parts: SplitResult) -> tuple[str, str]:
    """The given or likely scheme, and the other one."""
    if given in {"https", "wss"}:
        return ("https", "http")
    host = parts.hostname or ""
    if given or parts.port or host == "localhost" or host.startswith("127."):
        return ("http", "https")
    return ("https", "http")


def _paths(parts: SplitResult) -> list[str]:
    segments = [segment for segment in parts.path.split("/") if segment]
    if ends := [number for number, segment in enumerate(segments, 1) if segment == "api"]:
        return ["/" + "/".join(segments[:end]) for end in reversed(ends)]
    prefixes = (segments[:end] for end in range(min(len(segments), _PREFIX_SEGMENTS), -1, -1))
    return ["/" + "/".join([*prefix, "api"]) for prefix in prefixes]
