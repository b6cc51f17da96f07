"""The wait for one job: poll, decide, sleep, until it ends or the deadline passes.

Failed polls do not end the wait: a 5xx while polling must not lose a paid job. A job that has a link is done, no matter
what its status says. One that is neither done nor failed long after its create is in doubt.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from together_video.api.client import TogetherClient
from together_video.errors import (
    ApiUnreachable,
    JobDeadlinePassed,
    JobFailed,
    JobInDoubt,
    JobWithoutVideo,
    RateLimited,
    RequestRefused,
    TogetherError,
)
from together_video.job_status import JobStatus
from together_video.jobs import VideoJob
from together_video.polling.policy import Patience
from together_video.text import one_line, sentences

Log = Callable[[str], None]

#: What a poll may take at least, in seconds, even if the deadline is nearer.
_LAST_POLL = 5.0

#: A job that was just created may answer 404 for a moment; after this many in a row the error is lasting.
_MOST_MISSING = 5
#: Completed jobs without a link have been seen: poll this many more times before giving up.
_MOST_LINKLESS = 5
#: How many different answers of a job with an unknown status are kept.
_MOST_ODD = 20


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
    """Returns the job once it has a link. `age` is how long ago the job was created, in seconds.

    The wait exceeds the deadline by at most one short poll: no call may take longer than the time that is left.

    Raises:
        JobFailed: the provider gave up on the job or cancelled it, and gives no link.
        JobDeadlinePassed: the job keeps running at the provider, and is billed.
        JobWithoutVideo: it is completed, but still has no link after several polls.
        JobInDoubt: the job is older than `client.timeouts.doubt_after_seconds`, and neither done nor failed, or 404.
        TogetherError: the API refuses to answer (401, 402, 403, a lasting 404).
    """
    start, doubt_after = clock(), client.timeouts.doubt_after_seconds
    odd: dict[str, dict[str, Any]] = {}
    polls = missing = linkless = 0
    said: str | None = None
    trouble: TogetherError | None = None
    hint: float | None = None
    while True:
        planned = partial(policy.wait_within, polls, elapsed=clock() - start, chance=chance(), hint=hint)
        pause = planned()
        if pause is None:
            if missing and age > doubt_after:
                raise _forgotten(job_id, age)
            seconds = f"{policy.deadline_seconds:.0f}"
            # Zero seconds are one poll, not a wait.
            so_far = "is not finished yet" if seconds == "0" else f"was not finished after {seconds} s"
            raise JobDeadlinePassed(
                f"Job {job_id} {so_far}"
                + (f" (last error: {trouble.what.rstrip('.')})" if trouble else "")
                + ". It keeps running at the provider and is billed; "
                "a later run, or together-video collect, archives it.",
                job_id=job_id,
            )
        await sleep(pause)
        # What other jobs have shown in the meantime may postpone the poll.
        while (longer := planned() or 0.0) > pause:
            await sleep(longer - pause)
            pause = longer
        polls += 1
        hint = None
        try:
            left = policy.deadline_seconds - (clock() - start)
            # One poll must be possible, however short the deadline is.
            job = await client.retrieve(job_id, within=max(left, _LAST_POLL) if polls > 1 else None)
        except TogetherError as error:
            missing = missing + 1 if isinstance(error, RequestRefused) and error.status == 404 else 0
            if not error.retryable and not 0 < missing < _MOST_MISSING:
                if missing and age > doubt_after:
                    raise _forgotten(job_id, age) from error
                raise
            hint = error.wait_seconds if isinstance(error, RateLimited) else None
            if trouble is None or isinstance(error, ApiUnreachable) != isinstance(trouble, ApiUnreachable):
                log(f"job {job_id}: {sentences(error.what, 'Polling again.')}")
            trouble = error
            continue
        missing, trouble = 0, None
        policy.note(job, elapsed=clock() - start)
        state = job.status_text or "no status"
        if state != said:
            log(f"job {job_id}: {state}" + (" (unknown; waiting)" if job.status is JobStatus.UNKNOWN else ""))
            said = state
        if job.status is JobStatus.UNKNOWN and len(odd) < _MOST_ODD:
            odd.setdefault(state, job.raw)
        job = job.model_copy(update={"not_understood": tuple(odd.values())})
        if job.video_url:
            return job
        if job.status in {JobStatus.FAILED, JobStatus.CANCELLED}:
            raise failed(job)
        if job.status is not JobStatus.COMPLETED:
            if age + clock() - start > doubt_after:
                raise _hanging(job, age + clock() - start)
        else:
            linkless += 1
            if linkless > _MOST_LINKLESS:
                raise JobWithoutVideo(
                    f"Job {job_id} is completed, but gives no link to its video.",
                    job_id=job_id,
                    remedy="A later run polls it again.",
                )


def failed(job: VideoJob) -> JobFailed:
    """The error of a job that the provider gave up on."""
    return JobFailed(f"Job {job.id} {job.status}: {job.fault_text}", job=job, remedy=job.remedy)


def _hanging(job: VideoJob, age: float) -> JobInDoubt:
    status = f"its status is {one_line(job.status_text, 60)!r}" if job.status_text else "it reports no status"
    return JobInDoubt(
        f"Job {job.id} is neither done nor failed {age / 3600:.0f} h after its create: {status}. It may have been "
        "billed.",
        job_id=job.id,
        remedy="Ask the provider about it, or buy the video again with --on-ambiguous resubmit. If the job ends later, "
        "its video is still archived.",
        may_come=True,
        job=job,
    )


def _forgotten(job_id: str, age: float) -> JobInDoubt:
    return JobInDoubt(
        f"The API does not know job {job_id} (HTTP 404), which it accepted {age / 3600:.0f} h ago. "
        "It may have been billed.",
        job_id=job_id,
        remedy="Ask the provider about it, or buy the video again with --on-ambiguous resubmit.",
    )
