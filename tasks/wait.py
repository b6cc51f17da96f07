"""Task: wait until the provider has made the video."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.tasks import exponential_backoff

from prefect_together_video.tasks.poll import watch
from prefect_together_video.tasks.purchase import Purchase
from prefect_together_video.tasks.retries import worth_repeating
from prefect_together_video.tasks.runs import run_logger
from together_video.api.client import TogetherClient
from together_video.errors import JobFailed
from together_video.jobs import VideoJob
from together_video.polling.learner import Learner
from together_video.polling.policy import PollPolicy


@task(
    name="wait-for-video",
    description="Ask for the job until it is completed, failed, or the deadline passes.",
    task_run_name="wait: {purchase.title}",
    retries=2,
    retry_delay_seconds=exponential_backoff(2),
    retry_jitter_factor=0.5,
    retry_condition_fn=worth_repeating,
    # The deadline is the policy's; this only ends a wait that hangs in spite of it (its maximum, 7 days).
    timeout_seconds=7 * 86_400 + 600,
    # "How is it now?" has no answer that stays true.
    cache_policy=NO_CACHE,
)
async def wait_for_video(
    purchase: Purchase, client: TogetherClient, policy: PollPolicy, learner: Learner | None = None
) -> VideoJob:
    """Returns the completed job. With a learner it looks when that finds an end likely, and tells it what
    it saw. Errors: see `watch.watch`.
    """
    job_id, log, age = purchase.job_id, run_logger().info, purchase.age_seconds
    if learner is None:
        return await watch(job_id, client, policy, log=log, age=age)
    model = purchase.claim.plan.request.model
    patience = learner.wait(job_id, model, age=age)
    try:
        job = await watch(job_id, client, patience, log=log, age=age)
    except JobFailed:
        learner.drop(job_id, model)
        raise
    learner.done(job, model, age=purchase.age_seconds, resumed=purchase.resumed)
    return job
