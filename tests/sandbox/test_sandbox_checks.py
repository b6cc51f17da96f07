"""What the sandbox refuses, and with which words."""

from typing import Any

import pytest

from together_video.sandbox.checks import check_create
from together_video.sandbox.config import SandboxConfig
from together_video.sandbox.refusal import Refusal
from together_video.sandbox.rendering.sizes import frame_size

GOOD: dict[str, Any] = {"model": "m", "prompt": "A fox"}
ANY = SandboxConfig(model_rules=False)
FRAMES = [{"input_image": "https://x/1.png"}, {"input_image": "https://x/2.png", "frame": "last"}]


@pytest.mark.parametrize(
    ("change", "status", "param", "code"),
    [
        ({"model": None}, 422, "model", "invalid_value"),
        ({"prompt": ""}, 422, "prompt", "invalid_value"),
        ({"prompt": "x" * 32_001}, 422, "prompt", "invalid_value"),
        ({"prompt": None}, 422, "prompt", "missing_required_parameter"),
        ({"width": "64"}, 422, "width", "invalid_value"),
        ({"width": 9999, "height": 64}, 400, "width", "invalidDimensions"),
        ({"steps": 9}, 422, "steps", "invalid_value"),
        ({"steps": 51}, 422, "steps", "invalid_value"),
        ({"fps": 0}, 422, "fps", "invalid_value"),
        ({"seed": 1.5}, 422, "seed", "invalid_value"),
        ({"guidance_scale": "8"}, 422, "guidance_scale", "invalid_value"),
        ({"seconds": 1.5}, 422, "seconds", "invalid_value"),
        ({"seconds": True}, 422, "seconds", "invalid_value"),
        ({"seconds": "six"}, 400, "seconds", "invalidDuration"),
        ({"seconds": "-1"}, 400, "seconds", "invalidDuration"),
        ({"seconds": "nan"}, 400, "seconds", "invalidDuration"),
        ({"seconds": 61}, 400, "seconds", "invalidDuration"),
        ({"output_format": "GIF"}, 400, "output_format", "unsupportedParameter"),
        ({"output_format": "mp4"}, 400, "output_format", "unsupportedParameter"),
        ({"resolution": "huge"}, 400, "resolution", "invalidResolution"),
        ({"ratio": "16/9"}, 400, "resolution", "invalidResolution"),
        ({"colour": "red"}, 400, "colour", "unsupportedParameter"),
        ({"generate_audio": "yes"}, 422, "generate_audio", "invalid_value"),
        ({"media": {"frames": []}}, 422, "media.frames", "invalid_value"),
        ({"media": {"frame_images": [{"frame": "first"}]}}, 422, "media.frame_images.0.input_image", None),
    ],
)
def test_refusals(change, status, param, code):
    """Each broken rule is refused with its status, its field and its code."""
    with pytest.raises(Refusal) as caught:
        check_create({**GOOD, **change}, ANY)
    assert (caught.value.status, caught.value.param) == (status, param)
    assert code in (None, caught.value.code)


@pytest.mark.parametrize(
    "change",
    [
        {"seconds": "6"},
        {"seconds": 6},
        {"guidance_scale": 7.5},
        {"settings": {"audio": False}},
        {"frame_images": [{"input_image": "https://x/1.png", "frame": 0}]},
        {"reference_images": ["https://x/1.png"]},
        {"media": {"frame_images": FRAMES}, "prompt": None},
        {"media": {"frame_images": [*FRAMES, FRAMES[0]]}},
        {"media": {"source_video": {"video": "https://x/1.mp4"}, "audio_inputs": ["https://x/1.wav"]}},
        {"resolution": "1080P", "ratio": "9:16"},
        {"width": 405, "height": 540},
    ],
)
def test_what_the_documents_allow(change):
    """Both forms of seconds, fractions of guidance, media new and deprecated, tiers: all pass."""
    body = {name: value for name, value in {**GOOD, **change}.items() if value is not None}
    assert frame_size(body) > (0, 0)
    check_create(body, ANY)


def test_model_list_and_unknown_fields_are_settings():
    """A list of models refuses others with 404; unknown fields pass where that is allowed."""
    with pytest.raises(Refusal, match="404") as caught:
        check_create(GOOD, SandboxConfig(models=("other",)))
    assert caught.value.code == "model_not_available"
    check_create({**GOOD, "colour": "red"}, SandboxConfig(model_rules=False, allow_unknown_fields=True))


@pytest.mark.parametrize(
    ("body", "size"),
    [
        ({}, (1366, 768)),
        ({"width": 405, "height": 541}, (405, 541)),
        ({"width": 1280, "ratio": "16:9"}, (1280, 720)),
        ({"height": 720, "ratio": "9:16"}, (406, 720)),
        ({"resolution": "720P"}, (1280, 720)),
        ({"resolution": "720P", "ratio": "3:4"}, (832, 1104)),
        ({"resolution": "1080P", "ratio": "1:1"}, (1440, 1440)),
        ({"resolution": "480p"}, (854, 480)),
        ({"resolution": "720p", "ratio": "1:1"}, (720, 720)),
        ({"resolution": "1080p", "ratio": "9:16"}, (1080, 1920)),
        ({"resolution": "720p", "ratio": "21:9"}, (1680, 720)),
        ({"resolution": "4k"}, (3840, 2160)),
        ({"ratio": "1:1"}, (768, 768)),
    ],
)
def test_sizes(body, size):
    """Pixels are kept as asked for; tiers and ratios give the documented sizes."""
    assert frame_size(body) == size


@pytest.mark.anyio
async def test_refusals_over_http(sandbox):
    """Keys, broken JSON, unknown ids and unknown paths are answered as errors of the API are."""
    async with sandbox(api_keys=("good",)) as api:
        for headers in (
            {"authorization": ""},
            {"authorization": "Basic good"},
            {"authorization": "Bearer bad"},
        ):
            answer = await api.post("/v2/videos", json=GOOD, headers=headers)
            assert answer.status_code == 401
            assert answer.json()["error"]["code"] == "invalid_api_key"
        api.headers["authorization"] = "Bearer good"
        broken = await api.post("/v2/videos", content=b"{")
        assert (broken.status_code, broken.json()["error"]["code"]) == (400, "invalid_json")
        assert (await api.post("/v2/videos", json=[1])).status_code == 400
        refused = (await api.post("/v2/videos", json={**GOOD, "steps": 1})).json()["error"]
        assert refused.keys() == {"message", "type", "param", "code"}
        assert (await api.get("/v2/videos/none")).status_code == 404
        assert (await api.get("/v3")).json()["error"]["code"] == "not_found"
        assert (await api.delete("/v2/videos/none")).status_code == 405
        assert (await api.get("/sandbox/bill")).json()["jobs"] == []
        assert "sandbox" in (await api.get("/")).text
