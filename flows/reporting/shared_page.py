"""A page that people without access to the archive can open: its links to media expire."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from anyio import to_thread
from pydantic import AwareDatetime, BaseModel, ConfigDict

from together_video.errors import ArchiveError, InputError, Spent
from together_video.gallery import About, GalleryRow, render_pages
from together_video.gallery.files import files_of
from together_video.gallery.film import FilmView
from together_video.gallery.for_others import ForOthers, about_for_others
from together_video.gallery.page import page_names
from together_video.gallery.plain_text import plain
from together_video.ledger.settings import MOST_LINK_HOURS
from together_video.ledger.summary import Summary
from together_video.text import counted

if TYPE_CHECKING:
    from prefect_together_video.blocks.ledger.ledger import Ledger

#: Longest validity of links that S3 signs, in days (Signature Version 4).
MOST_DAYS = MOST_LINK_HOURS / 24
#: How long sharing the page of a run may take, in seconds.
_SECONDS = 120.0


class SharedPage(BaseModel):
    """Where the page is, the address that opens it, and when that and the links on the page expire. They expire earlier
    if the keys that signed them do.
    """

    model_config = ConfigDict(frozen=True)

    url: str
    key: str
    page_uri: str
    ends_at: AwareDatetime
    videos: int
    pages: int


def check_days(days: float) -> int:
    """How many seconds the links work.

    Raises:
        InputError: S3 does not sign links for that long.
    """
    seconds = days * 86_400
    if not 1 <= seconds <= MOST_DAYS * 86_400:
        raise InputError(
            f"A shared page works for at most {MOST_DAYS:g} days: S3 signs links for no longer.",
            spent=Spent.NOTHING,
            remedy="Give a number of days above 0 and at most 7; 0.5 is twelve hours.",
        )
    return int(seconds)


def check_can_share(ledger: Ledger, seconds: int | None) -> None:
    """Check before anything is bought or written.

    Raises:
        InputError: a page must be shared, but the archive is a folder, and its files have no addresses for others.
    """
    if seconds is not None and not ledger.store.gives_links:
        raise InputError(
            f"A page can only be shared from an archive in an S3 bucket, and this archive is the folder "
            f"{ledger.place.folder}.",
            spent=Spent.NOTHING,
            remedy="Send a file instead: together-video gallery --zip FILE.zip.",
        )


async def share_page(
    ledger: Ledger,
    name: str,
    title: str,
    rows: Sequence[GalleryRow],
    summary: Summary,
    sentence: str,
    *,
    seconds: int,
    about: About | None = None,
    film: FilmView | None = None,
    written: Callable[[], None] = lambda: None,
) -> SharedPage:
    """Write a page to `shared/<name>/<time>-<token>.html`, followed by more pages if one would be too long. Each links
    to its videos and its neighbours for `seconds`.

    Nobody can guess the key, and nothing is overwritten. Information for the team only is not on the page.

    Args:
        name: the batch's id, or the name of what the page shows.
        film: what the rows are takes of.
        written: called once for each page that is in the bucket.

    Raises:
        InputError: the archive is a folder.
        ArchiveError: the archive cannot be read or written.
    """
    check_can_share(ledger, seconds)
    begun = datetime.now(UTC)
    first = f"{begun:%Y%m%dT%H%M%S}-{secrets.token_hex(16)}.html"
    keys = {page: ledger.layout.shared(name, page) for page in page_names(first, len(rows))}
    film = film and film.for_others
    files = {key for row in rows for key in files_of(row, ledger.layout)} | set(film.files if film else ())
    links = await ledger.store.links([*keys.values(), *files], seconds=seconds)
    pages = render_pages(
        title,
        ForOthers(rows),
        first=first,
        made_at=begun,
        summary=summary,
        summary_sentence=sentence,
        link=links.get,
        about=about_for_others(about),
        film=film,
        page_link=lambda page: links[keys[page]],
    )
    while (rendered := await to_thread.run_sync(next, pages, None)) is not None:
        key = keys[rendered[0]]
        if not await ledger.store.put_once(key, rendered[1].encode(), "text/html; charset=utf-8"):
            stored = await ledger.store.get(key)
            if stored is None or stored.data != rendered[1].encode():
                raise ArchiveError(f"{ledger.store.uri(key)} was written by another run.")
        written()
    return SharedPage(
        url=links[keys[first]],
        key=keys[first],
        page_uri=ledger.store.uri(keys[first]),
        ends_at=begun + timedelta(seconds=seconds),
        videos=len(rows),
        pages=len(keys),
    )


async def show(
    ledger: Ledger,
    name: str,
    title: str,
    rows: Sequence[GalleryRow],
    summary: Summary,
    *,
    seconds: int,
    about: About | None = None,
) -> None:
    """Share the page of a run, and show its link as the artifact `shared-page`, inside flow runs only.

    No paid video depends on it: errors are logged. The link itself is never logged.
    """
    from prefect.artifacts import acreate_link_artifact
    from prefect.context import FlowRunContext

    from prefect_together_video.tasks.running.runs import run_logger

    if FlowRunContext.get() is None:
        return
    try:
        async with asyncio.timeout(_SECONDS):
            shared = await share_page(
                ledger, name, title, rows, summary, summary.sentence, seconds=seconds, about=about
            )
            until = f"{shared.ends_at:%Y-%m-%d %H:%M} UTC"
            await acreate_link_artifact(
                shared.url,
                link_text=f"{counted(shared.videos, 'video')}, for anyone with this link until {until}",
                key="shared-page",
                description=f"{plain(title, 200)}. It expires earlier if the keys that signed it do.",
            )
    except Exception as error:  # noqa: BLE001 - Prefect's client raises whatever its parts do
        run_logger().warning(
            "The page could not be shared: %s. together-video gallery %s --share DAYS shares it.",
            str(error) or type(error).__name__,
            name,
        )
