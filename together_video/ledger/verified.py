"""What an audit verified stays verified until a listing shows another size or time for one of its objects.

`checked` in a line of the index is a digest of the listing of the record, of its files and of its request's media when
an audit found all of them right. Anyone who can write to the archive can forge it, so an audit can also verify
everything again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import NamedTuple

from together_video.ledger.index import UNLISTED
from together_video.ledger.records import VideoRecord

#: How it was verified: by the store's checksum of the object, or by reading the content back.
BY_METADATA, BY_CONTENT = "m", "c"


class Seen(NamedTuple):
    """An object in a listing: its size in bytes, and when it was written, in microseconds."""

    size: int
    written: int


#: An object that a record names, with its entry in the listing, or None if it is missing.
Named = tuple[str, Seen | None]


def checked(name: str, record: Seen, objects: Iterable[Named], *, deep: bool) -> str:
    """The digest for the index of a record with verified objects; `deep` if verified by content."""
    return f"{BY_CONTENT if deep else BY_METADATA}{_digest(name, record, objects)}"


def is_verified(found: str, name: str, record: Seen, objects: Iterable[Named], *, deep: bool) -> bool:
    """Whether an earlier audit verified what is listed now. With `deep`, only if it read the content back."""
    if not found or (deep and found[0] != BY_CONTENT):
        return False
    return found[1:] == _digest(name, record, objects)


def _digest(name: str, record: Seen, objects: Iterable[Named]) -> str:
    facts = [name, *record]
    for key, seen in objects:
        facts += [key, *(seen or ("missing",))]
    # As JSON: no two lists of facts have the same text.
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]


def poster_key(video_key: str | None) -> str | None:
    """The key of a video's poster: beside the video, with the ending .jpg."""
    if not video_key:
        return None
    folder, slash, name = video_key.rpartition("/")
    stem, dot, _ = name.rpartition(".")
    return f"{folder}{slash}{stem if dot and stem else name}.jpg"


def can_be_checked(record: VideoRecord, inputs: str) -> bool:
    """Whether a line of the index names every object of the record."""
    poster = None if record.poster is None else record.poster.key
    video = None if record.video is None else record.video.key
    return inputs != UNLISTED and poster in (None, poster_key(video))
