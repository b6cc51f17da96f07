"""`together-video review`: import the marks of a gallery into the archive."""

from __future__ import annotations

import asyncio
import shlex
import sys
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from prefect_together_video.flows.cli.finding.looking import begin_looking, opened_archive
from prefect_together_video.flows.cli.options import LookOptions
from together_video.errors import InputError
from together_video.ledger.reviews import LARGEST_REVIEW, LONGEST_WHO, Mark, is_of_film, newest, parse_review
from together_video.text import counted, printable

if TYPE_CHECKING:
    from prefect_together_video.blocks.ledger.reviews import Kept


def review(
    *files: Annotated[str, Parameter(name="FILE", allow_leading_hyphen=True)],
    who: str | None = None,
    redo_list: Annotated[bool, Parameter(negative=())] = False,
    place: LookOptions = LookOptions(),  # noqa: B008 - frozen
) -> int:
    """Import marks and notes that a gallery page exported. If a clip has several marks, the newest counts.

    They show in later galleries, in list and in spend. Use batch --from-review
    to make new takes of rejected clips, and film --from-review for the next cut.

    Parameters
    ----------
    files
        Files exported by gallery pages; - is standard input. Importing the same marks again changes nothing.
    who
        Who made the marks, instead of the name in the files.
    redo_list
        Also print a request line for each rejected clip, to edit and pass to batch.
    """
    if redo_list and place.json:
        raise InputError("Give either --json or --redo-list: both write to standard output.")
    if not files:
        raise InputError("Name the files that galleries exported: together-video review FILE …")
    if who is not None and not 0 < len(who.strip()) <= LONGEST_WHO:
        raise InputError(f"--who must be a name of at most {LONGEST_WHO} characters.")
    # Read all files before importing any.
    read = {name: _data_of(name) for name in files}
    of_files = {name: _marks_in(data, name, who=who) for name, data in read.items()}
    films = [name for name, data in read.items() if is_of_film(data)]
    marks = newest(mark for found in of_files.values() for mark in found).values()
    terminal = begin_looking(place)

    async def keep() -> tuple[Kept, list[str]]:
        from prefect_together_video.blocks.ledger.redo import redo_list as redos_of

        async with opened_archive(place) as ledger:
            kept = await ledger.keep_marks(marks)
            redos = (await redos_of(ledger, marks)).redos if redo_list else []
            return kept, [redo.line for redo in redos]

    kept, lines = asyncio.run(keep())
    counts = _counts(kept)
    if place.json:
        unknown = [mark.id for mark in kept.unknown]
        terminal.document({**counts, "unknown": unknown})
    else:
        words = [
            counted(number, "note") if name == "noted" else f"{number} {name.replace('_', ' ')}"
            for name, number in counts.items()
            if number
        ]
        said = ", ".join(words) or "no marks"
        if redo_list:
            sys.stdout.write("".join(f"{line}\n" for line in lines))
            terminal.say(f"{counted(len(marks), 'clip')}: {said}.")
        else:
            terminal.out.print(f"{counted(len(marks), 'clip')}: {said}.", markup=False)
            unknown_ids = {mark.id for mark in kept.unknown}
            of_batches = {name: found for name, found in of_files.items() if name not in films}
            for name in _with_rejected(of_batches, unknown_ids):
                terminal.say(f"To make the rejected ones again: together-video batch --from-review {name}")
            for name in films:
                given = "FILM_ID" if name == "-" else shlex.quote(printable(name, 500))
                terminal.say(f"For the next cut: together-video film STORYBOARD.yaml --from-review {given}")
    if kept.unknown:
        some = ", ".join(mark.id for mark in kept.unknown[:5])
        terminal.complain(
            f"Not in this archive, so not imported: {some}{' …' if kept.unknown[5:] else ''}. "
            "Was the gallery made from this archive?"
        )
    return 1 if kept.unknown else 0


def _with_rejected(of_files: Mapping[str, Sequence[Mark]], unknown: Collection[str]) -> list[str]:
    """The argument of --from-review, quoted for a shell, for each file that rejects a clip."""
    last = newest(mark for found in of_files.values() for mark in found)
    rejecting = [
        name
        for name, found in of_files.items()
        if any(last[mark.id].mark == "reject" and mark.id not in unknown for mark in found)
    ]
    # A pipe cannot be read again, but the marks are in the archive now.
    return [
        shlex.quote(printable(name, 500)) if name != "-" and Path(name).expanduser().is_file() else "BATCH_ID"
        for name in rejecting
    ]


def _counts(kept: Kept) -> dict[str, int]:
    written = kept.written
    return {
        "starred": sum(mark.mark == "star" for mark in written),
        "rejected": sum(mark.mark == "reject" for mark in written),
        "noted": sum(bool(mark.note) for mark in written),
        "taken_back": sum(mark.is_taken_back for mark in written),
        "unchanged": len(kept.unchanged),
        "unknown_ids": len(kept.unknown),
    }


def marks_of_file(name: str, *, who: str | None = None) -> list[Mark]:
    """The marks in a file that a gallery exported; `-` is standard input.

    Raises:
        InputError: it cannot be read or used.
    """
    return _marks_in(_data_of(name), name, who=who)


def _data_of(name: str) -> bytes:
    try:
        if name == "-":
            return sys.stdin.buffer.read(LARGEST_REVIEW + 1)
        with Path(name).expanduser().open("rb") as file:
            return file.read(LARGEST_REVIEW + 1)
    except (OSError, ValueError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(
            f"{printable(_called(name), 200)} cannot be read: {why}. Nothing was imported."
        ) from error


def _marks_in(data: bytes, name: str, *, who: str | None) -> list[Mark]:
    return parse_review(data, _called(name), now=datetime.now(UTC), who=who)


def _called(name: str) -> str:
    return "standard input" if name == "-" else name
