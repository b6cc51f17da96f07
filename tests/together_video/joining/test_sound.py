"""Sound of a film: in step over ten minutes, silent where a piece is, mixed with narration and music."""

from __future__ import annotations

import array
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import pytest

from tests.together_video.joining.conftest import MakeClip
from tests.together_video.joining.test_copies import assert_plays, packets
from together_video.joining.cuts import Cut, Music, Piece
from together_video.joining.join import join

RATE = 48_000


def samples(path: Path, begin: int = 0) -> array.array[float]:
    """The first channel, as a player hears it: from this second on, gaps as silence."""
    found = array.array("f")
    with av.open(str(path)) as opened:
        if begin:
            opened.seek(begin * av.time_base)
        resampler = av.AudioResampler("fltp", "stereo", RATE)
        for frame in opened.decode(audio=0):
            due = round((frame.pts * frame.time_base - begin) * RATE)
            found.extend([0.0] * max(0, due - len(found)))
            for made in resampler.resample(frame):
                piece = array.array("f")
                piece.frombytes(bytes(made.planes[0])[: made.samples * 4])
                found.extend(piece[max(0, len(found) - due) :] if due < len(found) - 2000 else piece)
    return found


def loudness(heard: array.array[float], begin: float, end: float) -> float:
    """The root of the mean square between two seconds."""
    part = heard[round(begin * RATE) : round(end * RATE)]
    return math.sqrt(sum(value * value for value in part) / max(1, len(part)))


def share(heard: array.array[float], tone: float, begin: float) -> float:
    """How much of a tone there is in the tenth of a second from here on."""
    part = heard[round(begin * RATE) : round((begin + 0.1) * RATE)]
    angle = 2 * math.pi * tone / RATE
    sums = [sum(v * f(angle * n) for n, v in enumerate(part)) for f in (math.sin, math.cos)]
    return math.hypot(*sums) / len(part)


def clicks(heard: array.array[float], least: float = 0.15) -> list[float]:
    """Seconds at which it becomes loud."""
    found: list[float] = []
    for number, value in enumerate(heard):
        if abs(value) > least and (not found or number / RATE - found[-1] > 0.2):
            found.append(number / RATE)
    return found


@pytest.mark.parametrize(("sound_rate", "off"), [(48_000, -0.013), (44_100, 0.017)])
def test_ten_minutes_stay_in_step(clip: MakeClip, tmp_path: Path, off: float, sound_rate: int) -> None:
    """Each clip's sound is some ms longer or shorter than its pictures; after 120 of them each still begins with its
    pictures, to less than half a frame. Packets are copied.
    """
    path = clip(
        frames=40, fps=8, size=(16, 16), sound=True, clicks=True, seconds_of_sound=5 + off, rate=sound_rate
    )
    film = join(Cut(pieces=[Piece(path=path)] * 120), tmp_path / "film.mp4")
    assert (film.seconds, film.sound) == (600.0, "copied")
    times = [time for time, *_ in packets(film.path, "audio")]
    step = times[2] - times[1]
    assert [after - before for before, after in pairwise(times)] == [step] * (len(times) - 1)
    assert abs(float(times[-1] + step) - 600) < 0.05
    # Where each click is, from the packet of the clip that it is in.
    own = [data for *_, data in packets(path, "audio")]
    begun = [float(time) for time, _, data in packets(film.path, "audio") if data == own[1]]
    assert len(begun) == 120
    assert max(abs(time - 5 * number) for number, time in enumerate(begun)) < 0.0125
    last = [time for time in clicks(samples(film.path, 590)) if time > 4.5]
    assert last[0] == pytest.approx(5, abs=0.02)
    assert_plays(film.path)


def test_encoded_sound_stays_in_step(clip: MakeClip, tmp_path: Path) -> None:
    """To a few samples, as every piece begins at its own."""
    path = clip(frames=10, fps=8, size=(16, 16), sound=True, clicks=True, seconds_of_sound=1.27)
    film = join(Cut(pieces=[Piece(path=path)] * 60, fade_out=0.1), tmp_path / "film.mp4")
    assert film.sound_why == "the film fades in or out"
    found = clicks(samples(film.path))
    begins = [min(found, key=lambda time, at=1.25 * number: abs(time - at)) for number in range(60)]
    assert max(abs(time - 1.25 * number) for number, time in enumerate(begins)) < 0.003


def test_silence_where_a_piece_has_no_sound(clip: MakeClip, tmp_path: Path) -> None:
    """Or where its sound is left out; the others' packets are copied all the same."""
    loud, mute = clip(sound=True), clip(base=100)
    pieces = [Piece(path=mute), Piece(path=loud), Piece(path=loud, sound=False), Piece(path=loud)]
    film = join(Cut(pieces=pieces), tmp_path / "film.mp4")
    heard = samples(film.path)
    assert film.sound == "copied"
    assert [one.has_sound for one in film.pieces] == [False, True, False, True]
    assert len(heard) / RATE == pytest.approx(4, abs=0.025)
    assert [loudness(heard, n + 0.1, n + 0.9) > 0.1 for n in range(4)] == [False, True, False, True]
    assert loudness(heard, 2.1, 2.9) < 0.0005
    own = {data for *_, data in packets(loud, "audio")}
    assert sum(data in own for *_, data in packets(film.path, "audio")) > 85
    assert_plays(film.path)


