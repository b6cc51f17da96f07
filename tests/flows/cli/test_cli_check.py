"""`check` tells everything at once: of every line what is wrong, by which rule and source, and what would pass."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
MODEL = "pixverse/pixverse-v5"
IMAGE = {"input_image": "https://example.com/a.png"}


@pytest.fixture
def looked_at(command: Run, tmp_path: Path) -> Callable[..., Any]:
    """Checks a file of these lines, for people and as JSON."""

    def look(*lines: dict[str, Any] | str) -> Any:
        path = tmp_path / "file.jsonl"
        path.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))
        shown, document = command("check", str(path)), command("check", str(path), "--json")
        assert shown.code == document.code
        assert (shown.err, document.err) == ("", "")
        return shown.code, shown.out, json.loads(document.out)

    return look


@pytest.mark.parametrize(
    ("fields", "field", "rule", "source", "words"),
    [
        ({"steps": 51}, "steps", "within_bounds", "openapi", "at most 50"),
        ({"steps": 9}, "steps", "within_bounds", "openapi", "at least 10"),
        ({"output_format": "GIF"}, "output_format", "format_is_made", "openapi", "use MP4 or WEBM"),
        ({"output_format": "AVI"}, "output_format", "is_one_of_the_choices", "openapi", "WEBM"),
        ({"seconds": "long"}, "seconds", "length", "openapi", "write it as 6"),
        ({"seconds": -1}, "seconds", "length", "openapi", "such as 6"),
        ({"output_quality": -1}, "output_quality", "within_bounds", "openapi", "at least 0"),
        ({"output_quality": "high"}, "output_quality", "has_its_type", "openapi", "a whole number"),
        ({"prompt": ""}, "prompt", "says_something", "openapi", "say what the video shows"),
        ({"prompt": "  "}, "prompt", "says_something", "openapi", "say what the video shows"),
        (
            {"media": {"frame_images": [{**IMAGE, "frame": 1}, *[IMAGE] * 2]}},
            "media",
            "frames_are_told_apart",
            "overview",
            "first, last",
        ),
        (
            {"media": {"frame_images": [{**IMAGE, "frame": 3}] * 2}},
            "media",
            "frames_are_told_apart",
            "overview",
            "each its own",
        ),
        ({"prmopt": "a fox"}, "prmopt", "field_is_known", "openapi", 'did you mean "prompt"'),
        ({"width": 99999}, "width", "within_bounds", "project", "at most 16384"),
        ({"quality": "best"}, "quality", "shorthand_is_known", "project", '"preview"'),
        ({"seed": []}, "seed", "list_has_values", "project", "empty"),
    ],
)
def test_what_makes_no_request_is_told_like_all_else(
    looked_at: Callable[..., Any], fields: dict[str, Any], field: str, rule: str, source: str, words: str
) -> None:
    """Field, rule, source and what would pass, in text and as JSON."""
    code, shown, document = looked_at({"prompt": "a fox", "model": MODEL, **fields})
    assert code == 2
    (refused,) = document["refused"]
    (finding,) = [found for found in refused["findings"] if found["field"] == field]
    assert (refused["line"], finding["level"], finding["rule"]) == (1, "error", rule)
    assert source in finding["source"]
    assert words in finding["message"]
    assert f"line 1: error {field}: {finding['message']} [{rule}: {finding['source']}]" in shown
    assert document["errors"] == 1


def test_the_nearest_value_that_passes_is_named(looked_at: Callable[..., Any]) -> None:
    """As a field that can be taken over."""
    _, _, document = looked_at({"prompt": "a fox", "steps": 51}, {"prompt": "a fox", "output_format": "GIF"})
    assert [bad["findings"][0]["instead"] for bad in document["refused"]] == [
        {"steps": 50},
        {"output_format": "MP4"},
    ]


def test_one_bad_line_hides_nothing_of_the_others(looked_at: Callable[..., Any]) -> None:
    """Every bad line with its number, and the findings and the cost of all that make requests."""
    code, shown, document = looked_at(
        {"prompt": "a fox", "model": MODEL, "fps": 7},
        '{"prompt": ',
        {"prompt": "an owl", "model": "pixverse/v5", "steps": 80},
        {"prompt": "a hare", "model": MODEL, "media": {"source_video": "gone.mp4"}},
        {"prompt": "a crow", "model": "no/such", "guidance_scale": 13},
    )
    assert code == 2
    lines = shown.splitlines()
    assert lines[0] == "3 requests, 5 errors."
    assert lines[2].endswith("file.jsonl: 2 of 5 lines cannot be used.")
    assert lines[1].startswith(
        "Cost: unknown (3 videos, 1 of them without a known price; the others cost at most"
    )
    told = [(line["line"], {found["field"] for found in line["findings"]}) for line in document["requests"]]
    assert told == [(1, {"fps"}), (4, {"media.source_video"}), (5, {"model", "guidance_scale"})]
    told = [(line["line"], {found["field"] for found in line["findings"]}) for line in document["refused"]]
    assert told == [(2, {"line"}), (3, {"steps", "model"})]
    assert document["errors"] == 5
    for number in (2, 3, 4, 5):
        assert f"line {number}: error" in shown
    assert document["requests"][0]["cost_usd"] == 0.3
    for row in (*document["requests"], *document["refused"]):
        for finding in row["findings"]:
            assert finding["rule"], finding
            assert finding["source"], finding


def test_a_file_of_bad_lines_alone_has_no_cost(looked_at: Callable[..., Any]) -> None:
    """Nothing is said of money where there is nothing to buy."""
    code, shown, document = looked_at({"steps": 80, "prompt": "a fox"})
    assert (code, document["requests"], document["cost_usd"]) == (2, [], 0)
    assert shown.splitlines()[0] == "0 requests, 1 error."
    assert shown.splitlines()[1].endswith("file.jsonl: 1 of 1 line cannot be used.")
    assert "Cost" not in shown


def test_an_unknown_model_has_near_names_and_the_way_to_add_it(looked_at: Callable[..., Any]) -> None:
    """A family's name gives its models; the cost is unknown, in one sentence."""
    code, shown, document = looked_at({"prompt": "a fox", "model": "seedance"})
    (finding,) = document["requests"][0]["findings"]
    assert (code, finding["rule"], finding["instead"]) == (
        2,
        "model_is_known",
        {"model": "ByteDance/Seedance-2.5"},
    )
    assert "ByteDance/Seedance-2.5 or ByteDance/Seedance-2.0" in finding["message"]
    assert "TOGETHER_VIDEO_CATALOGUE" in finding["message"]
    assert "Cost: unknown (1 video, 1 of them without a known price). Nothing was spent." in shown


