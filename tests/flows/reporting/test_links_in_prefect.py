"""Where Prefect's database has links to videos after a run: in the gallery, for as long as the archive says."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from prefect_together_video.blocks import VideoArchive
from prefect_together_video.flows.batch import generate_batch
from together_video.polling.policy import PollPolicy

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SMALL = {"model": "pixverse/pixverse-v6", "width": 64, "height": 48, "seconds": "1", "fps": 8}


def columns_with(database: Path, words: str) -> dict[str, list[str]]:
    """The texts that hold these words, by table and column."""
    found: dict[str, list[str]] = {}
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as asked:
        tables = asked.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            for _, column, *_ in asked.execute(f'PRAGMA table_info("{table}")').fetchall():
                query = f'SELECT "{column}" FROM "{table}" WHERE instr("{column}", ?)'  # noqa: S608 - its own names
                if texts := [str(text) for (text,) in asked.execute(query, (words,))]:
                    found[f"{table}.{column}"] = texts
    return found


@pytest.mark.parametrize(("hours", "seconds"), [(0, None), (0.5, "1800")])
def test_links_are_in_the_gallery_alone(
    prefect_api: str,
    prefect_server: Any,
    api: Any,
    archive: VideoArchive,
    small: Callable[..., Any],
    hours: float,
    seconds: str | None,
) -> None:
    """Prefect keeps an artifact, the newest of its key and an event of it; no result, state, log or parameter has a
    link. With 0 hours there is none at all.
    """
    limited = archive.model_copy(update={"link_hours": hours})

    async def run() -> Any:
        return await generate_batch(
            requests=[small(f"a fox in bucket {archive.bucket}", **SMALL)],
            poll=PollPolicy.fixed(0.05, deadline=60),
            together=api.credentials(),
            archive=limited,
            return_state=True,
        )

    with temporary_settings({PREFECT_API_URL: prefect_api}):
        state = asyncio.run(run())
    assert state.is_completed(), state
    (database,) = Path(prefect_server.environment()["PREFECT_HOME"]).glob("*.db")
    end = time.monotonic() + 30
    # The server writes events a little later.
    while "events.payload" not in columns_with(database, f"{archive.bucket}") and time.monotonic() < end:
        time.sleep(0.5)
    signed = columns_with(database, "X-Amz-Expires")
    links = {
        place: own for place, texts in signed.items() if (own := [t for t in texts if archive.bucket in t])
    }
    assert set(links) <= {"artifact.data", "artifact_collection.data", "events.payload"}
    assert bool(links) == bool(hours)
    found = {
        age for texts in links.values() for text in texts for age in re.findall(r"X-Amz-Expires=(\d+)", text)
    }
    assert found == ({seconds} if seconds else set())
