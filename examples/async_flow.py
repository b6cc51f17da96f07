"""Make several videos at once in an async flow.

    python examples/async_flow.py

Each task has an async version, whose name begins with an `a`. All jobs are created first; they render side by side at
the provider while the flow waits.
"""

from __future__ import annotations

import asyncio

from prefect import flow

from prefect_together_video import (
    ArchivedVideo,
    VideoJobRef,
    aarchive_video,
    acreate_video,
    adownload_video,
    await_for_video,
)

PROMPTS = [
    "an owl turns its head in the moonlight",
    "waves roll in on a black beach, slow motion",
    "a red kite circles over a field of barley",
]


async def finish(job: VideoJobRef) -> ArchivedVideo:
    finished = await await_for_video(job)
    clip = await adownload_video(finished)
    video: ArchivedVideo = await aarchive_video(clip)
    return video


@flow(log_prints=True)
async def async_flow(prompts: list[str]) -> None:
    requests = [{"prompt": prompt, "width": 864, "height": 480} for prompt in prompts]
    jobs = await asyncio.gather(*(acreate_video(request) for request in requests))
    for video in await asyncio.gather(*(finish(job) for job in jobs)):
        print(f"{video.uri}: {video.cost_usd} USD")


if __name__ == "__main__":
    asyncio.run(async_flow(PROMPTS))
