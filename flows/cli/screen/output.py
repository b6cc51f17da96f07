"""`--output`: copy finished videos to a folder or a file of the user. Nothing is overwritten."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote, urlsplit

from together_video.atomic_files import part_of, settle_new
from together_video.errors import InputError, VideoError
from together_video.ledger.summary import GOOD, Summary, VideoOutcome

if TYPE_CHECKING:
    from prefect_together_video.blocks.store.store import Store
    from prefect_together_video.flows.cli.options import PlaceOptions

#: Files that are copied at the same time.
_AT_ONCE = 8
#: Most bytes of a file's name (Linux and macOS).
_LONGEST_NAME = 255
_VIDEOS = frozenset({".mp4", ".webm", ".mov", ".mkv"})


@dataclass(frozen=True)
class Output:
    """A folder, or the file for a single video."""

    folder: Path
    file: Path | None = None

    @classmethod
    def of(cls, given: Path, *, takes_file: bool, kind: str = "MP4") -> Output:
        """Create the folder and check that it is writable, before anything is bought.

        Args:
            kind: the format of the video, which the ending of a file must match.

        Raises:
            InputError: it is not writable, or the file's name has the ending of another format.
        """
        path = Path(os.path.abspath(given))
        is_file = path.suffix.lower() in _VIDEOS and not path.is_dir()
        if is_file and not takes_file:
            raise InputError(
                f"--output {given} looks like a file, but a batch needs a folder. Nothing was created."
            )
        if is_file and path.suffix.lower() != f".{kind.lower()}":
            raise InputError(
                f"--output {given}: the video will be in {kind} format. Name it {path.stem}.{kind.lower()}, or choose "
                "another --output-format. Nothing was created."
            )
        if is_file:
            _check_target(path, given)
        output = cls(path.parent, path) if is_file else cls(path)
        probe = part_of(output.folder / "probe")
        try:
            output.folder.mkdir(parents=True, exist_ok=True)
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise InputError(
                f"--output: {output.folder} cannot be written: {error.strerror or error}. Nothing was created."
            ) from error
        return output

    def path_of(self, outcome: VideoOutcome) -> Path:
        name = (outcome.key or "").rpartition("/")[2]
        # A key template may distinguish videos only by their folders.
        return self.file or self.folder / (name if outcome.id in name else f"{outcome.id}-{name}")


def _check_target(path: Path, given: Path) -> None:
    """Raises InputError: a copy cannot have this name. Better to know before the purchase."""
    with suppress(OSError):
        if not stat.S_ISREG(path.stat().st_mode):
            raise InputError(f"--output {given} exists and is not a regular file. Nothing was created.")
    if len(path.name.encode()) > _LONGEST_NAME:
        raise InputError(
            f"--output: the name has {len(path.name.encode())} bytes, but at most {_LONGEST_NAME} are possible. "
            "Nothing was created."
        )


def with_files(
    summary: Summary, output: Output | None, place: PlaceOptions, complain: Callable[[str], None]
) -> Summary:
    """The summary with the paths of playable files: copies if an output is given, otherwise files in a folder archive.

    If a copy fails, an error is printed and the video has no path, but it is still in the archive.
    """
    if output is None:
        return _changed(summary, {found.id: path for found in summary.videos if (path := _local(found))})
    there = [found for found in summary.videos if found.state in GOOD and found.key]
    return _changed(summary, asyncio.run(_copies(there, output, place, complain)) if there else {})


async def _copies(
    videos: list[VideoOutcome], output: Output, place: PlaceOptions, complain: Callable[[str], None]
) -> dict[str, str]:
    from prefect_together_video.flows.cli.finding.looking import opened_archive

    places = asyncio.Semaphore(_AT_ONCE)
    files: dict[str, str] = {}
    async with opened_archive(place) as ledger:

        async def copy(video: VideoOutcome) -> None:
            async with places:
                try:
                    files[video.id] = str(await _copy(video, output.path_of(video), ledger.store))
                except VideoError as error:
                    complain(error.message)

        await asyncio.gather(*(copy(video) for video in videos))
    return files


class Copied(Protocol):
    """A file in the archive, as an outcome describes it."""

    @property
    def key(self) -> str | None: ...
    @property
    def uri(self) -> str | None: ...
    @property
    def sha256(self) -> str | None: ...


async def copied_to(path: Path, one: Copied, place: PlaceOptions) -> Path:
    """A copy of one file. Raises VideoError: something else is there, or it cannot be read or written."""
    from prefect_together_video.flows.cli.finding.looking import opened_archive

    async with opened_archive(place) as ledger:
        return await _copy(one, path, ledger.store)


async def _copy(video: Copied, path: Path, store: Store) -> Path:
    """Raises VideoError: something else is there, or it cannot be read or written."""
    # Imports httpx, which takes a while.
    from together_video.api.downloads import hash_file

    kept = f"The video is at {video.uri}."
    part = part_of(path)
    try:
        if not path.exists():
            if not await store.fetch(video.key or "", part):
                raise VideoError(
                    f"{video.uri} is gone.", remedy="together-video audit lists all missing files."
                )
            if (await asyncio.to_thread(hash_file, part)).sha256 != video.sha256:
                raise VideoError(
                    f"The content of {video.uri} does not match its record.",
                    remedy="together-video audit --deep lists every such file.",
                )
            if settle_new(part, path):
                return path
        is_file = stat.S_ISREG(path.stat().st_mode)
        if not is_file or (await asyncio.to_thread(hash_file, path)).sha256 != video.sha256:
            raise VideoError(
                f"{path} exists with different content, and was not overwritten.",
                remedy=f"Use another name, or remove it. {kept}",
            )
    except OSError as error:
        raise VideoError(f"{path} cannot be written: {error.strerror or error}.", remedy=kept) from error
    finally:
        part.unlink(missing_ok=True)
    return path


def _local(found: VideoOutcome) -> str | None:
    """The path of a video, if the archive is a folder."""
    if found.state not in GOOD or not (found.uri or "").startswith("file:"):
        return None
    return unquote(urlsplit(found.uri or "").path)


def _changed(summary: Summary, files: dict[str, str]) -> Summary:
    videos = (found.model_copy(update={"file": files.get(found.id)}) for found in summary.videos)
    return summary.model_copy(update={"videos": tuple(videos)})
