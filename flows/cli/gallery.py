"""`together-video gallery`: a page of what is in the archive, with its videos, in a folder on this machine."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from prefect_together_video.flows.cli.given_path import GivenPath
from prefect_together_video.flows.cli.options import PlaceOptions
from prefect_together_video.flows.cli.preamble import begin
from together_video.errors import InputError

#: Seconds for which S3 signs a link at most.
_WEEK = 7 * 24 * 3600


def gallery(
    batch: str | None = None,
    /,
    *,
    latest: int = 100,
    folder: GivenPath = Path("gallery"),
    links: Annotated[bool, Parameter(negative=())] = False,
    place: PlaceOptions = PlaceOptions(),  # noqa: B008 - frozen
) -> int:
    """Make a gallery of a BATCH, or of the newest videos, that opens from disk without a network.

    Parameters
    ----------
    batch
        The id of a batch: the name of its folder under batches/ in the archive.
    latest
        Without a batch: how many videos, the newest first.
    folder
        Where the page goes, with the videos and posters that it shows. What is there already is not fetched again.
    links
        Fetch nothing: the page links to the archive; into a bucket by signed links that work for a week.
    """
    if place.together is not None:
        raise InputError("A gallery does not ask the API: --together has no use here.")
    if not 1 <= latest <= 10_000:
        raise InputError("--latest must be from 1 to 10000.")
    terminal = begin(place, asks_api=False)
    from prefect_together_video.flows.cli import gallery_export
    from prefect_together_video.flows.cli.running import archive_of

    async def make() -> gallery_export.Export:
        archive = await archive_of(place)
        async with archive.open() as ledger:
            return await gallery_export.export(
                ledger,
                folder.resolve(),
                batch=batch,
                latest=latest,
                link_seconds=_WEEK if links else None,
                tell=terminal.say,
            )

    shown = asyncio.run(make())
    if place.json:
        terminal.document({"page": str(shown.page), "videos": shown.videos, "missing": shown.missing})
    else:
        videos = "1 video" if shown.videos == 1 else f"{shown.videos} videos"
        terminal.out.print(f"{videos}: {shown.page.as_uri()}", soft_wrap=True, markup=False)
    if shown.missing:
        terminal.complain(
            f"{len(shown.missing)} files are not in the archive: {', '.join(shown.missing[:3])} …"
        )
    return 1 if shown.missing else 0
