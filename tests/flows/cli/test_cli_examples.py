"""Every example that is shown to people passes the check without an error or a warning."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.docs.markdown import blocks
from together_video.catalogue import Catalogue

Run = Callable[..., Any]
ROOT = Path(__file__).parents[3]
#: The pages that show requests.
PAGES = "\n".join(
    (ROOT / name).read_text(encoding="utf-8")
    for name in ("docs/files.md", "README.md", "docs/media.md", "docs/quickstart.md")
)
#: Options of a run, with a value each; the check has no use for them.
_OF_A_RUN = ("--together", "--archive", "--in-flight", "--budget-usd", "--output")


def shown(*languages: str) -> list[str]:
    """The code blocks of these languages in the pages, without their comments."""
    return [re.sub(r"\s+# .*", "", block.replace("\\\n", " ")) for block in blocks(PAGES, *languages)]


def commands(name: str) -> list[list[str]]:
    """The commands of this name in the pages, each as its words."""
    lines = [line for block in shown("bash", "sh") for line in block.splitlines()]
    return [shlex.split(line)[2:] for line in lines if line.startswith(f"together-video {name} ")]


@pytest.fixture
def folder(media_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with every file that the examples name."""
    kinds = {
        ".jpg": "blue.jpg",
        ".png": "red.png",
        ".mp4": "clip.mp4",
        ".wav": "voice.wav",
        ".mp3": "song.mp3",
    }
    for name in re.findall(r"[\s\"](\w+\.(?:jpg|png|mp4|wav|mp3))", PAGES):
        if not (media_folder / name).exists():
            shutil.copy(media_folder / kinds[Path(name).suffix], media_folder / name)
    monkeypatch.chdir(media_folder)
    return media_folder


def assert_passes(done: Any) -> None:
    document = json.loads(done.out)
    found = [finding for row in document["requests"] for finding in row["findings"]]
    assert [finding for finding in found if finding["level"] in ("error", "warning")] == []
    assert (done.code, document["refused"]) == (0, [])
    assert document["requests"]


@pytest.mark.parametrize("words", commands("generate"), ids=" ".join)
def test_each_command_that_makes_a_video(command: Run, folder: Path, words: list[str]) -> None:
    """With the same options, its prompt as the only line of a file."""
    prompt, *options = words
    for name in _OF_A_RUN:
        if name in options:
            del options[options.index(name) : options.index(name) + 2]
    (folder / "prompt.txt").write_text(prompt)
    assert_passes(command("check", "prompt.txt", *options, "--strict", "--json"))


@pytest.mark.parametrize("lines", shown("jsonl"))
def test_each_file_of_requests(command: Run, folder: Path, lines: str) -> None:
    """All its lines."""
    (folder / "file.jsonl").write_text(lines)
    assert_passes(command("check", "file.jsonl", "--strict", "--json"))


def test_each_model_that_is_named_is_on_offer() -> None:
    """A copied example gives a video. Your own models and the one that is gone are called so."""
    known = {model.name: model.offered for model in Catalogue.load().models}
    named = {name for name in known if re.search(rf"(?<![\w/.-]){re.escape(name)}(?![\w/.-])", PAGES)}
    assert {name for name in named if not known[name]} == {"Wan-AI/wan2.7-videoedit"}
    assert len(named) > 5


def test_the_example_of_each_model(command: Run, tmp_path: Path) -> None:
    """What `models NAME` shows, for every model on offer, as lines of one file."""
    documents = json.loads(command("models", "--json").out)
    path = tmp_path / "examples.jsonl"
    path.write_text("".join(json.dumps(document["example_request"]) + "\n" for document in documents))
    assert_passes(command("check", str(path), "--strict", "--json"))
    assert len(documents) > 20


def test_the_commands_are_found() -> None:
    """An empty list would pass every test here."""
    assert len(commands("generate")) >= 8
    assert len(shown("jsonl")) == 3
