"""Media sent inside a request, for an archive that cannot give links that the provider could open.

Images only: videos and audio are not documented to work inline.
"""

from __future__ import annotations

import base64
import mimetypes

from together_video.media.sources import LARGEST_INLINE

#: Largest image that fits, in bytes: base64 turns three bytes into four characters.
LARGEST_BYTES = (LARGEST_INLINE - len("data:image/jpeg;base64,")) // 4 * 3


def why_not_inline(reference: str, size: int) -> str | None:
    """Why content of `size` bytes cannot be sent inside a request. None if it can."""
    if not _type_of(reference).startswith("image/"):
        return "videos and audio cannot be sent from a folder; use an https:// link or an archive in a bucket"
    if size > LARGEST_BYTES:
        return (
            f"has {size / 1000:.0f} kB; an image sent from a folder may have at most {LARGEST_BYTES / 1000:.0f} kB: "
            "make it smaller, or use an https:// link or an archive in a bucket"
        )
    return None


def data_url(reference: str, content: bytes) -> str:
    """`data:image/png;base64,…` for the content that a reference names."""
    return f"data:{_type_of(reference)};base64,{base64.b64encode(content).decode()}"


def _type_of(reference: str) -> str:
    return mimetypes.guess_type(f"file.{reference.rpartition('.')[2]}")[0] or "application/octet-stream"
