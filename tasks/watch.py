"""The wait for one job: ask, decide, sleep, until it ends or the deadline passes.

Failed looks do not end the wait: a 5xx while polling must not lose a paid job.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

from together_video.client import TogetherClient
from together_video.errors import (
    ApiUnreachable,
    JobDeadlinePassed,
    JobFailed,
    JobWithoutVideo,
    RateLimited,
    RequestRefused,
    TogetherError,
)
from together_video.jobs import JobStatus, VideoJob
from together_video.polling import PollPolicy

Log = Callable[[str], None]

#: A job that was just created may answer 404 for a moment; after this many in a row it is lasting.
_MISSING_LOOKS = 5
#: A completed job without a link has been seen: look this many times more before giving up.
_LINKLESS_LOOKS = 5


async def watch(
    job_id: str,
    client: TogetherClient,
    policy: PollPolicy,
    *,
    log: Log,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    clock: Callable[[], float] = time.monotonic,
    chance: Callable[[], float] = random.random,
) -> VideoJob:
    """Returns the completed job, with its link.

    Raises:
        JobFailed: the provider gave up on it or cancelled it.
        JobDeadlinePassed: it goes on at the provider, and is billed.
        JobWithoutVideo: completed, and still no link after several looks.
        TogetherError: the API refuses to tell (401, 402, 403, a lasting 404).
    """
    start = clock()
    looks = missing = linkless = 0
    said: str | None = None
    trouble: str | None = None
    hint: float | None = None
    while True:
        pause = policy.wait_within(looks, elapsed=clock() - start, chance=chance(), hint=hint)
        if pause is None:
            raise JobDeadlinePassed(
                f"Job {job_id} was not finished after {policy.deadline_seconds:.0f} s"
                + (f" (last trouble: {trouble.rstrip('.')})" if trouble else "")
                + ". It goes on at the provider and is billed; a later run brings it home.",
                job_id=job_id,
            )
        await sleep(pause)
        looks += 1
        hint = None
        try:
            job = await client.retrieve(job_id)
        except TogetherError as error:
            missing = missing + 1 if isinstance(error, RequestRefused) and error.status == 404 else 0
            if not error.retryable and not 0 < missing < _MISSING_LOOKS:
                raise
            hint = error.wait_seconds if isinstance(error, RateLimited) else None
            if trouble is None or isinstance(error, ApiUnreachable) != ("No connection" in trouble):
                log(f"job {job_id}: {error} Asking again.")
            trouble = str(error)
            continue
        missing, trouble = 0, None
        state = job.status_text or "no status"
        if state != said:
            log(f"job {job_id}: {state}" + (" (unknown; waiting)" if job.status is JobStatus.UNKNOWN else ""))
            said = state
        if job.status in {JobStatus.FAILED, JobStatus.CANCELLED}:
            raise JobFailed(f"Job {job_id} {job.status}: {job.fault_text}", job=job)
        if job.status is JobStatus.COMPLETED:
            if job.video_url:
                return job
            linkless += 1
            if linkless > _LINKLESS_LOOKS:
                raise JobWithoutVideo(
                    f"Job {job_id} is completed and gives no link to its video. A later run asks again.",
                    job_id=job_id,
                )
