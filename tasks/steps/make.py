"""Task: all steps of one video as one run, which is what Prefect shows for each video of a large batch."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from prefect_together_video.tasks.running.prefect_run import task_context
from prefect_together_video.tasks.running.retries import retried_task
from together_video.ledger.records import VideoPlan
from together_video.ledger.summary import GOOD, VideoOutcome

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State


@retried_task(
    "make-video",
    "Create a video, wait for it, download it and archive it.",
    run_name="make: {plan.title}",
    # The steps have their own retries and time limits, and the ledger says what is in the archive.
    retries=0,
    seconds=None,
)
async def all_steps(plan: VideoPlan, work: Callable[[], Awaitable[VideoOutcome]]) -> State[Any] | None:
    """Do the work, in which `runs.step` runs each step directly. The task run ends Completed if the video is in the
    archive, otherwise Failed; the message says why.
    """
    outcome = await work()
    if task_context() is None:
        return None
    from prefect.states import Completed, Failed

    message = f"{outcome.state}: {outcome.error}" if outcome.error else outcome.state.value
    return Completed(message=message) if outcome.state in GOOD else Failed(message=message)
