"""`together-video gallery`: show the archive as a page on this machine, or as something to send to others."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from prefect_together_video.flows.cli.finding.looking import begin_looking, opened_archive
from prefect_together_video.flows.cli.galleries import gallery_sending
from prefect_together_video.flows.cli.given_path import GivenPath
from prefect_together_video.flows.cli.options import LookOptions
from prefect_together_video.flows.cli.screen.terminal import Terminal
from together_video.errors import InputError
from together_video.ledger.settings import MOST_LINK_HOURS
from together_video.text import counted

if TYPE_CHECKING:
    from prefect_together_video.blocks.ledger.ledger import Ledger
    from prefect_together_video.flows.cli.galleries.gallery_export import Export
    from prefect_together_video.flows.cli.screen.steps import Steps

#: How many videos are shown by default.
_NEWEST = 100
#: Longest time that an S3 link can work, in seconds.
_WEEK = round(MOST_LINK_HOURS * 3600)


def gallery(
    given: Annotated[str | None, Parameter(name="ID", allow_leading_hyphen=False)] = None,
    /,
    *,
    latest: int | None = None,
    folder: GivenPath = Path("gallery"),
    links: Annotated[bool, Parameter(negative=())] = False,
    share: float | None = None,
    zip_file: Annotated[GivenPath | None, Parameter(name="--zip")] = None,
    contact_sheet: GivenPath | None = None,
    gif: GivenPath | None = None,
    place: LookOptions = LookOptions(),  # noqa: B008 - frozen
) -> int:
    """Make a gallery page of a batch, a film, or the newest videos. It opens from disk without a network.

    Parameters
    ----------
    given
        The id of a batch or film, or its beginning; or the storyboard file of a film (YAML or JSON).
    latest
        Without an id: how many of the newest videos to show; 100 by default.
    folder
        Folder for the page, its videos and posters. Files that are already there are not downloaded again.
    links
        Download nothing: the page links to the archive. Signed links into a bucket work for a week.
    share
        Instead of a folder: upload the page to the bucket and print a link that works for this many days, at most 7.
    zip_file
        Instead of a folder: write the page, videos and posters to this ZIP file, which is replaced.
    contact_sheet
        Instead of a folder: write the posters of all videos to this JPEG file, which is replaced.
    gif
        Instead of a folder: write a second or two of each clip to this .gif or .webp file, which is replaced.
    """
    if given is not None and latest is not None:
        raise InputError("--latest chooses from all videos: leave it out with a batch or a film.")
    if latest is not None and not 1 <= latest <= 10_000:
        raise InputError("--latest must be between 1 and 10000.")
    sending = gallery_sending.Sending.of(share, zip_file, contact_sheet, gif)
    if links and sending.any:
        raise InputError("--links is for a page in a folder: leave it out with --share, --zip and the like.")
    terminal = begin_looking(place)
    from prefect_together_video.flows.cli.galleries import gallery_export

    async def make(ledger: Ledger, steps: Steps) -> tuple[Export | None, gallery_sending.Sent | None]:
        sending.check(ledger)
        steps.begin("Reading the archive")
        chosen = await gallery_export.choose(ledger, given=given, latest=latest or _NEWEST)
        if sending.any:
            return None, await sending.send(ledger, chosen, steps)
        seconds, place_of_page = _WEEK if links else None, folder.resolve()
        return await gallery_export.export(
            ledger, place_of_page, chosen, link_seconds=seconds, steps=steps
        ), None

    async def opened() -> tuple[Export | None, gallery_sending.Sent | None]:
        async with opened_archive(place) as ledger:
            with terminal.steps() as steps:
                return await make(ledger, steps)

    shown, sent = asyncio.run(opened())
    if sent is not None:
        return _report_sent(terminal, sent, as_json=place.json)
    assert shown is not None  # noqa: S101 - one of the two
    if place.json:
        terminal.document({"page": str(shown.page), "videos": shown.videos, "missing": shown.missing})
    else:
        terminal.out.print(f"{shown.words}: {shown.page.as_uri()}", soft_wrap=True, markup=False)
    return _report_missing(terminal, shown.missing)


def _report_sent(terminal: Terminal, sent: gallery_sending.Sent, *, as_json: bool) -> int:
    if as_json:
        terminal.document(sent.as_json())
    else:
        for what, where in sent.lines:
            # A program that reads the output gets only links and paths.
            title = f"{what}: " if terminal.out.is_terminal else ""
            terminal.out.print(f"{title}{where}", soft_wrap=True, markup=False)
        for note in sent.notes:
            terminal.note(note)
    return _report_missing(terminal, sent.missing)


def _report_missing(terminal: Terminal, missing: list[str]) -> int:
    if missing:
        more = " …" if missing[3:] else ""
        terminal.complain(
            f"{counted(len(missing), 'file is', 'files are')} not in the archive: {', '.join(missing[:3])}{more}"
        )
    return 1 if missing else 0
