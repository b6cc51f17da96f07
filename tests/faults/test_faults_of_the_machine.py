"""What can happen to the process and its disk: the next run resumes."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from prefect_together_video.flows.collect import collect_videos
from prefect_together_video.flows.reporting.progress import Progress, listening

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("behind", ["seaweed", "folder"], indirect=True)]

Expect = Callable[..., Any]

LATER = {"sees": "submitted", "bucket": "inflight: claim, job", "then": "archived", "work": "1 download"}


def no_space(*_: object, **__: object) -> Any:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture
def once_created(scene: Any) -> Callable[[Callable[[], None]], Callable[[], Coroutine[Any, Any, Any]]]:
    """Makes a run in which something breaks as soon as the job is paid for."""

    def make(break_it: Callable[[], None]) -> Callable[[], Coroutine[Any, Any, Any]]:
        async def run() -> Any:
            def notice(change: Progress) -> None:
                if change.stage == "created":
                    break_it()

            with listening(notice):
                return await scene.run()

        return run

    return make


async def test_a_full_disk_keeps_the_job(
    expect: Expect, once_created: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file cannot be made durable: nothing is archived, and the file is fetched again with room."""
    with monkeypatch.context() as full:
        run = once_created(lambda: full.setattr(os, "fsync", no_space))
        words = {**LATER, "reads": "make room and run again"}
        await expect("machine", "the disk is full during the download", first=run, cure=full.undo, **words)


async def test_a_spool_that_is_no_folder_keeps_the_job(
    scene: Any, expect: Expect, once_created: Callable[..., Any]
) -> None:
    """Where the spool should be lies a file: nothing can be written, and the job waits."""

    def replace_the_folder() -> None:
        shutil.rmtree(scene.spool)
        scene.spool.write_bytes(b"")

    words = {**LATER, "reads": "cannot be written to", "cure": scene.spool.unlink}
    run = once_created(replace_the_folder)
    await expect("machine", "the spool folder cannot be written during the download", first=run, **words)


#: Of a machine that cannot finish the job.
UNTOUCHED = {
    "sees": "not begun",
    "bucket": "nothing",
    "billed": 0,
    "then": "archived",
    "work": "1 create, 1 download",
}


