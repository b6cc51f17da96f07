"""Task: all steps of one video as one run, which is what Prefect shows of each video of a large batch."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from together_video.ledger.records import VideoPlan
from together_video.ledger.summary import GOOD, VideoOutcome


@task(
    name="make-video",
    description="Create a video, wait for it, download it and archive it.",
    task_run_name="make: {plan.title}",
    # The steps have their own retries and time limits; and what is in the archive is the ledger's to say.
    cache_policy=NO_CACHE,
)
async def all_steps(plan: VideoPlan, work: Callable[[], Awaitable[VideoOutcome]]) -> State[Any]:
    """Does the work, in which `runs.step` runs each step directly. Completed if the video is in the archive,
    else Failed; the message says why.
    """
    outcome = await work()
    message = f"{outcome.state}: {outcome.error}" if outcome.error else outcome.state.value
    return Completed(message=message) if outcome.state in GOOD else Failed(message=message)