def test_no_track_where_nothing_is_heard(clip: MakeClip, tmp_path: Path) -> None:
    """Neither where the pieces have none, nor where it is left out."""
    cut = Cut(pieces=[Piece(path=clip()), Piece(path=clip(sound=True), sound=False)])
    film = join(cut, tmp_path / "film.mp4")
    with av.open(str(film.path)) as opened:
        assert (film.sound, len(opened.streams.audio)) == ("none", 0)


def test_sound_fades_with_the_pictures(clip: MakeClip, tmp_path: Path) -> None:
    """Two tones: one goes as the other comes, and none is cut off."""
    one, two = clip(frames=48, sound=True, tone=300), clip(frames=48, sound=True, tone=1500)
    film = join(Cut(pieces=[Piece(path=one), Piece(path=two, crossfade=1)]), tmp_path / "film.mp4")
    heard = samples(film.path)

    first, second = (
        [share(heard, tone, begin) for begin in (0.4, 1.1, 1.45, 1.8, 2.4)] for tone in (300, 1500)
    )
    assert first == sorted(first, reverse=True)
    assert second == sorted(second)
    assert first[2] == pytest.approx(second[2], rel=0.25)
    assert len(heard) / RATE == pytest.approx(3, abs=0.01)


def wave(path: Path, seconds: float, tone: float, *, rate: int = 22_050, peak: int = 9000) -> Path:
    import struct
    import wave as wav

    with wav.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        values = [round(peak * math.sin(2 * math.pi * tone * n / rate)) for n in range(round(seconds * rate))]
        out.writeframes(struct.pack(f"<{len(values)}h", *values))
    return path


def test_music_loops_and_steps_back(clip: MakeClip, tmp_path: Path) -> None:
    """It is there to the end, quieter beside a piece with sound, and fades at both ends."""
    music = wave(tmp_path / "music.wav", 0.7, 600)
    pieces = [
        Piece(path=clip(frames=48)),
        Piece(path=clip(frames=48, sound=True, tone=0)),
        Piece(path=clip(frames=48)),
    ]
    tune = Music(path=music, gain_db=0, duck_db=-20, fade=0.5)
    film = join(Cut(pieces=pieces, music=tune), tmp_path / "film.mp4")
    heard = samples(film.path)
    full = loudness(heard, 1, 1.9)
    assert full == pytest.approx(9000 / 32768 / math.sqrt(2), rel=0.1)
    assert loudness(heard, 2.5, 3.5) == pytest.approx(full / 10, rel=0.15)
    assert loudness(heard, 4.5, 5.4) == pytest.approx(full, rel=0.1)
    assert full / 10 < loudness(heard, 2.1, 2.2) < full
    assert loudness(heard, 0, 0.1) < full / 2
    assert loudness(heard, 5.9, 6) < full / 2


def test_loud_voices_do_not_clip(clip: MakeClip, tmp_path: Path) -> None:
    """Together they stay within what a file holds, none of them distorts, and quiet sound is left as it is."""
    told = wave(tmp_path / "told.wav", 1, 500, peak=32_000)
    tune = Music(
        path=wave(tmp_path / "music.wav", 3, 500, peak=32_000), gain_db=12, duck_db=0, loop=False, fade=0
    )
    pieces = [Piece(path=clip(frames=48, sound=True, tone=500), narration=told), Piece(path=clip(frames=48))]
    heard = samples(join(Cut(pieces=pieces, music=tune), tmp_path / "film.mp4").path)
    assert max(map(abs, heard)) < 1
    for begin in (0.4, 1.4, 2.4):
        assert loudness(heard, begin, begin + 0.1) > 0.55
        assert share(heard, 1500, begin) < 0.01 * share(heard, 500, begin)
    quiet = Music(path=tune.path, gain_db=-12, loop=False, fade=0)
    heard = samples(join(Cut(pieces=pieces[1:], music=quiet), tmp_path / "quiet.mp4").path)
    assert loudness(heard, 0.5, 1.5) == pytest.approx(
        32_000 / 32_768 / math.sqrt(2) * 10 ** (-12 / 20), rel=0.02
    )


def test_narration(clip: MakeClip, tmp_path: Path) -> None:
    """It starts with its piece, continues into the next one, and music gets quieter under it."""
    told = wave(tmp_path / "told.wav", 1.5, 500)
    pieces = [Piece(path=clip()), Piece(path=clip(), narration=told), Piece(path=clip())]
    film = join(Cut(pieces=pieces), tmp_path / "film.mp4")
    heard = samples(film.path)
    assert film.sound_why == "there is narration"
    assert loudness(heard, 0, 0.95) < 0.001
    assert loudness(heard, 1.05, 2.45) > 0.15
    assert loudness(heard, 2.55, 3) < 0.01


def test_sound_that_begins_late(clip: MakeClip, tmp_path: Path) -> None:
    """It stays late, copied or encoded."""
    source = clip(frames=48, sound=True, clicks=True)
    late = tmp_path / "late.mp4"
    with av.open(str(source)) as opened, av.open(str(late), "w") as out:
        tracks: dict[int, Any] = {
            one.index: out.add_stream_from_template(one, opaque=True) for one in opened.streams
        }
        for packet in opened.demux():
            if packet.size:
                if packet.stream.type == "audio":
                    packet.pts += RATE // 4
                    packet.dts += RATE // 4
                packet.stream = tracks[packet.stream_index]
                out.mux_one(packet)
    for fade in (0.0, 0.1):
        film = join(
            Cut(pieces=[Piece(path=clip()), Piece(path=late)], fade_out=fade), tmp_path / f"{fade}.mp4"
        )
        assert clicks(samples(film.path))[0] == pytest.approx(1.25, abs=0.015), fade
