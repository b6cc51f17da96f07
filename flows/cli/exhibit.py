"""What the demo does with its own bucket: make it, and copy the gallery out so that it opens from disk."""

from __future__ import annotations

import asyncio
from pathlib import Path

from blocks import VideoArchive
from blocks.store import make_client
from together_video.summary import Summary


def make_bucket(name: str) -> None:
    """Make the demo's bucket on its local S3 server, unless it is there."""
    client = make_client(None, connections=1)
    if name not in {found["Name"] for found in client.list_buckets()["Buckets"]}:
        client.create_bucket(Bucket=name)


def copy_out(summary: Summary, bucket: str, folder: Path) -> Path | None:
    """Copy the page and what it shows to a folder with the bucket's layout, so that its links hold there."""
    if summary.page is None:
        return None
    stems = [found.key for found in summary.videos if found.key]
    keys = [summary.page, *stems, *(str(Path(key).with_suffix(".jpg")) for key in stems)]

    async def copy() -> None:
        async with VideoArchive(bucket=bucket).open() as ledger:
            for key in keys:
                if not (folder / key).exists():
                    await ledger.store.fetch(key, folder / key)

    asyncio.run(copy())
    return folder / summary.page
