"""References to media in the archive, and the links that replace them on the way to the provider.

A request contains `archive:media/<sha256>.<ext>`, so its fingerprint depends on the content, and nothing that is stored
contains a signature. Right before the POST, each reference is replaced by a link that works without credentials until
it expires.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from together_video.errors import InputError
from together_video.media.sources import REFERENCE, media_texts, with_media
from together_video.requests import VideoRequest

#: How long a link works, in seconds: 7 days, the most that S3 allows (Signature Version 4).
#: A link signed with temporary credentials expires with them.
LINK_SECONDS = 7 * 86_400

#: Only tried at the start of a word: from each letter of a long answer it would take minutes.
_OUR_LINK = re.compile(
    r"(?<![^\s\"'<>])[^\s\"'<>]*/(media/[0-9a-f]{64}\.[a-z0-9]{2,5})(?:\?|%3F)[^\s\"'<>]*", re.I
)


def reference_to(sha256: str, ending: str) -> str:
    """`archive:media/<sha256>.<ending>`"""
    return f"archive:media/{sha256}.{ending}"


def object_of(reference: str) -> str:
    """Where a reference's content is, below the archive's prefix.

    Raises:
        InputError: it is not such a reference.
    """
    found = REFERENCE.fullmatch(reference)
    if found is None:
        raise InputError(
            f"{reference[:120]!r} is not a reference to media in the archive (archive:media/<sha256>.<ending>)."
        )
    return found[1]


def sha256_of(reference: str) -> str:
    """The SHA-256 of a reference's content, in hexadecimal digits. Raises InputError like `object_of`."""
    return object_of(reference).rpartition("/")[2].partition(".")[0]


def references_of(request: VideoRequest) -> tuple[str, ...]:
    """The references in a request, each once, in order."""
    return tuple(dict.fromkeys(text for _, _, text in media_texts(request) if text.startswith("archive:")))


def with_links(request: VideoRequest, link: Callable[[str], str]) -> VideoRequest:
    """The request as it is sent: with each reference replaced by `link(reference)`."""
    return with_media(request, lambda _, text: link(text) if text.startswith("archive:") else text)


def without_signatures(value: Any) -> Any:
    """What a server answered, with our signed links turned back into references. Takes any JSON value, or text."""
    if isinstance(value, str):
        return _OUR_LINK.sub(r"archive:\1", value)
    if isinstance(value, list):
        return [without_signatures(entry) for entry in value]
    if isinstance(value, dict):
        return {name: without_signatures(entry) for name, entry in value.items()}
    return value
