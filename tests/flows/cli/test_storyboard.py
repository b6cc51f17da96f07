"""`together-video storyboard`: written by a chat model, kept, edited, and checked before anything is bought."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from together_video.film.reading import parse_storyboard, read_storyboard

Run = Callable[..., Any]

STORY = """\
title: The lighthouse
look: {style: watercolour}
defaults: {model: pixverse/pixverse-v5, seconds: 5, aspect: "16:9"}
shots:
  - prompt: A keeper climbs the stairs, slowly and with a lantern in his hand
  - {prompt: He lights the lamp, continue: true}
  - {prompt: Ships pass, crossfade: 0.5}
  - {prompt: Ships pass, model: ByteDance/Seedance-2.5, use: 2}
"""


@pytest.fixture
def access(api: Any, tmp_path: Path) -> dict[str, str]:
    """A key, the sandbox, and a folder as the archive."""
    return {
        "TOGETHER_API_KEY": "key",
        "TOGETHER_BASE_URL": api.url,
        "VIDEO_ARCHIVE_FOLDER": str(tmp_path / "archive"),
    }


def words(text: str) -> str:
    return " ".join(text.split())


def story(tmp_path: Path, text: str = STORY) -> str:
    file = tmp_path / "story.yaml"
    file.write_text(text, encoding="utf-8")
    return str(file)


def test_a_storyboard_is_written_to_a_file(
    command: Run, api: Any, access: dict[str, str], tmp_path: Path
) -> None:
    """As YAML that can be edited, with its table and price beside it; the check finds nothing wrong."""
    file = tmp_path / "out.yaml"
    given = ["--brief", "An old lighthouse", "--shots", "4", "--seconds", "24", "--model", "google/veo-3.1"]
    done = command("storyboard", *given, "--aspect", "9:16", "-o", str(file), **access)
    assert (done.code, done.out) == (0, ""), done.err
    assert f"Written: {file}" in words(done.err)
    assert "4 shots in" in done.err
    assert "24 s long" in done.err
    board = read_storyboard(file)
    assert board.defaults == {"model": "google/veo-3.1", "seconds": 6, "aspect": "9:16"}
    assert len(board.shots) == 4
    assert all(
        (shot.prompt and "Mara:" in shot.prompt) or "Jonas:" in (shot.prompt or "") for shot in board.shots
    )
    assert f"# together-video storyboard --check {file}" in file.read_text(encoding="utf-8")
    assert command("storyboard", "--check", str(file), "--strict").code == 0
    assert api.posts == 0


def test_the_same_brief_is_paid_for_once(command: Run, api: Any, access: dict[str, str]) -> None:
    """It is kept in the archive; another shape is the same brief, another edition is not."""
    given = ["storyboard", "--brief", "An old lighthouse", "--shots", "3"]
    first = command(*given, **access)
    again = command(*given, **access)
    assert first.code == 0, first.err
    assert first.out == again.out
    assert api.bill()["chats"] == 1
    shaped = command(*given, "--aspect", "1:1", **access)
    assert parse_storyboard(shaped.out, "yaml", "x").shots == parse_storyboard(first.out, "yaml", "x").shots
    assert api.bill()["chats"] == 1
    assert command(*given, "--edition", "second", **access).code == 0
    assert api.bill()["chats"] == 2


def test_without_an_archive_it_is_not_kept(
    command: Run, api: Any, access: dict[str, str], tmp_path: Path
) -> None:
    """Which is said; a folder may be given for it."""
    given = ["storyboard", "--brief", "An old lighthouse", "--shots", "2"]
    del access["VIDEO_ARCHIVE_FOLDER"]
    done = command(*given, **access)
    assert done.code == 0
    assert "There is no archive to keep the storyboard in" in words(done.err)
    assert command(*given, **access).code == 0
    assert api.bill()["chats"] == 2
    folder = tmp_path / "kept"
    for _ in range(2):
        assert command(*given, "--archive-folder", str(folder), **access).code == 0
    assert api.bill()["chats"] == 3
    assert len(list(folder.glob("briefs/*.json"))) == 1


def test_json_for_programs(command: Run, access: dict[str, str]) -> None:
    """The storyboard, its plan and its price in one document."""
    done = command("storyboard", "--brief", "An old lighthouse", "--shots", "2", "--json", **access)
    document = json.loads(done.out)
    assert document["plan"]["cost_usd"] > 0
    assert len(document["storyboard"]["shots"]) == len(document["plan"]["shots"]) == 2
    assert document["brief"]["subject"] == "An old lighthouse"


def test_a_bad_answer_is_asked_again(command: Run, api: Any, access: dict[str, str]) -> None:
    """And a server that fails in passing; what never comes is an error."""
    api.faults({"on": "chat", "kind": "not_json", "times": 1})
    given = ["storyboard", "--brief", "An old lighthouse", "--shots", "2"]
    assert command(*given, **access).code == 0
    assert api.bill()["chats"] == 2
    api.faults({"on": "chat", "kind": "status", "status": 402, "message": "no money"})
    done = command(*given, "--edition", "other", **access)
    assert (done.code, done.out) == (1, "")
    assert "no credit left" in words(done.err)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "Give either --brief TEXT"),
        (["--brief", "x", "--check", "y.yaml"], "Give either --brief TEXT"),
        (
            ["--check", "y.yaml", "--shots", "3", "-o", "z.yaml"],
            "--shots and --output only work with --brief",
        ),
        (["--brief", "x", "--shots", "99"], "shots: must be at most 60"),
        (["--brief", "x", "--aspect", "wide"], "aspect: must be a shape"),
        (["--brief", "x", "-o", "z.txt"], "storyboards are written as YAML. Name it z.yaml"),
        (["--brief", "x", "-o", "no/such/folder/z.yaml"], "there is no folder"),
        (
            ["--brief", "x", "--model", "pixverse/pixverse-v5", "--shots", "2", "--seconds", "60"],
            "12 shots, or 10 s",
        ),
    ],
)
def test_what_is_refused_before_anything_is_sent(
    command: Run, api: Any, access: dict[str, str], given: list[str], said: str
) -> None:
    """By a sentence each."""
    done = command("storyboard", *given, **access)
    assert (done.code, done.out) == (2, "")
    assert said in words(done.err)
    assert api.bill()["chats"] == 0


def test_the_check_fits_a_narrow_terminal(
    command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row for each shot at 80 columns: what it follows, its model, length, size, take and price."""
    monkeypatch.setenv("COLUMNS", "80")
    done = command("storyboard", "--check", story(tmp_path))
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0] == "The lighthouse: 4 shots in 3 chains, no errors."
    assert lines[1] == "The film is 19.5 s long, 1280x720."
    assert lines[2].startswith("Cost: ")
    table = lines[4:9]
    assert table[0].split() == ["shot", "follows", "model", "s", "size", "take", "USD", "problems", "shows"]
    assert max(map(len, table)) <= 80
    assert table[2].split()[:6] == ["2", "1", "pixverse-v5", "5", "1280x720", "0.300"]
    assert "1 warning" in table[4]
    assert any(line.startswith("Shots 1-3: note aspect: 16:9 is 1280x720") for line in lines)


