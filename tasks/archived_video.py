"""A video in the archive, as the public tasks return it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from prefect_together_video.blocks.archive import VideoArchive
from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.tasks.running.background import background
from prefect_together_video.tasks.session.sessions import block_of
from together_video.errors import ArchiveError, ConfigurationError, Spent
from together_video.ledger.records import VideoRecord


class ArchivedVideo(BaseModel):
    """A video in the archive: where it is, what it is, what it cost.

    It contains no secrets and no links, and can be pickled or written as JSON.

    Example:
        ```python
        from prefect import flow
        from prefect_together_video import make_video

        @flow
        def fox():
            video = make_video("a fox in the snow")
            print(video.uri, video.seconds, video.cost_usd)
            return video.download("fox.mp4")
        ```
    """

    model_config = ConfigDict(frozen=True)

    video_id: str = Field(description="The purchase's id in the archive: 24 hexadecimal digits.")
    job_id: str | None = Field(description="The provider's id of the job.")
    bucket: str | None = Field(description="The bucket; None if the archive is a folder.")
    key: str = Field(description="The video's key in the bucket, or its path in the folder.")
    uri: str = Field(description="s3://bucket/key, or file:///….")
    poster_key: str | None = Field(description="The key of its poster, a JPEG, if there is one.")
    location: str = Field(description="The archive, as a URI.")
    sha256: str = Field(description="The file's SHA-256, in hexadecimal.")
    size: int = Field(description="The file's size in bytes.")
    seconds: float | None = Field(description="How long it plays, in seconds.")
    width: int | None = Field(description="Width in pixels.")
    height: int | None = Field(description="Height in pixels.")
    model: str = Field(description="The model that made it.")
    asked_model: str | None = Field(
        default=None, description="The model that was requested, if another one took over."
    )
    title: str = Field(description="The beginning of the prompt.")
    prompt: str | None = Field(description="The whole prompt.")
    cost_usd: Decimal | None = Field(description="What the provider charged, in US dollars, if it said.")
    reused: bool = Field(
        description="Whether this run paid nothing for it: it was already in the archive, or another run had bought it."
    )
    archive: str | None = Field(default=None, description="The saved archive block, if it has a name.")

    @classmethod
    def of(
        cls, record: VideoRecord, ledger: Ledger, *, reused: bool, archive: str | None = None
    ) -> ArchivedVideo:
        """The video that a record describes.

        Raises:
            ArchiveError: the record names no file.
        """
        if record.video is None:
            raise ArchiveError(
                f"The record of {record.id} names no video.",
                spent=Spent.PERHAPS,
                remedy="Inspect the record by hand.",
            )
        clip, request = record.clip, record.plan.request
        return cls(
            video_id=record.id,
            job_id=record.job_id,
            bucket=ledger.place.bucket,
            key=record.video.key,
            uri=ledger.store.uri(record.video.key),
            poster_key=record.poster.key if record.poster else None,
            location=location_of(ledger),
            sha256=record.video.sha256,
            size=record.video.size,
            seconds=clip.seconds if clip else None,
            width=clip.width if clip else None,
            height=clip.height if clip else None,
            model=request.model,
            asked_model=record.plan.asked_model,
            title=request.title,
            prompt=request.prompt,
            cost_usd=record.cost_usd,
            reused=reused,
            archive=archive,
        )

    def presigned_url(self, seconds: int = 3600, *, archive: VideoArchive | str | None = None) -> str:
        """A link to the video for people without credentials. In async code use `apresigned_url`.

        Args:
            seconds: how long it works, at most 604,800 (7 days).
            archive: the block that the video was made with; needed if it was never saved and is not the environment's
            archive.

        Raises:
            ConfigurationError: this is another archive, or a folder, which has no links.
        """
        return background().begin(self._link(seconds, archive)).wait()

    async def apresigned_url(self, seconds: int = 3600, *, archive: VideoArchive | str | None = None) -> str:
        """See `presigned_url`."""
        return await background().begin(self._link(seconds, archive)).wait_async()

    def download(self, path: str | Path, *, archive: VideoArchive | str | None = None) -> Path:
        """Copy the video to a file or into an existing folder. In async code use `adownload`.

        Returns:
            The file's path.

        Raises:
            ArchiveError: the video is gone, or the archive or the disk refuses.
        """
        return background().begin(self._copy(Path(path), archive)).wait()

    async def adownload(self, path: str | Path, *, archive: VideoArchive | str | None = None) -> Path:
        """See `download`."""
        return await background().begin(self._copy(Path(path), archive)).wait_async()

    async def _link(self, seconds: int, given: VideoArchive | str | None) -> str:
        if not 1 <= seconds <= 604_800:
            raise ConfigurationError("A link works for 1 to 604,800 seconds (7 days).")
        async with (await self._archive(given)).open() as ledger:
            check_location(self.location, ledger)
            if not ledger.store.gives_links:
                raise ConfigurationError(
                    f"{self.uri} is in a folder, which gives no links.",
                    remedy="Share that file itself, or a copy.",
                )
            return (await ledger.store.links([self.key], seconds=seconds))[self.key]

    async def _copy(self, path: Path, given: VideoArchive | str | None) -> Path:
        if path.is_dir():
            path /= Path(self.key).name
        async with (await self._archive(given)).open() as ledger:
            check_location(self.location, ledger)
            if not await ledger.store.fetch(self.key, path):
                raise ArchiveError(
                    f"{self.uri} is gone.", remedy="together-video audit lists what else is missing."
                )
        return path

    async def _archive(self, given: VideoArchive | str | None) -> VideoArchive:
        return await block_of(VideoArchive, self.archive if given is None else given)


def location_of(ledger: Ledger) -> str:
    """The archive as a URI: its bucket and prefix, or its folder."""
    return ledger.store.uri(ledger.layout.key(""))


def check_location(location: str, ledger: Ledger) -> None:
    """Refuse an archive other than the one that a value belongs to.

    Raises:
        ConfigurationError: this is another archive.
    """
    if (here := location_of(ledger)) != location:
        raise ConfigurationError(
            f"This video belongs to {location}, but the archive is {here}.",
            remedy="Give each step the archive that the video was created with: archive=…",
        )
