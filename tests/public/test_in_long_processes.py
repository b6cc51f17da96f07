"""The public tasks where a process lives on: time limits, retries, caches, folders that move, other processes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from prefect import flow
from prefect.cache_policies import DEFAULT
from prefect.states import State

from prefect_together_video import (
    VideoArchive,
    archive_video,
    create_video,
    download_video,
    generate_prompts,
    make_video,
    wait_for_video,
)
from prefect_together_video.tasks.running.background import background
from tests.public.conftest import FOX, World, of
from together_video.errors import CreateAmbiguous, FolderReplaced

NewWorld = Any

# Prefect's own client of a sync flow leaves its connection to the server to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def test_a_time_limit_is_told_as_one(new_world: NewWorld) -> None:
    """The task run ends as TimedOut, not as Failed with an empty message; the job is kept."""
    world = new_world(generation_seconds=600)

    @flow
    def one() -> str:
        state: State[Any] = make_video.with_options(timeout_seconds=3)(FOX, return_state=True)
        return str(state.name)

    assert one() == "TimedOut"
    assert sorted(key.rpartition("/")[2] for key in world.keys("inflight/")) == ["claim.json", "job.json"]


SCRIPT = """
from prefect_together_video import make_video
import sys
for number in range(3):
    try:
        make_video({**%r, "prompt": f"fox {number}"})
    except Exception as error:
        print("CAUGHT", type(error), flush=True)
"""


def test_an_interruption_is_no_mere_exception(new_world: NewWorld, tmp_path: Path) -> None:
    """A loop that goes on after errors does not go on after Ctrl-C, and buys nothing more."""
    world = new_world(generation_seconds=600)
    script = tmp_path / "loop.py"
    script.write_text(SCRIPT % FOX)
    run = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=dict(os.environ),
    )
    for _ in range(600):
        if world.bought:
            break
        threading.Event().wait(0.1)
    threading.Event().wait(1)
    run.send_signal(2)
    said = run.communicate(timeout=60)[0]
    assert "CAUGHT" not in said
    assert "KeyboardInterrupt" in said
    assert len(world.bought) == 1


def test_resubmit_and_retries_of_a_run_buy_once(new_world: NewWorld) -> None:
    """A retry of the run that made the claim is no later run: its doubt is held."""
    world = new_world(faults=[{"on": "create", "kind": "reset"}])

    @flow(retries=2, retry_delay_seconds=0)
    def one() -> None:
        make_video(FOX, on_ambiguous="resubmit")

    with pytest.raises(CreateAmbiguous):
        one()
    assert world.bill()["posts"] == 1
    with pytest.raises(CreateAmbiguous):
        one()
    assert world.bill()["posts"] == 2


def test_caches_tell_the_tasks_apart(world: World) -> None:
    """Steps with the same parameters do not get each other's results."""
    cached: dict[str, Any] = {"cache_policy": DEFAULT, "persist_result": True}

    @flow
    def one() -> tuple[str, str, str]:
        ref = create_video.with_options(**cached)(FOX)
        done = wait_for_video.with_options(**cached)(ref)
        clip = download_video.with_options(**cached)(ref)
        video = archive_video.with_options(**cached)(ref)
        return done.state, clip.state, video.uri

    done, clip, uri = one()
    assert (done, clip) == ("completed", "downloaded")
    assert world.holds(uri)


def test_prompts_come_first_in_a_folder_and_are_paid_once(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder is made; of several that ask for the same prompts at once one pays, and the others wait."""
    monkeypatch.delenv("VIDEO_ARCHIVE_BUCKET")
    monkeypatch.setenv("VIDEO_ARCHIVE_FOLDER", str(tmp_path / "films"))

    @flow
    def many() -> set[tuple[str, ...]]:
        futures = [generate_prompts.submit({"subject": "owls", "count": 2}) for _ in range(5)]
        return {future.result().prompts for future in futures}

    assert len(many()) == 1
    assert world.bill()["chats"] == 1


def test_a_folder_that_was_moved_away_and_back_is_found_again(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long-running process reports once that the folder was replaced, then opens it again."""
    monkeypatch.delenv("VIDEO_ARCHIVE_BUCKET")
    films, away = tmp_path / "films", tmp_path / "away"
    monkeypatch.setenv("VIDEO_ARCHIVE_FOLDER", str(films))
    requests = of("a fox", "an owl")

    @flow
    def make(number: int) -> str:
        return make_video(requests[number]).uri

    make(0)
    films.rename(away)
    shutil.copytree(away, films)
    with pytest.raises(FolderReplaced):
        make(1)
    make(1)
    assert world.bought == ["a fox", "an owl"]


def test_a_relative_folder_is_that_of_where_one_stands(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not that of where one stood before."""
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)

        @flow
        def make() -> str:
            return make_video(FOX, archive=VideoArchive(folder="films")).uri

        assert f"/{name}/films/videos/" in make()
    assert len(world.bought) == 2


def test_what_another_process_archived_meanwhile_is_found(world: World) -> None:
    """The first step that fails says so; called again it looks into the archive, not into its memory."""
    world.api.faults({"on": "retrieve", "kind": "status", "status": 404})

    @flow
    def one() -> str:
        ref = create_video(FOX)
        with pytest.raises(Exception, match="404"):
            wait_for_video(ref)
        world.api.faults()
        collect = [sys.executable, "-m", "prefect_together_video.flows", "collect", "--wait", "30"]
        subprocess.run(collect, check=True, env=dict(os.environ), capture_output=True)
        world.api.faults({"on": "retrieve", "kind": "status", "status": 404})
        return archive_video(download_video(wait_for_video(ref))).uri

    assert world.holds(one())


def test_work_that_fails_with_a_time_out_of_its_own_fails_so() -> None:
    """And is not waited for again."""

    async def work() -> None:
        raise TimeoutError("of the work")

    with pytest.raises(TimeoutError, match="of the work"):
        background().begin(work()).wait()
