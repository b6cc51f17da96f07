"""Join clips into one film. A separate process opens the clips. The film's bytes are written here, to a temporary file
beside the target, which gets the final name when it is complete.

Synchronous: run it in a thread if an event loop must not wait. One film is made at a time.
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

#: The errors of a full disk.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def planned(cut: Cut) -> JoinPlan:
    """What would be copied and what encoded, and why. Reads all packets of the clips, and decodes none.

    Raises:
        PieceRefused: a piece cannot be used, or is shorter than its transitions.
        FilmError: the process cannot be started, or it ended unexpectedly.
    """
    return conversation.ask(cut, "plan").plan


def join(cut: Cut, out: Path, *, progress: conversation.Progress | None = None) -> JoinedFilm:
    """Make the film. `out` gets it when it is complete. Until then, a file that was there before stays.

    Args:
        progress: called from time to time with the number of finished frames and of all frames. The latter is 0 until
            it is known.

    Raises:
        PieceRefused: a piece cannot be used, or is shorter than its transitions.
        NoRoomForFilm: the disk is full.
        FilmError: it cannot be made for another reason, such as lack of memory.
    """
    out = Path(out)
    part = part_of(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with part.open("xb") as file:

            def write(at: int, data: bytes) -> None:
                # Not through the file object, which on closing would write again the bytes that a full disk refused.
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
                remedy="Free some space, or make the film elsewhere. No partial file is left.",
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
