"""Explanations: pydantic's findings in one short sentence each."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from together_video.prompts.briefs import Brief
from together_video.requests import VideoRequest
from together_video.text import printable
from together_video.validation_messages import explain, quoted


def explained(**fields: Any) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        VideoRequest.model_validate({"model": "m", **fields})
    return explain(caught.value)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"seconds": "5x"}, "seconds: '5x' is not a number of seconds; write it as 6 or as \"6\""),
        ({"steps": 80}, "steps: must be at most 50, is 80"),
        ({"steps": "80"}, "steps: must be at most 50, is 80"),
        ({"steps": 5}, "steps: must be at least 10, is 5"),
        ({"height": 0}, "height: must be more than 0, is 0"),
        ({"width": 1.5}, "width: must be a whole number, is 1.5"),
        ({"fps": "many"}, 'fps: must be a whole number, is "many"'),
        ({"guidance_scale": "nan"}, 'guidance_scale: must be a finite number, is "nan"'),
        ({"generate_audio": "maybe"}, 'generate_audio: must be true or false, is "maybe"'),
        ({"resolution": 720}, "resolution: must be text, is 720"),
        ({"seconds": True}, "seconds: must be text, is true"),
        ({"ratio": ""}, "ratio: is empty: give some text, or leave it out"),
        (
            {"prompt": ""},
            "the prompt is empty: say what the video shows, or leave it out if an image shows it",
        ),
        ({"prompt": "x" * 32_001}, "prompt: must have at most 32000 characters, has 32001"),
        ({"prompt": "\ud800"}, 'prompt: must be text that can be written as UTF-8, is "\\ud800"'),
        ({"model": 5}, "model: must be text, is 5"),
        ({"model": " "}, "the model's name is empty"),
        ({"output_format": "avi"}, 'output_format: must be "MP4" or "WEBM", is "AVI"'),
        ({"output_format": "GIF"}, "output_format: GIF is no longer produced by the API: use MP4 or WEBM"),
        ({"prmopt": "x"}, 'unknown field "prmopt" (did you mean "prompt"?)'),
        ({"PROMPT": "x"}, 'unknown field "PROMPT" (did you mean "prompt"?)'),
        ({"zzz": "x"}, 'unknown field "zzz"'),
        ({"a.b[c": "x"}, 'unknown field "a.b[c"'),
        ({"media": 5}, "media: must be an object, is 5"),
        ({"media": {"framez": 1}}, 'unknown field "framez" in media'),
        ({"media": {"frame_videos": "u"}}, 'media.frame_videos: must be a list, is "u"'),
        ({"media": {"source_video": 5}}, "media.source_video: must be text or an object, is 5"),
        ({"media": {"source_video": {}}}, "media.source_video.video: is missing"),
        (
            {"media": {"frame_images": [{"input_image": "u"}, {"input_image": "u", "frame": "mid"}]}},
            'media.frame_images[1].frame: must be "first" or "last" or a whole number, is "mid"',
        ),
        (
            {"media": {"audio_inputs": ["u", {"audio": "u", "audoi": 1}]}},
            'unknown field "audoi" in media.audio_inputs[1] (did you mean "audio"?)',
        ),
        (
            {"media": {"frame_images": [{"input_image": "u", "frame": 1}, *[{"input_image": "u"}] * 2]}},
            "media: with more than two frame_images, give either all of them a frame (first, last, or a number) "
            "or none",
        ),
        ({"extra": {"prompt": 1}}, "extra repeats known fields: prompt"),
    ],
)
def test_each_mistake_has_its_sentence(fields: dict[str, Any], sentence: str) -> None:
    """One mistake, one sentence, in words that a person would use."""
    assert explained(**fields) == [sentence]


def test_every_mistake_of_a_request_is_named() -> None:
    """Several mistakes are several sentences; a model that is not there is no mistake."""
    with pytest.raises(ValidationError) as caught:
        VideoRequest.model_validate({"steps": 80, "fps": 0})
    assert set(explain(caught.value)) == {
        "steps: must be at most 50, is 80",
        "fps: must be more than 0, is 0",
    }


def test_unknown_names_are_compared_with_the_model_that_was_validated() -> None:
    """A brief's unknown field is explained by the brief's fields."""
    with pytest.raises(ValidationError) as caught:
        Brief.model_validate({"subjekt": "x", "subject": "x"})
    assert explain(caught.value, Brief) == ['unknown field "subjekt" (did you mean "subject"?)']


ODD = [
    None,
    True,
    -1,
    10**40,
    float("nan"),
    "",
    " ",
    "\x1b[2J",
    "\ud800",
    "9" * 5_000,
    "a\r\nb",
    [],
    ["x", 3],
    {"video": 1},
]


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from([*VideoRequest.model_fields, "x\x1b[31m"]), st.sampled_from(ODD)))
def test_sentences_are_short_plain_lines(fields: dict[str, Any]) -> None:
    """Whatever was given: one line each, nothing that a terminal obeys, no address of pydantic's."""
    try:
        VideoRequest.model_validate(fields)
    except ValidationError as error:
        for sentence in explain(error):
            assert sentence.isprintable()
            assert len(sentence) < 400
            assert "pydantic" not in sentence
            assert "Input should" not in sentence


def test_what_is_quoted_is_short_and_harmless() -> None:
    """Control characters and writing-direction marks are shown as their codes, long text is cut."""
    assert printable("a\x1b[2J\u202eb\n") == "a\\x1b[2J\\u202eb\\n"
    assert quoted("x" * 100) == f'"{"x" * 59}…"'
    assert [quoted(value) for value in (None, True, 3, {}, [])] == [
        "null",
        "true",
        "3",
        "an object",
        "a list",
    ]
    assert quoted(10**5_000) == "too large to show"
