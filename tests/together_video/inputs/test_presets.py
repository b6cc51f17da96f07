"""Shorthand: aspect, quality and adherence become request fields, and explicit numbers win."""

from __future__ import annotations

from typing import Any

import pytest

from together_video.catalogue import Catalogue
from together_video.catalogue.findings import Level
from together_video.errors import InputError
from together_video.inputs.presets import (
    GUIDANCE,
    STEPS,
    Presets,
    expand,
    make_request,
    overlay,
    with_presets,
)
from together_video.requests import VideoRequest

VEO, HAILUO = "google/veo-3.1", "minimax/hailuo-02"


def without_steps(name: str) -> Catalogue:
    """The catalogue with one model that is known to take no steps."""
    document = Catalogue.load().model_dump(by_alias=True)
    for model in document["models"]:
        if model["name"] == name:
            model["takes_steps"] = False
    return Catalogue.model_validate(document)


@pytest.mark.parametrize(("quality", "steps"), [("preview", 10), ("standard", 20), ("production", 35)])
def test_quality_is_a_number_of_steps(quality: str, steps: int) -> None:
    """As the documents advise, and it is said."""
    found = expand({"model": HAILUO, "quality": quality})
    assert found.fields == {"model": HAILUO, "steps": steps}
    assert [str(each) for each in found.chosen] == [f"note: steps: Quality {quality} is {steps} steps."]
    assert STEPS[quality] == steps


@pytest.mark.parametrize(("adherence", "scale"), [("creative", 6), ("balanced", 8), ("strict", 10)])
def test_adherence_is_a_guidance_scale(adherence: str, scale: float) -> None:
    """As the documents advise, and it is said."""
    found = expand({"model": HAILUO, "adherence": adherence})
    assert found.fields == {"model": HAILUO, "guidance_scale": scale}
    assert f"guidance scale of {scale:g}" in found.chosen[0].message
    assert GUIDANCE[adherence] == scale
    assert type(VideoRequest.model_validate(found.fields).payload()["guidance_scale"]) is int


@pytest.mark.parametrize(
    ("model", "asked", "sent"),
    [
        ("Wan-AI/wan2.7-t2v", "720p", "720P"),
        ("Wan-AI/wan2.7-t2v", " 1080p ", "1080P"),
        ("ByteDance/Seedance-2.0", "4K", "4k"),
        ("MiniMaxAI/MiniMax-H3", "2K", "2k"),
        ("Wan-AI/wan2.7-t2v", "720P", "720P"),
        ("Wan-AI/wan2.7-t2v", "540p", "540p"),
        ("minimax/hailuo-02", "720P", "720P"),
        ("no/such", "720p", "720p"),
    ],
)
def test_a_tier_is_sent_in_the_spelling_of_its_model(model: str, asked: str, sent: str) -> None:
    """Before the request has an id, with a note, however the request was made; an unknown tier stays."""
    fields = {"model": model, "prompt": "a fox", "resolution": asked}
    right = VideoRequest.model_validate({**fields, "resolution": sent})
    for request, chosen in (
        make_request(fields),
        with_presets(VideoRequest.model_validate(fields), None),
        with_presets(VideoRequest.model_validate(fields), Presets(quality="preview")),
    ):
        assert request.resolution == sent
        notes = [found for found in chosen if found.field == "resolution"]
        assert [found.rule for found in notes] == ["tier_is_spelled"] * (asked != sent)
        assert all(found.level is Level.NOTE and sent in found.message for found in notes)
    assert make_request(fields)[0].fingerprint() == right.fingerprint()


def test_numbers_that_are_given_win() -> None:
    """The preset changes nothing, and that is said."""
    fields = {"model": HAILUO, "steps": 30, "guidance_scale": 7, "quality": "preview", "adherence": "strict"}
    found = expand(fields)
    assert found.fields == {"model": HAILUO, "steps": 30, "guidance_scale": 7}
    assert all("changes nothing" in each.message for each in found.chosen)
    assert len(found.chosen) == 2


def test_a_model_that_takes_no_steps_gets_none() -> None:
    """Known from the catalogue; of most models nothing is documented, and then the doubt is said."""
    found = expand({"model": VEO, "quality": "preview"}, without_steps(VEO))
    assert "steps" not in found.fields
    assert "does not take steps" in found.chosen[0].message
    doubtful = expand({"model": VEO, "quality": "preview"})
    assert doubtful.fields["steps"] == 10
    assert "it is not documented whether" in doubtful.chosen[0].message


