"""Opening the ledger of an archive, without the block if none is given: reading an archive does not need Prefect, which
takes seconds to import.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from prefect_together_video.blocks.folder.store import FolderStore
from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.blocks.store.store import Store
from together_video.errors import ConfigurationError
from together_video.ledger.layout import Layout
from together_video.ledger.settings import ArchiveSettings, archive_from_env, check_name_in_folder


class Archive(Protocol):
    """What opens a ledger: the block `VideoArchive`."""

    def open(self) -> AbstractAsyncContextManager[Ledger]: ...


@asynccontextmanager
async def opened(archive: Archive | ArchiveSettings | None) -> AsyncIterator[Ledger]:
    """The ledger of a block, of settings, or of the environment's archive.

    Raises:
        ConfigurationError: see `ledger_of`; the environment names no archive.
    """
    found = archive_from_env() if archive is None else archive
    async with ledger_of(found) if isinstance(found, ArchiveSettings) else found.open() as ledger:
        yield ledger


@asynccontextmanager
async def ledger_of(found: ArchiveSettings) -> AsyncIterator[Ledger]:
    """As `VideoArchive.from_env().open()`.

    Raises:
        ConfigurationError: boto3 finds no credentials, no region or no such profile; the prefix has a hidden part.
    """
    store = _store(found)
    try:
        yield Ledger(
            store,
            Layout(prefix=found.prefix),
            monthly_limit=found.monthly_limit_usd,
            link_hours=found.link_hours,
        )
    finally:
        store.close()


def _store(found: ArchiveSettings) -> Store:
    if found.folder is not None:
        check_name_in_folder(found.prefix, "prefix")
        return FolderStore(found.folder)
    if found.bucket is None:
        raise ConfigurationError("There is no archive: it has neither a bucket nor a folder.")
    from prefect_together_video.blocks.s3.opening import open_bucket

    return open_bucket(found.bucket, None)
