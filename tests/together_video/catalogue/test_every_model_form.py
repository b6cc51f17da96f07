"""Every model of the catalogue against the rules that hold for all: what passes at the bound, and what breaks it."""

from __future__ import annotations

import json
import wave
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.together_video.catalogue.limits import asked
from together_video.catalogue import Catalogue, check
from together_video.catalogue.findings import Finding, Level
from together_video.catalogue.models import MediaField, Model
from together_video.inputs.lines import parse_lines
from together_video.inputs.media import look_over
from together_video.inputs.rows import RowFormat
from together_video.requests import MAX_PROMPT

CATALOGUE = Catalogue.load()
IMAGE = {"input_image": "https://example.com/a.png"}


class Rule(NamedTuple):
    """Fields at the bound, fields beyond it, and the field and the rule that must be named."""

    passing: dict[str, Any]
    breaking: dict[str, Any]
    field: str
    rule: str


RULES = {
    "fewest steps": Rule({"steps": 10}, {"steps": 9}, "steps", "within_bounds"),
    "most steps": Rule({"steps": 50}, {"steps": 51}, "steps", "within_bounds"),
    "format": Rule({"output_format": "mp4"}, {"output_format": "GIF"}, "output_format", "format_is_made"),
    "quality": Rule({"output_quality": 0}, {"output_quality": -1}, "output_quality", "within_bounds"),
    "seconds": Rule({}, {"seconds": "long"}, "seconds", "length"),
    "prompt says something": Rule({}, {"prompt": " "}, "prompt", "says_something"),
    "negative says something": Rule({}, {"negative_prompt": ""}, "negative_prompt", "says_something"),
    "places": Rule(
        {},
        {"media": {"frame_images": [{**IMAGE, "frame": 1}, IMAGE, IMAGE]}},
        "media",
        "frames_are_told_apart",
    ),
    "one image a place": Rule(
        {},
        {"media": {"frame_images": [{**IMAGE, "frame": 0}, {**IMAGE, "frame": "first"}]}},
        "media",
        "frames_are_told_apart",
    ),
    "longest prompt of the API": Rule({}, {"prompt": "x" * (MAX_PROMPT + 1)}, "prompt", "within_bounds"),
}


def line_of(model: Model, fields: dict[str, Any]) -> str:
    return json.dumps({**asked(model, {}).payload(), **fields})


def weighty(found: list[Finding]) -> list[Finding]:
    """Errors and warnings, but that the model is retired."""
    levels = (Level.ERROR, Level.WARNING)
    return [one for one in found if one.level in levels and one.rule != "model_is_offered"]


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("model", CATALOGUE.models, ids=lambda model: model.name)
def test_a_rule_of_all_models(model: Model, name: str) -> None:
    """At the bound a line makes a request in which nothing is found; beyond it the line says which rule it breaks."""
    rule = RULES[name]
    lines = f"{line_of(model, rule.passing)}\n{line_of(model, rule.breaking)}\n"
    read = parse_lines(lines, RowFormat.JSON_LINES, "file")
    (made,), (refused,) = read.requests, read.refused
    assert weighty(check(made.request)) == []
    (finding,) = [found for found in refused.findings if found.field == rule.field]
    assert (refused.line, finding.level, finding.rule) == (2, Level.ERROR, rule.rule)
    assert finding.source is not None
    assert set(finding.source.split(", ")) <= set(CATALOGUE.sources)
    if finding.instead:
        (mended,) = parse_lines(line_of(model, finding.instead), RowFormat.JSON_LINES, "file").requests
        assert weighty(check(mended.request)) == []


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Silence of 2, 3, 30 and 31 seconds, and 30 seconds that are larger than 15 MB."""
    folder = tmp_path_factory.mktemp("sounds")
    made = {}
    for name, seconds, channels, width, rate in (
        ("2 s", 2, 1, 2, 8_000),
        ("3 s", 3, 1, 2, 8_000),
        ("30 s", 30, 1, 2, 8_000),
        ("31 s", 31, 1, 2, 8_000),
        ("large", 30, 2, 3, 96_000),
    ):
        made[name] = folder / f"{name}.wav"
        with wave.open(str(made[name]), "wb") as file:
            file.setparams((channels, width, rate, 0, "NONE", "not compressed"))
            file.writeframes(bytes(seconds * channels * width * rate))
    return made


HEARING = [m for m in CATALOGUE.models if MediaField.AUDIO_INPUTS in (m.media.accepted or ())]


@pytest.mark.parametrize("model", HEARING, ids=lambda model: model.name)
def test_audio_that_drives_a_video(model: Model, sounds: dict[str, Path]) -> None:
    """3 to 30 seconds and at most 15 MB, for each model that takes audio_inputs."""
    media = asked(model, {}).payload().get("media", {})
    requests = [asked(model, {"media": {**media, "audio_inputs": [str(path)]}}) for path in sounds.values()]
    assert all(weighty(check(request)) == [] for request in requests)
    _, problems = look_over(requests)
    names = list(sounds)
    told = {names[problem.request]: problem.words for problem in problems}
    assert set(told) == {"2 s", "31 s", "large"}
    assert "lasts 2.0 s; audio must last 3 to 30 s" in told["2 s"]
    assert "lasts 31.0 s; audio must last 3 to 30 s" in told["31 s"]
    assert "has 17.3 MB; audio may have at most 15 MB" in told["large"]
    assert {problem.place for problem in problems} == {"media.audio_inputs[0]"}


def test_some_models_hear() -> None:
    """Else nothing was tested above."""
    assert {model.name for model in HEARING} == {"Wan-AI/wan2.7-t2v", "Wan-AI/wan2.7-i2v"}