def test_an_aspect_becomes_a_size_and_a_note() -> None:
    """A model without that shape is a warning, which strictness makes an error."""
    found = expand({"model": VEO, "aspect": " 9:16 "})
    assert found.fields == {"model": VEO, "width": 720, "height": 1280}
    assert [each.level for each in found.chosen] == [Level.NOTE]
    other = expand({"model": HAILUO, "aspect": "9:16"})
    assert [each.level for each in other.chosen] == [Level.WARNING]
    assert "1366x768" in other.chosen[0].message


def test_an_undocumented_shape_is_a_warning() -> None:
    """It is requested anyway: nobody knows what else the model would make."""
    found = expand({"model": "black-forest-labs/FLUX-3", "aspect": "9:16"})
    assert (found.fields["width"], found.fields["height"], found.problems) == (720, 1280, ())
    assert [each.level for each in found.chosen] == [Level.WARNING]
    assert "are not documented" in found.chosen[0].message


@pytest.mark.parametrize("size", [{"width": 720, "height": 1280}, {"resolution": "720p"}, {"ratio": "9:16"}])
def test_an_aspect_beside_a_size_is_a_contradiction(size: dict[str, Any]) -> None:
    """Nobody guesses which one was meant."""
    found = expand({"model": VEO, "aspect": "9:16", **size})
    assert found.problems == (f"aspect: give it or {' and '.join(size)}, not both",)


@pytest.mark.parametrize("aspect", ["nine", "16/9", "0:9", "1:999999", ""])
def test_a_word_is_no_aspect(aspect: str) -> None:
    """One sentence with an example of what is."""
    (problem,) = expand({"model": VEO, "aspect": aspect}).problems
    assert problem == "aspect: must be a shape such as 16:9 or 9:16"


def test_an_unknown_preset_names_those_that_exist() -> None:
    """As for every other field."""
    (problem,) = expand({"quality": "best"}).problems
    assert problem == 'quality: must be "preview", "standard" or "production", is "best"'


def test_an_unknown_model_is_left_to_the_check() -> None:
    """The model's own error says what is wrong; the shape is kept for a model that takes over."""
    found = expand({"model": "no/such", "aspect": "9:16", "quality": "preview"})
    assert (found.fields, found.problems) == (
        {"model": "no/such", "steps": 10, "ratio": "9:16"},
        (),
    )


@pytest.mark.parametrize(
    ("said", "defaults", "left"),
    [
        ({"aspect": "1:1"}, {"width": 1, "height": 1, "seed": 3}, {"seed": 3}),
        ({"width": 640}, {"aspect": "1:1", "height": 360}, {"height": 360}),
        ({"quality": "preview"}, {"steps": 30}, {}),
        ({"steps": 30}, {"quality": "preview", "adherence": "strict"}, {"adherence": "strict"}),
        ({"adherence": "strict"}, {"guidance_scale": 7, "steps": 10}, {"steps": 10}),
        ({"steps": None}, {"quality": "preview"}, {"quality": "preview"}),
    ],
)
def test_what_a_line_says_wins_over_defaults_in_either_spelling(
    said: dict[str, Any], defaults: dict[str, Any], left: dict[str, Any]
) -> None:
    """An option's preset does not contradict a line's number, nor the other way round."""
    assert overlay(said, defaults) == left


def test_equal_requests_are_equal_however_they_are_written() -> None:
    """The shorthand is not part of the request, so nothing is paid for twice."""
    short, _ = make_request({"model": VEO, "prompt": "a", "aspect": "9:16", "quality": "standard"})
    plain = VideoRequest(model=VEO, prompt="a", width=720, height=1280, steps=20)
    assert short.fingerprint() == plain.fingerprint()


def test_presets_fill_a_request_and_change_nothing_that_it_says() -> None:
    """As the form of the flows has them: beside a request."""
    request = VideoRequest(model=VEO, prompt="a", width=1280, height=720)
    made, chosen = with_presets(request, Presets(aspect="9:16", quality="preview"))
    assert made == request.model_copy(update={"steps": 10})
    assert len(chosen) == 1
    assert with_presets(request, None) == (request, ())
    blank = VideoRequest(model="ByteDance/Seedance-2.5", prompt="a fox")
    with pytest.raises(InputError, match="does not take a ratio"):
        with_presets(blank, Presets(aspect="9:16"))


def test_all_that_is_wrong_is_said_at_once() -> None:
    """Presets and fields in one sentence."""
    with pytest.raises(InputError) as caught:
        make_request({"model": VEO, "quality": "best", "fps": "x"})
    assert "quality: must be" in caught.value.message
    assert "fps: must be a whole number" in caught.value.message
