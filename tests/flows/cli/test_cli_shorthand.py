"""Presets, sweeps, own models and prompts on the command line, and what the pages say of them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.docs.markdown import blocks

Run = Callable[..., Any]
DOCS = Path(__file__).parents[3] / "docs"
PAGES = "".join((DOCS / name).read_text(encoding="utf-8") for name in ("files.md", "own-models.md"))


def block(heading: str, language: str) -> str:
    """The first code block of a language below a heading of the pages."""
    section = PAGES.split(f"## {heading}\n", 1)[1].split("\n##", 1)[0]
    return blocks(section, language)[0]


def kept(surroundings: dict[str, Any], part: str) -> list[str]:
    """The texts of all objects in the bucket whose keys hold this part."""
    bucket = boto3.client(
        "s3",
        endpoint_url=surroundings["AWS_ENDPOINT_URL_S3"],
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        region_name="us-east-1",
    )
    name = surroundings["VIDEO_ARCHIVE_BUCKET"]
    keys = [found["Key"] for found in bucket.list_objects_v2(Bucket=name)["Contents"] if part in found["Key"]]
    texts = [bucket.get_object(Bucket=name, Key=key)["Body"].read().decode() for key in keys]
    bucket.close()
    return texts


@pytest.fixture
def sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The sweep of the page in a file of the name that the page uses."""
    (tmp_path / "sweep.jsonl").write_text(block("Sweeps", "jsonl"))
    monkeypatch.chdir(tmp_path)
    return "sweep.jsonl"


def test_count_and_cost_of_a_sweep_come_first(command: Run, sweep: str) -> None:
    """Before any remark; the sweep's fields and their number of values with it."""
    lines = command("check", sweep).out.splitlines()
    assert lines[0] == "6 requests, no errors."
    assert lines[1].startswith("Cost: ")
    assert lines[2] == "line 1: a sweep of 6 requests: guidance_scale (3) × seed (2)."
    assert any(re.search(r"note aspect: 1:1 is 1080x1080 .* \[.*overview", line) for line in lines[3:])
    document = json.loads(command("check", sweep, "--json").out)
    assert document["sweeps"] == [
        {"line": 1, "requests": 6, "varied": {"guidance_scale": 3, "seed": 2}},
    ]
    assert document["requests"][1]["varied"] == {"guidance_scale": "6", "seed": "2"}
    assert {found["rule"] for row in document["requests"] for found in row["findings"]} == {"aspect_is_size"}


def test_a_value_that_stands_twice_is_counted_once(command: Run, tmp_path: Path) -> None:
    """It makes two takes of one request, and the line says so."""
    path = tmp_path / "sweep.jsonl"
    path.write_text('{"prompt": "a fox", "guidance_scale": [6, 8.0, 8], "seed": [1, 2]}\n')
    lines = command("check", str(path)).out.splitlines()
    assert lines[0] == "6 requests, no errors."
    assert lines[2] == "line 1: a sweep of 6 requests: guidance_scale (2) × seed (2), some more than once."


def test_a_sweep_is_made_and_stands_side_by_side(
    command: Run, sweep: str, surroundings: dict[str, Any], api: Any
) -> None:
    """As the page says, with smaller and shorter videos; a second run reuses each."""
    path = Path(sweep)
    path.write_text(path.read_text().replace('"aspect": "1:1"', '"width": 64, "height": 48, "seconds": 1'))
    words = ["batch", sweep, "--poll-interval", "0.1", "--json"]
    done = command(*words, **surroundings)
    assert done.code == 0, done.err
    assert json.loads(done.out)["counts"]["archived"] == 6
    assert json.loads(command(*words, **surroundings).out)["counts"]["reused"] == 6
    assert api.charges == 6
    pages = kept(surroundings, "index.html")
    records = [json.loads(text) for text in kept(surroundings, "records/")]
    assert len(pages) == 2
    for page in pages:
        assert "Sweep of line 1" in page
        assert '<section class="sweep"' in page
        assert page.count('<dl class="varied">') == 6
    assert {record["plan"]["sweep"]["label"] for record in records} == {"line 1"}


