"""One look into the inbox of a bucket and of a folder: what is made, where each file goes, what a second look buys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from prefect_together_video.blocks import VideoArchive
from prefect_together_video.flows.inbox import watch_inbox
from prefect_together_video.flows.reporting.results import result_of
from together_video.inputs.inbox import InboxReport

pytestmark = pytest.mark.anyio

#: What the lines of a file share.
LINE = {
    "model": "pixverse/pixverse-v5",
    "width": 64,
    "height": 48,
    "seconds": "1",
    "fps": 8,
}


@pytest.fixture(params=["bucket", "folder"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> VideoArchive:
    if request.param == "folder":
        return VideoArchive(folder=str(tmp_path / "films"))
    archive: VideoArchive = request.getfixturevalue("archive")
    return archive


async def look(api: Any, place: VideoArchive) -> InboxReport:
    state = await watch_inbox.fn(together=api.credentials(), archive=place)
    report = result_of(state.data)
    report = getattr(report, "result", report)
    assert isinstance(report, InboxReport), report
    return report


async def test_each_file_is_made_once_and_moved(api: Any, place: VideoArchive, tmp_path: Path) -> None:
    """The good one is made and goes to done/, the bad one to refused/ with the reason; a copy of it is free."""
    good = "".join(json.dumps({**LINE, "prompt": prompt}) + "\n" for prompt in ("a fox", "an owl")).encode()
    bad = json.dumps({**LINE, "promt": "a fox"}).encode() + b"\n"
    if place.folder is not None:
        # Whoever drops files there makes the folder.
        (tmp_path / "films").mkdir()
    async with place.open() as ledger:
        store, layout = ledger.store, ledger.layout
        assert await store.put_once(layout.key("inbox", "good.jsonl"), good)
        assert await store.put_once(layout.key("inbox", "bad.jsonl"), bad)
        report = await look(api, place)
        assert {row.name: row.state for row in report.files} == {"good.jsonl": "done", "bad.jsonl": "refused"}
        assert api.charges == 2
        left = [found.key for found in await store.list(layout.key("inbox", ""))]
        assert sorted(key.split("/")[-2] for key in left) == ["done", "done", "refused", "refused"]
        (reason,) = [key for key in left if key.endswith(".reason.txt")]
        stored = await store.get(reason)
        assert stored is not None
        assert "promt" in stored.data.decode()
        assert await store.put_once(layout.key("inbox", "again.jsonl"), good)
        (row,) = (await look(api, place)).files
        assert row.state == "done"
        assert row.summary is not None
        assert {video.state.value for video in row.summary.videos} == {"reused"}
        assert (await look(api, place)).files == ()
    assert api.charges == 2
