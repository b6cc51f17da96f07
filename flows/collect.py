"""Flow: download and archive everything that was bought and is not in the archive yet."""

from __future__ import annotations

from typing import Annotated, Any

from prefect import flow
from prefect.client.schemas.objects import State
from pydantic import Field

from prefect_together_video.flows.engine.collect_run import run_collect
from prefect_together_video.flows.parameters import Archive, InFlight, Together, documented, run_name
from together_video.ledger.summary import Summary


@flow(
    name="collect-videos",
    description="Finish everything in flight: poll each job, archive what is done, report what is ambiguous.",
    flow_run_name=run_name("collect"),
)
@documented(Summary)
async def collect_videos(
    wait: Annotated[
        float,
        Field(
            ge=0,
            le=86_400,
            description="Seconds to wait for jobs that are still running; 0 polls each job once.",
        ),
    ] = 0,
    in_flight: InFlight = 20,
    together: Together = None,
    archive: Archive = None,
) -> State[Any]:
    """Safe to run at the same time as batches or as itself; it never creates a job.

    The run ends as Completed if nothing is ambiguous and nothing went wrong. A job that is still running is not a
    failure.

    Returns:
        A `Summary` with a row for each video that was in flight.

    Raises:
        RunIncomplete: something is ambiguous or went wrong; `result` is the summary.
        VideoError: the run could not start; nothing was changed.

    Example:
        ```python
        from prefect import flow
        from prefect_together_video import collect_videos, create_video

        @flow
        async def buy_now_and_collect_later():
            await create_video({"prompt": "an owl at night", "width": 864, "height": 480})
            summary = await collect_videos(wait=600)
            return summary.sentence
        ```
    """
    return (await run_collect(wait=wait, in_flight=in_flight, together=together, archive=archive)).state
