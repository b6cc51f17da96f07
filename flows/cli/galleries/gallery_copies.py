"""Copies of an archive's files on this machine."""

from __future__ import annotations

import errno
from pathlib import Path

from prefect_together_video.blocks.ledger.ledger import Ledger
from together_video.errors import ArchiveError, DownloadError, StoreUnavailable

#: Errors of a full disk or quota.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


async def fetched(ledger: Ledger, key: str, path: Path) -> bool:
    """Copy a file of the archive to `path`. False if it does not exist or cannot be read.

    Raises:
        StoreUnavailable: the archive does not answer.
        ArchiveError: this machine's disk is full.
    """
    try:
        return await ledger.store.fetch(key, path)
    except StoreUnavailable:
        raise
    except ArchiveError as error:
        if isinstance(error.__cause__, OSError) and error.__cause__.errno in _FULL:
            raise
        return False


def cannot_write(file: Path, error: OSError) -> DownloadError:
    return DownloadError(
        f"{file} cannot be written: {error.strerror or error}. What was there before is unchanged.",
        remedy="Make room or name another file, and run this again.",
    )
