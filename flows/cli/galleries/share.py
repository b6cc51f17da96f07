"""`together-video share`: links that open videos for people without access to the archive."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from prefect_together_video.flows.cli.finding.looking import begin_looking, opened_archive
from prefect_together_video.flows.cli.options import LookOptions
from together_video.errors import InputError
from together_video.ledger.settings import LINK_HOURS, MOST_LINK_HOURS
from together_video.text import printable


def share(
    *ids: str,
    hours: float | None = None,
    days: float | None = None,
    place: LookOptions = LookOptions(),  # noqa: B008 - frozen
) -> int:
    """Print a link for each video. Anyone with the link can open the video until it expires; the link is not stored.

    If the archive is a folder, paths are printed instead.

    Parameters
    ----------
    ids
        Ids of videos or films, or of batches for all their videos.
    hours
        How long the links work, in hours: 24 by default, at most 168. They never outlive the keys that sign them.
    days
        The same in days, at most 7.
    """
    if not ids:
        raise InputError("Name videos or batches by their ids: together-video share ID …")
    seconds = _seconds(hours, days)
    terminal = begin_looking(place)
    from prefect_together_video.flows.cli.galleries import shared_links

    async def make() -> list[shared_links.SharedLink]:
        async with opened_archive(place) as ledger:
            return await shared_links.make(ledger, ids, seconds=seconds)

    begun = datetime.now(UTC)
    videos = asyncio.run(make())
    links = [video.link or video.file for video in videos]
    ends_at = begun + timedelta(seconds=seconds) if any(video.link for video in videos) else None
    if place.json:
        rows = [video.model_dump() for video in videos]
        terminal.document({"ends_at": None if ends_at is None else ends_at.isoformat(), "videos": rows})
    else:
        for video, link in zip(videos, links, strict=True):
            # A program that reads the output gets only links.
            title = f"  {printable(video.title, 80)}" if terminal.out.is_terminal else ""
            if link is not None:
                terminal.out.print(f"{link}{title}", soft_wrap=True, markup=False)
        if ends_at is not None:
            end = f"{ends_at:%Y-%m-%d %H:%M} UTC"
            terminal.note(f"The links work until {end}, unless the keys that signed them expire first.")
    without = [video.id for video in videos if video.link is None and video.file is None]
    if without:
        terminal.complain(f"Not in the archive: {', '.join(without[:5])}{' …' if without[5:] else ''}.")
    return 1 if without else 0


def _seconds(hours: float | None, days: float | None) -> int:
    if hours is not None and days is not None:
        raise InputError("Give either --hours or --days.")
    wanted = (
        LINK_HOURS if hours is None and days is None else hours if hours is not None else (days or 0) * 24
    )
    seconds = wanted * 3600
    if not 1 <= seconds <= MOST_LINK_HOURS * 3600:
        raise InputError(
            "A link works for up to 7 days: --hours must be above 0 and at most 168, --days at most 7."
        )
    return int(seconds)
