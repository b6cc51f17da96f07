"""What to do about the service's errors: each known code gets its sentence, nothing else gets a guess."""

import pytest

from together_video.jobs import VideoJob
from together_video.remedies import advice_for, concerns_model, is_final


@pytest.mark.parametrize(
    ("code", "message", "status", "words"),
    [
        (None, "no money", 402, "no credit left"),
        ("third_party_data_sharing_blocked", "blocked", 403, "organisation's privacy settings"),
        (None, "no", 403, "check its rights"),
        (None, "no", 401, "Check the API key"),
        ("model_not_available", "Unable to access model x/y", 404, "together-video models"),
        (None, "The model x/y does not exist", 404, "together-video models"),
        (
            "unsupportedParameter",
            "Unsupported use of 'negativePrompt'",
            None,
            "does not take negative_prompt:",
        ),
        (
            "unsupportedParameter",
            "The parameter guidance_scale is not supported",
            400,
            "guidance_scale: leave",
        ),
        ("unsupportedParameter", "no", None, "the parameter that it names"),
        ("invalidDuration", "too long", None, "together-video models NAME"),
        ("content_moderation", "refused", 400, "change the wording"),
        (None, "The output may contain sensitive information", None, "change the wording"),
        ("nsfw", "no", 422, "change the wording"),
    ],
)
def test_a_known_error_is_explained(code: str | None, message: str, status: int | None, words: str) -> None:
    """By its code, else by its status, else by its words."""
    advice = advice_for(code, message, status=status)
    assert advice is not None
    assert words in advice
    assert advice.endswith(".")


@pytest.mark.parametrize(
    ("code", "message", "status"),
    [
        (None, "too odd", 422),
        ("server_error", "Something broke", None),
        (None, "There is no such job", 404),
        (None, "The safety of the service is at risk", 500),
    ],
)
def test_an_unknown_error_gets_no_advice(code: str | None, message: str, status: int | None) -> None:
    """The service's words stand alone."""
    assert advice_for(code, message, status=status) is None


@pytest.mark.parametrize(
    ("code", "message", "again"),
    [
        ("unsupportedParameter", "no", True),
        ("invalidDuration", "too long", True),
        (None, "refused by content moderation", True),
        ("model_not_available", "gone", False),
        ("third_party_data_sharing_blocked", "blocked", False),
        (None, "Something broke", False),
        ("content_moderation", "The generated video was blocked", False),
        ("content_moderation", "The prompt asks for content that is not allowed", True),
    ],
)
def test_what_holds_for_good_is_known(code: str | None, message: str, again: bool) -> None:
    """Buying the same request again makes sense only where its reason can pass."""
    assert is_final(code, message) is again


@pytest.mark.parametrize(
    "answer",
    [
        {"error": {"code": "unsupportedParameter", "message": "Unsupported use of negativePrompt"}},
        {
            "info": {
                "errors": [{"code": "unsupportedParameter", "message": "Unsupported use of negativePrompt"}]
            }
        },
    ],
)
def test_a_failed_job_says_what_to_change(answer: dict[str, object]) -> None:
    """In both generations of the format, so that it stands in the record and on the page."""
    job = VideoJob.from_json({"id": "j", "status": "failed", **answer})
    assert job.fault_text == "Unsupported use of negativePrompt (unsupportedParameter)"
    assert job.remedy is not None
    assert job.remedy.startswith("The model does not take negative_prompt:")


@pytest.mark.parametrize(
    ("status", "code", "message", "elsewhere"),
    [
        (404, "model_not_available", "Unable to access it", True),
        (404, None, "There is no such model", True),
        (404, "not_found", "There is no POST /videos", False),
        (400, "invalidDuration", "too long", True),
        (422, None, "too odd", True),
        (503, None, "busy", True),
        (403, "third_party_data_sharing_blocked", "blocked", True),
        (401, None, "no key", False),
        (402, None, "no credit", False),
        (405, None, "no such method", False),
        (429, None, "slow down", False),
        (302, None, "over there", False),
        (None, None, "cannot be sent", False),
    ],
)
def test_what_another_model_may_take_is_known(
    status: int | None, code: str | None, message: str, elsewhere: bool
) -> None:
    """What says nothing about the model would meet the next one as well."""
    assert concerns_model(status, code, message) is elsewhere
