"""Public task: wait until the provider has made a video."""

from __future__ import annotations

from prefect_together_video.tasks.job_ref import JobState, VideoJobRef
from prefect_together_video.tasks.public_steps import (
    GivenArchive,
    GivenTogether,
    paid_for,
    place_of_job,
    run_name,
)
from prefect_together_video.tasks.running.public_task import task_pair
from prefect_together_video.tasks.steps.purchase import Purchase
from together_video.polling.policy import PollPolicy


async def _wait(
    ref: VideoJobRef,
    *,
    poll: PollPolicy | None = None,
    together: GivenTogether = None,
    archive: GivenArchive = None,
) -> VideoJobRef:
    """Poll the job until it is completed or failed, or the deadline passes. It costs nothing.

    Args:
        ref: what `create_video` returned.
        poll: when to poll, and for how long; by default as earlier jobs of the model suggest.
        together: needed if the job was created with a block that was never saved.
        archive: as `together`.

    Returns:
        The same job in state `completed`, or `archived` if another run has archived it in the meantime.

    Raises:
        JobFailed: the provider gave up on it; the failure is recorded.
        JobDeadlinePassed: it keeps running at the provider and is billed; wait again.
        JobInDoubt: the provider has not known the job for a day.
        ConfigurationError: this is not the job's archive.

    Example:
        ```python
        from prefect import flow
        from prefect_together_video import create_video, wait_for_video

        @flow
        def buy_and_wait():
            return wait_for_video(create_video("a fox in the snow")).state
        ```
    """
    ref = VideoJobRef.of(ref)
    if ref.state is not JobState.SUBMITTED:
        return ref
    async with place_of_job(ref, together, archive) as place:
        purchase = await place.purchase(ref)
        if not isinstance(purchase, Purchase):
            return VideoJobRef.of_archived(place.finished(purchase, resumed=ref.resumed))
        async with paid_for(purchase, place.session):
            job = await place.session.finisher(poll).wait(purchase)
        place.session.remember(purchase, job=job)
    return ref.model_copy(update={"state": JobState.COMPLETED})


wait_for_video, await_for_video = task_pair(
    _wait,
    names=("wait_for_video", "await_for_video"),
    task_name="wait-for-video",
    description="Poll the job until it is completed or failed, or the deadline passes.",
    run_name=lambda: run_name("wait", "ref"),
)
