"""`together-video list`: list the batches, videos or films of the archive."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from prefect_together_video.flows.cli.finding.looking import begin_looking, opened_archive, without_collector
from prefect_together_video.flows.cli.given_path import GivenPath
from prefect_together_video.flows.cli.options import LookOptions
from prefect_together_video.flows.cli.screen.terminal import Terminal
from prefect_together_video.flows.cli.written_files import STDOUT, checked_file, file_or_stdout, write_file
from together_video.errors import InputError
from together_video.labels import labels_of_options
from together_video.ledger.spend import Period
from together_video.text import counted, printable

if TYPE_CHECKING:
    from prefect_together_video.flows.cli.finding.listed import Wanted
    from prefect_together_video.flows.cli.finding.listed_rows import Columns
    from together_video.ledger.account import Account
    from together_video.ledger.index import Entry

#: Rows that a terminal shows without --limit. Pipes and files get all.
_SHOWN = 30
State = Literal["archived", "failed", "abandoned", "claimed", "submitted", "ambiguous", "refused", "skipped"]
_STATES = (
    "Videos in this state: archived (including reused), failed, claimed (the create is under way), submitted (at the "
    "provider), ambiguous (the create had no clear answer), or abandoned (closed without a clip; can be bought again). "
    "With --batch also refused or skipped (nothing was bought)."
)


def list_(
    *,
    videos: Annotated[bool, Parameter(negative=())] = False,
    films: Annotated[bool, Parameter(negative=())] = False,
    batch: str | None = None,
    since: str | None = None,
    model: str | None = None,
    state: Annotated[State | None, Parameter(help=_STATES)] = None,
    label: Annotated[list[str] | None, Parameter(negative=())] = None,
    mark: Literal["star", "reject", "none"] | None = None,
    search: str | None = None,
    limit: int | None = None,
    csv: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    jsonl: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    parquet: GivenPath | None = None,
    place: LookOptions = LookOptions(),  # noqa: B008 - frozen
) -> int:
    """List the batches in the archive, newest first, or its videos or films. Changes nothing.

    Parameters
    ----------
    videos
        List videos instead of batches. --batch, --model, --state, --label, --mark and --search imply it.
    films
        List films instead of batches.
    batch
        Videos of this batch, including reused ones: the batch id or its beginning.
    since
        Only what was bought, or films that were joined, since this day (UTC), such as 2026-11-01.
    model
        Videos of this model: its API name or part of it.
    label
        Videos with this label, such as campaign=spring. May be repeated.
    mark
        Videos with this mark from a review, or without one.
    search
        Videos with this text in the prompt, a sweep's values, a label's value or a review's note.
    limit
        Number of rows. Without it, a terminal shows 30; pipes, --json and files get all.
    csv
        Write the rows as CSV to this file, which is replaced; - is standard output.
    jsonl
        Write the rows as JSON Lines to this file, which is replaced; - is standard output.
    parquet
        Write the rows as Parquet to this file, which is replaced. Needs pyarrow.
    """
    from prefect_together_video.flows.cli.finding.listed import Wanted

    if limit is not None and limit < 1:
        raise InputError("--limit must be at least 1.")
    if state in {"refused", "skipped"} and batch is None:
        raise InputError(f"--state {state} needs --batch: only a batch knows what it did not buy.")
    csv_file, jsonl_file = file_or_stdout(csv, "--csv"), file_or_stdout(jsonl, "--jsonl")
    parquet = checked_file(parquet, "--parquet")
    if [csv_file, jsonl_file].count(STDOUT) + place.json > 1:
        raise InputError("Give only one of --json, --csv - and --jsonl -: each writes to standard output.")
    wanted = Wanted(
        since=Period.parse(since, None),
        model=model,
        state=state,
        labels=labels_of_options(label or ()),
        mark=mark,
        search=search,
    )
    filters = (batch, model, state, label, mark, search)
    if films and (videos or any(one is not None for one in filters)):
        raise InputError("--films works only with --since and --limit: the other options choose videos.")
    if parquet is not None:
        from prefect_together_video.flows.cli.finding.listing_files import check_parquet

        check_parquet()
    from prefect_together_video.flows.cli.finding.listed_films import show_films
    from prefect_together_video.flows.cli.finding.listing_tables import show_batches, show_videos

    terminal = begin_looking(place)
    to_files = csv is not None or jsonl is not None or parquet is not None
    if limit is None and terminal.out.is_terminal and not to_files and not place.json:
        limit = _SHOWN
    lists_videos = videos or any(one is not None for one in filters)
    with without_collector():
        work = _read_films(place, wanted.since, limit) if films else None
        found = asyncio.run(work or _read(place, wanted, batch, limit=limit, lists_videos=lists_videos))
    _write(found, csv=csv_file, jsonl=jsonl_file, parquet=parquet, terminal=terminal)
    if place.json:
        name = "films" if films else "videos" if lists_videos else "batches"
        terminal.document({name: found.rows, "of": found.of, **found.account.as_json()})
    elif not to_files:
        (show_films if films else show_videos if lists_videos else show_batches)(found.rows, terminal)
        if found.of:
            one, many = (
                ("film", "films") if films else ("video", "videos") if lists_videos else ("batch", "batches")
            )
            what = counted(found.of, one, many)
            terminal.say(f"{what}: {found.account.spent}.")
        if left := found.of - len(found.rows):
            terminal.note(f"{counted(left, 'more row')}: --limit {found.of} shows all.")
    if found.unreadable:
        named = ", ".join(printable(key, 100) for key in found.unreadable[:3])
        terminal.complain(
            f"{counted(len(found.unreadable), 'record')} could not be read: {named}"
            f"{' …' if len(found.unreadable) > 3 else ''}. together-video audit lists them all, with the reasons."
        )
    return 1 if found.unreadable else 0


@dataclass(frozen=True)
class _Found:
    """The rows and their columns, the number and the cost of all rows without the limit, and the keys that could not be
    read.
    """

    rows: Sequence[Mapping[str, Any]]
    columns: Columns
    of: int
    account: Account
    unreadable: Sequence[str]


async def _read(
    place: LookOptions, wanted: Wanted, batch: str | None, *, limit: int | None, lists_videos: bool
) -> _Found:
    from prefect_together_video.blocks.ledger.finding import existing_batch
    from prefect_together_video.blocks.ledger.survey import survey
    from prefect_together_video.flows.cli.finding import listed, listed_rows
    from together_video.ledger.account import account_of
    from together_video.ledger.names import BATCH_ID

    async with opened_archive(place) as ledger:
        more: dict[str, Entry] = {}
        if batch is not None:
            known: Collection[str] = ()
            if not BATCH_ID.fullmatch(batch.strip()):
                # A batch that is running, or was stopped, has no folder yet.
                known = (await survey(ledger, lambda: listed.BatchesBegunSo(batch.strip()))).found.names
            whole = await existing_batch(ledger, batch, known=known)
            more = await listed.reported(ledger, whole)
            wanted = replace(wanted, batch=whole, reported=frozenset(more))
        if lists_videos:
            videos = await survey(
                ledger, lambda: listed.Videos(wanted, limit, more), since=wanted.since.first_month
            )
            entries = videos.found.end().entries
            rows = [listed_rows.video_row(entry, ledger.place, ledger.layout) for entry in entries]
            columns = listed_rows.columns_of(listed_rows.VideoRow)
            unreadable = [one.key for one in videos.unreadable]
            return _Found(rows, columns, videos.found.of, videos.found.account, unreadable)
        start = ledger.layout.key("batches", "")
        keys = [one.key for one in await ledger.store.list(start)]
        ended = {key[len(start) :].partition("/")[0] for key in keys if key.endswith("/batch.json")}
        # A batch claims its videos after it has begun.
        found = await survey(
            ledger, lambda: listed.Batches(ended, wanted.since), since=wanted.since.first_month
        )
        batches = found.found.newest_first
        await listed.titled(ledger, batches[:limit])
        shown = [listed_rows.batch_row(one, ledger.place, ledger.layout) for one in batches[:limit]]
        columns = listed_rows.columns_of(listed_rows.BatchRow)
        unreadable = [one.key for one in found.unreadable]
        return _Found(shown, columns, len(batches), account_of(batches), unreadable)


async def _read_films(place: LookOptions, since: Period, limit: int | None) -> _Found:
    from prefect_together_video.flows.cli.finding import listed_films, listed_rows

    async with opened_archive(place) as ledger:
        found = await listed_films.films_of(ledger, since)
        rows = [listed_films.film_row(one, ledger.place) for one in found.records[:limit]]
        columns = listed_rows.columns_of(listed_films.FilmRow)
        return _Found(rows, columns, len(found.records), found.account, found.unreadable)


def _write(
    found: _Found, *, csv: Path | None, jsonl: Path | None, parquet: Path | None, terminal: Terminal
) -> None:
    if csv is None and jsonl is None and parquet is None:
        return
    from prefect_together_video.flows.cli.finding.listing_files import as_csv, as_lines, write_parquet

    for path, text in (
        (csv, "" if csv is None else as_csv(found.rows, found.columns)),
        (jsonl, "" if jsonl is None else as_lines(found.rows)),
    ):
        if path is STDOUT:
            sys.stdout.write(text)
        elif path is not None:
            write_file(path, text, terminal)
    if parquet is not None:
        write_parquet(found.rows, found.columns, parquet)
        terminal.say(f"Written: {parquet}")
