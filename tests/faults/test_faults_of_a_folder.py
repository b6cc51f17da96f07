"""What can happen to the folder of an archive and the file system under it, before anything is paid and after."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prefect_together_video.blocks.folder.files import Files
from prefect_together_video.flows.reporting.progress import Progress, listening
from tests.faults.endings import GONE_WELL, NOT_BEGUN, STUCK

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("behind", ["folder"], indirect=True)]

Expect = Callable[..., Any]

#: fault: (method, piece of the path, error number or what the file system does, how often), and the outcome.
CASES: dict[str, tuple[tuple[str, str, Any, int | None], dict[str, Any]]] = {
    "the folder's disk is full from the start": (
        ("*", "", errno.ENOSPC, None),
        {**NOT_BEGUN, "reads": "has no room for"},
    ),
    "the user's quota on the folder's disk is used up": (
        ("*", "", errno.EDQUOT, None),
        {**NOT_BEGUN, "reads": "Make room and run again."},
    ),
    "the folder is read-only": (("*", "", errno.EROFS, None), {**NOT_BEGUN, "reads": "is read-only"}),
    "the folder belongs to somebody else": (
        ("*", "", errno.EACCES, None),
        {**NOT_BEGUN, "reads": "This user may not read or write"},
    ),
    "the folder's file server does not answer": (
        ("*", "", errno.ESTALE, None),
        {**NOT_BEGUN, "reads": "Check its disk, or the connection to it"},
    ),
    "an I/O error twice on the claim": (("PUT", "/claim.json", errno.EIO, 2), GONE_WELL),
    "an I/O error on each claim": (
        ("PUT", "/claim.json", errno.EIO, None),
        {**NOT_BEGUN, "sees": "skipped", "reads": "Input/output error"},
    ),
    "the claim is written, but an I/O error is reported": (("PUT", "/claim.json", "lost", 1), GONE_WELL),
    "the job id is written, but an I/O error is reported": (("PUT", "/job.json", "lost", 1), GONE_WELL),
    "the video is copied, but an I/O error is reported": (("PUT", ".mp4", "lost", 1), GONE_WELL),
    "the record is written, but an I/O error is reported": (("PUT", "/records/", "lost", 1), GONE_WELL),
    "the folder never accepts the job id": (("PUT", "/job.json", errno.EIO, None), GONE_WELL),
    "the folder's disk is full after the job is made": (
        ("PUT", "/", "after the claim", None),
        {**STUCK, "bucket": "inflight: claim; on this machine: job id", "reads": "has no room for"},
    ),
    "an I/O error twice on the video": (("PUT", ".mp4", errno.EIO, 2), GONE_WELL),
    "an I/O error on the video, each time": (
        ("PUT", ".mp4", errno.EIO, None),
        {**STUCK, "reads": "Input/output error"},
    ),
    "the folder becomes read-only during the run": (
        ("PUT", ".mp4", errno.EROFS, None),
        {**STUCK, "reads": "Mount it for writing"},
    ),
    "an I/O error on the poster, each time": (
        ("PUT", ".jpg", errno.EIO, None),
        {**GONE_WELL, "bucket": "records: archived; videos: mp4"},
    ),
    "an I/O error on the record, each time": (
        ("PUT", "/records/", errno.EIO, None),
        {**STUCK, "bucket": "inflight: claim, job; videos: jpg, mp4", "reads": "Input/output error"},
    ),
    "files cannot be removed from the folder": (
        ("POST", "?delete", errno.EACCES, None),
        {
            "sees": "archived",
            "bucket": "inflight: claim, job; records: archived; videos: jpg, mp4",
            "then": "reused",
        },
    ),
}


@pytest.mark.parametrize("fault", CASES)
async def test_the_folder_may_fail_at_any_write(scene: Any, expect: Expect, strikes: Any, fault: str) -> None:
    """Before the create nothing is paid; after it the job stays in flight, and the next run goes on."""
    (method, piece, verdict, times), outcome = CASES[fault]
    if verdict == "after the claim":
        verdict = lambda: errno.ENOSPC if scene.api.bill()["jobs"] else None  # noqa: E731
    await expect("folder", fault, strike=strikes.at(method, piece, verdict, times), **outcome)


async def test_a_folder_that_is_a_file_is_told_first(scene: Any, expect: Expect) -> None:
    """Where the folder should be lies a file: it stays as it is."""
    folder: Path = scene.place.folder
    folder.write_bytes(b"notes")

    def cure() -> None:
        assert folder.read_bytes() == b"notes"
        folder.unlink()

    words = {**NOT_BEGUN, "reads": "There is no folder", "cure": cure}
    await expect("folder", "a file is where the folder should be", **words)


async def test_a_file_system_without_exclusive_names_is_refused(
    expect: Expect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a name that is taken can be taken again, no claim would hold."""
    with monkeypatch.context() as careless:
        careless.setattr(Files, "_named_once", lambda _, part, path: os.replace(part, path))
        words = {**NOT_BEGUN, "reads": "two runs could pay for the same video", "cure": careless.undo}
        await expect("folder", "the file system overwrites an existing file", **words)


@pytest.mark.parametrize("replaced", [False, True])
async def test_a_disk_that_goes_away_keeps_the_job(scene: Any, expect: Expect, replaced: bool) -> None:
    """Unmounted during the run, with or without an empty mount point in its place: nothing is written there."""
    folder: Path = scene.place.folder
    away = folder.with_name("away")

    def unmount(told: Progress) -> None:
        if told.stage == "created" and not away.exists():
            folder.rename(away)
            if replaced:
                folder.mkdir()

    async def first() -> Any:
        with listening(unmount):
            return await scene.run()

    def cure() -> None:
        if replaced:
            folder.rmdir()
        away.rename(folder)

    reads = "is not the folder any more" if replaced else "There is no folder"
    fault = f"the folder's disk disappears during the run{' and leaves an empty folder' if replaced else ''}"
    words = {**STUCK, "bucket": "nothing", "reads": reads, "first": first, "cure": cure}
    await expect("folder", fault, **words)


async def test_what_others_left_in_its_place_is_left_alone(scene: Any, expect: Expect) -> None:
    """A folder where a file should be: nothing is bought twice, and it is named."""
    key = f"records/{scene.plan.id}.json"
    scene.place.write(f"{key}/notes.txt", b"notes")

    async def first() -> Any:
        told = await scene.run()
        scene.place.remove(f"{key}/notes.txt")
        (scene.place.folder / key).rmdir()
        return told

    words = {**NOT_BEGUN, "sees": "refused", "reads": key, "first": first}
    await expect("folder", "a folder is in the record's place", **words)
