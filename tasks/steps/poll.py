"""The wait for one job: ask, decide, sleep, until it ends or the deadline passes.

Failed looks do not end the wait: a 5xx while polling must not lose a paid job.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from functools import partial

from together_video.api.client import TogetherClient
from together_video.errors import (
    ApiUnreachable,
    JobDeadlinePassed,
    JobFailed,
    JobForgotten,
    JobWithoutVideo,
    RateLimited,
    RequestRefused,
    TogetherError,
)
from together_video.jobs import JobStatus, VideoJob
from together_video.polling.policy import Patience
from together_video.text import sentences

Log = Callable[[str], None]

#: A job that is older, in seconds, and gives 404 is not new: the provider has forgotten it.
FORGOTTEN_AFTER = 86_400.0
#: What a look may take at least, in seconds, although the deadline is nearer.
_LAST_LOOK = 5.0

#: A job that was just created may answer 404 for a moment; after this many in a row it is lasting.
_MISSING_LOOKS = 5
#: A completed job without a link has been seen: look this many times more before giving up.
_LINKLESS_LOOKS = 5


async def poll_job(
    job_id: str,
    client: TogetherClient,
    policy: Patience,
    *,
    log: Log,
    age: float = 0,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    clock: Callable[[], float] = time.monotonic,
    chance: Callable[[], float] = random.random,
) -> VideoJob:
    """Returns the completed job, with its link. `age` is how long ago the job was made, in seconds.

    The deadline is passed by no more than one short look: no call may take longer than what is left.

    Raises:
        JobFailed: the provider gave up on it or cancelled it.
        JobDeadlinePassed: it goes on at the provider, and is billed.
        JobWithoutVideo: completed, and still no link after several looks.
        JobForgotten: a job older than a day gives 404, as long as we look.
        TogetherError: the API refuses to tell (401, 402, 403, a lasting 404).
    """
    start = clock()
    looks = missing = linkless = 0
    said: str | None = None
    trouble: TogetherError | None = None
    hint: float | None = None
    while True:
        planned = partial(policy.wait_within, looks, elapsed=clock() - start, chance=chance(), hint=hint)
        pause = planned()
        if pause is None:
            if missing and age > FORGOTTEN_AFTER:
                raise _forgotten(job_id, age)
            seconds = f"{policy.deadline_seconds:.0f}"
            # No second at all is one look, not a wait.
            so_far = "is not finished yet" if seconds == "0" else f"was not finished after {seconds} s"
            raise JobDeadlinePassed(
                f"Job {job_id} {so_far}"
                + (f" (last trouble: {trouble.what.rstrip('.')})" if trouble else "")
                + ". It goes on at the provider and is billed; a later run, or together-video collect, brings it home.",
                job_id=job_id,
            )
        await sleep(pause)
        # What other jobs have taught meanwhile may put the look off.
        while (longer := planned() or 0.0) > pause:
            await sleep(longer - pause)
            pause = longer
        looks += 1
        hint = None
        try:
            left = policy.deadline_seconds - (clock() - start)
            # One look must be possible however short the deadline is.
            job = await client.retrieve(job_id, within=max(left, _LAST_LOOK) if looks > 1 else None)
        except TogetherError as error:
            missing = missing + 1 if isinstance(error, RequestRefused) and error.status == 404 else 0
            if not error.retryable and not 0 < missing < _MISSING_LOOKS:
                if missing and age > FORGOTTEN_AFTER:
                    raise _forgotten(job_id, age) from error
                raise
            hint = error.wait_seconds if isinstance(error, RateLimited) else None
            if trouble is None or isinstance(error, ApiUnreachable) != isinstance(trouble, ApiUnreachable):
                log(f"job {job_id}: {sentences(error.what, 'Asking again.')}")
            trouble = error
            continue
        missing, trouble = 0, None
        state = job.status_text or "no status"
        if state != said:
            log(f"job {job_id}: {state}" + (" (unknown; waiting)" if job.status is JobStatus.UNKNOWN else ""))
            said = state
        if job.status in {JobStatus.FAILED, JobStatus.CANCELLED}:
            raise JobFailed(f"Job {job_id} {job.status}: {job.fault_text}", job=job, remedy=job.remedy)
        if job.status is JobStatus.COMPLETED:
            if job.video_url:
                return job
            linkless += 1
            if linkless > _LINKLESS_LOOKS:
                raise JobWithoutVideo(
                    f"Job {job_id} is completed and gives no link to its video.",
                    job_id=job_id,
                    remedy="A later run asks again.",
                )


def _forgotten(job_id: str, age: float) -> JobForgotten:
    return JobForgotten(
        f"The API does not know job {job_id} (HTTP 404), which it took {age / 3600:.0f} h ago. "
        "It may have been billed.",
        job_id=job_id,
        remedy="Ask the provider for it, or buy the video again with --on-ambiguous resubmit.",
    )
