"""From a storyboard and its clips to the cut of the film, and to the id derived from it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import JsonValue

from together_video.film.plan import FilmPlan
from together_video.film.shots import Shot
from together_video.joining import cuts
from together_video.joining.films import JoinPlan


def cut_of(plan: FilmPlan, clips: Mapping[int, str], sounds: Mapping[str, str]) -> dict[str, JsonValue]:
    """Everything that determines a film: equal cuts give equal films.

    Args:
        clips: the SHA-256 of each shot's clip, by the shot's number.
        sounds: the SHA-256 of each sound file, by the text that names it.
    """
    board = plan.storyboard
    cut = board.cut.model_dump(mode="json")
    if board.cut.music is not None:
        cut["music"]["file"] = sounds[board.cut.music.file]
    shots: list[JsonValue] = [
        {
            "clip": clips[one.number],
            "continues": one.shot.is_chained,
            "transition": one.shot.transition.model_dump(mode="json"),
            "caption": one.shot.caption,
            "own": one.shot.audio.own,
            "narration": one.shot.audio.narration and sounds[one.shot.audio.narration],
        }
        for one in plan.shots
    ]
    return {"title": board.title, **cut, "shots": shots}


def film_id(cut: Mapping[str, JsonValue]) -> str:
    """The id of a film: 24 hexadecimal digits of a SHA-256 of its cut."""
    text = json.dumps(cut, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def placed(joined: JoinPlan, number: int) -> dict[str, float | int]:
    """Where the shot with this number is in a planned or finished film."""
    piece = joined.pieces[number - 1]
    return {
        "start": piece.start,
        "seconds": float((piece.until - piece.first_frame) / joined.fps),
        "encoded": piece.encoded,
    }


def cut_for_joining(plan: FilmPlan, clips: Mapping[int, Path], sounds: Mapping[str, Path]) -> cuts.Cut:
    """The cut with files on this machine: each shot's clip by its number, each sound by the text that names it."""
    said = plan.storyboard.cut
    music = said.music
    return cuts.Cut(
        pieces=tuple(_piece(one.shot, clips[one.number], sounds) for one in plan.shots),
        music=None
        if music is None
        else cuts.Music(
            path=sounds[music.file],
            loop=music.loop,
            gain_db=min(12, music.gain_db),
            duck_db=music.duck_db,
            fade=min(30, music.fade),
        ),
        width=said.width,
        height=said.height,
        fps=said.fps,
        crf=said.crf,
        preset=said.preset,
        fade_in=min(30, said.fade_in),
        fade_out=min(30, said.fade_out),
        captions=said.captions.value,
    )


def _piece(shot: Shot, clip: Path, sounds: Mapping[str, Path]) -> cuts.Piece:
    crossfade = min(30, shot.transition.seconds)
    narration = shot.audio.narration
    return cuts.Piece(
        path=clip,
        sound=shot.audio.own == "keep",
        narration=None if narration is None else sounds[narration],
        caption=shot.caption or "",
        crossfade=crossfade,
        # In a crossfade both shots are visible, so no frame seems to freeze.
        repeats_first=shot.is_chained and not crossfade,
    )
