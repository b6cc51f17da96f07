"""The output of `show` for a film: its shots, and where its files are."""

from __future__ import annotations

from typing import Any

from rich.markup import escape
from rich.table import Table

from prefect_together_video.flows.cli.screen.tables import plain_table, print_table
from prefect_together_video.flows.cli.screen.terminal import Terminal
from together_video.film.record import FilmRecord
from together_video.ledger.place import ArchivePlace
from together_video.ledger.reviews import Mark
from together_video.ledger.support import utc_time
from together_video.money import usd, usd_cells, usd_number, usd_number_or_none
from together_video.text import clock, one_line, printable


def print_film(film: FilmRecord, marks: dict[str, Mark], place: ArchivePlace, terminal: Terminal) -> None:
    """The film, then a line for each of its shots."""
    rows = [
        ("film", film.id),
        ("title", film.title),
        ("made", utc_time(film.made_at)),
        ("contents", film.sentence),
        ("paid", f"{usd(film.cost_usd)} for its shots"),
        *((words, place.uri(key)) for words, key in _files(film).items()),
        *(("note", note) for note in film.notes),
    ]
    about = Table(box=None, show_header=False, pad_edge=False)
    about.add_column(style="bold", no_wrap=True)
    about.add_column(overflow="fold")
    for name, text in rows:
        about.add_row(escape(name), escape(printable(text, 1000)))
    terminal.out.print(about)
    terminal.out.print()
    columns = {
        "shot": [str(one.number) for one in film.shots],
        "at": [clock(one.start) for one in film.shots],
        "s": [f"{one.seconds:.1f}" for one in film.shots],
        "take": [str(one.take) for one in film.shots],
        "video": [one.id[:8] for one in film.shots],
        "USD": usd_cells(one.cost_usd for one in film.shots),
        "mark": [mark.mark or "note" if (mark := marks.get(one.id)) else "" for one in film.shots],
    }
    columns = {name: cells for name, cells in columns.items() if any(cells)}
    table = plain_table()
    for name in columns:
        table.add_column(name, no_wrap=True, justify="left" if name in {"video", "mark"} else "right")
    table.add_column("title", no_wrap=True, overflow="ellipsis")
    for one, *cells in zip(film.shots, *columns.values(), strict=True):
        table.add_row(*cells, escape(one_line(one.title, 200)))
    print_table(table, terminal.out)
    terminal.say(f"\nTo see it with all takes of its shots: together-video gallery {film.id[:8]}")


def film_document(film: FilmRecord, marks: dict[str, Mark], place: ArchivePlace) -> dict[str, Any]:
    """The same for programs."""
    record = film.model_dump(mode="json")
    for shot, one in zip(record["shots"], film.shots, strict=True):
        shot["cost_usd"] = usd_number_or_none(one.cost_usd)
        shot["uri"] = place.uri(one.key)
        mark = marks.get(one.id)
        shot["review"] = None if mark is None else mark.model_dump(mode="json")
    return {**record, "uri": place.uri(film.video.key), "cost_usd": usd_number(film.cost_usd)}


def _files(film: FilmRecord) -> dict[str, str]:
    several = {
        "video": film.video,
        "poster": film.poster,
        "captions": film.captions,
        "contact sheet": film.contact_sheet,
        "edit list": film.edit_list,
        "storyboard": film.storyboard,
    }
    return {words: stored.key for words, stored in several.items() if stored is not None}
