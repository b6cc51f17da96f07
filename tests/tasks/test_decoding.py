"""Decoding: how many videos are open at the same time."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from prefect_together_video.tasks.steps.decoding import decode
from together_video.media.bounds import AT_ONCE


@pytest.mark.anyio
async def test_so_many_at_once(tmp_path: Path) -> None:
    """As many as may are open together, and not one more."""
    path = tmp_path / "film.mp4"
    path.write_bytes(b"film")
    together, lock = threading.Barrier(AT_ONCE), threading.Lock()
    open_now, seen = 0, 0

    def work(given: Path) -> int:
        nonlocal open_now, seen
        with lock:
            open_now += 1
            seen = max(seen, open_now)
        together.wait(30)
        with lock:
            open_now -= 1
        return given.stat().st_size

    assert await asyncio.gather(*(decode(work, path) for _ in range(3 * AT_ONCE))) == [4] * 3 * AT_ONCE
    assert seen == AT_ONCE


@pytest.mark.anyio
async def test_a_file_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await decode(Path.read_bytes, tmp_path / "film.mp4")