@pytest.mark.parametrize(
    "words",
    [["check", "gone.jsonl"], ["check", "gone.txt", "--seconds", "long"], ["models", "nope"]],
    ids=["no file", "bad option", "no model"],
)
def test_json_is_one_document_in_every_case(command: Run, words: list[str]) -> None:
    """What cannot be looked at at all is an error in the document, and a sentence on stderr."""
    done = command(*words, "--json")
    assert done.code == 2
    assert json.loads(done.out)["error"] in " ".join(done.err.split())


def test_only_errors_count_as_errors(looked_at: Callable[..., Any]) -> None:
    """A line that cannot be read may have warnings too."""
    _, shown, document = looked_at({"prompt": "a fox", "model": MODEL, "seconds": "long", "width": 10})
    levels = [finding["level"] for finding in document["refused"][0]["findings"]]
    assert sorted(levels) == ["error", "warning"]
    assert document["errors"] == 1
    assert shown.startswith("0 requests, 1 error.")


def test_a_cost_is_never_rounded_down(looked_at: Callable[..., Any]) -> None:
    """Who takes it for a budget can buy what it is for."""
    _, shown, document = looked_at({"prompt": "a fox in the snow", "model": "ByteDance/Seedance-1.0-lite"})
    told = re.search(r"Cost: (?:[0-9.]+ to )?([0-9.]+) USD", shown)
    assert told
    assert float(told[1]) >= document["cost_usd"] > 0


def test_lines_that_are_skipped_are_counted(looked_at: Callable[..., Any]) -> None:
    """A prompt that happens to begin with # would else be missed without a word."""
    good = {"prompt": "a fox", "model": MODEL}
    _, shown, document = looked_at("# foxes", good, "  # and more of them", good)
    assert "2 lines begin with # and are notes." in shown
    assert (document["notes"], len(document["requests"])) == (2, 2)
    _, shown, document = looked_at("# foxes", good)
    assert "1 line begins with # and is a note." in shown
    _, shown, document = looked_at(good)
    assert (document["notes"], "#" in shown) == (0, False)


def test_brackets_are_explained_once(looked_at: Callable[..., Any]) -> None:
    """Where there are any."""
    wrong = {"prompt": "a fox", "model": MODEL, "fps": 7}
    legend = "In brackets: the rule and its source."
    _, shown, _ = looked_at(wrong, {**wrong, "steps": 51})
    assert shown.splitlines()[-1] == legend
    assert shown.count(legend) == 1
    _, shown, _ = looked_at({"prompt": "a fox", "model": MODEL, "seconds": "5", "width": 640, "height": 360})
    assert legend not in shown


def test_a_refused_batch_names_the_command_that_tells_all(command: Run, tmp_path: Path) -> None:
    """A batch stops at the first kind of mistake that it meets; the check looks at every line."""
    path = tmp_path / "my file.jsonl"
    path.write_text(json.dumps({"prompt": "a fox", "steps": 51}) + "\n")
    done = command("batch", str(path))
    assert done.code == 2
    last = done.err.splitlines()[-1]
    assert last == "together-video check, with the same FILE and options, lists everything that needs fixing."


def test_output_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    """A full disk, as the standard output is here."""
    path = tmp_path / "a.txt"
    path.write_text("a fox\n")
    command = f"{shlex.quote(sys.executable)} -m prefect_together_video.flows check {shlex.quote(str(path))} >/dev/full"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr == "Stopped: No space left on device. Nothing was created.\n"
