"""The process that joins clips, from the parent's side: what it is asked, and what is believed of its answers."""

from __future__ import annotations

import atexit
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from together_video.errors import FilmError, PieceRefused
from together_video.joining.cuts import Cut
from together_video.joining.films import JoinPlan
from together_video.joining.sound_files import SOUND_FORMATS, sound_container
from together_video.media.containers import HEAD, container_of, missing_part, why_no_video
from together_video.media.isolation.process import CannotStart, Died, TookTooLong, Worker
from together_video.text import one_line

#: Is given the frames that are made, and all frames.
Progress = Callable[[int, int], None]
#: Is given a place in the film's file, and what stands there.
Write = Callable[[int, bytes], None]

_MODULE = "together_video.joining.isolated.worker"
#: Seconds without a word after which the process is ended. A film takes as long as it takes; each word is progress.
_SILENT = 120.0
#: Bytes of the longest word, the plan of a thousand pieces.
_MOST = 4 << 20
#: Bytes that it may have grown by before another takes its place.
_GROWN = 48 << 20
#: Bytes of the longest film: a fence, in case that the process has been taken over by a clip.
_FILM = 256 << 30


class _Fault(BaseModel):
    model_config = ConfigDict(extra="forbid")

    words: str = Field(max_length=500)
    piece: int | None = Field(default=None, ge=0, lt=1000)
    role: str = Field(default="", max_length=20)
    remedy: str = Field(default="", max_length=300)


class _Last(BaseModel):
    """The last answer. The process has seen bytes of others: it is believed in this form only."""

    model_config = ConfigDict(extra="forbid")

    done: bool
    grown: int = Field(ge=0)
    failed: str | None = Field(default=None, max_length=500)
    fault: _Fault | None = None
    plan: dict[str, Any] | None = None
    notes: tuple[str, ...] = Field(default=(), max_length=100)


class Answer(BaseModel):
    """How the film is, or would be, made, and what is worth a note."""

    plan: JoinPlan
    notes: tuple[str, ...] = ()


class _Processes:
    """At most one is at work, as films take much memory; one that is idle waits for the next film."""

    def __init__(self) -> None:
        self.turn = threading.Lock()
        self._idle: Worker | None = None

    def take(self) -> Worker:
        worker, self._idle = self._idle, None
        return worker or Worker(_MODULE)

    def give_back(self, worker: Worker, grown: int) -> None:
        if grown > _GROWN:
            worker.end()
        else:
            self._idle = worker

    def close(self) -> None:
        if self._idle is not None:
            self._idle.end()
            self._idle = None

    def forget(self) -> None:
        if self._idle is not None:
            self._idle.forget()


_processes = _Processes()


def close() -> None:
    """End the process, if one is idle. The next film starts another."""
    _processes.close()


def _after_fork() -> None:
    global _processes
    _processes.forget()
    _processes = _Processes()


