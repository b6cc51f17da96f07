"""Clips of the sandbox that go on from each other: each begins with the frame that it was given, and ends on it."""

from __future__ import annotations

import asyncio
import base64
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import httpx
import pytest
from PIL import Image, ImageChops, ImageStat

from together_video.joining.last_frames import last_frame
from together_video.sandbox.app import create_app
from together_video.sandbox.config import SandboxConfig

pytestmark = pytest.mark.anyio

#: Mean difference of two pictures of the same content after H.264, of 255 levels.
_BOUND = 3.0
SMALL: dict[str, Any] = {"model": "m", "width": 96, "height": 64, "seconds": "1", "fps": 8}
Clip = Callable[..., Any]


def difference(one: Image.Image, other: Image.Image) -> float:
    assert one.size == other.size
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3


def first_frame(path: Path) -> Image.Image:
    with av.open(str(path)) as file:
        return next(file.decode(video=0)).to_image().convert("RGB")


def final_frame(path: Path) -> Image.Image:
    return Image.open(io.BytesIO(last_frame(path))).convert("RGB")


def as_data(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


@pytest.fixture
def clip(tmp_path: Path) -> Clip:
    """Makes a clip in a sandbox of its own, and gives its path."""

    async def make(prompt: str, **fields: Any) -> Path:
        config = SandboxConfig(generation_seconds=0, model_rules=False)
        headers = {"authorization": "Bearer key"}
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(create_app(config)), base_url="http://sandbox", headers=headers
        ) as api:
            made = await api.post("/v2/videos", json={**SMALL, "prompt": prompt, **fields})
            assert made.status_code == 200, made.text
            for _ in range(200):
                job = (await api.get(f"/v2/videos/{made.json()['id']}")).json()
                if job["status"] != "in_progress" and job["status"] != "queued":
                    break
                await asyncio.sleep(0.02)
            assert job["status"] == "completed", job
            path = tmp_path / f"{prompt}.mp4"
            answer = await api.get(job["outputs"]["video_url"], follow_redirects=True)
            path.write_bytes(answer.content)
            return path

    return make


@pytest.mark.parametrize("size", [(96, 64), (1280, 720)], ids=["small", "large"])
async def test_a_clip_begins_and_ends_with_the_frames_that_it_is_given(
    clip: Clip, size: tuple[int, int]
) -> None:
    """Small and large pictures are coded by different colours, and come back as they were."""
    width, height = size
    fields = {"width": width, "height": height, "fps": 2}
    before = final_frame(await clip("before", **fields))
    file = io.BytesIO()
    before.save(file, "PNG")
    shot = as_data(file.getvalue(), "image/png")
    frames = [{"input_image": shot, "frame": place} for place in ("first", "last")]
    reference = Image.new("RGB", (64, 64), "red")
    reference.save(file := io.BytesIO(), "PNG")
    media = {"frame_images": frames, "reference_images": [as_data(file.getvalue(), "image/png")]}
    path = await clip("after", **fields, media=media)
    assert difference(first_frame(path), before) < _BOUND
    assert difference(final_frame(path), before) < _BOUND


async def test_a_clip_that_extends_another_begins_with_its_last_frame(clip: Clip) -> None:
    """`frame_videos` is the clip before: what is seen first is what it ends with, not how it begins."""
    before = await clip("a fox", fps=24)
    media = {"frame_videos": [{"video": as_data(before.read_bytes(), "video/mp4")}]}
    after = first_frame(await clip("an owl", fps=24, media=media))
    assert difference(after, final_frame(before)) < _BOUND
    assert difference(first_frame(before), final_frame(before)) > difference(after, final_frame(before))
