"""Which addresses can be called at all."""

from __future__ import annotations

import httpx


def is_reachable(url: httpx.URL) -> bool:
    """Whether a resolver would look at the host and port, instead of raising something odd."""
    try:
        url.host.encode("idna")
    except UnicodeError:
        return False
    exists = url.port is None or 0 < url.port < 65_536
    return exists and bool(url.host) and " " not in url.host and "%20" not in url.host
