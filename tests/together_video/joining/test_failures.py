"""What cannot be joined: each error names the piece and what to do, and no part of a film is left."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.together_video.joining.conftest import MakeClip
from together_video.errors import FilmError, NoRoomForFilm, PieceRefused
from together_video.joining import conversation
from together_video.joining.cuts import Cut, Music, Piece
from together_video.joining.join import join, planned

linux = pytest.mark.skipif(sys.platform != "linux", reason="/proc and limits of memory are Linux's")


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def refused(cut: Cut, folder: Path) -> PieceRefused:
    """The error of making it and of planning it, which are the same."""
    with pytest.raises(PieceRefused) as made:
        join(cut, folder / "film.mp4")
    with pytest.raises(PieceRefused) as told:
        planned(cut)
    assert made.value.message == told.value.message
    assert left_in(folder) == []
    return made.value


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, r"^Piece 2 \(odd\.mp4\) does not exist\."),
        (b"", r"^Piece 2 \(odd\.mp4\) is empty"),
        (b"<html>" * 20, r"^Piece 2 \(odd\.mp4\) is a web page"),
        (b"#EXTM3U\nfile:///etc/passwd\n" * 9, r"^Piece 2 \(odd\.mp4\) is plain text"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isomavc1", r"^Piece 2 \(odd\.mp4\) "),
        (b"\x1a\x45\xdf\xa3" + b"\xff" * 300, r"^Piece 2 \(odd\.mp4\) cannot be opened as a video"),
    ],
)
def test_what_is_no_clip(clip: MakeClip, tmp_path: Path, content: bytes | None, words: str) -> None:
    """By its number and its name, and with what to do."""
    odd = tmp_path / "odd.mp4"
    if content is not None:
        odd.write_bytes(content)
    folder = tmp_path / "films"
    folder.mkdir()
    error = refused(Cut(pieces=[Piece(path=clip()), Piece(path=odd)]), folder)
    assert error.piece == 2
    assert error.message.endswith("Replace it, or leave it out of the cut.")
    with pytest.raises(PieceRefused, match=words):
        planned(Cut(pieces=[Piece(path=clip()), Piece(path=odd)]))


@pytest.mark.parametrize("part", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("encodes", [False, True])
def test_a_clip_that_is_cut_short(clip: MakeClip, tmp_path: Path, part: float, encodes: bool) -> None:
    """Its index stands at its beginning, and frames are missing: nothing is made of it."""
    whole = clip(frames=60, size=(160, 96), options=(("preset", "ultrafast"), ("qp", "4")))
    good = join(Cut(pieces=[Piece(path=whole)]), tmp_path / "whole.mp4").path
    data = good.read_bytes()
    begin = data.index(b"mdat")
    short = tmp_path / "short.mp4"
    short.write_bytes(data[: begin + int((len(data) - begin) * part)])
    folder = tmp_path / "films"
    folder.mkdir()
    cut = Cut(
        pieces=[Piece(path=whole), Piece(path=short)],
        width=64 if encodes else None,
        height=48 if encodes else None,
    )
    with pytest.raises(PieceRefused, match=r"^Piece 2 \(short\.mp4\) is cut short") as caught:
        join(cut, folder / "film.mp4")
    assert caught.value.piece == 2
    assert left_in(folder) == []


def test_noise_in_a_clip(clip: MakeClip, tmp_path: Path) -> None:
    """It may be joined or refused; it is never a crash, and nothing is left."""
    path = clip(frames=30, sound=True)
    data = path.read_bytes()
    folder = tmp_path / "films"
    folder.mkdir()
    for number in range(12):
        odd = bytearray(data)
        for at in range(40 + 97 * number, len(odd), 1511 + 13 * number):
            odd[at] ^= 0x55
        broken = tmp_path / "broken.mp4"
        broken.write_bytes(odd)
        pieces = [Piece(path=path), Piece(path=broken, crossfade=0.2 if number % 2 else 0)]
        refusals = []
        try:
            join(Cut(pieces=pieces), folder / "film.mp4").path.unlink()
        except PieceRefused as error:
            refusals.append(error.piece)
        assert refusals in ([], [2])
        assert left_in(folder) == []


def test_a_piece_shorter_than_its_crossfades(clip: MakeClip, tmp_path: Path) -> None:
    """Both lengths are named."""
    folder = tmp_path / "films"
    folder.mkdir()
    pieces = [Piece(path=clip()), Piece(path=clip(), crossfade=0.6), Piece(path=clip(), crossfade=0.6)]
    error = refused(Cut(pieces=pieces), folder)
    assert error.message == (
        "Piece 2 (clip1.mp4) lasts 1.00 s, but its transitions need 1.17 s. "
        "Shorten the crossfades, or leave them out."
    )
    error = refused(Cut(pieces=[Piece(path=clip())], fade_in=0.6, fade_out=0.6), folder)
    assert error.message == "The film lasts 1.0 s, but its fades are longer. Shorten them."


def test_sound_files_that_cannot_be_used(clip: MakeClip, tmp_path: Path) -> None:
    """Narration and music are named as what they are."""
    text = tmp_path / "told.txt"
    text.write_text("words " * 50)
    folder = tmp_path / "films"
    folder.mkdir()
    error = refused(Cut(pieces=[Piece(path=clip(), narration=text)]), folder)
    assert error.message.startswith("The narration of piece 1 (told.txt) is not a sound file")
    error = refused(Cut(pieces=[Piece(path=clip())], music=Music(path=tmp_path / "gone.mp3")), folder)
    assert error.message.startswith("The music (gone.mp3) does not exist.")
    with pytest.raises(PieceRefused, match=r"^The music \(mute.mp4\) has no sound\."):
        join(Cut(pieces=[Piece(path=clip())], music=Music(path=clip("mute.mp4"))), folder / "film.mp4")
    assert left_in(folder) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk(clip: MakeClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """It says so, leaves no part, and what lay there stays; the next film is made."""
    cut = Cut(pieces=[Piece(path=clip(frames=60, size=(320, 240)))] * 2)
    folder = tmp_path / "films"
    folder.mkdir()
    (folder / "film.mp4").write_bytes(b"before")

    def full(*_: Any) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(NoRoomForFilm, match="There is no room for the film in"):
        join(cut, folder / "film.mp4")
    monkeypatch.undo()
    assert left_in(folder) == ["film.mp4"]
    assert (folder / "film.mp4").read_bytes() == b"before"
    assert join(cut, folder / "film.mp4").frames == 120


def test_ctrl_c_leaves_nothing(clip: MakeClip, tmp_path: Path) -> None:
    """Neither a part nor a process."""
    cut = Cut(pieces=[Piece(path=clip(frames=60))], width=640, height=480)
    folder = tmp_path / "films"
    folder.mkdir()

    def stop(*_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        join(cut, folder / "film.mp4", progress=stop)
    assert left_in(folder) == []
    assert conversation._processes._idle is None


def test_a_process_that_dies(clip: MakeClip, tmp_path: Path) -> None:
    """One that was idle is replaced without a word."""
    import signal

    cut = Cut(pieces=[Piece(path=clip())])
    planned(cut)
    worker = conversation._processes._idle
    assert worker is not None
    os.kill(worker.pid, signal.SIGTERM)
    assert planned(cut).frames == 24, "it ignores what ends other programs"
    conversation.close()
    assert join(cut, tmp_path / "film.mp4").frames == 24


@linux
def test_the_process_is_limited(clip: MakeClip) -> None:
    """It writes no file, opens few, and has no secret."""
    planned(Cut(pieces=[Piece(path=clip())]))
    worker = conversation._processes._idle
    assert worker is not None
    lines = Path(f"/proc/{worker.pid}/limits").read_text().splitlines()[1:]
    limits = {line[:26].strip(): line[26:].split()[0] for line in lines}
    assert (limits["Max core file size"], limits["Max file size"], limits["Max open files"]) == (
        "0",
        "0",
        "32",
    )
    assert 0 < int(limits["Max data size"]) < 1 << 30
    assert b"HOME" not in Path(f"/proc/{worker.pid}/environ").read_bytes()


def test_an_answer_that_cannot_be_believed(
    clip: MakeClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process has seen bytes of others."""
    cut = Cut(pieces=[Piece(path=clip())])

    answers = [
        ({"at": -1}, b"x"),
        ({"at": 1 << 50}, b"x"),
        ({"at": "0"}, b"x"),
        ({"done": True, "grown": 0, "plan": {"pieces": []}}, b""),
        ({"done": True, "grown": 0, "plan": {"pieces": [{}], "width": 10**9}}, b""),
        ({"done": True, "grown": 0, "more": 1}, b""),
    ]
    left = iter(answers)
    converse = "together_video.joining.conversation.Worker.converse"
    monkeypatch.setattr(converse, lambda *_, **__: iter([next(left)]))
    for _ in answers:
        with pytest.raises(FilmError, match="process that joins"):
            join(cut, tmp_path / "film.mp4")
    assert [name for name in left_in(tmp_path) if not name.startswith("clip")] == []
