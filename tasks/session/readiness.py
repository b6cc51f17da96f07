"""Can this machine finish what it is about to pay for? Checked before the first claim, in a fraction of a second."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from anyio import to_thread

from together_video.api.client import TogetherClient
from together_video.atomic_files import make_private_folder
from together_video.errors import ConfigurationError, DownloadBroken
from together_video.ledger.spool import Spool

if TYPE_CHECKING:  # doctor uses this module where Prefect cannot be loaded
    from prefect_together_video.blocks.ledger.ledger import Ledger

#: A complete clip of one second, of the kind that most models make: H.264 in an MP4.
TINY_CLIP = Path(__file__).with_name("tiny.mp4")
#: Bytes that must be free in the spool: room for a dozen clips at the same time.
LEAST_ROOM = 100 * 10**6


async def check_ready(client: TogetherClient, ledger: Ledger, spool: Spool) -> None:
    """Check that this machine and this archive can finish what is about to be bought.

    Raises:
        ConfigurationError, BucketRefused, StoreUnsafe, StoreUnavailable: one of them cannot.
    """
    checks = (check_machine(client, spool), ledger.check())
    for outcome in await asyncio.gather(*checks, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome


async def check_machine(client: TogetherClient, spool: Spool) -> None:
    """Check that this machine can do what comes after a purchase: open clips, make posters, store files, call the API.

    Raises:
        ConfigurationError: it cannot; one sentence says what to change.
    """
    await client.check()
    await to_thread.run_sync(check_decoder)
    await to_thread.run_sync(check_spool, spool.folder)


def check_decoder() -> str:
    """Open a tiny clip and make its poster, exactly as for a bought video.

    Returns:
        The decoder's name and version.

    Raises:
        ConfigurationError: the clip cannot be opened, or no poster can be made.
    """
    try:
        name = f"PyAV {version('av')}"
    except PackageNotFoundError:
        name = "PyAV"
    try:
        from together_video.media.clips import inspect_clip

        found = inspect_clip(TINY_CLIP)
        trouble = None if found.poster else found.doubt or " ".join(found.notes)
    except DownloadBroken as error:
        trouble = error.message
    except Exception as error:  # noqa: BLE001 - any error would come again after the purchase
        trouble = f"{type(error).__name__}: {error}"
    if trouble is not None:
        raise ConfigurationError(
            f"{name} cannot open a small MP4 and make its poster on this machine ({trouble.rstrip('.')}): videos would "
            "be archived without their length and poster. Install another version: pip install --upgrade av pillow."
        )
    return name


def check_spool(folder: Path) -> int:
    """Write to the folder that downloads pass through, and measure its free room.

    Returns:
        Free bytes.

    Raises:
        ConfigurationError: it cannot be written, or has no room for a few clips.
    """
    try:
        make_private_folder(folder)
        with tempfile.NamedTemporaryFile(dir=folder, prefix="probe-", suffix=".part") as file:
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise ConfigurationError(
            f"Downloads pass through {folder}, which cannot be written ({error.strerror or error}): make it "
            "writable, or set TOGETHER_VIDEO_SPOOL to another folder."
        ) from error
    if free < LEAST_ROOM:
        raise ConfigurationError(
            f"Downloads pass through {folder}, which has room for {free / 1e6:.0f} MB, less than the "
            f"{LEAST_ROOM / 1e6:.0f} MB that a few clips need: make room, or set TOGETHER_VIDEO_SPOOL "
            "to another folder."
        )
    return free
