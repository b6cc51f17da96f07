"""What the sandbox refuses for single models, and how: as the service answers, as far as documents say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.together_video.catalogue.limits import Broken, asked, limits
from together_video.catalogue import Catalogue, check
from together_video.catalogue.examples import example_request
from together_video.catalogue.findings import Level
from together_video.catalogue.models import Model
from together_video.sandbox.checks import check_create
from together_video.sandbox.config import SandboxConfig
from together_video.sandbox.model_rules import fate_of, seconds_of
from together_video.sandbox.refusal import Refusal

T2V, I2V, R2V = (f"Wan-AI/wan2.7-{task}" for task in ("t2v", "i2v", "r2v"))
HAILUO, LITE, DIRECTOR = "minimax/hailuo-02", "ByteDance/Seedance-1.0-lite", "minimax/video-01-director"
SEEDANCE2, SEEDANCE25 = "ByteDance/Seedance-2.0", "ByteDance/Seedance-2.5"
KLING = "kwaivgI/kling-2.1-pro"
URL = "https://x/1.png"
IMAGE: dict[str, Any] = {"frame_images": [{"input_image": URL}]}
OFFERED = [model for model in Catalogue.load().models if model.offered]
#: Rules whose warnings pass, as no document says that the service refuses what they find.
PASSING = {"frame_rate", "guidance", "sound_is_made", "inline_is_short"}


@pytest.mark.parametrize(
    ("body", "status", "param", "code"),
    [
        ({"model": "my/own"}, 404, "model", "model_not_available"),
        ({"model": "together/video-model"}, 404, "model", "model_not_available"),
        ({"model": "google/veo-3.0"}, 404, "model", "model_not_available"),
        ({"model": T2V, "media": IMAGE}, 400, "media.frame_images", "unsupportedParameter"),
        ({"model": T2V, "reference_images": [URL]}, 400, "media.reference_images", "unsupportedParameter"),
        ({"model": I2V}, 400, "media.frame_images", "missing_required_parameter"),
        ({"model": I2V, "media": {"audio_inputs": [URL]}}, 400, "media.frame_images", None),
        ({"model": R2V}, 400, "media.reference_images", "missing_required_parameter"),
        ({"model": T2V, "prompt": "x" * 5001}, 400, "prompt", "invalid_value"),
        ({"model": T2V, "negative_prompt": "x" * 501}, 400, "negative_prompt", "invalid_value"),
        ({"model": T2V, "resolution": "480p"}, 400, "resolution", "invalidResolution"),
        ({"model": T2V, "ratio": "21:9"}, 400, "ratio", "invalidRatio"),
        ({"model": T2V, "width": 1280, "height": 720}, 400, "width", "invalidDimensions"),
        ({"model": T2V, "seconds": "16"}, 400, "seconds", "invalidDuration"),
        ({"model": T2V, "output_format": "WEBM"}, 400, "output_format", "unsupportedParameter"),
        ({"model": T2V, "seed": -1}, 400, "seed", "invalid_value"),
        ({"model": HAILUO, "prompt": "x"}, 400, "prompt", "invalid_value"),
        ({"model": HAILUO, "prompt": None, "media": IMAGE}, 422, "prompt", "missing_required_parameter"),
        ({"model": LITE, "width": 640, "height": 480}, 400, "width", "invalidDimensions"),
        ({"model": LITE, "resolution": "720p"}, 400, "resolution", "invalidResolution"),
        ({"model": DIRECTOR, "seconds": 6}, 400, "seconds", "invalidDuration"),
        ({"model": SEEDANCE25, "ratio": "16:9"}, 400, "ratio", "invalidRatio"),
        ({"model": SEEDANCE25, "seconds": "31"}, 400, "seconds", "invalidDuration"),
        (
            {"model": SEEDANCE25, "settings": {"audio": False}},
            400,
            "settings.audio",
            "unsupportedParameter",
        ),
        (
            {"model": SEEDANCE25, "media": {**IMAGE, "reference_images": [URL]}},
            400,
            "media.reference_images",
            "unsupportedParameter",
        ),
        (
            {"model": LITE, "media": {"frame_images": [{"input_image": URL, "frame": 500}]}},
            400,
            "media.frame_images",
            "invalid_value",
        ),
    ],
)
def test_what_is_documented_is_refused(
    body: dict[str, Any], status: int, param: str, code: str | None
) -> None:
    """Status, field and code; told to have no rules for models, the sandbox takes the same request."""
    full = {name: value for name, value in {"prompt": "A fox", **body}.items() if value is not None}
    with pytest.raises(Refusal) as caught:
        check_create(full, SandboxConfig())
    assert (caught.value.status, caught.value.param) == (status, param)
    assert code in (None, caught.value.code)
    check_create(full, SandboxConfig(model_rules=False))


def test_what_is_not_documented_to_be_refused_passes() -> None:
    """Rates of the documents' own examples, guidance that gives artifacts, switches that are not read."""
    for body in (
        {"model": HAILUO, "fps": 30, "seconds": 6},
        {"model": LITE, "guidance_scale": 13},
        {"model": SEEDANCE2, "generate_audio": False},
        {"model": SEEDANCE2, "settings": {"audio": False}},
        {"model": LITE, "media": {"frame_images": [{"input_image": "A" * 70_000}]}},
    ):
        check_create({"prompt": "A fox", **body}, SandboxConfig())


