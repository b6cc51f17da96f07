"""What is filled into the form of generate-batch, as the parameters of the flow."""

from __future__ import annotations

from typing import Any

import pytest

from prefect_together_video.flows.batch import generate_batch
from prefect_together_video.flows.forms.batch import asks, brief_of, from_form
from prefect_together_video.flows.forms.groups import VideoMore
from prefect_together_video.flows.forms.video import video_from_form
from together_video.errors import InputError
from together_video.inputs.presets import Presets
from together_video.prompts import Brief, brief_id
from together_video.requests import VideoRequest

#: What the newer UI sends of a form that nobody has touched.
UNTOUCHED = {
    "subject": "",
    "count": 4,
    "style": "",
    "model": "default",
    "shape": "default",
    "approve": False,
    "more": None,
}


def made(**given: Any) -> dict[str, Any]:
    """Validate the form's values as Prefect does, and return the parameters that the flow then uses."""
    return from_form(generate_batch.validate_parameters({**UNTOUCHED, **given}))


def test_a_subject_is_a_brief() -> None:
    """It is the same brief, and so the same prompts, as one that is given as an object."""
    plain = made(subject=" herons at dawn ", count=2, style="calm", model="minimax/hailuo-02", seconds=6)
    brief = Brief(subject="herons at dawn", count=2, style="calm", model="minimax/hailuo-02", seconds=6)
    assert plain["brief"] == brief
    assert brief_id(plain["brief"]) == brief_id(brief)
    assert plain["settings"] == {"model": "minimax/hailuo-02", "seconds": 6}
    assert not asks(plain)


def test_what_is_left_as_it_is_says_nothing() -> None:
    """No model, no length, no presets and no settings; the parameters of the deployment hold."""
    plain = made(subject="foxes", edition="daily", more={"workers": 1})
    assert plain["brief"] == Brief(subject="foxes", count=4)
    assert (plain["settings"], plain["presets"], plain["edition"]) == (None, None, "daily")
    first_ui = {"label_in_id": False, "seconds": None, "output_format": None, "generate_audio": None}
    assert made(subject="foxes", seconds=5, more={"settings": first_ui})["settings"] == {"seconds": 5}


def test_the_group_wins() -> None:
    """Over the parameter of the same name, the listed model, and the words that settings contradict."""
    more = {
        "edition": "daily", "in_flight": 3, "quality": "preview", "other_model": "acme/own", "language": "German",
        "fallback_models": ["vidu/vidu-q1"], "settings": {"width": 864, "height": 480},
    }  # fmt: skip
    plain = made(subject="foxes", model="vidu/vidu-q1", shape="9:16", edition="once", more=more)
    assert (plain["edition"], plain["in_flight"]) == ("daily", 3)
    assert list(plain["fallback_models"]) == ["vidu/vidu-q1"]
    assert plain["brief"].language == "German"
    assert plain["brief"].model == "acme/own"
    assert plain["settings"] == {"model": "acme/own", "width": 864, "height": 480}
    assert plain["presets"] == Presets(aspect="9:16", quality="preview")


@pytest.mark.parametrize(
    ("parameter", "beside", "shown"),
    [
        ("edition", "daily", "once"),
        ("on_ambiguous", "resubmit", "hold"),
        ("attempts", 3, 1),
        ("fallback_models", ["vidu/vidu-q1"], []),
        ("price_usd", 2, 1),
    ],
)
def test_neither_the_form_nor_the_deployment_wins_in_silence(parameter: str, beside: Any, shown: Any) -> None:
    """What the form does not show may buy more than what it shows."""
    with pytest.raises(InputError, match=f"The parameter {parameter} is .*, but under More it is "):
        made(subject="foxes", **{parameter: beside}, more={parameter: shown})
    assert made(subject="foxes", **{parameter: beside}, more={parameter: beside})["brief"].subject == "foxes"


def test_requests_say_themselves_what_they_say() -> None:
    """The form's model and length hold where a request has none."""
    asked = [{"prompt": "a fox", "width": None}, {"prompt": "an owl", "model": "vidu/vidu-q1", "seconds": 4}]
    plain = made(model="minimax/hailuo-02", seconds=6, more={"requests": asked})
    assert plain["requests"] == [
        VideoRequest(prompt="a fox", model="minimax/hailuo-02", seconds="6"),
        VideoRequest(prompt="an owl", model="vidu/vidu-q1", seconds="4"),
    ]


def test_a_form_that_says_nothing_is_refused() -> None:
    """In words of the form; so is a brief beside a subject."""
    with pytest.raises(InputError, match="Say what the videos are about"):
        made()
    with pytest.raises(InputError, match="either a brief or a subject"):
        made(subject="foxes", brief=Brief(subject="owls"))
    with pytest.raises(InputError, match="count"):
        made(subject="foxes", count=0)
    with pytest.raises(InputError, match="aspect"):
        made(subject="foxes", shape="round")


def test_programs_are_left_alone() -> None:
    """Nothing of the form is given by a call from Python, nor by an event."""
    assert not asks(generate_batch.validate_parameters({"brief": {"subject": "foxes"}}))
    assert not asks({"payload": "{}"})
    assert brief_of({"brief": (brief := Brief(subject="foxes"))}) is brief


def test_the_group_of_one_video_becomes_parameters() -> None:
    """Shape and quality are presets."""
    more = VideoMore(shape="9:16", quality="preview", attempts=2)
    plain = video_from_form(
        {"request": VideoRequest(prompt="a fox"), "attempts": 1, "presets": None, "more": more}
    )
    assert plain["presets"] == Presets(aspect="9:16", quality="preview")
    assert plain["attempts"] == 2
    assert "more" not in plain


def test_details_are_fields_of_the_request() -> None:
    """Those that nobody has touched say nothing; one that contradicts the request is an error, not a purchase."""
    untouched = {"label_in_id": None, "output_format": None, "labels": {}, "extra": {}}
    more = VideoMore.model_validate({"details": {**untouched, "fps": 8, "negative_prompt": "blur"}})
    request = VideoRequest(prompt="a fox", model="vidu/vidu-q1", seconds="4")
    plain = video_from_form({"request": request, "more": more})
    assert plain["request"] == request.model_copy(update={"fps": 8, "negative_prompt": "blur"})
    same = {"request": request.model_copy(update={"fps": 8}), "more": VideoMore(details={"fps": 8})}
    assert video_from_form(same)["request"].fps == 8
    other = {"request": VideoRequest(prompt="a fox", fps=24), "more": VideoMore(details={"fps": 8})}
    with pytest.raises(InputError, match=r"The request says fps 24, but Details say 8\. Nothing was bought"):
        video_from_form(other)
    with pytest.raises(InputError, match="fps"):
        video_from_form({"request": request, "more": VideoMore(details={"fps": -1})})
