"""Media that travel inside of a request, where the archive gives no links that the provider could open.

Images only: no document says that videos or audio may come inline.
"""

from __future__ import annotations

import base64
import mimetypes

from together_video.media.sources import LARGEST_INLINE

#: Largest image that fits, in bytes: base64 makes four characters of three bytes.
LARGEST_BYTES = (LARGEST_INLINE - len("data:image/jpeg;base64,")) // 4 * 3


def why_not_inline(reference: str, size: int) -> str | None:
    """Why content of `size` bytes cannot travel inside of a request; None where it can."""
    if not _type_of(reference).startswith("image/"):
        return "videos and audio cannot be sent from a folder; give an https:// link, or use an archive in a bucket"
    if size > LARGEST_BYTES:
        return (
            f"has {size / 1000:.0f} kB, and an image that is sent from a folder {LARGEST_BYTES / 1000:.0f} kB at most: "
            "make it smaller, give an https:// link, or use an archive in a bucket"
        )
    return None


def data_url(reference: str, content: bytes) -> str:
    """`data:image/png;base64,…` for the content that a reference names."""
    return f"data:{_type_of(reference)};base64,{base64.b64encode(content).decode()}"


def _type_of(reference: str) -> str:
    return mimetypes.guess_type(f"file.{reference.rpartition('.')[2]}")[0] or "application/octet-stream"
