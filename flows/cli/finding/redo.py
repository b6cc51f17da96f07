"""The redo list of `batch --from-review`. It is read before anything is bought."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from prefect_together_video.flows.cli.finding.looking import opened_archive
from prefect_together_video.flows.cli.finding.review import marks_of_file
from prefect_together_video.flows.cli.given_path import refuse_unreadable
from prefect_together_video.flows.cli.options import PlaceOptions, RunOptions
from prefect_together_video.flows.cli.preamble import begin
from prefect_together_video.flows.cli.screen.terminal import Terminal
from together_video.errors import InputError, NotInArchive
from together_video.ledger.records import edition_name
from together_video.ledger.redo import Redo
from together_video.ledger.reviews import Mark
from together_video.text import counted, one_line, printable

if TYPE_CHECKING:
    from prefect_together_video.blocks.ledger.ledger import Ledger
    from prefect_together_video.blocks.ledger.redo import RedoList

#: Clips that are listed with their notes.
_LISTED = 20


def redos_of(review: str, run: RunOptions, place: PlaceOptions) -> list[Redo]:
    """The new takes to buy for the rejected clips of a file of marks or a batch in the archive. Prints them.

    Raises:
        InputError: there is no such file or batch, or a rejected clip is not in the archive.
    """
    edition = edition_name(run.edition, datetime.now(UTC))
    marks = marks_of_file(review) if review == "-" or is_readable(Path(review)) else None
    if marks is None and ("/" in review or review.lower().endswith(".json")):
        # A batch never has such a name: fail before importing Prefect.
        refuse_unreadable(Path(review).expanduser())
    terminal = begin(place)

    async def read() -> RedoList:
        from prefect_together_video.blocks.ledger.redo import redo_list

        async with opened_archive(place) as ledger:
            asked = await _marks_of_batch(ledger, review) if marks is None else marks
            return await redo_list(ledger, asked, edition=edition, new_seed=run.new_seed)

    found = asyncio.run(read())
    if found.unknown:
        some = ", ".join(found.unknown[:5])
        raise InputError(
            f"{counted(len(found.unknown), 'rejected clip')} not in this archive: {some}. Nothing was bought."
        )
    _say(found.redos, run, terminal)
    return found.redos


def is_readable(path: Path) -> bool:
    """Whether it can be a file of marks, or a pipe such as a shell's <(…)."""
    try:
        path = path.expanduser()
        return path.exists() and not path.is_dir()
    except (OSError, RuntimeError, ValueError):
        return False  # not a path on this machine: perhaps the id of a batch


async def _marks_of_batch(ledger: Ledger, batch: str) -> Sequence[Mark]:
    from prefect_together_video.flows.cli.galleries.gallery_export import rows_of_batch

    try:
        rows = await rows_of_batch(ledger, batch)
    except NotInArchive as error:
        words = f"{printable(batch, 100)!r} is neither a file nor a batch under {error.place}."
        raise NotInArchive(words, place=error.place) from error
    return list((await ledger.reviews.of([row.outcome.id for row in rows])).values())


def _say(redos: Sequence[Redo], run: RunOptions, terminal: Terminal) -> None:
    if not redos:
        terminal.say("This review rejects no clip: there is nothing to make.")
        return
    terminal.say(f"{counted(len(redos), 'clip')} to make again:")
    for redo in redos[:_LISTED]:
        words = one_line(redo.request.prompt or "—", 60)
        note = f" ({one_line(redo.note, 100)})" if redo.note else ""
        terminal.say(f"  {redo.clip[:8]}  take {redo.take}: {words}{note}")
    if len(redos) > _LISTED:
        terminal.say(f"  … and {len(redos) - _LISTED} more")
    seeded = sum(redo.request.seed is not None for redo in redos)
    if seeded and not run.new_seed:
        terminal.say(
            f"{counted(seeded, 'request')} with a seed may give the same clip again: add --new-seed for another seed."
        )
