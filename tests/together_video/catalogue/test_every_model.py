"""Every model of the catalogue: a valid request passes, and each of its documented limits is found when broken."""

from __future__ import annotations

from typing import Any

import pytest

from tests.together_video.catalogue.limits import Broken, asked, limits
from together_video.catalogue import Catalogue, check
from together_video.catalogue.findings import Finding
from together_video.catalogue.models import Model
from together_video.requests import VideoRequest

MODELS = Catalogue.load().models

CASES = [
    pytest.param(model, broken, id=f"{model.name}: {broken.limit}")
    for model in MODELS
    for broken in limits(model)
]


def findings(request: VideoRequest) -> list[Finding]:
    return [found for found in check(request) if found.rule != "model_is_offered"]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_a_valid_request_passes(model: Model) -> None:
    """With every documented limit at its bounds, nothing is found."""
    longest = model.prompt.maximum
    changes: dict[str, Any] = {"seed": 7, "steps": 20, "guidance_scale": 8, "output_format": "MP4"}
    if longest is not None:
        changes["prompt"] = "a" * longest
    if model.negative_limit is not None:
        changes["negative_prompt"] = "a" * model.negative_limit
    for fps in model.fps or ():
        for seconds in model.seconds.choices or (model.seconds.minimum, model.seconds.maximum):
            assert findings(asked(model, {**changes, "fps": fps, "seconds": seconds})) == []
    for size in model.size.pixels or ():
        assert findings(asked(model, {**changes, "width": size.width, "height": size.height})) == []
    for tier in model.size.tiers or ():
        for ratio in model.size.ratios or (None,):
            assert findings(asked(model, {**changes, "resolution": tier.name, "ratio": ratio})) == []
    assert findings(asked(model, changes)) == []


@pytest.mark.parametrize(("model", "broken"), CASES)
def test_a_broken_limit_is_found(model: Model, broken: Broken) -> None:
    """On its field, with its weight, by a rule with a name, and with sources that the catalogue lists."""
    request = asked(model, broken.fields)
    hits = [
        found
        for found in check(request)
        if (found.field, found.level) == (broken.field, broken.level) and broken.words in found.message
    ]
    assert hits, [str(found) for found in check(request)]
    for hit in hits:
        assert hit.rule
        assert hit.source is not None
        assert set(hit.source.split(", ")) <= set(Catalogue.load().sources)


@pytest.mark.parametrize(("model", "broken"), CASES)
def test_what_is_said_to_pass_passes(model: Model, broken: Broken) -> None:
    """With the fields that a finding names instead, its rule has nothing more to say."""
    request = asked(model, broken.fields)
    for found in check(request):
        if found.instead:
            mended = asked(model, {**broken.fields, **found.instead})
            again = [
                other for other in check(mended) if (other.rule, other.field) == (found.rule, found.field)
            ]
            assert again == [], str(found)


def test_most_findings_name_what_would_pass() -> None:
    """Sizes, tiers, ratios, lengths, rates, seeds, formats and guidance have a nearest value to name."""
    named = {"width", "resolution", "ratio", "seconds", "fps", "guidance_scale", "output_format", "seed"}
    for case in CASES:
        model, broken = case.values
        for found in check(asked(model, broken.fields)):
            if found.field in named and (found.field != "resolution" or len(model.size.tiers or ()) != 0):
                assert found.instead, str(found)


def test_the_table_of_cases_is_not_empty() -> None:
    """Each model has many limits to break, so that a change in the data cannot switch the test off."""
    assert len(MODELS) >= 42
    assert all(len(limits(model)) >= 9 for model in MODELS)
    assert len(CASES) > 600
