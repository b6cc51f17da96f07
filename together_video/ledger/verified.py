"""What an audit has verified stays verified until a listing shows another size or time of one of its objects.

`checked` of a line of the index is a digest over what the listing said of the record, of the files that it names and of
the media that its request names, when an audit found all of them right. Who can write to the archive can forge it, so
an audit can also be told to verify everything.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import NamedTuple

from together_video.ledger.index import UNLISTED
from together_video.ledger.records import VideoRecord

#: How it was verified: by the checksum that the store keeps beside the object, or by the content, read back.
BY_METADATA, BY_CONTENT = "m", "c"


class Seen(NamedTuple):
    """What a listing says of an object: its size in bytes, and when it was written, in microseconds."""

    size: int
    written: int


#: An object that a record names, and what the listing says of it: None where it is not there.
Named = tuple[str, Seen | None]


def checked(name: str, record: Seen, objects: Iterable[Named], *, deep: bool) -> str:
    """What a line of the index says of a record whose objects have just been found right; `deep` if by content."""
    return f"{BY_CONTENT if deep else BY_METADATA}{_digest(name, record, objects)}"


def is_verified(found: str, name: str, record: Seen, objects: Iterable[Named], *, deep: bool) -> bool:
    """Whether an earlier audit found right what is listed now. `deep` asks that it read the content back."""
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
    """Where the poster of a video lies: beside it, with the ending .jpg."""
    if not video_key:
        return None
    folder, slash, name = video_key.rpartition("/")
    stem, dot, _ = name.rpartition(".")
    return f"{folder}{slash}{stem if dot and stem else name}.jpg"


def can_be_checked(record: VideoRecord, inputs: str) -> bool:
    """Whether a line of the index names every object that the record does."""
    poster = None if record.poster is None else record.poster.key
    video = None if record.video is None else record.video.key
    return inputs != UNLISTED and poster in (None, poster_key(video))
