"""Check that the archive's bucket or folder exists and gives the guarantees that the ledger needs."""

from __future__ import annotations

from pathlib import Path

from prefect_together_video.blocks import VideoArchive
from prefect_together_video.flows.checkup.line import ARCHIVE, CheckLine, ok, warning
from together_video.money import usd
from together_video.text import printable

#: Attempts for a call that fails: few, because somebody is waiting for the answer.
ATTEMPTS = 2


async def check_archive(archive: VideoArchive) -> CheckLine:
    """Probe the archive as a run does before it buys anything. Leaves one small object, `store.json`.

    Raises:
        VideoError: the bucket or folder does not exist, refuses a call, or cannot keep a claim.
    """
    folder = archive.folder and Path(archive.folder).expanduser()
    if folder and not folder.exists():
        return warning(
            ARCHIVE,
            f"There is no folder {printable(str(folder), 200)} yet: the first run creates it. If you expect an archive "
            "there, check that its disk is mounted.",
        )
    async with archive.open(attempts=ATTEMPTS) as ledger:
        await ledger.check()
        verifies = ledger.store.verifies_checksums
        where = printable(ledger.place.under(ledger.layout.key("")), 200)
    limit = f"; monthly limit {usd(archive.monthly_limit_usd)}" if archive.monthly_limit_usd else ""
    if archive.folder is not None:
        return ok(
            ARCHIVE, f"{where} can be listed, written and deleted from; of two writers, only one wins{limit}."
        )
    found = f"{where} can be listed, written and deleted from; If-None-Match is honoured"
    if verifies:
        return ok(ARCHIVE, f"{found}; checksums are verified{limit}.")
    return warning(
        ARCHIVE,
        f"{found}{limit}. Its server does not verify checksums, so each upload is read back and compared. This takes "
        "longer.",
    )
