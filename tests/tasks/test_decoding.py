"""Decoding: how many videos are open at the same time."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path

import pytest

from prefect_together_video.tasks.steps.decoding import decode


@pytest.mark.anyio
@pytest.mark.parametrize(("size", "most"), [(500_000, 8), (500_001, max(2, os.cpu_count() or 2))])
async def test_so_many_at_once(tmp_path: Path, size: int, most: int) -> None:
    """As many as may are open together, and not one more; a large video waits for large ones only."""
    path = tmp_path / "film.mp4"
    path.touch()
    os.truncate(path, size)
    together, lock = threading.Barrier(most), threading.Lock()
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

    assert await asyncio.gather(*(decode(work, path) for _ in range(3 * most))) == [size] * 3 * most
    assert seen == most


@pytest.mark.anyio
async def test_a_file_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await decode(Path.read_bytes, tmp_path / "film.mp4")
