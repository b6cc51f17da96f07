"""The rendered files, opened with PyAV."""

import asyncio
import io

import av
import pytest
from PIL import ImageChops, ImageStat

from together_video.sandbox.faults import FaultRule
from together_video.sandbox.rendering.clip import Clip, clip_of
from together_video.sandbox.rendering.picture import Picture
from together_video.sandbox.rendering.render import Renderer, render


def tiny(**fields) -> Clip:
    body = {"model": "m", "prompt": "A fox in the snow", "width": 96, "height": 64, "fps": 8, **fields}
    return clip_of(body, seconds=1)


@pytest.mark.parametrize(
    ("fields", "codec", "pixels"),
    [
        ({}, "h264", "yuv420p"),
        ({"width": 405, "height": 541}, "h264", "yuv444p"),
        ({"width": 270, "height": 360, "seconds": "1.5"}, "h264", "yuv420p"),
        ({"output_format": "WEBM", "seconds": 2}, "vp8", "yuv420p"),
        ({"output_format": "WEBM", "width": 135, "height": 101}, "vp8", "yuv420p"),
        ({"width": 16, "height": 16, "fps": 1}, "h264", "yuv420p"),
    ],
)
def test_files_are_what_was_asked_for(fields, codec, pixels):
    """Container, codec, size to the pixel, length, frame rate and number of frames are as requested."""
    clip = tiny(**fields)
    with av.open(io.BytesIO(render(clip))) as file:
        stream = file.streams.video[0]
        context = stream.codec_context
        assert (context.name, context.pix_fmt) == (codec, pixels)
        assert (context.width, context.height) == (clip.width, clip.height)
        assert stream.average_rate == clip.fps
        assert file.duration / av.time_base == pytest.approx(clip.seconds, abs=0.01)
        assert sum(1 for _ in file.decode(video=0)) == clip.frames


def test_index_stands_in_front():
    """An MP4 can be played while it arrives: its index comes before its pictures."""
    content = render(tiny())
    assert 0 < content.index(b"moov") < content.index(b"mdat")


def test_equal_clips_are_equal_files():
    """The same request gives the same bytes; another seed gives others."""
    assert render(tiny()) == render(tiny())
    assert render(tiny()) != render(tiny(seed=1))
    webm = tiny(output_format="WEBM")
    assert render(webm) == render(webm)


def test_it_moves_and_can_be_told_apart():
    """Frames differ from each other, and prompts differ in their colours."""
    fox, sea = Picture(tiny(), halved=True), Picture(tiny(prompt="The sea at night"), halved=True)
    assert ImageChops.difference(fox.image(0), fox.image(4)).getbbox() is not None
    fox_mean, sea_mean = (ImageStat.Stat(picture.image(0)).mean for picture in (fox, sea))
    assert max(abs(one - other) for one, other in zip(fox_mean, sea_mean, strict=True)) > 10


@pytest.mark.parametrize("prompt", ["狐狸 в снегу 🦊", "x" * 5000, "\x00\u202e \n", "word " * 6400])
def test_any_prompt_can_be_drawn(prompt):
    """Other scripts, endless words, control characters and 32,000 letters are drawn in the asked size."""
    assert Picture(tiny(prompt=prompt), halved=True).image(0).size == (96, 64)


def test_wrong_videos():
    """The faults of length and size change the clip, and nothing else does."""
    body = {
        "model": "m",
        "prompt": "x",
        "width": 100,
        "height": 60,
    }
    short = clip_of(body, seconds=4, fate=FaultRule(on="create", kind="wrong_length_video"))
    small = clip_of(body, seconds=4, fate=FaultRule(on="create", kind="wrong_size_video"))
    assert (short.seconds, short.width) == (2, 100)
    assert (small.width, small.height, small.seconds) == (50, 30, 4)
    # Encoders need even sides, and players a picture.
    assert [(one.width, one.height) for one in (small.scaled(0.5), small.scaled(0.01))] == [
        (24, 16),
        (16, 16),
    ]


@pytest.mark.anyio
async def test_equal_requests_are_rendered_once(monkeypatch):
    """Fifty equal clips are rendered once, and the event loop keeps running."""
    rendered: list[Clip] = []

    def count(clip: Clip) -> bytes:
        rendered.append(clip)
        return b"file"

    monkeypatch.setattr("together_video.sandbox.rendering.render.render", count)
    renderer = Renderer(2)
    files = await asyncio.gather(*(renderer.start(tiny()) for _ in range(50)))
    assert await renderer.wait(tiny(), 5)
    assert set(files) == {b"file"}
    assert len(rendered) == 1
    renderer.close()