def test_what_shorthand_became_is_said_before_the_purchase(
    command: Run, surroundings: dict[str, Any], api: Any
) -> None:
    """On stderr, and in the request that the API gets; explicit numbers win."""
    small = ["--model", "pixverse/pixverse-v5", "--seconds", "1", "--fps", "8", "--poll-interval", "0.1"]
    words = [
        "--width",
        "64",
        "--height",
        "48",
        "--quality",
        "preview",
        "--adherence",
        "strict",
        "--steps",
        "12",
    ]
    done = command("generate", "a fox", *small, *words, **surroundings)
    assert done.code == 0, done.err
    assert "quality preview (10 steps) changes nothing" in done.err
    assert "Adherence strict is a guidance scale of 10" in done.err
    (record,) = kept(surroundings, "records/")
    request = json.loads(record)["plan"]["request"]
    assert (request["steps"], request["guidance_scale"], api.charges) == (12, 10, 1)
    quiet = command("generate", "a fox", *small, *words, "--json", **surroundings)
    assert (quiet.code, json.loads(quiet.out)["counts"]["reused"]) == (0, 1)
    assert quiet.err == ""
    warned = command(
        "generate", "a fox", "--budget-usd", "0.01", "--aspect", "9:16", "--json", **surroundings
    )
    assert json.loads(warned.out)["counts"]["skipped"] == 1
    assert "has no size of 9:16" in warned.err
    assert api.charges == 1


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--aspect", "9:16", "--width", "720"], "aspect: give it or width, not both"),
        (["--aspect", "nine"], "aspect: must be a shape such as 16:9"),
        (["--aspect", "9:16", "--model", "ByteDance/Seedance-2.5"], "does not take a ratio"),
        (["--aspect", "9:16", "--model", "minimax/hailuo-02", "--strict"], "has no size of 9:16"),
        (["--quality", "best"], '"preview", "standard", "production"'),
    ],
)
def test_shorthand_that_cannot_be_used(command: Run, words: list[str], expected: str) -> None:
    """One sentence, exit code 2, before a key is needed."""
    done = command("generate", "a fox", *words)
    assert (done.code, done.out) == (2, "")
    assert expected in " ".join(done.err.split())


def test_columns_of_a_table_may_hold_presets(command: Run, tmp_path: Path) -> None:
    """As every other field of a line."""
    path = tmp_path / "list.csv"
    path.write_text("prompt,Aspect,quality\na fox,9:16,preview\n")
    done = command("check", str(path), "--model", "google/veo-3.1", "--steps", "30", "--ratio", "1:1")
    assert done.code == 0, done.out + done.err
    assert "9:16 is 720x1280" in done.out
    assert "Quality preview is 10 steps" in done.out


def test_models_of_ones_own_are_marked(command: Run, tmp_path: Path) -> None:
    """The file of the page: in the table with a mark, in the sheet with what it says, and as JSON."""
    path = tmp_path / "models.json"
    path.write_text(block("Models of your own", "json"))
    own = {"TOGETHER_VIDEO_CATALOGUE": str(path)}
    table = command("models", **own).out
    assert "minimax/hailuo-02*" in table
    assert "acme/dream-1*" in table
    assert "google/veo-3.1*" not in table
    assert f"* added or corrected by {path}" in table
    sheet = command("models", "minimax/hailuo-02", **own).out
    assert re.search(r"Your own file +\S+models.json sets: seconds, price", sheet)
    assert json.loads(command("models", "acme/dream-1", "--json", **own).out)["own"] == [
        "tasks",
        "fps",
        "size",
    ]
    assert "*" not in command("models").out
    path.write_text("{")
    done = command("models", **own)
    assert (done.code, done.out) == (2, "")
    assert f"TOGETHER_VIDEO_CATALOGUE: {path}: is not JSON" in done.err


def test_the_table_has_every_column(command: Run) -> None:
    """Without a terminal's width nothing is left out; the example can be copied and sent."""
    header = command("models", "--all").out.splitlines()[0].split("  ")
    wanted = ["model", "organisation", "offered", "from", "seconds", "sizes", "fps", "keyframes", "audio"]
    assert [name.strip() for name in header if name.strip()] == [*wanted, "prompt", "price", "price is"]
    sheet = command("models", "Wan-AI/wan2.7-i2v").out
    example = json.loads(sheet[sheet.index("Example request") :].split("\n", 1)[1])
    document = json.loads(command("models", "Wan-AI/wan2.7-i2v", "--json").out)
    assert document["example_request"] == example
    assert example["model"] == "Wan-AI/wan2.7-i2v"


