"""Check how this machine reaches the network: its proxies, and the certificates that the environment names."""

from __future__ import annotations

import os

from prefect_together_video.flows.checkup.line import CERTIFICATES, PROXY, CheckLine, ok, warning
from together_video.network.certificates import NAMED_BY, check_certificate_variables
from together_video.network.proxies import ProxySettings
from together_video.text import printable


def check_certificates() -> CheckLine:
    """Check that the variables for certificates point to certificates.

    Raises:
        ConfigurationError: one does not.
    """
    check_certificate_variables()
    named = [f"{name} ({printable(os.environ[name])})" for name in NAMED_BY if os.environ.get(name)]
    if named:
        return ok(CERTIFICATES, f"Taken from {', '.join(named)}.")
    return ok(CERTIFICATES, "No variable names any: the default ones are used.")


def check_proxies(settings: ProxySettings, base_url: str) -> CheckLine:
    """Report the proxy that is used for the API, and the proxy settings that are ignored."""
    proxy = settings.described_for(base_url)
    words = f"{base_url} is called {f'through {proxy}' if proxy else 'directly'}."
    if settings.warnings:
        return warning(PROXY, " ".join([words, *(printable(text, 300) for text in settings.warnings)]))
    return ok(PROXY, words)
