"""Storing the media of requests in the archive, before the requests are planned."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path

from anyio import to_thread

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.tasks.running.runs import run_logger, step
from prefect_together_video.tasks.steps.media import fetch_media, store_media
from together_video.errors import InputError
from together_video.inputs.media import MediaIntake, MediaProblem, refuse, take_in
from together_video.media.files import MediaFile
from together_video.media.references import references_of
from together_video.media.sources import media_texts
from together_video.requests import VideoRequest

#: Uploads at a time: each may read a large file.
_AT_ONCE = 8


async def looked_at(requests: Sequence[VideoRequest], names: Sequence[str] | None = None) -> MediaIntake:
    """As `take_in`, in a thread: files are read completely.

    Raises:
        MediaRefused: some media cannot be used.
    """
    if not any(request.media for request in requests):
        return MediaIntake(list(requests), {})
    intake = await to_thread.run_sync(partial(take_in, requests, names=names))
    for note in intake.notes:
        run_logger().warning("%s: %s.", note.place, note.words)
    return intake


async def keep_media(
    intake: MediaIntake,
    ledger: Ledger,
    names: Sequence[str] | None = None,
    *,
    awaited: Collection[str] = (),
) -> list[VideoRequest]:
    """Store everything in the archive that the requests need there; objects at s3:// addresses are copied.

    Returns the requests, which now contain only links, references and small inline images.

    Args:
        awaited: references to content that is made later.

    Raises:
        MediaRefused: an object is missing or of the wrong kind, or a file has changed in the meantime.
        ArchiveError: the archive cannot be written.
    """
    await refuse_unsendable(intake, ledger, names)
    places = asyncio.Semaphore(_AT_ONCE)

    async def store(file: MediaFile) -> None:
        async with places:
            await step(store_media, file, ledger)

    async def fetch(address: str, folder: Path) -> Path | InputError:
        async with places:
            try:
                return await step(fetch_media, address, folder, ledger)
            except InputError as error:
                # The code that inspects the copies knows the line and the field.
                return error

    with tempfile.TemporaryDirectory(prefix="together-video-media-") as folder:
        if intake.elsewhere:
            paths = [Path(folder) / str(number) for number, _ in enumerate(intake.elsewhere)]
            fetched = await asyncio.gather(*map(fetch, intake.elsewhere, paths))
            copies = dict(zip(intake.elsewhere, fetched, strict=True))
            again = await to_thread.run_sync(partial(take_in, intake.requests, names=names, fetched=copies))
            intake = MediaIntake(again.requests, {**intake.files, **again.files})
            await refuse_unsendable(intake, ledger, names)
        await asyncio.gather(*(store(file) for file in intake.files.values()))
    named = {reference for request in intake.requests for reference in references_of(request)}
    missing = set(await ledger.media.lacks(sorted(named - set(intake.files) - set(awaited))))
    problems = [
        MediaProblem(number, place, f"{text}: the archive has no such content")
        for number, request in enumerate(intake.requests)
        for place, _, text in media_texts(request)
        if text in missing
    ]
    refuse(problems, len(intake.requests), names)
    return intake.requests


async def refuse_unsendable(intake: MediaIntake, ledger: Ledger, names: Sequence[str] | None = None) -> None:
    """Stop before anything is bought if media could not reach the provider from this archive.

    Raises:
        MediaRefused: names up to ten of them.
    """
    named = {reference for request in intake.requests for reference in references_of(request)}
    why = await ledger.media.unsendable(sorted(named), intake.files)
    problems = [
        MediaProblem(
            number, place, f"{intake.files[text].name if text in intake.files else text}: {why[text]}"
        )
        for number, request in enumerate(intake.requests)
        for place, _, text in media_texts(request)
        if text in why
    ]
    refuse(problems, len(intake.requests), names)
