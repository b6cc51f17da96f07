"""The sound files of a storyboard on this machine: music and narrations, and their checksums."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from anyio import to_thread

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.tasks.running.runs import run_logger, step
from prefect_together_video.tasks.steps.media import download_sound, fetch_media
from together_video.api.downloads import hash_file
from together_video.errors import InputError, MediaRefused
from together_video.film.storyboard import Storyboard
from together_video.joining.sound_checks import check_sound
from together_video.media.link_checks import shown_link
from together_video.media.sources import MediaForm, form_of, inline_bytes, path_of
from together_video.network.trusted_hosts import TrustedHosts
from together_video.temporary_folders import temporary_folder
from together_video.text import printable

#: Most bytes of all sound files that are downloaded for one film.
_MOST_BYTES = 2 * 10**9


@dataclass(frozen=True)
class Sounds:
    """Paths and SHA-256 digests of the sound files, by the texts that name them."""

    paths: dict[str, Path]
    digests: dict[str, str]


def sounds_of(storyboard: Storyboard) -> dict[str, str]:
    """Each text that names a sound file, once, with the field that it is in."""
    found = {
        one.audio.narration: f"shot {number}: audio.narration"
        for number, one in enumerate(storyboard.shots, 1)
    }
    if storyboard.cut.music is not None:
        found[storyboard.cut.music.file] = "cut.music"
    return {text: place for text, place in found.items() if text is not None}


def refuse_sounds(storyboard: Storyboard, *, local_files: bool) -> None:
    """Report sound files that cannot be used, before any server is called.

    Raises:
        InputError: one is missing, is in none of the forms that sound can have, or is a file of this machine although
            such files may not be named.
    """
    for text, place in sounds_of(storyboard).items():
        form, shown = form_of(text), printable(text, 200)
        if form is MediaForm.FILE and not local_files:
            raise InputError(
                f"{place} names a file of the machine that makes the film. Give an https:// or s3:// address."
            )
        if form is MediaForm.FILE and not path_of(text).is_file():
            raise InputError(f"{place}: {shown}: there is no such file on the machine that makes the film.")
        if form in {MediaForm.HANDLE, MediaForm.REFERENCE}:
            raise InputError(f"{place}: {shown}: give a file, a link, an s3:// address or a data URL.")


@asynccontextmanager
async def sounds_at_hand(
    storyboard: Storyboard, ledger: Ledger, trusted: TrustedHosts, *, trusts_requests: bool
) -> AsyncIterator[Sounds]:
    """Have all of them on this machine until the end of the block. Start it before anything is bought.

    Args:
        trusted: hosts that may be private.
        trusts_requests: whether errors may say what this machine sees of the network to the storyboard's author.

    Raises:
        InputError: one is not available, is too large, or has no sound that can be decoded.
        ArchiveError: the archive does not answer.
    """
    with temporary_folder("sounds") as folder:
        yield await _fetched(storyboard, folder, ledger, trusted, trusts_requests)


async def _fetched(
    storyboard: Storyboard, folder: Path, ledger: Ledger, trusted: TrustedHosts, trusts_requests: bool
) -> Sounds:
    paths: dict[str, Path] = {}
    fetched = 0
    for number, (text, place) in enumerate(sounds_of(storyboard).items()):
        form = form_of(text)
        match form:
            case MediaForm.FILE:
                paths[text] = path_of(text)
            case MediaForm.S3:
                (at := folder / f"sound-{number}").mkdir()
                try:
                    paths[text] = await step(fetch_media, text, at, ledger)
                except MediaRefused as error:
                    raise InputError(f"{place}: {printable(text, 200)}: {error.what}.") from error
            case MediaForm.LINK:
                at = folder / f"sound-{number}"
                try:
                    paths[text] = await step(download_sound, text, at, place, trusted)
                except MediaRefused as error:
                    words = error.what
                    if not trusts_requests:
                        run_logger().warning("%s: %s.", place, words)
                        words = f"{shown_link(text)} cannot be downloaded"
                    raise InputError(f"{place}: {words}.") from error
            case _:
                paths[text] = folder / f"sound-{number}"
                await to_thread.run_sync(paths[text].write_bytes, inline_bytes(text))
        try:
            size = await to_thread.run_sync(check_sound, paths[text])
        except MediaRefused as error:
            raise InputError(f"{place}: the file {error.what}.") from error
        fetched += size if form is not MediaForm.FILE else 0
        if fetched > _MOST_BYTES:
            raise InputError(
                f"The sound files of this storyboard together have more than {_MOST_BYTES / 1e9:.0f} GB."
            )
    digests = {text: (await to_thread.run_sync(hash_file, path)).sha256 for text, path in paths.items()}
    return Sounds(paths, digests)
