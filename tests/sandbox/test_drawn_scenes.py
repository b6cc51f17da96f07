"""Prompts about a lighthouse and a ship, drawn."""

from __future__ import annotations

import array
from dataclasses import replace

import pytest

from together_video.sandbox.rendering.clip import SAMPLE_RATE, Clip, Keyframe, Still, clip_of
from together_video.sandbox.rendering.seaside.picture import DrawnPicture
from together_video.sandbox.rendering.sound import samples_of

SCENE = "Sunset, a lighthouse by a calm sea. At night the lamp of the lighthouse is lit."


def drawn(prompt: str = SCENE, **fields: object) -> Clip:
    body = {"model": "m", "prompt": prompt, "width": 96, "height": 64, "fps": 8, **fields}
    return clip_of(body, seconds=1, drawn=True)


def test_a_scene_is_drawn_where_that_is_wanted_and_known() -> None:
    """Each sentence is a moment: it begins in the light of the first one, and ends in that of the last."""
    assert drawn().drawn
    assert not drawn("a fox in the snow").drawn
    assert not clip_of({"model": "m", "prompt": SCENE}, seconds=1).drawn
    picture = DrawnPicture(drawn(), halved=True)
    first, last = (sum(picture.image(number).resize((1, 1)).getpixel((0, 0))) for number in (0, 7))
    assert first > 2 * last


def test_a_drawn_clip_begins_with_the_frame_that_it_is_given() -> None:
    """So that a shot continues another, whatever its words say."""
    red = Still(96, 64, bytes((200, 10, 10)) * (96 * 64))
    picture = DrawnPicture(replace(drawn(), keyframes=(Keyframe(0, red),)), halved=True)
    near = [abs(a - b) for a, b in zip(picture.image(0).getpixel((40, 20)), (200, 10, 10), strict=True)]
    assert max(near) < 6


@pytest.mark.parametrize("size", [(16, 16), (97, 33), (33, 97)])
@pytest.mark.parametrize(
    "prompt", ["a ship", "the lighthouse is close and lit. A tiny ship in a storm at night"]
)
def test_a_scene_of_any_size(size: tuple[int, int], prompt: str) -> None:
    """No picture is too small or too odd."""
    clip = drawn(prompt, width=size[0], height=size[1])
    picture = DrawnPicture(clip, halved=False)
    assert {picture.image(number).size for number in range(8)} == {size}


def test_the_sea_is_heard_unless_no_sound_is_wanted() -> None:
    """As long as the clip, and never at its limits."""
    samples = array.array("h", samples_of(drawn()))
    assert len(samples) == SAMPLE_RATE
    assert 500 < max(samples) < 30_000
    assert samples_of(drawn(generate_audio=False)) == b""