async def test_a_full_disk_is_found_before_the_purchase(
    expect: Expect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is claimed, and nothing is bought."""
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", no_space)
        words = {**UNTOUCHED, "reads": "cannot be written (No space left on device)"}
        await expect("machine", "the disk is full before the run", cure=full.undo, **words)


async def test_a_spool_that_is_no_folder_is_found_before_the_purchase(scene: Any, expect: Expect) -> None:
    """Where the spool should be lies a file."""
    scene.spool.write_bytes(b"")
    words = {**UNTOUCHED, "reads": "cannot be written", "cure": scene.spool.unlink}
    await expect("machine", "the spool folder cannot be written before the run", **words)


async def test_a_decoder_that_opens_nothing_is_found_before_the_purchase(
    expect: Expect, decoder_with: Callable[[str], Callable[[], None]]
) -> None:
    """A release of PyAV that has lost an argument, as PyAV 19 did."""
    cure = decoder_with("""
import av

def open_otherwise(*_, **__):
    raise TypeError("open() got an unexpected keyword argument")

av.open = open_otherwise
""")
    words = {**UNTOUCHED, "reads": "videos would be archived without their length and poster"}
    await expect("machine", "the decoder cannot open a video", cure=cure, **words)


async def test_a_job_id_that_nobody_can_keep_is_still_waited_for(
    scene: Any, expect: Expect, strikes: Any, s3_says: Callable[[int, str], Any]
) -> None:
    """Neither the bucket nor the disk takes the job id: the process that has it goes on to the archive."""
    (scene.spool / "x").mkdir(parents=True)
    keep = Path.open

    def refuse(path: Path, *arguments: Any, **more: Any) -> Any:
        return no_space() if ".job.json" in path.name else keep(path, *arguments, **more)

    strike = strikes.at("PUT", "/job.json", s3_says(503, "SlowDown"))
    with pytest.MonkeyPatch.context() as full:
        full.setattr(Path, "open", refuse)
        await expect(
            "machine",
            "neither the bucket nor the disk accepts the job id",
            strike=strike,
            cure=full.undo,
            sees="archived",
            bucket="records: archived; videos: jpg, mp4",
            then="reused",
        )


async def test_a_file_that_an_earlier_run_left_is_used(scene: Any, expect: Expect, strikes: Any) -> None:
    """Killed between download and upload: the whole file in the spool is hashed, opened and uploaded."""
    await _die(scene, "finished", at_upload=strikes)
    (left,) = scene.spool.glob("*.mp4")
    assert left.stat().st_size > 1000
    await expect(
        "machine",
        "the process dies after the download",
        first=_killed,
        sees="killed",
        bucket="inflight: claim, job",
        then="archived",
    )


async def test_a_broken_file_that_an_earlier_run_left_is_not_used(
    scene: Any, expect: Expect, strikes: Any
) -> None:
    """Half of the file in the spool: it is thrown away and downloaded again."""
    await _die(scene, "finished", at_upload=strikes)
    (left,) = scene.spool.glob("*.mp4")
    left.write_bytes(left.read_bytes()[: left.stat().st_size // 2])
    await expect(
        "machine",
        "the file that an earlier run left is broken",
        first=_killed,
        sees="killed",
        bucket="inflight: claim, job",
        then="archived",
        work="1 download",
    )


async def test_another_machine_needs_no_spool(scene: Any, expect: Expect, strikes: Any) -> None:
    """The machine is gone with its disk: the job id in the bucket is enough."""
    await _die(scene, "finished", at_upload=strikes)
    shutil.rmtree(scene.spool)
    await expect(
        "machine",
        "the machine and its disk are lost",
        first=_killed,
        sees="killed",
        bucket="inflight: claim, job",
        then="archived",
        work="1 download",
    )


async def test_a_claim_that_was_left_behind_is_ambiguous(scene: Any, expect: Expect) -> None:
    """Killed between the claim and the job id: nobody can tell whether the POST was sent."""
    scene.place.make()
    async with scene.archive.open() as ledger:
        assert await ledger.claim(scene.plan, valid_seconds=-1)
    await expect(
        "machine",
        "the process dies between the claim and the job id",
        first=_killed,
        sees="killed",
        bucket="inflight: claim",
        billed=0,
        then="ambiguous",
    )


async def test_a_clean_up_that_was_cut_short_is_finished(
    scene: Any, expect: Expect, strikes: Any, s3_says: Any
) -> None:
    """Killed between the record and the clean-up: the video is reused, and the collector tidies up."""
    scene.s3.strike = strikes.at("POST", "?delete", s3_says(403, "AccessDenied"))
    assert await scene.run() == ("archived", "")
    lies = "inflight: claim, job; records: archived; videos: jpg, mp4"
    await expect(
        "machine",
        "the process dies between the record and the clean-up",
        first=_killed,
        sees="killed",
        bucket=lies,
        then="reused",
    )
    state = await collect_videos.fn(together=scene.api.credentials(), archive=scene.archive)
    assert state.is_completed()
    assert scene.bucket() == "records: archived; videos: jpg, mp4"


async def test_a_cancelled_run_leaves_its_job(scene: Any, expect: Expect) -> None:
    """Ctrl-C, SIGTERM, or cancelled in the UI while the job is made: it keeps running and is billed."""
    scene.takes = 3600.0
    await _die(scene, "created")
    await expect(
        "machine",
        "the run is cancelled while the job is made",
        first=_killed,
        sees="killed",
        bucket="inflight: claim, job",
        then="archived",
        work="1 download",
    )


async def _killed() -> tuple[str, str]:
    """The run of this row ended before the table begins to look."""
    return "killed", ""


async def _die(scene: Any, stage: str, *, at_upload: Any = None) -> None:
    """Cancel a run once it tells `stage`; or, with `at_upload`, when it begins to upload the video."""
    reached = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hear(told: Progress) -> None:
        if told.stage == stage and at_upload is None:
            reached.set()

    if at_upload is not None:
        scene.s3.strike = at_upload.at(
            "PUT", ".mp4", lambda: loop.call_soon_threadsafe(reached.set) and "reset"
        )
    with listening(hear):
        run: Coroutine[Any, Any, Any] = scene.run()
        task = asyncio.create_task(run)
        await asyncio.wait_for(reached.wait(), 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    # A call that is under way in a thread goes on, and boto3 would repeat it once the server is well.
    for thread in threading.enumerate():
        if thread.name.startswith(("s3-", "folder-")):
            await asyncio.to_thread(thread.join, 30)
    scene.s3.strike = lambda *_: None
