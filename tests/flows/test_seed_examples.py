"""Every example request of the documents that this project began from, against the sandbox.

Their pictures come from a server on loopback, as the documents' own addresses may be gone; base64
content is a real picture's. All else is sent as it is written there.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from together import AsyncTogether

from blocks import VideoArchive
from flows.batch import generate_batch
from flows.ending import result_of
from together_video.polling import PollPolicy
from together_video.request_files import read_requests
from together_video.requests import VideoRequest
from together_video.sandbox.jobs import request_sha256
from together_video.summary import Summary

CAT = "https://cdn.pixabay.com/photo/2020/05/20/08/27/cat-5195431_1280.jpg"
HORSE = {"prompt": "an astronaut riding a horse on the moon", "model": "minimax/hailuo-02", "seed": 100}
FOREST = {"prompt": "A person walking through a forest", "model": "minimax/hailuo-02"}
WAN = "Wan-AI/wan2.7"

#: What each document asks for, by the document's section.
EXAMPLES: dict[str, dict[str, Any]] = {
    "create": {
        "prompt": "A serene sunset over the ocean with gentle waves",
        "model": "minimax/video-01-director",
        "width": 1366,
        "height": 768,
    },
    "full parameters": {
        "prompt": "A futuristic city at night with neon lights reflecting on wet streets",
        "model": "minimax/hailuo-02",
        "width": 1366,
        "height": 768,
        "seconds": 6,
        "fps": 30,
        "steps": 30,
        "guidance_scale": 8.0,
        "output_format": "MP4",
        "output_quality": 20,
        "seed": 42,
        "negative_prompt": "blurry, low quality, distorted",
    },
    "reference images": {
        "prompt": "A cat dancing energetically",
        "model": "minimax/hailuo-02",
        "width": 1366,
        "height": 768,
        "seconds": 6,
        "reference_images": [CAT],
    },
    "keyframe": {
        "prompt": "Smooth transition from day to night",
        "model": "minimax/hailuo-02",
        "width": 1366,
        "height": 768,
        "fps": 24,
        "frame_images": [{"input_image": "BASE64", "frame": 0}],
    },
    "keyframe without a size": {
        "prompt": "Smooth camera zoom out",
        "model": "minimax/hailuo-02",
        "frame_images": [{"input_image": "BASE64", "frame": 0}],
    },
    "low guidance": {**HORSE, "guidance_scale": 6.0},
    "high guidance": {**HORSE, "guidance_scale": 10.0},
    "guidance between": {**HORSE, "guidance_scale": 7.5},
    "preview": {**FOREST, "steps": 10},
    "production": {**FOREST, "steps": 40},
    "three keyframes": {
        "prompt": "A day in the city",
        "model": "pixverse/pixverse-v5",
        "frame_images": [
            {"input_image": "aac49721-1964-481a-ae78-8a4e29b91402", "frame": 0},
            {"input_image": "c00abf5f-6cdb-4642-a01d-1bfff7bc3cf7", "frame": 48},
            {"input_image": "3ad204c3-a9de-4963-8a1a-c3911e3afafe", "frame": "last"},
        ],
    },
    "keyframe instead of a prompt": {
        "model": "kwaivgI/kling-2.1-standard",
        "media": {"frame_images": [{"input_image": CAT, "frame": "first"}]},
    },
    "Wan 2.7": {
        "prompt": "A fox",
        "model": f"{WAN}-t2v",
        "resolution": "720P",
        "ratio": "9:16",
        "seconds": "2",
    },
    "Wan 2.7, large": {
        "prompt": "A fox",
        "model": f"{WAN}-t2v",
        "resolution": "1080P",
        "ratio": "1:1",
        "seconds": "2",
    },
    "media, empty": {
        "prompt": "...",
        "model": f"{WAN}-t2v",
        "media": {
            "frame_images": [],
            "frame_videos": [],
            "reference_images": [],
            "reference_videos": [],
            "source_video": "",
            "audio_inputs": [],
        },
    },
    "media, from image and audio": {
        "prompt": "She sings",
        "model": f"{WAN}-i2v",
        "resolution": "720P",
        "seconds": "2",
        "media": {
            "frame_images": [{"input_image": CAT, "frame": "first"}, {"input_image": CAT, "frame": "last"}],
            "audio_inputs": ["SERVER/voice.wav"],
        },
    },
    "media, continuation": {
        "prompt": "She walks on",
        "model": f"{WAN}-i2v",
        "resolution": "720P",
        "seconds": "2",
        "media": {"frame_videos": [{"video": "SERVER/clip.mp4"}]},
    },
    "media, references": {
        "prompt": "A cat dances",
        "model": f"{WAN}-r2v",
        "resolution": "720P",
        "seconds": "2",
        "media": {"reference_images": [CAT], "reference_videos": [{"video": "SERVER/clip.mp4"}]},
    },
    "media, editing": {
        "prompt": "Paint it as a watercolour",
        "model": f"{WAN}-videoedit",
        "resolution": "720P",
        "seconds": "2",
        "media": {"source_video": "SERVER/clip.mp4"},
    },
}


@pytest.fixture
def examples(media_server: str, media_folder: Path) -> dict[str, dict[str, Any]]:
    """The examples, with pictures that are there."""
    picture = base64.b64encode((media_folder / "blue.jpg").read_bytes()).decode()
    text = json.dumps(EXAMPLES).replace(CAT, f"{media_server}/blue.jpg").replace("BASE64", picture)
    found: dict[str, dict[str, Any]] = json.loads(text.replace("SERVER", media_server))
    return found


@pytest.mark.anyio
async def test_by_our_own_client(
    examples: dict[str, dict[str, Any]], start_api: Callable[..., Any], archive: VideoArchive, tmp_path: Path
) -> None:
    """Each example is archived, and is sent with what the document says, deprecated fields under media."""
    # Smaller and shorter than asked for: full clips would take half a minute to render.
    fault = {"on": "create", "kind": "wrong_size_video", "share": 0.1}
    api = start_api(default_seconds=1, generation_seconds=0, generation="2025", faults=(fault,))
    path = tmp_path / "examples.jsonl"
    path.write_text("\n".join(map(json.dumps, examples.values())))
    requests = [found.request for found in read_requests(path)]
    patient = PollPolicy.fixed(0.2, deadline=300)
    state = await generate_batch.fn(
        requests=requests, poll=patient, together=api.credentials(), archive=archive
    )
    found = result_of(state.data)
    assert isinstance(found, Summary), found
    ends = {name: (made.state.value, made.error) for name, made in zip(examples, found.videos, strict=True)}
    assert ends == dict.fromkeys(examples, ("archived", None))
    sold = {row["request_sha256"] for row in api.bill()["jobs"]}
    assert sold == {request_sha256(request.payload()) for request in requests}


@pytest.mark.anyio
async def test_by_the_official_sdk(
    examples: dict[str, dict[str, Any]], start_api: Callable[..., Any]
) -> None:
    """The SDK sends the same examples, and the sandbox takes each of them.

    Seconds are text for it, and the deprecated fields are no arguments of it any more.
    """
    fault = {"on": "create", "kind": "wrong_size_video", "share": 0.1}
    api = start_api(generation_seconds=3600, faults=(fault,))
    async with AsyncTogether(api_key="key", base_url=api.url, max_retries=0) as sdk:
        for name, fields in examples.items():
            given = {**fields, **({"seconds": str(fields["seconds"])} if "seconds" in fields else {})}
            older = {key: given.pop(key) for key in ("frame_images", "reference_images") if key in given}
            job = await sdk.videos.create(**given, extra_body=older)
            assert (await sdk.videos.retrieve(job.id)).status == "in_progress", name
    sold = [row["prompt"] for row in api.bill()["jobs"]]
    assert sold == [fields.get("prompt", "") for fields in examples.values()]


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_is_sent_is_what_the_document_says(name: str) -> None:
    """Our request keeps each field's value; only the deprecated spelling is moved and empty media are left out."""
    given = EXAMPLES[name]
    sent = VideoRequest.model_validate(given).payload()
    media = {
        **given.get("media", {}),
        **{key: given[key] for key in ("frame_images", "reference_images") if key in given},
    }
    media = {key: value for key, value in media.items() if value}
    for frame in media.get("frame_images", []):
        frame = dict(frame, frame="first") if frame["frame"] == 0 else frame
        assert frame in sent["media"]["frame_images"]
    assert set(sent.get("media", {})) == set(media)
    for key, value in given.items():
        if key not in {"media", "frame_images", "reference_images"}:
            assert sent[key] == (str(value) if key == "seconds" else value)
