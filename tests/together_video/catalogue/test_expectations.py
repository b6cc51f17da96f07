"""What the video of a request should come out as."""

from decimal import Decimal
from typing import Any

import pytest

from together_video.catalogue.catalogue import Catalogue
from together_video.catalogue.expectations import expected_fps, expected_seconds, expected_size, expected_tier
from together_video.catalogue.sizes import Size
from together_video.requests import VideoRequest

LITE, WAN, VEO = "ByteDance/Seedance-1.0-lite", "Wan-AI/wan2.7-t2v", "google/veo-3.1"


def asked(model: str, **fields: Any) -> VideoRequest:
    return VideoRequest(model=model, prompt="a fox in the snow", **fields)


@pytest.mark.parametrize(
    ("model", "fields", "seconds"),
    [
        (LITE, {"seconds": 7}, Decimal(7)),
        (LITE, {}, Decimal(5)),
        (WAN, {}, Decimal(5)),
        (VEO, {}, None),
        ("vidu/vidu-q3", {}, None),
    ],
)
def test_the_length_is_what_is_asked_or_documented(
    model: str, fields: dict[str, Any], seconds: Decimal | None
):
    """Asked, else the default, else the only length there is; one of several is not guessed."""
    request = asked(model, **fields)
    assert expected_seconds(request, Catalogue.load().get(model)) == seconds


@pytest.mark.parametrize(
    ("model", "fields", "size"),
    [
        (LITE, {"width": 640, "height": 640}, Size(640, 640)),
        (LITE, {}, None),
        ("minimax/video-01-director", {}, Size(1366, 768)),
        ("minimax/video-01-director", {"width": 800}, None),
        (WAN, {}, Size(1920, 1080)),
        (WAN, {"resolution": "720p", "ratio": "9:16"}, Size(720, 1280)),
        (WAN, {"resolution": "540P"}, None),
        ("ByteDance/Seedance-2.0", {"resolution": "720p", "ratio": "1:1"}, None),
    ],
)
def test_the_size_is_what_is_asked_or_documented(model: str, fields: dict[str, Any], size: Size | None):
    """Pixels as asked, or out of the table of tiers and ratios where there is one."""
    assert expected_size(asked(model, **fields), Catalogue.load().get(model)) == size


def test_the_tier_is_found_in_any_case():
    """Without a resolution the model's default tier holds."""
    model = Catalogue.load().get(WAN)
    tier, default = expected_tier(asked(WAN, resolution="720p"), model), expected_tier(asked(WAN), model)
    assert tier is not None
    assert default is not None
    assert (tier.name, default.name) == ("720P", "1080P")


def test_the_frame_rate_is_what_is_asked_or_the_only_one():
    """One of several rates is not guessed."""
    known = Catalogue.load()
    assert expected_fps(asked(LITE, fps=30), known.get(LITE)) == 30
    assert expected_fps(asked(LITE), known.get(LITE)) == 24
    assert expected_fps(asked("pixverse/pixverse-v5"), known.get("pixverse/pixverse-v5")) is None
