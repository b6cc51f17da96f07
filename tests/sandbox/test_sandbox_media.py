"""Media of a request, as the sandbox fetches, judges and shows them."""

from __future__ import annotations

import asyncio
import base64
import io
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import httpx
import pytest
from PIL import Image

from together_video.sandbox.app import create_app
from together_video.sandbox.config import SandboxConfig

TINY: dict[str, Any] = {"model": "m", "prompt": "A fox", "width": 96, "height": 64, "seconds": "1", "fps": 8}
RED, BLUE, GREEN = (224, 16, 16), (16, 16, 224), (16, 200, 16)
Film = Callable[..., Any]


class Shown:
    """A rendered file: its frames as images, and the loudness of its sound."""

    def __init__(self, content: bytes) -> None:
        with av.open(io.BytesIO(content)) as file:
            self.frames = [frame.to_image() for frame in file.decode(video=0)]
            self.codecs = [stream.codec_context.codec.canonical_name for stream in file.streams]
        self.loudness = 0
        if len(self.codecs) > 1:
            with av.open(io.BytesIO(content)) as file:
                self.loudness = max(
                    max(memoryview(bytes(frame.planes[0])[: frame.samples * 4]).cast("f"))
                    for frame in file.decode(audio=0)
                )

    def is_near(self, frame: int, colour: tuple[int, int, int], at: tuple[float, float] = (0.5, 0.5)) -> bool:
        image = self.frames[frame]
        found = image.getpixel((int(image.width * at[0]), int(image.height * at[1])))
        return max(abs(one - other) for one, other in zip(found, colour, strict=True)) < 30


@pytest.fixture
def film() -> Film:
    """Creates a job in a sandbox of its own and waits for its end: what it shows, or the failed job."""

    async def make(settings: dict[str, Any] | None = None, **fields: Any) -> Any:
        config = SandboxConfig(**{"generation_seconds": 0, "model_rules": False, **(settings or {})})
        transport = httpx.ASGITransport(create_app(config))
        headers = {"authorization": "Bearer key"}
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox", headers=headers) as api:
            made = await api.post("/v2/videos", json={**TINY, **fields})
            assert made.status_code == 200, made.text
            for _ in range(100):
                job = (await api.get(f"/v2/videos/{made.json()['id']}")).json()
                if job["status"] == "completed":
                    link = await api.get(job["outputs"]["video_url"], follow_redirects=True)
                    return Shown(link.content)
                if job["status"] == "failed":
                    return job
                await asyncio.sleep(0.02)
        raise AssertionError(f"it does not end: {job}")

    return make


@pytest.mark.anyio
async def test_keyframes_lie_at_their_places(film: Film, media_server: str, media_folder: Path) -> None:
    """The first image fills the first frame and the last one the last; a numbered one lies in between."""
    red, blue = f"{media_server}/red.png", f"{media_server}/blue.jpg"
    green = io.BytesIO()
    Image.new("RGB", (50, 50), GREEN).save(green, "PNG")
    inline = f"data:image/png;base64,{base64.b64encode(green.getvalue()).decode()}"
    frames = [
        {"input_image": red, "frame": "first"},
        {"input_image": inline, "frame": 4},
        {"input_image": blue, "frame": "last"},
    ]
    shown = await film(media={"frame_images": frames})
    assert shown.is_near(0, RED)
    assert shown.is_near(4, GREEN)
    assert shown.is_near(7, BLUE)
    assert not shown.is_near(2, RED)
    assert not shown.is_near(2, GREEN)


@pytest.mark.anyio
async def test_keyframes_without_places_are_spread(film: Film, media_server: str) -> None:
    """Of three the first is the first frame, the last the last, and the other lies half way (OpenAPI)."""
    names = ("red.png", "blue.jpg", "red.png")
    shown = await film(media={"frame_images": [{"input_image": f"{media_server}/{name}"} for name in names]})
    assert shown.is_near(0, RED)
    assert shown.is_near(4, BLUE)
    assert shown.is_near(7, RED)
    assert not shown.is_near(2, RED)


@pytest.mark.anyio
async def test_keyframes_in_the_older_spelling(film: Film, media_folder: Path) -> None:
    """Bare base64 at the top level with frame 0, as the oldest document has it, and two without frames."""
    red, blue = (
        base64.b64encode((media_folder / name).read_bytes()).decode() for name in ("red.png", "blue.jpg")
    )
    shown = await film(frame_images=[{"input_image": red, "frame": 0}])
    assert shown.is_near(0, RED)
    assert not shown.is_near(7, RED)
    shown = await film(frame_images=[{"input_image": red}, {"input_image": blue}], output_format="WEBM")
    assert shown.is_near(0, RED)
    assert shown.is_near(7, BLUE)


