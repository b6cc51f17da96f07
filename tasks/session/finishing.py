"""From a job id to the archive: wait, download, archive, for our flows and for the public tasks."""

from __future__ import annotations

from collections.abc import Callable

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.tasks.running.runs import step
from prefect_together_video.tasks.session.duration_history import DurationHistory
from prefect_together_video.tasks.steps import poll
from prefect_together_video.tasks.steps.archive import store_clip
from prefect_together_video.tasks.steps.download import Clip, fetch_clip
from prefect_together_video.tasks.steps.purchase import Purchase
from prefect_together_video.tasks.steps.wait import await_job
from together_video.api.client import TogetherClient
from together_video.errors import (
    DownloadBroken,
    DownloadInterrupted,
    JobInDoubt,
    JobWithoutVideo,
    LinkRefused,
    ObjectConflict,
)
from together_video.job_status import JobStatus
from together_video.jobs import VideoJob
from together_video.ledger.records import VideoRecord
from together_video.ledger.spool import Spool
from together_video.polling.policy import PollPolicy
from together_video.text import as_sentence


class Finisher:
    """The three steps after a create. None of them costs anything, and each can be repeated."""

    def __init__(
        self,
        client: TogetherClient,
        ledger: Ledger,
        spool: Spool,
        policy: PollPolicy,
        durations: DurationHistory | None,
    ) -> None:
        self._client, self._ledger, self._spool = client, ledger, spool
        self._policy, self._durations = policy, durations

    async def finish(
        self, purchase: Purchase, *, completed: Callable[[], None] = lambda: None
    ) -> VideoRecord:
        """Run all three; `completed` is called when the job is completed.

        Raises:
            JobInDoubt: also if a job that is older than a day is completed but gives no file.
            JobFailed: also if a job that failed had a link, but there is no video behind it.
            VideoError: see the steps. The job stays in flight.
        """
        try:
            job = await self.wait(purchase)
            completed()
            return await self.archive(purchase, job, await self.download(purchase, job))
        except (JobWithoutVideo, LinkRefused, DownloadBroken) as error:
            # A network error says nothing about the file.
            passes = isinstance(error, DownloadInterrupted) or (
                isinstance(error, LinkRefused) and not error.is_lasting
            )
            if passes:
                raise
            if (age := purchase.age_seconds) <= self._client.timeouts.doubt_after_seconds:
                raise
            raise JobInDoubt(
                f"{as_sentence(error.what)} The job was made {age / 3600:.0f} h ago and is billed.",
                job_id=purchase.job_id,
                remedy=f"Ask the provider for the file of job {purchase.job_id}, or buy the video again with "
                "--on-ambiguous resubmit.",
                may_come=True,
            ) from error

    async def wait(self, purchase: Purchase) -> VideoJob:
        """See `steps.wait`."""
        learner = None
        if self._durations is not None:
            await self._durations.recall(purchase.claim.plan.request.model)
            learner = self._durations.learner
        return await step(await_job, purchase, self._client, self._policy, learner)

    async def download(self, purchase: Purchase, job: VideoJob) -> Clip:
        """See `steps.download`.

        Raises:
            JobFailed: the job failed, and there is no video behind the link that it still gives.
        """
        has_failed = job.status in {JobStatus.FAILED, JobStatus.CANCELLED}
        given = (purchase, job, self._client, self._ledger, self._spool)
        try:
            return await step(fetch_clip, *given, 0.0 if has_failed else None)
        except (LinkRefused, DownloadBroken) as error:
            if has_failed:
                raise poll.failed(job) from error
            raise

    async def archive(self, purchase: Purchase, job: VideoJob, clip: Clip) -> VideoRecord:
        """See `steps.archive`. If another run of the same claim was first, with other bytes, its file is kept."""
        try:
            return await step(store_clip, purchase, job, clip, self._ledger, self._spool)
        except ObjectConflict:
            clip.file.path.unlink(missing_ok=True)
            purchase = purchase.model_copy(update={"resumed": True})
            clip = await self.download(purchase, job)
            return await step(store_clip, purchase, job, clip, self._ledger, self._spool)
