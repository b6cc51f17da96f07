"""The films of an archive, as rows for programs and as a table for people."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypedDict

from rich.markup import escape

from prefect_together_video.flows.cli.screen.tables import print_table, titled_table
from prefect_together_video.flows.cli.screen.terminal import Terminal
from together_video.errors import ArchiveError, StoreUnavailable
from together_video.film.record import FilmRecord
from together_video.ledger.account import Account
from together_video.ledger.place import ArchivePlace
from together_video.ledger.spend import Period
from together_video.money import usd_cells, usd_number
from together_video.text import one_line

if TYPE_CHECKING:
    from prefect_together_video.blocks.ledger.ledger import Ledger

#: Records that are read at the same time.
_AT_ONCE = 16
#: Fewest characters of a title.
_TITLE = 12


class FilmRow(TypedDict):
    """A film, with seconds, pixels, and the cost of its shots in US dollars."""

    id: str
    at: str
    title: str
    seconds: float
    shots: int
    width: int
    height: int
    cost_usd: float
    key: str
    uri: str


@dataclass(frozen=True)
class Films:
    """The films of a period, newest first, and the keys of records that could not be read."""

    records: Sequence[FilmRecord]
    unreadable: Sequence[str]

    @property
    def account(self) -> Account:
        """The cost of their shots. A shot that several films share counts once."""
        costs = {shot.id: shot.cost_usd for record in self.records for shot in record.shots}
        return Account(paid=sum((cost for cost in costs.values() if cost is not None), Decimal(0)))


async def films_of(ledger: Ledger, since: Period) -> Films:
    """Raises ArchiveError: the archive does not answer."""
    places = asyncio.Semaphore(_AT_ONCE)
    unreadable: list[str] = []

    async def read(film: str, key: str) -> FilmRecord | None:
        async with places:
            try:
                return await ledger.films.read(film)
            except StoreUnavailable:
                raise
            except ArchiveError:
                unreadable.append(key)
                return None

    keys = {
        film: ledger.layout.film(film, "film.json")
        async for film, objects in ledger.films.all()
        if ledger.layout.film(film, "film.json") in objects
    }
    found = [one for one in await asyncio.gather(*map(read, keys, keys.values())) if one is not None]
    if since.start is not None:
        found = [one for one in found if one.made_at >= since.start]
    return Films(sorted(found, key=lambda one: (one.made_at, one.id), reverse=True), sorted(unreadable))


def film_row(film: FilmRecord, place: ArchivePlace) -> FilmRow:
    return {
        "id": film.id,
        "at": film.made_at.astimezone(UTC).isoformat(),
        "title": film.title,
        "seconds": film.seconds,
        "shots": len(film.shots),
        "width": film.width,
        "height": film.height,
        "cost_usd": usd_number(film.cost_usd),
        "key": film.video.key,
        "uri": place.uri(film.video.key),
    }


def show_films(rows: Sequence[Mapping[str, Any]], terminal: Terminal) -> None:
    """A line for each film. It fits 80 columns."""
    if not rows:
        terminal.out.print("No films.")
        return
    columns = {
        "film": [row["id"][:8] for row in rows],
        "made": [row["at"][:16].replace("T", " ") for row in rows],
        "seconds": [f"{row['seconds']:.1f}" for row in rows],
        "shots": [str(row["shots"]) for row in rows],
        "size": [f"{row['width']}x{row['height']}" for row in rows],
        "USD": usd_cells(Decimal(str(row["cost_usd"])) for row in rows),
    }
    left = {"film", "made", "size"}
    table, _ = titled_table(columns, left=left, width=terminal.out.width, least=_TITLE)
    for row, *cells in zip(rows, *columns.values(), strict=True):
        table.add_row(*cells, escape(one_line(row["title"])))
    print_table(table, terminal.out)
