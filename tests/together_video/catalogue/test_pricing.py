"""Estimates: high where the documents are vague, and honest about it."""

from decimal import Decimal
from typing import Any

import pytest

from together_video.catalogue.catalogue import Catalogue
from together_video.catalogue.models import Certainty
from together_video.catalogue.pricing import Estimate, counted_seconds, estimate, total
from together_video.requests import VideoRequest

LITE, HAILUO, VEO = "ByteDance/Seedance-1.0-lite", "minimax/hailuo-02", "google/veo-3.1"
SEEDANCE2, SEEDANCE25 = "ByteDance/Seedance-2.0", "ByteDance/Seedance-2.5"
WAN, H3, VIDU = "Wan-AI/wan2.7-t2v", "MiniMaxAI/MiniMax-H3", "vidu/vidu-2.0"
EDIT, FLUX = "Wan-AI/wan2.7-videoedit", "black-forest-labs/FLUX-3"
PIXVERSE = "pixverse/pixverse-v6"
CLIP = {"reference_videos": [{"video": "https://example.com/a.mp4"}]}


def cost(model: str, **fields: Any) -> Estimate:
    return estimate(VideoRequest.model_validate({"model": model, "prompt": "a fox in the snow", **fields}))


@pytest.mark.parametrize(
    ("model", "fields", "usd", "low", "certainty"),
    [
        # Per video: as documented, and in proportion beyond the seconds and pixels it is given for.
        (LITE, {}, "0.143", "0.143", "documented"),
        (LITE, {"seconds": 5, "width": 1248, "height": 704}, "0.143", "0.143", "documented"),
        (LITE, {"seconds": 3}, "0.143", "0.143", "documented"),
        (LITE, {"seconds": 10}, "0.286", "0.143", "assumed"),
        (HAILUO, {"seconds": 6}, "0.49", "0.49", "documented"),
        (HAILUO, {"width": 1366, "height": 768}, "0.49", "0.49", "documented"),
        (HAILUO, {"width": 1920, "height": 1080}, "0.9693", "0.49", "assumed"),
        (VIDU, {}, "0.8", "0.28", "third-party"),
        (VIDU, {"seconds": 16}, "1.6", "0.28", "third-party"),
        # Two sources that differ: the higher one holds, the lower one is the low reading.
        (WAN, {}, "0.5", "0.1", "assumed"),
        (WAN, {"seconds": 15}, "1.5", "0.3", "assumed"),
        ("kwaivgI/kling-2.1-pro", {"seconds": 10}, "0.6468", "0.3234", "third-party"),
        # Dearer with sound, nobody says by how much.
        (PIXVERSE, {"seconds": 5}, "0.45", "0.45", "assumed"),
        (PIXVERSE, {"seconds": 5, "generate_audio": False}, "0.45", "0.45", "documented"),
        # Per second, as documented.
        (VEO, {}, "0.64", "0.32", "assumed"),
        (VEO, {"seconds": 4}, "0.32", "0.32", "documented"),
        (FLUX, {}, "1.7", "0.17", "assumed"),
        ("alibaba/happyhorse-1.0-i2v", {"seconds": 5}, "1.2", "1.2", "documented"),
        (H3, {"seconds": 6}, "0.8346", "0.8346", "documented"),
        (H3, {}, "1.391", "0.1391", "assumed"),
        # By tier.
        (SEEDANCE2, {"resolution": "720p"}, "0.8", "0.8", "documented"),
        (SEEDANCE2, {"resolution": "1080P", "seconds": 10}, "4", "4", "documented"),
        (SEEDANCE2, {"resolution": "480p"}, "0.8", "0.8", "assumed"),
        (SEEDANCE2, {}, "4.18", "0.8", "assumed"),
        (SEEDANCE2, {"resolution": "8k"}, "4.18", "0.8", "assumed"),
        (SEEDANCE2, {"resolution": "1080p", "media": CLIP}, "2.4", "2", "assumed"),
        (SEEDANCE2, {"resolution": "720p", "media": CLIP}, "2.4", "0.8", "assumed"),
        (SEEDANCE25, {}, "1.245", "1.245", "assumed"),
        (SEEDANCE25, {"resolution": "480p", "seconds": 30}, "3.45", "3.45", "documented"),
    ],
)
def test_an_estimate_follows_the_documents(
    model: str, fields: dict[str, Any], usd: str, low: str, certainty: str
):
    """The high and the low reading in USD, and how sure they are."""
    found = cost(model, **fields)
    assert (found.usd, found.low_usd) == (Decimal(usd), Decimal(low))
    assert found.certainty == certainty
    assert found.words


