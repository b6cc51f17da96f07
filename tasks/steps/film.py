"""Steps of films: what a shot takes over from the shot before, and the clips that the film is joined from."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from anyio import to_thread

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.tasks.running.retries import retried_task
from prefect_together_video.tasks.running.runs import run_logger
from prefect_together_video.tasks.steps.decoding import decode
from together_video.api.downloads import hash_file
from together_video.errors import FilmError, ObjectConflict, PieceRefused
from together_video.joining.last_frames import last_frame
from together_video.ledger.records import StoredObject
from together_video.media.files import MediaFile, inspect_bytes, inspect_file
from together_video.media.inline import LARGEST_BYTES
from together_video.media.references import reference_to
from together_video.media.sources import MediaKind
from together_video.temporary_folders import temporary_folder

_RESTORE = (
    "Restore it, or make another take of the shot with --retake, write its number under use, and run again. The other "
    "shots are not bought again, unless they continue this one."
)


@retried_task(
    "last-frame",
    "Take the last frame of a shot, for the next shot to start with, and keep it in the archive.",
    run_name="last frame: {title}",
)
async def keep_last_frame(clip: StoredObject, title: str, ledger: Ledger) -> str:
    """Returns the reference by which a request names the image. It is always the same for the same clip, even if
    decoders have changed since.

    From a folder an image travels inside the request, so it is a JPEG if a PNG would be too large for that.

    Raises:
        FilmError: the frame cannot be decoded, or a different one was sent before and is gone.
        ObjectConflict: the clip in the archive is not what its record says.
        ArchiveError: the archive cannot be read or written.
    """
    known = await ledger.films.last_frame(clip.sha256)
    if known is not None and not await ledger.media.lacks([known]):
        return known
    with temporary_folder("shot") as folder:
        path = await fetch(clip, folder / f"clip{Path(clip.key).suffix}", ledger)
        most = None if ledger.store.gives_links else LARGEST_BYTES
        try:
            content = await decode(partial(last_frame, most_bytes=most), path)
        except PieceRefused as error:
            raise FilmError(
                f"{title}, which the next shot continues: {error.what.rstrip('.')}.", remedy=_RESTORE
            ) from error
    image = await to_thread.run_sync(inspect_bytes, content, f"last frame of {title}", MediaKind.IMAGE)
    if known is not None and image.reference != known:
        raise FilmError(
            f"{title}: the next shot was given {known} as its first frame. That image is gone from the archive, and "
            "the frame is decoded differently today.",
            remedy="Restore the image, or make another take of the shot.",
        )
    await ledger.media.keep(image)
    return known or await ledger.films.keep_last_frame(clip.sha256, image.reference)


@retried_task(
    "keep-clip",
    "Keep the clip of a shot among the media of the archive, for the next shot to continue.",
    run_name="clip: {title}",
)
async def keep_clip(clip: StoredObject, title: str, ledger: Ledger) -> str:
    """Returns the reference by which a request names the clip.

    Raises:
        MediaRefused: it is not a video that a request may name.
        ObjectConflict: the clip in the archive is not what its record says.
        ArchiveError: the archive cannot be read or written.
    """
    reference = clip_reference(clip)
    if not await ledger.media.lacks([reference]):
        return reference
    with temporary_folder("shot") as folder:
        path = await fetch(clip, folder / f"clip{Path(clip.key).suffix}", ledger)
        file: MediaFile = await to_thread.run_sync(inspect_file, path, MediaKind.VIDEO)
        await ledger.media.keep(file)
    run_logger().info("%s: kept as %s", title, file.reference)
    return file.reference


def clip_reference(clip: StoredObject) -> str:
    """The reference of a clip in a request, as `keep_clip` keeps it."""
    return reference_to(clip.sha256, Path(clip.key).suffix.lstrip("."))


@retried_task(
    "fetch-shot", "Copy the clip of a shot from the archive to this machine.", run_name="fetch: {title}"
)
async def fetch_shot(clip: StoredObject, path: Path, ledger: Ledger, title: str) -> Path:
    """See `fetch`."""
    return await fetch(clip, path, ledger)


async def fetch(clip: StoredObject, path: Path, ledger: Ledger) -> Path:
    """The clip on this machine, with the size and the checksum of its record.

    Raises:
        ObjectConflict: it is a different file, or is gone.
        ArchiveError: the archive does not answer.
    """
    uri = ledger.store.uri(clip.key)
    head = await ledger.store.head(clip.key)
    if head is None:
        raise ObjectConflict(
            f"{uri} is gone from the archive, but its record says that it is there.", remedy=_RESTORE
        )
    # Before anything is copied: by now an object of any size could be there.
    is_same = head.size == clip.size and await ledger.store.fetch(clip.key, path)
    if not is_same or (await to_thread.run_sync(hash_file, path)).sha256 != clip.sha256:
        raise ObjectConflict(f"{uri} differs from its record.", remedy=_RESTORE)
    return path