def test_the_models_on_offer_can_be_listed() -> None:
    """Retired and unknown ones are offered where the configuration says so, and their limits still hold."""
    config = SandboxConfig(models=(KLING, "my/own"))
    check_create({"model": "my/own", "prompt": "A fox"}, config)
    check_create({"model": KLING, "media": IMAGE}, config)
    check_create({"model": KLING, "prompt": "A fox", "media": IMAGE}, config)
    with pytest.raises(Refusal, match="404"):
        check_create({"model": LITE, "prompt": "A fox"}, config)
    with pytest.raises(Refusal) as caught:
        check_create({"model": KLING, "prompt": "A fox"}, config)
    assert caught.value.code == "missing_required_parameter"


@pytest.mark.parametrize("model", OFFERED, ids=lambda model: model.name)
def test_each_model_takes_its_example(model: Model) -> None:
    check_create(example_request(model).payload(), SandboxConfig())


@pytest.mark.parametrize(
    ("model", "broken"),
    [
        pytest.param(model, broken, id=f"{model.name}: {broken.limit}")
        for model in OFFERED
        for broken in limits(model)
        if broken.level in (Level.ERROR, Level.WARNING)
    ],
)
def test_each_broken_limit_is_refused(model: Model, broken: Broken) -> None:
    """As the check finds it, on its field; but for what no document says is refused."""
    request = asked(model, broken.fields)
    weighty = {found.rule for found in check(request) if found.level in (Level.ERROR, Level.WARNING)}
    if weighty <= PASSING or (
        broken.limit in ("no negative", "case of tiers") and fate_of(request.payload())
    ):
        check_create(request.payload(), SandboxConfig())
        return
    with pytest.raises(Refusal) as caught:
        check_create(request.payload(), SandboxConfig())
    assert 400 <= caught.value.status < 500
    assert caught.value.param == broken.field.removeprefix("extra.")


@pytest.mark.anyio
async def test_a_negative_prompt_fails_the_job_where_that_was_seen(
    sandbox: Callable[..., httpx.AsyncClient], clock: Any
) -> None:
    """Of Hailuo 02 the request is accepted, and the job fails; of other models it is made."""
    async with sandbox(model_rules=True) as api:
        ends = {}
        for model in (HAILUO, LITE):
            body = {"model": model, "prompt": "A fox", "negative_prompt": "blurry"}
            made = await api.post("/v2/videos", json=body)
            assert made.status_code == 200, made.text
            clock.advance(11)
            ends[model] = (await api.get(f"/v2/videos/{made.json()['id']}")).json()
        assert ends[HAILUO]["status"] == "failed"
        assert ends[HAILUO]["error"]["code"] == "unsupportedParameter"
        assert "negative_prompt" in ends[HAILUO]["error"]["message"]
        assert ends[LITE]["status"] in ("in_progress", "completed")


@pytest.mark.anyio
async def test_a_tier_in_the_wrong_case_fails_the_job(
    sandbox: Callable[..., httpx.AsyncClient], clock: Any
) -> None:
    """As was seen of Wan 2.7: the create is accepted, and the job ends with InvalidParameter."""
    async with sandbox(model_rules=True) as api:
        made = await api.post("/v2/videos", json={"model": T2V, "prompt": "A fox", "resolution": "720p"})
        assert made.status_code == 200, made.text
        clock.advance(11)
        ended = (await api.get(f"/v2/videos/{made.json()['id']}")).json()
        assert (ended["status"], ended["error"]["code"]) == ("failed", "InvalidParameter")
        assert "720P, 1080P" in ended["error"]["message"]


@pytest.mark.parametrize(
    ("model", "seconds"),
    [
        (HAILUO, 10),
        ("google/veo-3.0", 8),
        ("vidu/vidu-2.0", 8),
        ("openai/sora-2", 8),
        (LITE, 5),
        ("my/own", 5),
    ],
)
def test_without_seconds_the_clip_has_the_length_that_is_billed(model: str, seconds: float) -> None:
    """The model's only or default length; a length that the configuration names wins, one that is asked too."""
    body = {"model": model, "prompt": "A fox"}
    assert seconds_of(body, SandboxConfig()) == seconds
    assert seconds_of(body, SandboxConfig(default_seconds=1)) == 1
    assert seconds_of({**body, "seconds": "3"}, SandboxConfig(default_seconds=1)) == 3
