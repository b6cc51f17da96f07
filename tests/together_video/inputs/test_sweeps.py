"""Lists in a line become every combination, bounded, labelled, and each a request of its own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from together_video.errors import InputError
from together_video.inputs.files import parse_requests
from together_video.inputs.lines import SourcedRequest
from together_video.inputs.rows import RowFormat
from together_video.inputs.sweeps import MOST_SWEPT
from together_video.ledger.plans import plan_videos
from together_video.ledger.records import Sweep


def parse(*lines: Any, **defaults: Any) -> list[SourcedRequest]:
    text = "\n".join(json.dumps(line) for line in lines)
    return parse_requests(text, RowFormat.JSON_LINES, "file", defaults, "google/veo-3.1")


def refusal(*lines: Any, **defaults: Any) -> str:
    with pytest.raises(InputError) as caught:
        parse(*lines, **defaults)
    return str(caught.value)


def test_lists_multiply_and_the_last_runs_fastest() -> None:
    """Every combination once, in the order of the line."""
    found = parse({"prompt": "a", "guidance_scale": [6, 8, 10], "seed": [1, 2]})
    assert [(one.request.guidance_scale, one.request.seed) for one in found] == [
        (6, 1),
        (6, 2),
        (8, 1),
        (8, 2),
        (10, 1),
        (10, 2),
    ]
    assert {one.request.prompt for one in found} == {"a"}
    assert {one.line for one in found} == {1}
    assert {one.sweep.columns for one in found if one.sweep} == {2}


def test_each_knows_its_sweep() -> None:
    """The line, the values that are its own, and how many make a row."""
    found = parse("a", {"prompt": ["x", "y"], "seed": [1], "generate_audio": [True, None]})
    assert found[0].sweep is None
    assert [one.sweep for one in found[1:]] == [
        Sweep(label="line 2", values={"prompt": prompt, "generate_audio": sound}, columns=2)
        for prompt in "xy"
        for sound in ("true", "default")
    ]


def test_a_list_of_one_is_a_value() -> None:
    """Nothing varies, so there is nothing to compare."""
    (one,) = parse({"prompt": "a", "seed": [7]})
    assert (one.request.seed, one.sweep) == (7, None)


def test_every_model_of_a_sweep_gets_its_own_size() -> None:
    """Shorthand is read after the lists are multiplied."""
    found = parse({"prompt": "ab", "model": ["google/veo-3.1", "Wan-AI/wan2.7-t2v"], "aspect": "9:16"})
    sizes = [(one.request.width, one.request.resolution, one.request.ratio) for one in found]
    assert sizes == [(720, None, None), (None, "1080P", "9:16")]


def test_presets_may_be_swept() -> None:
    """They are fields of a line like any other."""
    found = parse({"prompt": "a", "adherence": ["creative", "strict"]}, guidance_scale=8)
    assert [one.request.guidance_scale for one in found] == [6, 10]
    assert [one.sweep.values for one in found if one.sweep] == [
        {"adherence": "creative"},
        {"adherence": "strict"},
    ]


def test_lists_of_media_are_media() -> None:
    """Also in the deprecated spelling at the top level."""
    (one,) = parse({"prompt": "a", "reference_images": ["https://a/1.png", "https://a/2.png"]})
    assert one.sweep is None
    assert one.request.media is not None
    assert one.request.media.reference_images == ("https://a/1.png", "https://a/2.png")


def test_items_of_a_json_file_may_hold_lists_and_cells_may_not() -> None:
    """In a table a cell is a value."""
    found = parse_requests('[{"prompt": "a", "seed": [1, 2]}]', RowFormat.JSON, "file", {}, "m")
    assert [one.sweep.label for one in found if one.sweep] == ["item 1", "item 1"]
    with pytest.raises(InputError, match="seed: must be a whole number"):
        parse_requests('prompt,seed\na,"[1, 2]"', RowFormat.CSV, "file", {}, "m")


def test_what_is_wrong_is_said_once_a_line() -> None:
    """Not once for each combination; all problems of all values."""
    text = refusal({"prompt": "a", "steps": [9, 20, 60], "seed": [1, 2, 3]}, {"prompt": "b", "seed": []}, "c")
    assert text.splitlines() == [
        "file: 2 of 3 lines cannot be used; nothing was sent.",
        "  line 1: steps: must be at least 10, is 9; steps: must be at most 50, is 60",
        "  line 2: seed: the list is empty",
    ]


def test_the_number_of_requests_is_bounded() -> None:
    """Told before any is made, over all lines of the file."""
    hundred = list(range(100))
    assert len(parse({"prompt": "a", "seed": hundred, "fps": list(range(1, 101))})) == MOST_SWEPT
    text = refusal({"prompt": "a", "seed": list(range(1000)), "fps": hundred, "steps": hundred})
    assert "line 1: its lists bring the file to 10,000,000 requests; lists can make at most 10,000" in text
    many = [{"prompt": "a", "seed": list(range(5001))}] * 2
    assert "line 2: its lists bring the file to 10,002 requests" in refusal(*many)


def test_a_sweep_is_no_part_of_what_a_video_is() -> None:
    """The same request, in a sweep or alone, has the same id: it is not bought again."""
    swept = parse({"prompt": "a", "seed": [1, 2]})
    alone = parse({"prompt": "a", "seed": 1}, {"prompt": "a", "seed": 2})
    plans = plan_videos([one.request for one in swept], sweeps=[one.sweep for one in swept])
    assert [plan.id for plan in plans] == [plan.id for plan in plan_videos([one.request for one in alone])]
    assert [plan.sweep for plan in plans] == [one.sweep for one in swept]


def test_equal_values_are_takes() -> None:
    """Twice the same seed is two videos, as twice the same line is."""
    plans = plan_videos([one.request for one in parse({"prompt": "a", "seed": [1, 1]})])
    assert [plan.take for plan in plans] == [1, 2]


def test_long_and_hostile_values_make_short_captions() -> None:
    """A caption is one printable line."""
    found = parse({"prompt": ["x" * 500, "a\x1b[31m\nb"]})
    captions = [one.sweep.values["prompt"] for one in found if one.sweep]
    assert len(captions[0]) == 120
    assert captions[1].isprintable()


def test_captions_tell_values_apart() -> None:
    """Long prompts that begin alike differ, and two ways to write one number do not."""
    found = parse({"prompt": ["x" * 200 + "a", "x" * 200 + "b"], "guidance_scale": [8, 8.0, 9]})
    values = [one.sweep.values for one in found if one.sweep]
    assert len({one["prompt"] for one in values}) == 2
    assert [one["guidance_scale"] for one in values[:3]] == ["8", "8", "9"]


@pytest.mark.parametrize(
    "shared",
    [
        {"negative_prompt": "x" * 2_000_000},
        {"media": {"reference_images": [f"https://a.test/{number}.png" for number in range(20_000)]}},
    ],
    ids=["text", "media"],
)
def test_lists_that_would_repeat_very_much_are_refused_at_once(shared: dict[str, Any]) -> None:
    """A small file would else fill the memory, and hash gigabytes."""
    line = {"model": "m", "prompt": "p", "seed": list(range(10_000)), **shared}
    with pytest.raises(
        InputError, match=r"the lists of the file would repeat [\d,]+ MB of text; at most 32 MB"
    ):
        parse_requests(json.dumps(line), RowFormat.JSON_LINES, "x")
