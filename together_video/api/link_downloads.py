"""Downloads media links to this machine: only over https and from public addresses, unless the operator trusts the
host, and bounded in bytes and time.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx

from together_video.api.downloads import receive
from together_video.errors import (
    DownloadBroken,
    DownloadError,
    DownloadTooLarge,
    LinkForbidden,
    LinkRefused,
    MediaRefused,
)
from together_video.media.link_checks import shown_link
from together_video.network.connections import Connections
from together_video.network.guard import Guard
from together_video.network.trusted_hosts import VARIABLE, TrustedHosts
from together_video.text import one_line

#: Seconds without a byte before a download is given up, and most seconds for all of it.
_PATIENCE, _AT_MOST = 30.0, 900.0


async def download_link(
    url: str,
    path: Path,
    *,
    max_bytes: int,
    trusted: TrustedHosts,
    transport: httpx.AsyncBaseTransport | None = None,
) -> None:
    """Download the file behind a link, without sending any key.

    Args:
        max_bytes: a larger file is refused.
        trusted: hosts that are allowed to be private.
        transport: replaces the network in tests.

    Raises:
        MediaRefused: it cannot be downloaded; `retryable` says whether another try may help. The message continues
            "cut.music: …".
    """
    shown = shown_link(url)
    client = Connections(transport).client(
        limits=httpx.Limits(), guard=Guard(trusted, https_only=True), max_redirects=10
    )
    try:
        async with client, asyncio.timeout(_AT_MOST):
            await receive(client, url, path, max_bytes=max_bytes, patience=httpx.Timeout(_PATIENCE))
    except LinkForbidden as error:
        why = one_line(str(error.__cause__), 200)
        raise MediaRefused(
            f"{shown} is not downloaded: {why}; to allow its host, list it in {VARIABLE}"
        ) from error
    except LinkRefused as error:
        raise _refused(f"{shown} answers with HTTP {error.status}", again=not error.is_lasting) from error
    except DownloadTooLarge as error:
        raise MediaRefused(
            f"{shown} has more than {max_bytes / 1e6:.0f} MB, the largest size that is downloaded"
        ) from error
    except TimeoutError as error:
        raise MediaRefused(f"{shown} was not downloaded within {_AT_MOST / 60:.0f} minutes") from error
    except DownloadBroken as error:
        why = one_line(str(error.__cause__ or error.what), 200).rstrip(".")
        raise _refused(f"{shown} cannot be downloaded: {why}", again=True) from error
    except DownloadError as error:
        why = getattr(error.__cause__, "strerror", None) or error.what
        raise MediaRefused(f"{shown} cannot be stored: {one_line(why, 200)}") from error


def _refused(words: str, *, again: bool) -> MediaRefused:
    error = MediaRefused(words)
    error.retryable = again
    return error
