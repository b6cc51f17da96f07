"""`together-video list`: the batches of the archive, or its videos."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from prefect_together_video.flows.cli.finding.looking import begin_looking, opened_archive, without_collector
from prefect_together_video.flows.cli.given_path import GivenPath
from prefect_together_video.flows.cli.options import LookOptions
from prefect_together_video.flows.cli.screen.terminal import Terminal
from together_video.atomic_files import write_whole
from together_video.errors import InputError
from together_video.labels import labels_of_options
from together_video.ledger.spend import Period
from together_video.text import counted, printable

if TYPE_CHECKING:
    from together_video.ledger.index import Entry

#: Rows that a terminal shows unless it is said otherwise; a pipe and files get all.
_SHOWN = 30
_VIDEO = (
    "id",
    "state",
    "at",
    "model",
    "prompt",
    "varies",
    "batch",
    "cost_usd",
    "seconds",
    "mark",
    "note",
    "labels",
    "edition",
    "take",
    "job_id",
    "key",
    "uri",
    "error",
)
State = Literal["archived", "failed", "abandoned", "claimed", "submitted", "ambiguous", "refused", "skipped"]
_STATES = (
    "Videos in this state: archived (reused ones too), failed, claimed (its create is under way), submitted (at the "
    "provider), ambiguous (the create had no clear answer), or abandoned (closed without a clip, to be bought again); "
    "with --batch also refused or skipped: nothing was bought."
)
_BATCH = ("id", "at", "title", "videos", "archived", "paid_usd", "starred", "rejected", "page", "page_uri")


def list_(
    *,
    videos: Annotated[bool, Parameter(negative=())] = False,
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
    """List the batches of the archive, newest first, or its videos. Reads the archive, and changes nothing.

    Parameters
    ----------
    videos
        List videos in place of batches. Each of --batch, --model, --state, --label, --mark and --search does so too.
    batch
        Videos of this batch, reused ones too: its id, or the beginning of it.
    since
        What was bought from this day (UTC) on, such as 2026-11-01.
    model
        Videos of a model: its API name or a part of it.
    label
        Videos with this label, such as campaign=spring. May be repeated.
    mark
        Videos with this mark from a review, or with none.
    search
        Videos with this text in the prompt, in what varies in a sweep, in a label's value or in a review's note.
    limit
        How many rows. Without it a terminal shows 30; a pipe, --json and files get all.
    csv
        Write the rows as CSV into this file, which is replaced; - is standard output.
    jsonl
        Write the rows as JSON Lines into this file, which is replaced; - is standard output.
    parquet
        Write the rows as Parquet into this file, which is replaced. Needs pyarrow.
    """
    from prefect_together_video.flows.cli.finding.listed import Wanted

    if limit is not None and limit < 1:
        raise InputError("--limit must be at least 1.")
    files = {"--csv": csv, "--jsonl": jsonl}
    for name, path in files.items():
        if path is not None and (not path.strip() or (path.startswith("-") and path != "-")):
            raise InputError(f"{name} needs the path of a file, or - for standard output.")
    if [*files.values()].count("-") + place.json > 1:
        raise InputError("Give one of --json, --csv - and --jsonl -: each goes to standard output.")
    wanted = Wanted(
        since=Period.parse(since, None),
        model=model,
        state=state,
        labels=labels_of_options(label or ()),
        mark=mark,
        search=search,
    )
    filters = (batch, model, state, label, mark, search)
    if parquet is not None:
        from prefect_together_video.flows.cli.finding.listing_files import check_parquet

        check_parquet()
    from prefect_together_video.flows.cli.finding.listing_tables import show_batches, show_videos

    terminal = begin_looking(place)
    to_files = csv is not None or jsonl is not None or parquet is not None
    if limit is None and terminal.out.is_terminal and not to_files and not place.json:
        limit = _SHOWN
    lists_videos = videos or any(one is not None for one in filters)
    with without_collector():
        found = asyncio.run(_read(place, wanted, batch, limit=limit, lists_videos=lists_videos))
    columns = _VIDEO if lists_videos else _BATCH
    _write(found.rows, columns, csv=csv, jsonl=jsonl, parquet=parquet, terminal=terminal)
    if place.json:
        terminal.document({"videos" if lists_videos else "batches": found.rows, "of": found.of})
    elif not to_files:
        (show_videos if lists_videos else show_batches)(found.rows, terminal)
        if left := found.of - len(found.rows):
            terminal.note(f"{counted(left, 'more row')}: --limit {found.of} shows all.")
    if found.unreadable:
        named = ", ".join(printable(key, 100) for key in found.unreadable[:3])
        terminal.complain(
            f"{counted(len(found.unreadable), 'record')} could not be read: {named}"
            f"{' …' if len(found.unreadable) > 3 else ''}. together-video audit names each, and why."
        )
    return 1 if found.unreadable else 0


class _Found:
    """The rows, how many there are without a limit, and keys that could not be read."""

    def __init__(self, rows: Sequence[dict[str, Any]], of: int, unreadable: Sequence[str]) -> None:
        self.rows, self.of, self.unreadable = list(rows), of, unreadable


async def _read(
    place: LookOptions, wanted: Any, batch: str | None, *, limit: int | None, lists_videos: bool
) -> _Found:
    from dataclasses import replace

    from prefect_together_video.blocks.ledger.finding import find_batch
    from prefect_together_video.blocks.ledger.survey import survey
    from prefect_together_video.flows.cli.finding.listed import (
        Batches,
        BatchesBegunSo,
        Videos,
        reported,
        titled,
        video_row,
    )

    async with opened_archive(place) as ledger:
        more: dict[str, Entry] = {}
        if batch is not None:
            whole = await find_batch(ledger, batch)
            if whole is None:
                # One that runs, or was stopped, has no folder yet.
                begun = (await survey(ledger, lambda: BatchesBegunSo(batch.strip()))).found
                whole = await find_batch(ledger, batch, known=begun.names)
            if whole is None:
                where = ledger.store.uri(ledger.layout.key("batches", ""))
                raise InputError(f"There is no batch {printable(batch, 60)!r} under {where}.")
            more = await reported(ledger, whole)
            wanted = replace(wanted, batch=whole, reported=frozenset(more))
        if lists_videos:
            videos = await survey(ledger, lambda: Videos(wanted, limit, more))
            entries = videos.found.end().entries
            rows = [video_row(entry, ledger.place, ledger.layout) for entry in entries]
            return _Found(rows, videos.found.of, [one.key for one in videos.unreadable])
        start = ledger.layout.key("batches", "")
        keys = [one.key for one in await ledger.store.list(start)]
        ended = {key[len(start) :].partition("/")[0] for key in keys if key.endswith("/batch.json")}
        found = await survey(ledger, lambda: Batches(ended, wanted.since))
        batches = found.found.newest_first
        await titled(ledger, batches[:limit])
        shown = [one.row(ledger.place, ledger.layout) for one in batches[:limit]]
        return _Found(shown, len(batches), [one.key for one in found.unreadable])


def _write(
    rows: Sequence[dict[str, Any]],
    columns: Sequence[str],
    *,
    csv: str | None,
    jsonl: str | None,
    parquet: Path | None,
    terminal: Terminal,
) -> None:
    if csv is None and jsonl is None and parquet is None:
        return
    from prefect_together_video.flows.cli.finding.listing_files import as_csv, as_lines, write_parquet

    for given, text in (
        (csv, "" if csv is None else as_csv(rows, columns)),
        (jsonl, "" if jsonl is None else as_lines(rows)),
    ):
        if given == "-":
            sys.stdout.write(text)
        elif given is not None:
            path = Path(given).expanduser()
            try:
                write_whole(path, text.encode())
            except OSError as error:
                raise InputError(f"{path} cannot be written: {error.strerror or error}.") from error
            terminal.say(f"Written: {path}")
    if parquet is not None:
        write_parquet(rows, columns, parquet)
        terminal.say(f"Written: {parquet}")