atexit.register(close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def ask(cut: Cut, kind: str, *, write: Write | None = None, progress: Progress | None = None) -> Answer:
    """Have a cut planned (`plan`) or made (`film`).

    Raises:
        PieceRefused: a file of it cannot be used.
        FilmError: the process cannot be started, or came to an end.
        OSError: `write` raised it.
    """
    content = json.dumps(_told(cut)).encode()
    with _processes.turn:
        try:
            worker = _processes.take()
            try:
                last = _heard(worker, {"kind": kind}, content, write, progress)
            except Died as error:
                if not error.was_idle:
                    raise
                # It had had nothing to do for long, and ended just now.
                worker = Worker(_MODULE)
                last = _heard(worker, {"kind": kind}, content, write, progress)
        except CannotStart as error:
            raise FilmError(
                f"No process can be started to join the clips: {one_line(str(error), 200)}."
            ) from error
        except TookTooLong as error:
            raise FilmError(
                f"Joining the clips made no progress for {_SILENT:.0f} s, and was ended."
            ) from error
        except Died as error:
            raise FilmError(
                f"The process that joins the clips came to an end: {one_line(str(error), 200)}."
            ) from error
        _processes.give_back(worker, last.grown)
    if last.fault is not None:
        _refuse(cut, last.fault)
    if last.failed is not None or last.plan is None:
        raise FilmError(f"The clips cannot be joined: {one_line(last.failed or 'no reason is given', 300)}.")
    return Answer(plan=_plan(cut, last.plan), notes=tuple(one_line(note, 300) for note in last.notes))


def _heard(
    worker: Worker,
    message: dict[str, Any],
    content: bytes,
    write: Write | None,
    progress: Progress | None,
) -> _Last:
    """All answers up to the last one."""
    is_over = False
    try:
        for answer, data in worker.converse(message, content, _SILENT, most=_MOST):
            if answer.get("done"):
                last = _Last.model_validate(answer)
                is_over = True
                return last
            at, made, frames = (answer.get(name) for name in ("at", "made", "of"))
            if data:
                if write is None or not isinstance(at, int) or not 0 <= at <= _FILM - len(data):
                    raise Died("it sent what is no part of a film of these clips", was_idle=False)
                write(at, data)
            elif progress is not None and isinstance(made, int) and isinstance(frames, int):
                progress(made, frames)
    except ValidationError as error:
        raise Died("its answer cannot be read", was_idle=False) from error
    finally:
        if not is_over:
            worker.end()
    raise Died("it said nothing", was_idle=False)


def _told(cut: Cut) -> dict[str, Any]:
    """The cut, with FFmpeg's name of each file's demuxer."""
    pieces = []
    for number, piece in enumerate(cut.pieces):
        pieces.append(
            {
                "source": _source(piece.path, number, _video),
                "keeps_sound": piece.sound,
                "narration": piece.narration and _source(piece.narration, number, _sound, "narration"),
                "caption": one_line(piece.caption),
                "crossfade": piece.crossfade,
                "repeats_first": piece.repeats_first,
            }
        )
    music = cut.music
    return {
        **cut.model_dump(
            mode="json", include={"width", "height", "crf", "preset", "fade_in", "fade_out", "captions"}
        ),
        "fps": cut.rate and [cut.rate.numerator, cut.rate.denominator],
        "pieces": pieces,
        "music": music
        and {
            "source": _source(music.path, None, _sound, "music"),
            **music.model_dump(include={"loop", "gain_db", "duck_db", "fade"}),
        },
    }


def _source(
    path: Path, piece: int | None, container_in: Callable[[bytes], str], role: str = ""
) -> dict[str, str]:
    try:
        if not path.is_file():
            raise _Unusable("is not there" if not path.exists() else "is not a file")
        with path.open("rb") as file:
            container = container_in(file.read(HEAD))
        if not role and (missing := missing_part(path, container)):
            raise _Unusable(missing)
    except OSError as error:
        raise PieceRefused(
            f"{_named(path, piece, role)} cannot be read: {error.strerror}.", piece=_from_one(piece)
        ) from error
    except _Unusable as error:
        raise PieceRefused(
            f"{_named(path, piece, role)} {error}.", piece=_from_one(piece), remedy=_REMEDY
        ) from error
    return {"path": os.fsencode(path.absolute()).decode("latin-1"), "container": container}


class _Unusable(Exception):
    """The words finish "Piece 3 (name) …"."""


_REMEDY = "Replace it, or leave it out of the cut."


def _video(head: bytes) -> str:
    container = container_of(head)
    if container is None:
        why = why_no_video(head) or "The file is in no format that can be opened here."
        raise _Unusable(why.rstrip(".").replace("The file ", "", 1))
    return container


def _sound(head: bytes) -> str:
    if (found := sound_container(head)) is None:
        raise _Unusable(f"is no sound file: {SOUND_FORMATS} can be used")
    return found


def _refuse(cut: Cut, fault: _Fault) -> NoReturn:
    words = one_line(fault.words, 300)
    remedy = one_line(fault.remedy, 200) or _REMEDY
    if fault.piece is not None and fault.piece < len(cut.pieces):
        piece = cut.pieces[fault.piece]
        path = piece.narration if fault.role == "narration" and piece.narration else piece.path
        raise PieceRefused(
            f"{_named(path, fault.piece, fault.role)} {words}.", piece=fault.piece + 1, remedy=remedy
        )
    if fault.role == "music" and cut.music is not None:
        raise PieceRefused(f"{_named(cut.music.path, None, 'music')} {words}.", piece=None, remedy=remedy)
    raise PieceRefused(words if words.endswith(".") else f"{words}.", piece=None, remedy=fault.remedy or None)


def _named(path: Path, piece: int | None, role: str) -> str:
    name = one_line(path.name, 80)
    if piece is None:
        return f"The {role} ({name})"
    return f"The {role} of piece {piece + 1} ({name})" if role else f"Piece {piece + 1} ({name})"


def _from_one(piece: int | None) -> int | None:
    return None if piece is None else piece + 1


def _plan(cut: Cut, told: dict[str, Any]) -> JoinPlan:
    try:
        pieces = told["pieces"]
        if len(pieces) != len(cut.pieces):
            raise FilmError("The process that joins clips gave an answer about other clips.")
        named = [{**one, "path": piece.path} for one, piece in zip(pieces, cut.pieces, strict=True)]
        return JoinPlan.model_validate({**told, "pieces": named})
    except (ValidationError, KeyError, TypeError) as error:
        raise FilmError("The process that joins clips gave an answer that cannot be read.") from error
