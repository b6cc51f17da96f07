"""`--attempts`, `--new-seed` and `--fallback-model` on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
SIZE = ("--width", "64", "--height", "48", "--seconds", "1", "--fps", "8")
FIRST, SECOND = "pixverse/pixverse-v5", "pixverse/pixverse-v6"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--attempts", "0"), "--attempts: must be at least 1"),
        (("--attempts", "11"), "--attempts: must be at most 10"),
        (("--fallback-model", "a,b,c,d,e,f"), "--fallback-model: "),
        (("--fallback-model", "pixverse/pixverse-6"), "did you mean pixverse/pixverse-v6"),
    ],
)
def test_what_is_out_of_bounds_is_said(command: Run, api: Any, words: tuple[str, ...], said: str) -> None:
    """By the option's name, before anything is sent."""
    environment = {"TOGETHER_API_KEY": "key", "TOGETHER_BASE_URL": api.url, "VIDEO_ARCHIVE_FOLDER": "videos"}
    done = command("generate", "a fox", "--model", FIRST, *SIZE, *words, **environment)
    assert done.code == 2, done.err
    assert said in done.err
    assert api.posts == 0


def test_a_batch_names_the_model_that_took_over(
    command: Run, start_api: Any, tmp_path: Path, quick_models: str
) -> None:
    """In the table and in the JSON, and what is perhaps paid beside what is paid; again it is reused."""
    api = start_api(models=[FIRST, SECOND], prices={SECOND: 0.09})
    api.faults({"on": "create", "kind": "job_failed", "code": "server_error", "times": 2})
    environment = {
        "TOGETHER_API_KEY": "key",
        "TOGETHER_BASE_URL": api.url,
        "VIDEO_ARCHIVE_FOLDER": str(tmp_path / "videos"),
        "TOGETHER_VIDEO_CATALOGUE": quick_models,
    }
    file = tmp_path / "prompts.jsonl"
    file.write_text(json.dumps({"prompt": "a fox", "seed": 7, "attempts": 2}) + "\n")
    options = ("--model", FIRST, *SIZE, "--new-seed", "--fallback-model", SECOND)
    done = command("batch", str(file), *options, "--json", **environment)
    assert done.code == 0, done.err
    document = json.loads(done.out)
    (row,) = document["videos"]
    assert (row["model"], row["asked_model"], row["failed"]) == (SECOND, FIRST, 2)
    assert (document["cost_usd"], document["perhaps_paid_usd"], document["in_flight_usd"]) == (0.09, 0.6, 0.0)
    again = command("batch", str(file), *options, **environment)
    assert again.code == 0, again.err
    assert "1 video: 1 reused; 0.00 USD paid in this run." in again.out
    assert "pixverse-v6 for pixverse" in again.out.replace("\n", " ")
    assert api.posts == 3


def test_the_check_says_what_becomes_of_other_models(command: Run, tmp_path: Path) -> None:
    """Which cannot take over, which is misspelt, and what all may cost if the most expensive take over."""
    file = tmp_path / "prompts.jsonl"
    rows = [
        {"prompt": "a fox", "fallback_models": ["Wan-AI/wan2.7-i2v", "google/veo-3.1"]},
        {"prompt": "an owl", "model": "pixverse/pixverse-v4", "fallback_models": [SECOND]},
    ]
    file.write_text("".join(f"{json.dumps({'model': FIRST, 'seconds': 5, **row})}\n" for row in rows))
    done = command("check", str(file), "--json")
    document = json.loads(done.out)
    assert (done.code, document["errors"]) == (0, 0)
    assert document["highest_usd"] > document["cost_usd"]
    said = [finding["message"] for row in document["requests"] for finding in row["findings"]]
    assert any(words.startswith("Wan-AI/wan2.7-i2v will not take over") for words in said)
    people = command("check", str(file))
    assert f"At most {document['highest_usd']:.2f}" in people.out
    file.write_text(json.dumps({"prompt": "a fox", "fallback_models": "pixverse/pixverse-6"}))
    wrong = command("check", str(file))
    assert wrong.code == 2
    assert "did you mean pixverse/pixverse-v6" in wrong.out
