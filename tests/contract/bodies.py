"""Every kind of body that the client sends: videos of all models with all presets and media, and chats for prompts."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from tests.together_video.catalogue.limits import asked, limits
from together_video.catalogue import Catalogue
from together_video.errors import InputError
from together_video.inputs.presets import GUIDANCE, STEPS, make_request
from together_video.prompts.briefs import Brief
from together_video.prompts.chat_requests import AnswerFormat, chat_body, chat_requests
from together_video.requests import VideoRequest

URL, INLINE, HANDLE = "https://x.test/a", "data:image/png;base64,AAAA", "aac49721-1964-481a-ae78-8a4e29b91402"
FRAMES: list[list[dict[str, Any]]] = [
    *([{"input_image": text}] for text in (URL, INLINE, HANDLE)),
    [
        {"input_image": URL, "frame": 0},
        {"input_image": URL, "frame": 48},
        {"input_image": URL, "frame": "last"},
    ],
    [{"input_image": URL}, {"input_image": URL}],
    [{"input_image": URL}] * 5,
]
MEDIA: list[dict[str, Any]] = [
    *({"frame_images": frames} for frames in FRAMES),
    {"frame_videos": [{"video": URL}]},
    {"reference_images": [URL, INLINE]},
    {"reference_videos": [{"video": URL}]},
    {"reference_audios": [URL]},
    {"source_video": URL},
    {"source_video": {"video": URL}},
    {"audio_inputs": [URL, {"audio": URL}]},
    {"frame_images": [], "reference_images": [URL]},
]
FIELDS: list[dict[str, Any]] = [
    {"width": 64, "height": 16_384, "fps": 240, "steps": 10, "seed": -1, "output_quality": 0},
    {"resolution": "720p", "ratio": "16:9", "seconds": 6, "output_format": "webm", "generate_audio": False},
    {"seconds": "6.5s", "guidance_scale": 7.0, "negative_prompt": "blurry", "output_format": "MP4"},
    {"guidance_scale": 7.5, "steps": 50, "seed": 2**63},
    {"prompt": "狐狸 🦊" * 1000, "labels": {"campaign": "spring"}, "label_in_id": True},
    {"prompt": None, "media": MEDIA[0]},
    {"frame_images": FRAMES[3], "reference_images": [URL]},
    {"extra": {"settings": {"audio": False}}},
]


def video_bodies() -> Iterator[tuple[str, dict[str, Any]]]:
    """What is POSTed for each model: its example, every limit broken, every preset, every kind of media and field."""
    for model in Catalogue.load().models:
        yield f"{model.name}: example", asked(model, {}).payload()
        for broken in limits(model):
            yield f"{model.name}: {broken.limit}", asked(model, broken.fields).payload()
        for words in itertools.product(STEPS, GUIDANCE, (None, "9:16", "1:1")):
            presets = dict(zip(("quality", "adherence", "aspect"), words, strict=True))
            try:
                request, _ = make_request({"model": model.name, "prompt": "a fox", **presets})
            except InputError:
                assert model.size.ratios == ()
            else:
                yield f"{model.name}: {words}", request.payload()
        for fields in (*FIELDS, *({"media": media} for media in MEDIA)):
            request = VideoRequest.model_validate({"model": model.name, "prompt": "a fox", **fields})
            yield f"{model.name}: {sorted(fields)}", request.payload()


def chat_bodies() -> Iterator[tuple[str, dict[str, Any]]]:
    """First requests and follow-ups, in each format, with negative prompts and without."""
    for number, brief in enumerate(
        (Brief(subject="foxes", count=2), Brief(subject="狐", count=200, style="noir"))
    ):
        for body in chat_requests(brief, 3000):
            yield f"brief {number}", body
        for form, negative in itertools.product(AnswerFormat, (None, 500)):
            body = chat_body(
                brief,
                900,
                answer_format=form,
                wanted=1,
                already=["a fox"],
                problems=["cut"],
                negative_limit=negative,
            )
            yield f"brief {number} again, {form}", body
