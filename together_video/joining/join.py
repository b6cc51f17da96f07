"""Join clips into one film. The clips are opened in a process of its own; its bytes are written here, beside the
film's name and under it when all are there.

Synchronous: run it in a thread where an event loop must not wait. One film is made at a time.
"""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

from together_video.atomic_files import part_of, settle
from together_video.errors import FilmError, NoRoomForFilm
from together_video.joining import conversation
from together_video.joining.cuts import Cut
from together_video.joining.films import JoinedFilm, JoinPlan

#: What a disk says that takes no more.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def planned(cut: Cut) -> JoinPlan:
    """What would be copied and what encoded, and why. All packets of the clips are read, and none is decoded.

    Raises:
        PieceRefused: a piece cannot be used, or is shorter than its transitions.
        FilmError: no process can be started for it, or it came to an end.
    """
    return conversation.ask(cut, "plan").plan


def join(cut: Cut, out: Path, *, progress: conversation.Progress | None = None) -> JoinedFilm:
    """Make the film. It is at `out` when all of it is there; what lay there before is as it was until then.

    Args:
        progress: called from time to time with the frames that are made and those of the whole film; the latter is 0
            as long as it is not known.

    Raises:
        PieceRefused: a piece cannot be used, or is shorter than its transitions.
        NoRoomForFilm: the disk is full.
        FilmError: it cannot be made for another reason, such as too little memory.
    """
    out = Path(out)
    part = part_of(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with part.open("xb") as file:

            def write(at: int, data: bytes) -> None:
                # Not through the file object: bytes that a full disk refused would be written again as it closes.
                rest = memoryview(data)
                while rest:
                    written = os.pwrite(file.fileno(), rest, at)
                    rest, at = rest[written:], at + written

            answer = conversation.ask(cut, "film", write=write, progress=progress)
            size = file.seek(0, os.SEEK_END)
            digest = _digest(part)
            settle(file, part, out)
    except OSError as error:
        if error.errno in _FULL:
            raise NoRoomForFilm(
                f"There is no room for the film in {out.parent}: {error.strerror}.",
                remedy="Free some, or have it made elsewhere. Nothing of it is left.",
            ) from error
        raise FilmError(f"The film cannot be written to {out}: {error.strerror or error}.") from error
    finally:
        part.unlink(missing_ok=True)
    if progress is not None:
        progress(answer.plan.frames, answer.plan.frames)
    return JoinedFilm(**answer.plan.model_dump(), path=out, size=size, sha256=digest, notes=answer.notes)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
