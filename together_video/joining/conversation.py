"""The process that joins clips, seen from the parent: what it is asked, and how far its answers are trusted."""

from __future__ import annotations

import atexit
import json
import os
import threading
from collections.abc import Callable
from typing import Any, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from together_video.errors import FilmError, PieceRefused
from together_video.joining import sources
from together_video.joining.cuts import Cut
from together_video.joining.films import JoinPlan
from together_video.media.isolation.process import CannotStart, Died, TookTooLong, Worker
from together_video.text import one_line

#: Called with the number of finished frames and of all frames.
Progress = Callable[[int, int], None]
#: Called with a position in the film's file, and the bytes to write there.
Write = Callable[[int, bytes], None]

_MODULE = "together_video.joining.isolated.worker"
#: Seconds of silence after which the process is killed. A film has no time limit, but every message is progress.
_SILENT = 120.0
#: Bytes of the longest message, the plan of a thousand pieces.
_MOST = 4 << 20
#: Bytes that it may have grown by before a new process replaces it.
_GROWN = 48 << 20
#: Bytes of the largest film: a fence, in case a clip has taken over the process.
_FILM = 256 << 30


class _Fault(BaseModel):
    model_config = ConfigDict(extra="forbid")

    words: str = Field(max_length=500)
    piece: int | None = Field(default=None, ge=0, lt=1000)
    role: str = Field(default="", max_length=20)
    remedy: str = Field(default="", max_length=300)


class _Last(BaseModel):
    """The last answer. The process has read untrusted bytes, so only this form is accepted."""

    model_config = ConfigDict(extra="forbid")

    done: bool
    grown: int = Field(ge=0)
    failed: str | None = Field(default=None, max_length=500)
    fault: _Fault | None = None
    plan: dict[str, Any] | None = None
    notes: tuple[str, ...] = Field(default=(), max_length=100)


class Answer(BaseModel):
    """How the film is, or would be, made, and remarks about it."""

    plan: JoinPlan
    notes: tuple[str, ...] = ()


class _Processes:
    """At most one works at a time, because films take much memory. An idle one waits for the next film."""

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
    """End the idle process, if there is one. The next film starts another."""
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
        PieceRefused: one of its files cannot be used.
        FilmError: the process cannot be started, or it ended unexpectedly.
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
                # It was idle for long and has just ended.
                worker = Worker(_MODULE)
                last = _heard(worker, {"kind": kind}, content, write, progress)
        except CannotStart as error:
            raise FilmError(
                f"Cannot start a process to join the clips: {one_line(str(error), 200)}."
            ) from error
        except TookTooLong as error:
            raise FilmError(
                f"Joining the clips made no progress for {_SILENT:.0f} s and was stopped."
            ) from error
        except Died as error:
            raise FilmError(
                f"The process that joins the clips ended: {one_line(str(error), 200)}."
            ) from error
        _processes.give_back(worker, last.grown)
    if last.fault is not None:
        _refuse(cut, last.fault)
    if last.failed is not None or last.plan is None:
        raise FilmError(f"The clips cannot be joined: {one_line(last.failed or 'no reason given', 300)}.")
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
                    raise Died("it sent data that does not belong to this film", was_idle=False)
                write(at, data)
            elif progress is not None and isinstance(made, int) and isinstance(frames, int):
                progress(made, frames)
    except ValidationError as error:
        raise Died("its answer cannot be read", was_idle=False) from error
    finally:
        if not is_over:
            worker.end()
    raise Died("it gave no answer", was_idle=False)


def _told(cut: Cut) -> dict[str, Any]:
    """The cut, with FFmpeg's name of each file's demuxer."""
    pieces = []
    for number, piece in enumerate(cut.pieces):
        pieces.append(
            {
                "source": sources.clip(piece.path, number),
                "keeps_sound": piece.sound,
                "narration": piece.narration and sources.sound(piece.narration, number, "narration"),
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
            "source": sources.sound(music.path, None, "music"),
            **music.model_dump(include={"loop", "gain_db", "duck_db", "fade"}),
        },
    }


def _refuse(cut: Cut, fault: _Fault) -> NoReturn:
    words = one_line(fault.words, 300)
    remedy = one_line(fault.remedy, 200) or sources.REMEDY
    if fault.piece is not None and fault.piece < len(cut.pieces):
        piece = cut.pieces[fault.piece]
        path = piece.narration if fault.role == "narration" and piece.narration else piece.path
        raise PieceRefused(
            f"{sources.named(path, fault.piece, fault.role)} {words}.", piece=fault.piece + 1, remedy=remedy
        )
    if fault.role == "music" and cut.music is not None:
        raise PieceRefused(
            f"{sources.named(cut.music.path, None, 'music')} {words}.", piece=None, remedy=remedy
        )
    raise PieceRefused(words if words.endswith(".") else f"{words}.", piece=None, remedy=fault.remedy or None)


def _plan(cut: Cut, told: dict[str, Any]) -> JoinPlan:
    try:
        pieces = told["pieces"]
        if len(pieces) != len(cut.pieces):
            raise FilmError("The process that joins the clips answered about other clips.")
        named = [{**one, "path": piece.path} for one, piece in zip(pieces, cut.pieces, strict=True)]
        return JoinPlan.model_validate({**told, "pieces": named})
    except (ValidationError, KeyError, TypeError) as error:
        raise FilmError("The process that joins the clips gave an unreadable answer.") from error
