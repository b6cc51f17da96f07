"""Links that a page may contain, and the policy that keeps it from loading anything else."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote, urlsplit


def relative_link(page: str, key: str) -> str:
    """The relative link from one object of the bucket to another, percent-encoded.

    From `a/batches/7/index.html` to `a/videos/x y.mp4` it is `../../videos/x%20y.mp4`. It works under any address that
    serves the bucket, and in a copy of the bucket on a disk.
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
    """The address if a page may link to it (http, https or relative), otherwise None.

    Spaces, control characters and backslashes are refused, because browsers drop or convert them and would see another
    scheme or host than we do. User names in the host are refused as well.
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

    `'self'` is the bucket that serves the page, `file:` a copy of it on a disk. The script may read the videos, to make
    a zip file of the selected ones. Browsers do not allow that for files on a disk. `captions` allows captions that are
    part of the page.
    """
    hosts = {"'self'"}
    for url in urls:
        parts = urlsplit(url)
        if parts.scheme:
            # The policy's grammar has no IPv6 addresses, so the scheme has to be enough.
            hosts.add(f"{parts.scheme}:" if "[" in parts.netloc else f"{parts.scheme}://{parts.netloc}")
    read = " ".join(sorted(hosts))
    shown = f"{read} file:"
    played = f"{shown} data:" if captions else shown
    return (
        f"default-src 'none'; img-src {shown} data:; media-src {played}; connect-src {read}; "
        f"style-src {_hash(style)}; script-src {_hash(script)}; base-uri 'none'; form-action 'none'"
    )


def static_policy(style: str) -> str:
    """Content Security Policy of a page that has no scripts and loads nothing."""
    return f"default-src 'none'; img-src data:; style-src {_hash(style)}; base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
