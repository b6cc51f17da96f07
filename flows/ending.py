"""How a run ends: the final state, whose message says what became of the videos."""

from __future__ import annotations

from typing import Any

from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from tasks.run import run_logger
from together_video.errors import VideoError
from together_video.summary import GOOD, Summary, VideoState


def ending(summary: Summary) -> State[Any]:
    """Completed if every video is in the archive, else Failed; the summary is the state's data."""
    make = Completed if summary.is_good else Failed
    return make(message=summary.sentence, data=summary)


def collected(summary: Summary, *, troubles: int) -> State[Any]:
    """As `ending`, but jobs that are still running at the provider are as they should be."""
    fine = not troubles and all(
        found.state in GOOD or found.state is VideoState.SUBMITTED for found in summary.videos
    )
    make = Completed if fine else Failed
    return make(message=summary.sentence, data=summary)


def refused(error: VideoError) -> State[Any]:
    """The run could not begin: nothing was created. The error is the state's data."""
    run_logger().error(error.message)
    return Failed(message=error.message, data=error)


def interrupted(at_provider: int) -> str:
    """What goes on although the run stops, and how it comes home."""
    if at_provider == 0:
        return "Interrupted. No job is under way at the provider; run again to go on."
    jobs = "1 job goes" if at_provider == 1 else f"{at_provider} jobs go"
    return (
        f"Interrupted. {jobs} on at the provider and will be billed; the job ids are in the bucket. "
        "Run the same again, or together-video collect, to bring them home without paying twice."
    )
