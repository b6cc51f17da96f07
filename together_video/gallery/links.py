"""Links that a page may carry, and the policy that keeps it from loading anything else."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote, urlsplit


def relative_link(page: str, key: str) -> str:
    """The way from one object of the bucket to another, percent-encoded.

    From `a/batches/7/index.html` to `a/videos/x y.mp4` it is `../../videos/x%20y.mp4`, which holds
    under any address that serves the bucket, and in a copy of the bucket on a disk.
    """
    here, there = page.split("/")[:-1], key.split("/")
    shared = 0
    while shared < min(len(here), len(there) - 1) and here[shared] == there[shared]:
        shared += 1
    up = [".."] * (len(here) - shared)
    return "/".join([*up, *(quote(piece, safe="") for piece in there[shared:])])


def way_to(folder: Path, file: Path) -> str:
    """The relative link from a page in `folder` to a file on the same disk, percent-encoded."""
    return quote(os.path.relpath(file, folder))


def safe_link(url: str | None) -> str | None:
    """The address if a page may link to it: http, https or relative; else None.

    Spaces, control characters and backslashes are refused, since browsers drop or turn them and
    would see another scheme or host than we do; user names in the host are refused as well.
    """
    if not url or not url.isascii() or re.search(r"[\x00-\x20\x7f\\\"'<>]", url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme in {"http", "https"}:
        return url if re.fullmatch(r"[A-Za-z0-9._:\[\]-]+", parts.netloc) else None
    first = re.split(r"[/?#]", url, maxsplit=1)[0]
    return None if parts.netloc or ":" in first else url


def content_policy(urls: Iterable[str], style: str, script: str, *, captions: bool = False) -> str:
    """Content Security Policy: our own style and script, and the hosts of the videos named here.

    `'self'` is the bucket that serves the page, `file:` a copy of it on a disk. The script may read the videos, for a
    zip file of those that a person has selected; from a disk no browser allows that. `captions` lets a video have
    captions that the page itself holds.
    """
    hosts = {"'self'"}
    for url in urls:
        parts = urlsplit(url)
        if parts.scheme:
            # The policy's grammar has no IPv6 addresses, so there the scheme must do.
            hosts.add(f"{parts.scheme}:" if "[" in parts.netloc else f"{parts.scheme}://{parts.netloc}")
    read = " ".join(sorted(hosts))
    shown = f"{read} file:"
    played = f"{shown} data:" if captions else shown
    return (
        f"default-src 'none'; img-src {shown} data:; media-src {played}; connect-src {read}; "
        f"style-src {_hash(style)}; script-src {_hash(script)}; base-uri 'none'; form-action 'none'"
    )


def static_policy(style: str) -> str:
    """Content Security Policy of a page without scripts that shows nothing but itself."""
    return f"default-src 'none'; img-src data:; style-src {_hash(style)}; base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
