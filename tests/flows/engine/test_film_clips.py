"""The clips of a film are copied to this machine before they are joined."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import pytest

from prefect_together_video.blocks import VideoArchive
from prefect_together_video.flows.engine import film_clips
from prefect_together_video.flows.engine.film_clips import fetch_clips
from together_video.errors import ObjectConflict
from together_video.ledger.records import StoredObject

pytestmark = pytest.mark.anyio


async def test_clips_are_fetched_a_few_at_a_time_and_each_once(
    archive: VideoArchive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two shots of one clip are one copy. One that is gone ends it, and says what can be done."""
    under_way, most = 0, 0
    real = film_clips.step

    async def counted(*given: Any) -> Any:
        nonlocal under_way, most
        under_way, most = under_way + 1, max(most, under_way + 1)
        try:
            await asyncio.sleep(0)
            return await real(*given)
        finally:
            under_way -= 1

    monkeypatch.setattr(film_clips, "step", counted)
    contents = [b"clip %d" % number for number in range(9)]
    clips = [
        StoredObject(
            key=f"videos/{number}.mp4",
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            content_type="video/mp4",
        )
        for number, content in enumerate(contents)
    ]
    async with archive.open() as ledger:
        for clip, content in zip(clips, contents, strict=True):
            assert await ledger.store.put_file_once(clip.key, content, clip.sha256, clip.content_type)
        paths = await fetch_clips([(clip.key, clip) for clip in (*clips, clips[0])], tmp_path, ledger)
        assert [paths[clip.sha256].read_bytes() for clip in clips] == contents
        assert (most, under_way) == (4, 0)
        await ledger.store.delete([clips[5].key])
        with pytest.raises(ObjectConflict, match=r"videos/5\.mp4 is gone .* --retake"):
            await fetch_clips([(clip.key, clip) for clip in clips], tmp_path, ledger)
        assert under_way == 0
