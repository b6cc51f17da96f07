"""What the public steps pass on: one purchase, small enough for any task runner, without secrets or links."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from prefect_together_video.tasks.archived_video import ArchivedVideo
from together_video.errors import InputError
from together_video.ledger.names import VideoId
from together_video.text import one_line


class JobState(StrEnum):
    """The stages of a purchase."""

    SUBMITTED = "submitted"
    COMPLETED = "completed"
    DOWNLOADED = "downloaded"
    ARCHIVED = "archived"


class VideoJobRef(BaseModel):
    """A video that is on its way. `create_video` returns it, and each later step takes it and returns it.

    It contains no secrets and no links, can be pickled or written as JSON, and stays valid for as long as the archive
    does. In state `archived` there is nothing left to do: the steps return it as it is.

    Example:
        ```python
        from prefect import flow
        from prefect_together_video import create_video, wait_for_video

        @flow
        def buy():
            ref = create_video("a fox in the snow")
            print(ref.job_id, ref.state)  # 019a0068-… submitted
            return wait_for_video(ref).state  # completed
        ```
    """

    model_config = ConfigDict(frozen=True)

    video_id: VideoId = Field(description="The purchase's id in the archive: 24 hexadecimal digits.")
    state: JobState = Field(description="The stage that it has reached.")
    title: str = Field(description="The beginning of the prompt.")
    model: str = Field(description="The model that makes it.")
    job_id: str | None = Field(default=None, description="The provider's id of the job.")
    resumed: bool = Field(default=False, description="Whether an earlier run bought it.")
    location: str = Field(description="The archive that it belongs to, as a URI.")
    together: str | None = Field(default=None, description="The saved credentials block, if it has a name.")
    archive: str | None = Field(default=None, description="The saved archive block, if it has a name.")
    path: Path | None = Field(
        default=None,
        description="The downloaded file on the machine that downloaded it, until it is archived.",
    )
    archived: ArchivedVideo | None = Field(default=None, description="What is in the archive.")

    @classmethod
    def of(cls, given: object) -> VideoJobRef:
        """The value itself, or the value that its JSON describes.

        Raises:
            InputError: it is neither of these, such as a coroutine that nobody awaited.
        """
        if isinstance(given, cls):
            return given
        if isinstance(given, ArchivedVideo):
            return cls.of_archived(given)
        if isinstance(given, Mapping):
            try:
                return cls.model_validate(dict[str, Any](given))
            except ValidationError:
                pass
        raise InputError(
            f"{one_line(repr(given), 60)} is not a job: pass what create_video or a later step returned."
        )

    @classmethod
    def of_archived(cls, video: ArchivedVideo) -> VideoJobRef:
        return cls(
            video_id=video.video_id,
            state=JobState.ARCHIVED,
            title=video.title,
            model=video.model,
            job_id=video.job_id,
            resumed=True,
            location=video.location,
            archive=video.archive,
            archived=video,
        )