@pytest.mark.parametrize("model", [EDIT, "nobody/nothing"])
def test_no_price_is_made_up(model: str):
    """A model without a documented price, or none at all, has an unknown one."""
    found = cost(model)
    assert (found.usd, found.low_usd, found.certainty) == (None, None, Certainty.UNKNOWN)
    assert model in found.words


@pytest.mark.parametrize(
    ("model", "fields", "words"),
    [
        (LITE, {}, "0.143 USD a video"),
        (LITE, {"seconds": 10}, "the price is for 5 s"),
        (WAN, {}, "5 s at 0.10 USD; another source says 0.02 USD instead of 0.10 USD"),
        (PIXVERSE, {"seconds": 5}, "the price is for videos without sound"),
        (SEEDANCE2, {"resolution": "480p"}, "480p has no listed price, so counted as 720p"),
        (SEEDANCE2, {}, "no resolution is given, so counted as 4k, the most expensive"),
        (SEEDANCE25, {}, "only as a starting price"),
        (FLUX, {}, "no length is given or documented, so counted as 10 s"),
        (VIDU, {}, "another source says 0.80 USD instead of 0.28"),
    ],
)
def test_the_words_say_how_it_came_about(model: str, fields: dict[str, Any], words: str):
    """A person can check the arithmetic, and sees what was assumed."""
    assert words in cost(model, **fields).words


def test_a_price_whose_unit_nobody_gives_counts_high_and_low():
    """As a user's own file may have it: per second is the high reading, per video the low one."""
    document = Catalogue.load().model_dump(by_alias=True)
    for model in document["models"]:
        if model["name"] == VEO:
            model["price"] |= {"unit_documented": False, "certainty": "assumed"}
    request = VideoRequest(model=VEO, prompt="a fox", seconds="4")
    found = estimate(request, Catalogue.model_validate(document))
    assert (found.usd, found.low_usd, found.certainty) == (Decimal("0.32"), Decimal("0.08"), "assumed")
    assert "if the price is per second and not per video" in found.words


@pytest.mark.parametrize(
    ("model", "fields", "seconds"),
    [
        (HAILUO, {}, "10"),
        (HAILUO, {"seconds": 6}, "6"),
        ("google/veo-3.0", {}, "8"),
        (VIDU, {}, "8"),
        ("openai/sora-2", {}, "8"),
        (VEO, {}, "8"),
        (WAN, {}, "5"),
        (FLUX, {}, "10"),
        ("Wan-AI/Wan2.2-T2V-A14B", {}, None),
        ("nobody/nothing", {}, None),
    ],
)
def test_the_length_that_an_estimate_counts(model: str, fields: dict[str, Any], seconds: str | None):
    """Asked, the default, the only or the longest; what nobody knows is not counted by the video."""
    found = counted_seconds(VideoRequest.model_validate({"model": model, "prompt": "a fox", **fields}))
    assert found == (None if seconds is None else Decimal(seconds))


def test_amounts_are_rounded_up_to_a_hundredth_of_a_cent():
    """7 of 5 seconds at 0.57 USD are 0.798; a fraction beyond four places never rounds down."""
    assert cost("ByteDance/Seedance-1.0-pro", seconds=7).usd == Decimal("0.798")
    assert cost(HAILUO, width=1920, height=1080).usd == Decimal("0.9693")  # 0.96926… before rounding


def test_a_total_adds_up_and_is_as_sure_as_its_weakest_part():
    """Documented and assumed make assumed; a third party's price is weaker still."""
    parts = [cost(LITE), cost(WAN), cost(LITE)]
    assert total(parts) == Estimate(
        usd=Decimal("0.786"), low_usd=Decimal("0.386"), certainty=Certainty.ASSUMED, words="3 videos"
    )
    assert total([*parts, cost(VIDU)]).certainty is Certainty.THIRD_PARTY
    assert total(cost(LITE) for _ in range(2)).certainty is Certainty.DOCUMENTED


def test_a_total_with_an_unknown_price_is_unknown():
    """A sum that leaves a video out would be no bound; the words give what is known."""
    found = total([cost(LITE), cost(EDIT)])
    assert (found.usd, found.low_usd, found.certainty) == (None, Decimal("0.143"), Certainty.UNKNOWN)
    assert found.words == "2 videos, 1 of them without a known price; the others cost at most 0.143 USD"


def test_a_total_of_nothing_is_nothing():
    """An empty batch costs nothing, for certain."""
    found = total([])
    assert (found.usd, found.certainty) == (Decimal(0), Certainty.DOCUMENTED)
