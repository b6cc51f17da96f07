"""What videos are called: the members of a sweep are told apart in every title and every file name."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from together_video.inputs.sweeps import combinations
from together_video.ledger.layout import Layout
from together_video.ledger.records import Sweep, VideoPlan
from together_video.ledger.summary import VideoOutcome, VideoState
from together_video.ledger.titles import title_of, varied
from together_video.requests import VideoRequest

MOMENT = datetime(2026, 3, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, ""),
        ({"prompt": "a fox"}, ""),
        ({"seed": "2", "aspect": "9:16"}, "seed 2 · 9:16"),
        ({"seconds": "5", "guidance_scale": "7.5"}, "5 s · guidance scale 7.5"),
        ({"model": "vidu/vidu-q1", "seed": "default"}, "vidu/vidu-q1 · seed default"),
        ({"quality": "default", "seconds": "default"}, "quality default · seconds default"),
        ({"negative_prompt": "b\nl\u202eur"}, "negative prompt b l ur"),
    ],
)
def test_what_varies_is_said_in_words(values: dict[str, str], words: str) -> None:
    """Values that speak for themselves stand alone; prompts are the title already."""
    assert varied(values) == words


def test_the_prompt_is_cut_before_what_varies() -> None:
    """However little room there is, and however long both are."""
    assert title_of("a fox " * 20, {"seed": "2"}, 30) == "a fox a fox a fox a… · seed 2"
    assert title_of("a fox", None, 30) == "a fox"
    assert len(title_of("x" * 500, {"negative_prompt": "y" * 500}, 40)) <= 40


def test_each_member_of_a_sweep_has_its_own_title_and_file() -> None:
    """The names follow from the plan alone, so that a run which resumes finds the same file."""
    line = {"model": "m", "prompt": "a fox in the snow " * 30, "seed": [1, 2], "ratio": ["16:9", "9:16"]}
    plans = [
        VideoPlan(request=VideoRequest.model_validate(fields), sweep=sweep)
        for fields, sweep in combinations(line, "line 1")
    ]
    titles = {plan.title for plan in plans}
    assert len(titles) == 4
    assert any(title.endswith(" · seed 2 · 9:16") for title in titles)
    layout = Layout(template="{slug}-{id}")
    keys = [layout.media(plan, MOMENT)[0] for plan in plans]
    assert keys == [layout.media(plan, MOMENT)[0] for plan in plans]
    assert keys[0].startswith("videos/a-fox-in-the-snow-a-fox-in-the-snow-a-fox-in-the-seed-1-16-9-")
    rows = {VideoOutcome.of_plan(plan, VideoState.SKIPPED).title_in(32) for plan in plans}
    assert len(rows) == 4


def test_names_stay_short() -> None:
    """At most 48 characters of the prompt and 32 of what varies."""
    sweep = Sweep(label="line 1", values={"negative_prompt": "word " * 50, "seed": "7"}, columns=2)
    plan = VideoPlan(request=VideoRequest(model="m", prompt="fox " * 99), sweep=sweep)
    key, _ = Layout(template="{slug}-{id}").media(plan, MOMENT)
    assert len(key) <= len("videos/") + 48 + 1 + 32 + 1 + 24 + len(".mp4")
