"""`together-video film`: what is said before and after, and without Prefect."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial
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
    """The film is in the archive, with a copy beside the storyboard. The plan comes before, and buys nothing; the same
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
    assert "the film was joined" in done.stdout
    copy = home_shell.home / "harbour.mp4"
    assert done.stdout.splitlines()[-1] == f"Copy: {copy}"
    (kept,) = (home_shell.home / "Videos" / "together").glob("films/*/*.mp4")
    assert kept.read_bytes() == copy.read_bytes()
    assert next(kept.parent.glob("*.vtt")).read_text().startswith("WEBVTT")
    assert next(kept.parent.glob("*.contact-sheet.jpg")).read_bytes().startswith(b"\xff\xd8\xff")
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
    assert "MP3, WAV," in done.stderr
    (story.parent / "empty.wav").write_bytes(b"RIFF\0\0\0\0WAVE" + bytes(90))
    for more in ([], ["--dry-run"]):
        done = home_shell.run("film", str(story), *more)
        assert (done.returncode, done.stdout) == (2, "")
        assert "cut.music: the file cannot be read as audio" in done.stderr
    story.write_text(STORY.replace("continue: true", "continues_not: true"))
    done = home_shell.run("film", str(story))
    assert done.returncode == 2
    assert api.posts == 0


def test_a_storyboard_that_is_too_large_for_a_run(ready_shell, prefect_api, tmp_path, api):
    """200 long shots: the run names their file, and its server takes it; from standard input one sentence refuses
    them."""
    file = tmp_path / "long.yaml"
    shots = "".join(f"  - kite {number} {'of silk ' * 230}\n" for number in range(200))
    file.write_text(f"title: Kites\ndefaults: {{model: pixverse/pixverse-v5}}\nshots:\n{shots}")
    words = ("--budget-usd", "0.001", "--json")
    server = {"PREFECT_API_URL": prefect_api, "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    done = ready_shell.run("film", str(file), *words, **server)
    assert (done.returncode, done.stderr) == (1, "")
    assert json.loads(done.stdout)["counts"]["skipped"] == 200
    refused = subprocess.run(
        [Path(sys.executable).with_name("together-video"), "film", "-", *words],
        env={**ready_shell.environment, **server},
        input=file.read_text(),
        capture_output=True,
        text=True,
    )
    assert (refused.returncode, refused.stdout) == (2, "")
    said = " ".join(refused.stderr.split())
    assert "This storyboard is too large for one run on a Prefect server: save it to a file" in said
    assert api.posts == 0


def marks_file(path: Path, **marks: str) -> Path:
    """As a gallery saves it."""
    rows = [
        {"id": video, "mark": mark, "note": "", "at": "2026-03-04T09:30:00Z"} for video, mark in marks.items()
    ]
    path.write_text(json.dumps({"review": 1, "batch": "0" * 24, "who": "Ann", "marks": rows}))
    return path


def test_marks_make_the_next_cut(command, api, tmp_path):
    """A starred take goes into the film and into the storyboard, whose comment stays; of a rejected one another take is
    bought, once. The gallery, list and show have the film. A mark of an unknown clip buys nothing."""
    environment = {
        "TOGETHER_API_KEY": "key",
        "TOGETHER_BASE_URL": api.url,
        "VIDEO_ARCHIVE_FOLDER": str(tmp_path / "videos"),
    }
    run = partial(command, **environment)
    story = tmp_path / "story.yaml"
    story.write_text(f"# Ours.{STORY}  - {{prompt: The sea., seed: 4}}\n")
    made = json.loads(run("film", str(story), "--json", "--retake", "1").out)
    assert api.posts == 4
    _, second, third, other = (video["id"] for video in made["videos"])
    file = str(marks_file(tmp_path / "marks.json", **{other: "star", third: "reject", second: "star"}))
    plan = run("film", str(story), "--from-review", file, "--dry-run")
    assert "shot 1: take 2 instead of take 1, starred; shot 2 is made from it" in plan.err
    assert "shot 3: new take 2, not in the film yet, because take 1 is rejected" in plan.err
    assert "shot 2: the marks do not count" in plan.err
    assert (api.posts, "use:" in story.read_text()) == (4, False)
    cut = run("film", str(story), "--from-review", file, "--json", "--save-storyboard", str(story))
    document = json.loads(cut.out)
    assert (document["uses"], api.posts) == ({"1": 2}, 5)
    assert [video["id"] for video in document["videos"]][:1] == [other]
    assert [(one["shot"], one["take"]) for one in document["retakes"]] == [(3, 2)]
    assert story.read_text().startswith("# Ours.")
    assert "{use: 2, prompt: A harbour at dawn." in story.read_text()
    again = run("film", str(story), "--from-review", file, "--json")
    assert (json.loads(again.out)["uses"], api.posts) == ({}, 5)
    marks_file(Path(file), **{"f" * 24: "star"})
    unknown = run("film", str(story), "--from-review", file)
    assert (unknown.code, api.posts) == (2, 5)
    assert "1 marked clip not in this archive" in unknown.err
    folder = tmp_path / "page"
    shown = json.loads(run("gallery", str(story), "--folder", str(folder), "--json").out)
    assert (shown["videos"], shown["missing"]) == (5, [])
    page = Path(shown["page"]).read_text()
    assert '"retake":"together-video film story.yaml --retake 3:3"' in page
    assert "of 2</span>" in page
    assert len(list(folder.glob("films/*/*.mp4"))) == 1
    assert run("gallery", str(story), "--folder", str(folder)).out.startswith("A film and 5 takes: file:")
    (film,) = json.loads(run("list", "--films", "--json").out)["films"]
    assert (film["title"], film["shots"]) == ("The harbour", 3)
    found = run("show", film["id"][:8]).out
    assert "contact sheet" in found
    assert third[:8] in found