@pytest.mark.parametrize(("width", "columns"), [(60, 2), (80, 4), (140, 7), (250, 12)])
def test_a_terminal_gets_the_columns_that_fit(width: int, columns: int) -> None:
    """At least name and price; no line is longer than the terminal."""
    from prefect_together_video.flows.cli.models import _fitting
    from together_video.catalogue.sheets import table_rows

    rows = table_rows()
    chosen = _fitting(rows, set(), width)
    assert chosen[0] == "model"
    assert "price" in chosen
    assert len(chosen) >= columns
    longest = sum(max(len(str(getattr(row, column))) for row in rows) + 2 for column in chosen) - 2
    assert longest <= width or len(chosen) == 2


def test_prompts_are_printed_without_a_bucket(command: Run, api: Any) -> None:
    """A prompt a line, ready to be a file of prompts; nothing is created."""
    access = {"TOGETHER_API_KEY": "key", "TOGETHER_BASE_URL": api.url}
    done = command("prompts", "--brief", "lighthouses", "--count", "3", **access)
    assert (done.code, done.err) == (0, "Writing 3 prompts with the chat model …\n")
    assert len(done.out.splitlines()) == 3
    document = json.loads(
        command("prompts", "--brief", "lighthouses", "--count", "2", "--json", **access).out
    )
    assert len(document["prompts"]) == 2
    assert (document["chat_model"], document["brief"]["subject"]) == ("openai/gpt-oss-120b", "lighthouses")
    assert api.posts == 0


def test_negative_prompts_are_printed_where_the_model_takes_them(
    command: Run, api: Any, tmp_path: Path
) -> None:
    """As JSON lines, which `check` reads; for other models a sentence says why there are none."""
    access = {"TOGETHER_API_KEY": "key", "TOGETHER_BASE_URL": api.url}
    words = ["prompts", "--brief", "lighthouses", "--count", "2", "--negative-prompts", "--model"]
    done = command(*words, "Wan-AI/wan2.7-t2v", **access)
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert [sorted(line) for line in lines] == [["negative_prompt", "prompt"]] * 2
    path = tmp_path / "written.jsonl"
    path.write_text(done.out)
    assert command("check", str(path), "--model", "Wan-AI/wan2.7-t2v", "--strict").code == 0
    other = command(*words, "google/veo-3.1", **access)
    assert other.code == 0
    assert "google/veo-3.1 is not documented to take a negative prompt" in " ".join(other.err.split())
    assert not other.out.startswith("{")


def test_the_language_of_the_prompts_arrives(command: Run, api: Any) -> None:
    """What --language says is what the chat model is asked for."""
    access = {"TOGETHER_API_KEY": "key", "TOGETHER_BASE_URL": api.url}
    done = command("prompts", "--brief", "Leuchttürme", "--count", "2", "--language", "de", **access)
    assert done.code == 0, done.err
    assert all(line.startswith("[de] ") for line in done.out.splitlines())


@pytest.mark.parametrize(
    "words", [["prompts"], ["batch", "--poll-interval", "0.1"]], ids=lambda words: words[0]
)
def test_no_prompts_are_bought_for_a_model_that_takes_none(
    command: Run, surroundings: dict[str, Any], api: Any, words: list[str]
) -> None:
    """Said before the chat model is asked."""
    done = command(*words, "--brief", "x", "--model", "kwaivgI/kling-2.1-pro", **surroundings)
    assert (done.code, done.out) == (2, "")
    assert "kwaivgI/kling-2.1-pro does not take a prompt, so none are written" in " ".join(done.err.split())
    assert api.bill()["chats"] == 0


def test_prompts_that_cannot_be_had(command: Run, api: Any) -> None:
    """No key, a bad brief, an unknown model, an account without credit: a sentence each."""
    access = {"TOGETHER_API_KEY": "key", "TOGETHER_BASE_URL": api.url}
    assert command("prompts", "--brief", "x").code == 2
    assert "count: must be at least 1" in command("prompts", "--brief", "x", "--count", "0", **access).err
    assert "no model" in command("prompts", "--brief", "x", "--model", "no/such", **access).err
    api.faults({"on": "chat", "kind": "status", "status": 402, "message": "no money"})
    done = command("prompts", "--brief", "x", **access)
    assert (done.code, done.out) == (1, "")
    assert "no credit left" in " ".join(done.err.split())
