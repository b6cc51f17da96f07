"""A shape becomes the size, or tier and ratio, that comes nearest."""

from __future__ import annotations

from typing import Any

import pytest

from together_video.catalogue import Catalogue, check
from together_video.catalogue.aspects import fit_aspect
from together_video.catalogue.examples import example_request
from together_video.catalogue.sizes import Size, aspect_of
from together_video.requests import VideoRequest

USUAL = Size(1366, 768)


@pytest.mark.parametrize(
    ("model", "aspect", "fields", "exact"),
    [
        ("google/veo-3.1", "9:16", {"width": 720, "height": 1280}, True),
        ("pixverse/pixverse-v5", "1:1", {"width": 1080, "height": 1080}, True),
        ("pixverse/pixverse-v5", "16:9", {"width": 1280, "height": 720}, True),
        ("pixverse/pixverse-v5", "4:3", {"width": 1440, "height": 1080}, True),
        ("ByteDance/Seedance-1.0-lite", "16:9", {"width": 1248, "height": 704}, True),
        ("ByteDance/Seedance-1.0-lite", "9:16", {"width": 640, "height": 1504}, False),
        ("minimax/hailuo-02", "9:16", {"width": 1366, "height": 768}, False),
        ("Wan-AI/wan2.7-t2v", "9:16", {"resolution": "1080P", "ratio": "9:16"}, True),
        ("Wan-AI/wan2.7-t2v", "21:9", {"resolution": "1080P", "ratio": "16:9"}, False),
        ("ByteDance/Seedance-2.0", "2.33:1", {"resolution": "720p", "ratio": "21:9"}, True),
    ],
)
def test_the_best_match_is_taken(model: str, aspect: str, fields: dict[str, Any], exact: bool) -> None:
    """The nearest shape, and of several such sizes the one nearest to the usual size; tiers in their case."""
    fit = fit_aspect(aspect, Catalogue.load().get(model), USUAL)
    assert (fit.fields, fit.exact) == (fields, exact)


@pytest.mark.parametrize(
    ("aspect", "model", "fields"),
    [
        ("9:16", "MiniMaxAI/MiniMax-H3", {"ratio": "9:16"}),
        ("9:16", "black-forest-labs/FLUX-3", {"width": 720, "height": 1280}),
        ("16:9", "pixverse/pixverse-v6", {"width": 1280, "height": 720}),
    ],
)
def test_where_nothing_is_documented_the_plain_size_is_taken(
    aspect: str, model: str, fields: dict[str, Any]
) -> None:
    """It is called a guess, as the model may refuse it."""
    fit = fit_aspect(aspect, Catalogue.load().get(model), USUAL)
    assert (fit.fields, fit.documented) == (fields, False)


def test_a_model_that_takes_no_ratio_takes_no_aspect() -> None:
    """That is documented: users who ask for one shape would pay for another."""
    with pytest.raises(ValueError, match="does not take a ratio"):
        fit_aspect("16:9", Catalogue.load().get("ByteDance/Seedance-2.5"), USUAL)


@pytest.mark.parametrize("model", Catalogue.load().models, ids=lambda model: model.name)
@pytest.mark.parametrize("aspect", ["16:9", "9:16", "1:1"])
def test_what_is_chosen_passes_the_check(model: Any, aspect: str) -> None:
    """A size that the model has, of no other shape where it has that shape."""
    try:
        fit = fit_aspect(aspect, model, USUAL)
    except ValueError:
        assert not model.size.pixels
        assert not model.size.ratios
        return
    plain = {"width": None, "height": None, "resolution": None, "ratio": None}
    fields = {**example_request(model).payload(), **plain, **fit.fields}
    request = VideoRequest.model_validate(
        {name: value for name, value in fields.items() if value is not None}
    )
    assert [found for found in check(request) if found.field in plain] == []
    ratio = fit.fields.get("ratio")
    shape = aspect_of(ratio) if ratio else fit.fields["width"] / fit.fields["height"]
    assert shape is not None
    assert (abs(shape / (aspect_of(aspect) or 0) - 1) < 0.04) is fit.exact