@pytest.mark.anyio
@pytest.mark.parametrize("field", ["source_video", "frame_videos"])
async def test_videos_begin_the_clip(film: Film, media_server: str, field: str) -> None:
    """A video to edit or to continue is seen by its first frame."""
    address = f"{media_server}/clip.mp4"
    shown = await film(media={field: address if field == "source_video" else [{"video": address}]})
    assert shown.is_near(0, GREEN)


@pytest.mark.anyio
async def test_references_are_insets(film: Film, media_server: str) -> None:
    """Reference images and videos stand in the upper right corner of every frame."""
    references = {
        "reference_images": [f"{media_server}/red.png"],
        "reference_videos": [{"video": f"{media_server}/clip.mp4"}],
    }
    shown = await film(media=references)
    for frame in (0, 7):
        assert shown.is_near(frame, RED, (0.86, 0.16))
        assert shown.is_near(frame, GREEN, (0.66, 0.16))
        assert not shown.is_near(frame, RED)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("fields", "codecs"),
    [
        ({"media": {"audio_inputs": ["voice.wav"]}}, ["h264", "aac"]),
        ({"media": {"audio_inputs": [{"audio": "song.mp3"}]}, "output_format": "WEBM"}, ["vp8", "opus"]),
        ({"media": {"reference_audios": ["voice.wav"]}}, ["h264", "aac"]),
        ({"generate_audio": True}, ["h264", "aac"]),
        ({"generate_audio": False}, ["h264"]),
    ],
)
async def test_sound(film: Film, media_server: str, fields: dict[str, Any], codecs: list[str]) -> None:
    """Audio that was given is heard, generate_audio makes a tone, and nothing else makes a track."""
    for entries in fields.get("media", {}).values():
        entries[:] = [
            f"{media_server}/{entry}"
            if isinstance(entry, str)
            else {"audio": f"{media_server}/{entry['audio']}"}
            for entry in entries
        ]
    shown = await film(**fields)
    assert shown.codecs == codecs
    assert (shown.loudness > 0.02) == (len(codecs) == 2)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("media", "words"),
    [
        ({"reference_images": ["{server}/gone.png"]}, "HTTP 404"),
        ({"reference_images": ["{server}/song.mp3"]}, "is not a usable image"),
        ({"source_video": "{server}/red.png"}, "is not a usable video"),
        ({"audio_inputs": ["{server}/red.png"]}, "is not usable audio"),
        ({"reference_images": ["photo.png"]}, "is neither an address nor base64"),
        ({"reference_images": ["ftp://x/photo.png"]}, "is neither an address nor base64"),
        ({"reference_images": ["http://127.0.0.1:1/a.png"]}, "Failed to download"),
    ],
)
async def test_media_that_cannot_be_had_fail_the_job(
    film: Film, media_server: str, media: dict[str, Any], words: str
) -> None:
    """The job is made and billed, and ends as failed with a code and the reason."""
    given = {
        name: value.format(server=media_server)
        if isinstance(value, str)
        else [entry.format(server=media_server) for entry in value]
        for name, value in media.items()
    }
    job = await film(media=given)
    assert job["error"]["code"] == "invalidMedia"
    assert words in job["error"]["message"]


@pytest.mark.anyio
async def test_media_are_bounded_and_can_be_ignored(film: Film, media_server: str) -> None:
    """Too large a file fails the job; a sandbox told not to fetch makes the video all the same."""
    asked = {"reference_images": [f"{media_server}/red.png"]}
    job = await film({"media_bytes": 50}, media=asked)
    assert "larger than 50 bytes" in job["error"]["message"]
    assert (await film({"fetch_media": False}, media={"reference_images": ["gone"]})).codecs == ["h264"]


@pytest.mark.anyio
async def test_audio_of_the_wrong_length_fails_the_job(film: Film, media_folder: Path) -> None:
    """Audio that drives a video lasts 3 to 30 s; reference audio has no such rule."""
    with wave.open(str(media_folder / "short.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", "not compressed"))
        file.writeframes(bytes(8000 * 2 * 2))
    short, fine = (
        base64.b64encode((media_folder / name).read_bytes()).decode() for name in ("short.wav", "voice.wav")
    )
    rules = {"model_rules": True, "models": ("m",)}
    job = await film(rules, media={"audio_inputs": [short]})
    assert job["error"]["code"] == "invalidDuration"
    assert "3 to 30 s" in job["error"]["message"]
    for media in ({"audio_inputs": [fine]}, {"reference_audios": [short]}):
        assert len((await film(rules, media=media)).codecs) == 2
    job = await film(rules, media={"audio_inputs": [base64.b64encode(b"no sound").decode()]})
    assert "WAV or MP3" in job["error"]["message"]
