"""Task: wait until the provider has made the video."""

from __future__ import annotations

from prefect_together_video.tasks.running.retries import retried_task
from prefect_together_video.tasks.running.runs import run_logger
from prefect_together_video.tasks.steps.poll import poll_job
from prefect_together_video.tasks.steps.purchase import Purchase
from together_video.api.client import TogetherClient
from together_video.errors import JobFailed
from together_video.jobs import VideoJob
from together_video.polling.learner import Learner
from together_video.polling.policy import PollPolicy


@retried_task(
    "wait-for-video",
    "Poll the job until it is completed or failed, or the deadline passes.",
    run_name="wait: {purchase.title}",
    retries=2,
    # The policy has the deadline. This only ends a wait that hangs in spite of it (the policy's maximum, 7 days).
    seconds=7 * 86_400 + 600,
)
async def await_job(
    purchase: Purchase, client: TogetherClient, policy: PollPolicy, learner: Learner | None = None
) -> VideoJob:
    """Returns the completed job. A learner decides when to poll, by when a job is likely to end, and learns from the
    answers. Errors: see `poll.poll_job`.
    """
    job_id, log, age = purchase.job_id, run_logger().info, purchase.age_seconds
    if learner is None:
        return await poll_job(job_id, client, policy, log=log, age=age)
    model = purchase.claim.plan.request.model
    patience = learner.wait(job_id, model, age=age)
    try:
        job = await poll_job(job_id, client, patience, log=log, age=age)
    except JobFailed:
        learner.drop(job_id, model)
        raise
    learner.done(job, model, age=purchase.age_seconds, resumed=purchase.resumed)
    return job
