"""Captions beside the film and in a track, and the edit list for editors."""

from __future__ import annotations

from pathlib import Path

import av
import opentimelineio as otio
import pytest
from pydantic import ValidationError

from tests.together_video.joining.conftest import MakeClip
from together_video.joining.captions import webvtt
from together_video.joining.cuts import Cut, Music, Piece
from together_video.joining.edit_lists import edit_list
from together_video.joining.join import join, planned


def test_webvtt(clip: MakeClip) -> None:
    """Each caption while its piece is shown; nothing in it is a mark, a line of its own or a time."""
    hostile = "A <c.red>kite</c>\n\nNOTE x\n00:00:00.000 --> 00:01:00.000\n& more of it " + "very " * 20
    pieces = [
        Piece(path=clip(), caption=hostile),
        Piece(path=clip(base=90), crossfade=0.25),
        Piece(path=clip(), caption="End"),
    ]
    cut = Cut(pieces=pieces, captions="vtt")
    text = webvtt(cut, planned(cut))
    head, first, last = text.strip().split("\n\n")
    assert head == "WEBVTT"
    assert first.splitlines()[0] == "00:00:00.000 --> 00:00:00.750"
    assert "&lt;c.red&gt;kite&lt;/c&gt;" in first
    assert first.count("-->") == 1
    assert max(map(len, first.splitlines()[1:])) <= 60
    assert last == "00:00:01.750 --> 00:00:02.750\nEnd"


def test_a_track_of_text(clip: MakeClip, tmp_path: Path) -> None:
    """At the times of the pieces, nothing between them, whatever the text."""
    cut = Cut(
        pieces=[Piece(path=clip()), Piece(path=clip(), caption="Ein Drachen 風 <b>"), Piece(path=clip())] * 2,
        captions="track",
    )
    film = join(cut, tmp_path / "film.mp4")
    assert film.encoded == ()
    with av.open(str(film.path)) as opened:
        stream = opened.streams.subtitles[0]
        found = [
            (
                float(one.pts * stream.time_base),
                float((one.duration or 0) * stream.time_base),
                bytes(one)[2:].decode(),
            )
            for one in opened.demux(stream)
            if one.size > 2
        ]
    assert found == [(1.0, 1.0, "Ein Drachen 風 <b>"), (4.0, 1.0, "Ein Drachen 風 <b>")]


def test_an_edit_list(clip: MakeClip, tmp_path: Path) -> None:
    """Editors see the cut: each clip, its part, crossfades, captions and sound."""
    paths = [clip(sound=True), clip(base=80), clip(sound=True)]
    cut = Cut(
        pieces=[
            Piece(path=paths[0], caption="One"),
            Piece(path=paths[1], crossfade=0.5),
            Piece(path=paths[2], repeats_first=True, narration=paths[0]),
        ],
        music=Music(path=paths[0]),
    )
    plan = planned(cut)
    text = edit_list(cut, plan, title="A film\n", link=lambda path: f"shots/{path.name}")
    timeline = otio.adapters.read_from_string(text, "otio_json")
    pictures, *sounds = timeline.tracks
    clips = list(pictures.find_clips())
    assert [one.media_reference.target_url for one in clips] == [f"shots/{path.name}" for path in paths]
    assert [one.source_range.duration.value for one in clips] == [18, 17, 24]
    assert [one.source_range.start_time.value for one in clips] == [0, 6, 0]
    assert pictures.duration().value == plan.frames == 59
    assert clips[0].markers[0].name == "One"
    (fade,) = (one for one in pictures if isinstance(one, otio.schema.Transition))
    assert (fade.in_offset.value, fade.out_offset.value) == (6, 6)
    assert [track.name for track in sounds] == ["Sound", "Narration", "Music"]
    assert {track.duration().value for track in sounds} == {59}
    assert text == edit_list(cut, plan, title="A film\n", link=lambda path: f"shots/{path.name}")
    assert paths[0].as_uri() in edit_list(cut, plan, title="x")


@pytest.mark.parametrize("wrong", [{"crossfade": 1.0}, {"repeats_first": True}])
def test_the_first_piece_has_none_before_it(wrong: dict[str, object]) -> None:
    """A cut says so before anything is opened."""
    with pytest.raises(ValidationError, match="the first piece has no piece before it"):
        Cut(pieces=[Piece.model_validate({"path": "a.mp4", **wrong})])
