"""The sound files of a storyboard on this machine: music and narrations, and what tells them apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from anyio import to_thread

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.tasks.running.runs import step
from prefect_together_video.tasks.steps.media import fetch_media
from together_video.api.downloads import hash_file
from together_video.errors import InputError
from together_video.film.storyboard import Storyboard
from together_video.joining.sound_files import SOUND_FORMATS, sound_container
from together_video.media.containers import HEAD
from together_video.media.files import LARGEST
from together_video.media.sources import MediaForm, MediaKind, form_of, inline_bytes, path_of
from together_video.text import printable


@dataclass(frozen=True)
class Sounds:
    """Paths and SHA-256 digests of the sound files, by the texts that name them."""

    paths: dict[str, Path]
    digests: dict[str, str]


def sounds_of(storyboard: Storyboard) -> dict[str, str]:
    """Each text that names a sound file, once, with the place where it stands."""
    found = {
        one.audio.narration: f"shot {number}: audio.narration"
        for number, one in enumerate(storyboard.shots, 1)
    }
    if storyboard.cut.music is not None:
        found[storyboard.cut.music.file] = "cut.music"
    return {text: place for text, place in found.items() if text is not None}


def refuse_sounds(storyboard: Storyboard, *, local_files: bool) -> None:
    """Say before anything is bought which sound files cannot be had, or are none.

    Raises:
        InputError: one is missing, is no sound file, is a link, or is a file of this machine where none may be
            named.
    """
    for text, place in sounds_of(storyboard).items():
        form, shown = form_of(text), printable(text, 200)
        if form is MediaForm.FILE and not local_files:
            raise InputError(
                f"{place} names a file of the machine that makes the film. Give an s3:// address."
            )
        if form is MediaForm.FILE and not path_of(text).is_file():
            raise InputError(f"{place}: {shown}: there is no such file on the machine that makes the film.")
        if form is MediaForm.FILE and sound_container(_head(path_of(text), place)) is None:
            raise InputError(f"{place}: {shown}: is not a sound file: {SOUND_FORMATS} can be used.")
        if form in {MediaForm.LINK, MediaForm.HANDLE, MediaForm.REFERENCE}:
            raise InputError(
                f"{place}: {shown}: give a file, an s3:// address or a data URL. Links are not followed."
            )


async def fetch_sounds(storyboard: Storyboard, folder: Path, ledger: Ledger) -> Sounds:
    """Have all of them on this machine; what is not there already comes into `folder`.

    Raises:
        InputError: one cannot be read, or is too large.
        ArchiveError: the archive does not answer.
    """
    paths: dict[str, Path] = {}
    for number, (text, place) in enumerate(sounds_of(storyboard).items()):
        match form_of(text):
            case MediaForm.FILE:
                paths[text] = path_of(text)
            case MediaForm.S3:
                (at := folder / f"sound-{number}").mkdir()
                paths[text] = await step(fetch_media, text, at, ledger)
            case _:
                paths[text] = folder / f"sound-{number}"
                await to_thread.run_sync(paths[text].write_bytes, inline_bytes(text))
        if (size := _size(paths[text], place)) > LARGEST[MediaKind.AUDIO]:
            raise InputError(
                f"{place}: has {size / 1e6:.0f} MB; {LARGEST[MediaKind.AUDIO] / 1e6:.0f} MB at most."
            )
    return Sounds(paths, await _digests(paths.items()))


def _head(path: Path, place: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(HEAD)
    except OSError as error:
        raise InputError(
            f"{place}: {printable(str(path), 200)}: cannot be read: {error.strerror}."
        ) from error


def _size(path: Path, place: str) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise InputError(
            f"{place}: {printable(str(path), 200)}: cannot be read: {error.strerror}."
        ) from error


async def _digests(paths: Iterable[tuple[str, Path]]) -> dict[str, str]:
    return {text: (await to_thread.run_sync(hash_file, path)).sha256 for text, path in paths}
