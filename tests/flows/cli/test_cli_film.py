"""`together-video film`: what is said before and after, and without Prefect."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

STORY = """
title: The harbour
defaults: {model: pixverse/pixverse-v5, width: 96, height: 64, seconds: 1, fps: 8}
shots:
  - {prompt: A harbour at dawn., caption: Dawn}
  - {prompt: A boat leaves., continue: true}
"""


@pytest.fixture
def story(home_shell):
    path = home_shell.home / "story.yaml"
    path.write_text(STORY)
    return path


def test_a_film_from_a_file(home_shell, api, story):
    """The film lies in the archive, a copy beside the storyboard. The plan comes before, and buys nothing; the same
    command again reuses all of it, without importing Prefect."""
    plan = json.loads(home_shell.run("film", str(story), "--dry-run", "--json").stdout)
    assert plan["film"]["title"] == "The harbour"
    assert [(one["fate"], one["follows_new"]) for one in plan["film"]["shots"]] == [
        ("to buy", False),
        ("to buy", True),
    ]
    assert api.posts == 0
    done = home_shell.run("film", str(story), "--out", str(home_shell.home / "harbour.mp4"))
    assert done.returncode == 0, done.stderr
    assert "2 archived" in done.stdout
    assert "the film joined" in done.stdout
    copy = home_shell.home / "harbour.mp4"
    assert done.stdout.splitlines()[-1] == f"Copy: {copy}"
    (kept,) = (home_shell.home / "Videos" / "together").glob("films/*/*.mp4")
    assert kept.read_bytes() == copy.read_bytes()
    assert next(kept.parent.glob("*.vtt")).read_text().startswith("WEBVTT")
    again = home_shell.run("film", str(story), "--json", PYTHONPROFILEIMPORTTIME="1")
    assert "prefect.flows" not in again.stderr
    document = json.loads(again.stdout)
    assert document["counts"]["reused"] == 2
    assert (document["film"]["is_new"], Path(document["film"]["uri"].removeprefix("file://"))) == (
        False,
        kept,
    )
    assert api.posts == 2
    taken = json.loads(home_shell.run("film", str(story), "--json", "--retake", "2").stdout)
    assert [(one["shot"], one["take"]) for one in taken["retakes"]] == [(2, 2)]
    assert api.posts == 3
    found = json.loads(home_shell.run("audit", "--json").stdout)
    assert found["findings"] == []


def test_what_is_wrong_is_said_before_anything_is_bought(home_shell, api, story):
    """A shot that is not there, an unusable storyboard, a number that is none: exit code 2."""
    assert "There is no shot 7" in home_shell.run("film", str(story), "--retake", "7").stderr
    assert "--retake takes the number" in home_shell.run("film", str(story), "--retake", "two").stderr
    (story.parent / "empty.wav").touch()
    story.write_text(f"{STORY}cut: {{music: empty.wav}}\n")
    done = home_shell.run("film", str(story))
    assert (done.returncode, done.stdout) == (2, "")
    assert "cut.music:" in done.stderr
    assert "empty.wav: is not a sound file: MP3, WAV," in done.stderr
    story.write_text(STORY.replace("continue: true", "continues_not: true"))
    done = home_shell.run("film", str(story))
    assert done.returncode == 2
    assert api.posts == 0
