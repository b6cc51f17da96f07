"""Every example request of the documents that this project began from, against the sandbox.

Their pictures come from a server on loopback, as the documents' own addresses may be gone; base64
content is a real picture's. All else is sent as it is written there.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from together import AsyncTogether, NotFoundError

from prefect_together_video.blocks import VideoArchive
from prefect_together_video.flows.__main__ import app
from prefect_together_video.flows.batch import generate_batch
from prefect_together_video.flows.reporting.results import result_of
from prefect_together_video.flows.video import generate_video
from together_video.catalogue import check
from together_video.catalogue.findings import Level
from together_video.inputs.files import read_requests
from together_video.inputs.presets import make_request
from together_video.ledger.summary import Summary
from together_video.polling.policy import PollPolicy
from together_video.requests import VideoRequest
from together_video.sandbox.jobs import request_sha256

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
        # Of this one no document says that it pins the first and the last frame only.
        "model": "pixverse/pixverse-v6",
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


#: Pictures that are smaller than asked for: full ones would take half a minute to render.
SMALLER = {"on": "create", "kind": "wrong_size_video", "share": 0.1}
#: The newest document shows that the job of this example fails, as its model takes no negative prompt.
FAILS = {"full parameters": "negative_prompt"}


@pytest.fixture
def seed_api(start_api: Callable[..., Any]) -> Callable[..., Any]:
    """Starts a sandbox that judges by model and offers the examples' models, those retired since as well."""
    models = tuple(fields["model"] for fields in EXAMPLES.values())
    usual = {"model_rules": True, "models": models, "default_seconds": 1, "generation_seconds": 0}
    return lambda **settings: start_api(**usual, faults=(SMALLER,), **settings)


@pytest.mark.anyio
async def test_by_our_own_client(
    examples: dict[str, dict[str, Any]], seed_api: Callable[..., Any], archive: VideoArchive, tmp_path: Path
) -> None:
    """Each example is archived, and is sent with what the document says, deprecated fields under media."""
    api = seed_api(generation="2025")
    path = tmp_path / "examples.jsonl"
    path.write_text("\n".join(map(json.dumps, examples.values())))
    requests = [found.request for found in read_requests(path)]
    patient = PollPolicy.fixed(0.2, deadline=300)
    state = await generate_batch.fn(
        requests=requests, poll=patient, together=api.credentials(), archive=archive
    )
    found = result_of(state.data)
    assert isinstance(found, Summary), found
    ends = dict(zip(examples, found.videos, strict=True))
    assert {name: ends[name].state.value for name in FAILS} == dict.fromkeys(FAILS, "failed")
    for name, word in FAILS.items():
        assert word in (ends.pop(name).error or "")
    assert {name: (made.state.value, made.error) for name, made in ends.items()} == dict.fromkeys(
        ends, ("archived", None)
    )
    sold = {row["request_sha256"] for row in api.bill()["jobs"]}
    assert sold == {request_sha256(request.payload()) for request in requests}


@pytest.mark.anyio
async def test_by_the_official_sdk(examples: dict[str, dict[str, Any]], seed_api: Callable[..., Any]) -> None:
    """The documents' own loop: create, retrieve until it is completed, and download from the link.

    Seconds are text for the SDK, and the deprecated fields are no arguments of it any more.
    """
    api = seed_api()

    async def film(sdk: AsyncTogether, web: httpx.AsyncClient, fields: dict[str, Any]) -> str:
        given = {**fields, **({"seconds": str(fields["seconds"])} if "seconds" in fields else {})}
        older = {key: given.pop(key) for key in ("frame_images", "reference_images") if key in given}
        job = await sdk.videos.create(**given, extra_body=older)
        while True:
            status = await sdk.videos.retrieve(job.id)
            if status.status == "completed":
                assert status.outputs is not None
                file = await web.get(status.outputs.video_url)
                return "a video" if file.content[4:8] == b"ftyp" else f"{file.status_code}: no video"
            if status.status == "failed":
                return status.error.message if status.error else "failed"
            await asyncio.sleep(0.1)

    async with (
        AsyncTogether(api_key="key", base_url=api.url, max_retries=0) as sdk,
        httpx.AsyncClient(follow_redirects=True, trust_env=False) as web,
    ):
        async with asyncio.timeout(120):
            films = await asyncio.gather(*(film(sdk, web, fields) for fields in examples.values()))
        ends = dict(zip(examples, films, strict=True))
        # The OpenAPI document's examples name a model that stands for any.
        with pytest.raises(NotFoundError, match="together/video-model"):
            await sdk.videos.create(model="together/video-model", prompt="A cartoon of an astronaut")
    for name, word in FAILS.items():
        assert word in ends.pop(name)
    assert ends == dict.fromkeys(ends, "a video")


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_file_the_command_line_and_the_form_make_the_same_request(
    examples: dict[str, dict[str, Any]], name: str, tmp_path: Path
) -> None:
    """As a line of a file, as options of `generate`, and as a flow's parameter: one fingerprint."""
    fields = examples[name]
    path = tmp_path / "example.jsonl"
    path.write_text(json.dumps(fields))
    (line,) = read_requests(path)
    plain = dict(fields)
    media = {
        **plain.pop("media", {}),
        **{key: plain.pop(key) for key in ("frame_images", "reference_images") if key in plain},
    }
    prompt = plain.pop("prompt", None)
    words = [word for key, value in plain.items() for word in (f"--{key.replace('_', '-')}", str(value))]
    words += ["--media", json.dumps(media)] if media else []
    _, bound, _ = app.parse_args(["generate", *([prompt] if prompt else []), *words], exit_on_error=False)
    typed, _ = make_request({**bound.arguments["request"].request_fields(), "prompt": prompt})
    form = generate_video.validate_parameters({"request": fields})["request"]
    assert typed.fingerprint() == form.fingerprint() == line.request.fingerprint()
    assert [found for found in check(typed) if found.level is Level.ERROR] == []


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
