"""The files of a cut: whether they are clips or sound files, by their first bytes, and how messages name them."""

from __future__ import annotations

import os
from pathlib import Path

from together_video.errors import PieceRefused
from together_video.media.containers import HEAD, container_of, missing_part, why_no_video
from together_video.text import one_line

REMEDY = "Replace it, or leave it out of the cut."
#: First bytes of sound-only files, and FFmpeg's names for their containers.
_SOUNDS = ((b"ID3", "mp3"), (b"fLaC", "flac"))


class Unusable(Exception):
    """The words complete "Piece 3 (name) …"."""


def clip(path: Path, piece: int) -> dict[str, str]:
    """A clip, with FFmpeg's name for its demuxer.

    Raises:
        PieceRefused: it is not a video, or cannot be read.
    """
    return _source(path, piece, "")


def sound(path: Path, piece: int | None, role: str) -> dict[str, str]:
    """Like `clip`, for a sound file. `role` is `music` or `narration`."""
    return _source(path, piece, role)


def sound_container(head: bytes) -> str:
    """FFmpeg's name for a sound file's demuxer, by its first bytes.

    Raises:
        Unusable: it is not a sound file.
    """
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "wav"
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        return "aac" if head[1] & 0xF6 == 0xF0 else "mp3"
    found = next((name for begins, name in _SOUNDS if head.startswith(begins)), None) or container_of(head)
    if found is None:
        raise Unusable("is not a sound file: use MP3, WAV, FLAC, OGG, M4A or AAC")
    return found


def _source(path: Path, piece: int | None, role: str) -> dict[str, str]:
    number = None if piece is None else piece + 1
    try:
        if not path.is_file():
            raise Unusable("does not exist" if not path.exists() else "is not a file")
        with path.open("rb") as file:
            head = file.read(HEAD)
        container = sound_container(head) if role else _video(head)
        if not role and (missing := missing_part(path, container)):
            raise Unusable(missing)
    except OSError as error:
        raise PieceRefused(
            f"{named(path, piece, role)} cannot be read: {error.strerror}.", piece=number
        ) from error
    except Unusable as error:
        raise PieceRefused(f"{named(path, piece, role)} {error}.", piece=number, remedy=REMEDY) from error
    return {"path": os.fsencode(path.absolute()).decode("latin-1"), "container": container}


def _video(head: bytes) -> str:
    container = container_of(head)
    if container is None:
        why = why_no_video(head) or "The file is in a format that cannot be opened here."
        raise Unusable(why.rstrip(".").replace("The file ", "", 1))
    return container


def named(path: Path, piece: int | None, role: str) -> str:
    name = one_line(path.name, 80)
    if piece is None:
        return f"The {role} ({name})"
    return f"The {role} of piece {piece + 1} ({name})" if role else f"Piece {piece + 1} ({name})"
