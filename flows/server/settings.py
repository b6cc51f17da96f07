"""Settings and variables that keep Prefect's client from being created, or from sending anything."""

from __future__ import annotations

import os
import re
import ssl

import httpx
from prefect.settings import (
    PREFECT_API_KEY,
    PREFECT_API_SSL_CERT_FILE,
    PREFECT_API_TLS_INSECURE_SKIP_VERIFY,
    get_current_settings,
)

from together_video.errors import ConfigurationError
from together_video.network.proxies import proxies_from_env
from together_video.text import printable

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def unusable_setting() -> str | None:
    """A setting with which Prefect's client cannot be created, or cannot send anything, in one sentence."""
    if not PREFECT_API_TLS_INSECURE_SKIP_VERIFY.value() and (file := PREFECT_API_SSL_CERT_FILE.value()):
        # Prefect takes SSL_CERT_FILE if its own variable is not set.
        inherited = file == os.environ.get("SSL_CERT_FILE") and "PREFECT_API_SSL_CERT_FILE" not in os.environ
        name = "SSL_CERT_FILE" if inherited else "PREFECT_API_SSL_CERT_FILE"
        try:
            ssl.create_default_context(cafile=file)
        except ssl.SSLError:
            return f"{name} names {printable(file)}, which is not a file of certificates in PEM format."
        except OSError as error:
            return f"{name} names {printable(file)}, which cannot be read: {error.strerror or error}."
    if not _is_header_value(PREFECT_API_KEY.value() or ""):
        return "PREFECT_API_KEY contains a line break or another character that no key has: set it again."
    for header, value in get_current_settings().client.custom_headers.items():
        if not _HEADER_NAME.fullmatch(str(header)) or not _is_header_value(str(value)):
            return f"PREFECT_CLIENT_CUSTOM_HEADERS has {printable(str(header))!r}, which cannot be sent as a header."
    try:
        proxies_from_env()
    except ConfigurationError as error:
        return error.message
    return _unusable_exceptions()


def _unusable_exceptions() -> str | None:
    try:
        httpx.AsyncClient(verify=False)  # noqa: S501 - nothing is sent, and certificates take long to load
    except (httpx.InvalidURL, ValueError):
        return "NO_PROXY is not a list of hosts separated by commas: correct it or unset it."
    return None


def _is_header_value(text: str) -> bool:
    return text.isascii() and text.isprintable()