def test_the_check_says_what_cannot_work(command: Run, tmp_path: Path) -> None:
    """Models, and files that are not there, under the names of the storyboard; nothing is asked of anybody."""
    text = STORY + (
        "  - {prompt: Night, model: Wan-AI/wan2.7-t2v, continue: true, audio: {narration: said.mp3}}\n"
        "  - {prompt: Day, from: first.png, to: last.png}\n"
        "cut: {music: song.mp3}\n"
    )
    done = command("storyboard", "--check", story(tmp_path, text))
    assert done.code == 2
    for line in (
        "Shot 5: error continue: Wan-AI/wan2.7-t2v does not take media.frame_images",
        "Shot 5: error audio.narration: There is no such file",
        f"Shot 6: error from: {tmp_path / 'first.png'}",
        f"Shot 6: error to: {tmp_path / 'last.png'}",
        "Film: error cut.music: There is no such file",
    ):
        assert line in done.out
    document = json.loads(command("storyboard", "--check", story(tmp_path, text), "--json").out)
    assert document["errors"] == 5
    assert document["chains"] == [[1, 2], [3], [4, 5], [6]]


def test_a_file_that_is_none(command: Run, tmp_path: Path) -> None:
    """All its problems at once, as a document for programs."""
    file = story(tmp_path, "title: x\nshots: [{promt: a}, {prompt: b, fps: 900}]\n")
    done = command("storyboard", "--check", file)
    assert (done.code, done.out) == (2, "")
    assert 'Shot 1: unknown field "promt" (did you mean "prompt"?)' in words(done.err)
    assert "Shot 2: fps: must be at most 240, is 900" in words(done.err)
    assert "error" in json.loads(command("storyboard", "--check", file, "--json").out)
