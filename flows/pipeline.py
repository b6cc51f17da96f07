"""The way of one video through the tasks, many at a time: create, wait, download, archive.

One client, one ledger, one event loop for a whole run. What happens to one video does not stop
the others, unless no video can succeed any more (no key, no credit, no bucket).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from blocks.archive import VideoArchive
from blocks.credentials import TogetherCredentials
from blocks.ledger import Ledger
from flows.progress import Progress, tell
from tasks.archive import archive_video, record_failure
from tasks.create import create_video
from tasks.download import download_video
from tasks.purchase import Purchase
from tasks.run import run_logger, step
from tasks.wait import wait_for_video
from together_video.client import TogetherClient
from together_video.errors import (
    AccountRefused,
    BucketRefused,
    ConfigurationError,
    CreateAmbiguous,
    JobFailed,
    ObjectConflict,
    VideoError,
)
from together_video.polling import PollPolicy
from together_video.records import LedgerState, VideoPlan, VideoRecord
from together_video.spool import Spool
from together_video.summary import GOOD, Summary, VideoOutcome, VideoState

#: After one of these no other create can succeed.
_HOPELESS = (AccountRefused, BucketRefused, ConfigurationError)


class Pipeline:
    """Makes videos with shared resources; `records` holds the final records that it met, by plan id."""

    def __init__(
        self,
        client: TogetherClient,
        ledger: Ledger,
        *,
        policy: PollPolicy | None = None,
        in_flight: int = 20,
        spool: Spool | None = None,
    ) -> None:
        self.client = client
        self.ledger = ledger
        self.policy = policy or PollPolicy()
        self.spool = spool or Spool()
        self.records: dict[str, VideoRecord] = {}
        self._places = asyncio.Semaphore(in_flight)
        self._hopeless: VideoError | None = None
        self._done = 0
        self._total = 0

    async def produce(self, plans: Sequence[VideoPlan]) -> Summary:
        """Make all of them, at most `in_flight` at a time. Raises nothing that concerns one video."""
        self._total += len(plans)
        return Summary.of(await asyncio.gather(*(self._in_turn(plan) for plan in plans)))

    async def _in_turn(self, plan: VideoPlan) -> VideoOutcome:
        async with self._places:
            outcome = await self._one(plan)
        self._done += 1
        logger = run_logger()
        line = f"{plan.title}: {outcome.state}" + (f": {outcome.error}" if outcome.error else "")
        logger.log(20 if outcome.state in GOOD else 40, line)
        self._tell(plan, outcome.state.value, outcome.error or "")
        return outcome

    async def _one(self, plan: VideoPlan) -> VideoOutcome:
        """The outcome of one video. An error before the create is "refused": nothing was created."""
        purchase: Purchase | None = None
        try:
            if self._hopeless is not None:
                return VideoOutcome.of_plan(
                    plan, VideoState.SKIPPED, error=f"Not started: {self._hopeless.message}"
                )
            plan, record = await self._latest(plan)
            if record is None:
                bought = await step(create_video, plan, self.client, self.ledger, self.spool)
                if isinstance(bought, VideoRecord):
                    record = bought
                else:
                    purchase = bought
                    self._tell(plan, "goes on" if purchase.resumed else "created", f"job {purchase.job_id}")
                    return self._of_record(await self._bring_home(purchase), VideoState.ARCHIVED)
            return self._of_record(record, VideoState.REUSED)
        except CreateAmbiguous as error:
            return VideoOutcome.of_plan(plan, VideoState.AMBIGUOUS, error=error.message)
        except JobFailed as error:
            return await self._failed(plan, purchase, error)
        except VideoError as error:
            return self._unfinished(plan, purchase, error, error.message)
        except Exception as error:  # noqa: BLE001 - one video's defect must not stop the others
            run_logger().error("%s: unexpected", plan.title, exc_info=True)
            return self._unfinished(plan, purchase, error, f"Unexpected {type(error).__name__}: {error}.")

    async def _latest(self, plan: VideoPlan) -> tuple[VideoPlan, VideoRecord | None]:
        """The newest attempt at this purchase that was ever begun, and how it ended, if it has."""
        while True:
            record = await self.ledger.record(plan.id)
            if record is None or record.state == "archived":
                return plan, record
            following = plan.model_copy(update={"attempt": plan.attempt + 1})
            if record.state == "failed":
                facts = await self.ledger.facts(following.id)
                if facts.state is LedgerState.ABSENT:
                    return plan, record
            plan = following

    async def _bring_home(self, purchase: Purchase) -> VideoRecord:
        job = await step(wait_for_video, purchase, self.client, self.policy)
        self._tell(purchase.claim.plan, "finished", "downloading")
        clip = await step(download_video, purchase, job, self.client, self.ledger, self.spool)
        try:
            return await step(archive_video, purchase, job, clip, self.ledger, self.spool)
        except ObjectConflict:
            # Another run of the same claim was first, with other bytes. What is in the bucket holds.
            clip.file.path.unlink(missing_ok=True)
            purchase = purchase.model_copy(update={"resumed": True})
            clip = await step(download_video, purchase, job, self.client, self.ledger, self.spool)
            return await step(archive_video, purchase, job, clip, self.ledger, self.spool)

    def _of_record(self, record: VideoRecord, state: VideoState) -> VideoOutcome:
        self.records[record.id] = record
        if record.state == "failed":
            state = VideoState.FAILED
        return VideoOutcome.of_record(record, state, bucket=self.ledger.bucket)

    async def _failed(self, plan: VideoPlan, purchase: Purchase | None, error: JobFailed) -> VideoOutcome:
        if purchase is None:
            return VideoOutcome.of_plan(plan, VideoState.FAILED, error=error.message, job_id=error.job_id)
        try:
            return self._of_record(await record_failure(purchase, error, self.ledger), VideoState.FAILED)
        except VideoError as trouble:
            words = f"{error.message} This could not be recorded ({trouble.message})"
            return VideoOutcome.of_plan(plan, VideoState.FAILED, error=words, job_id=error.job_id)

    def _unfinished(
        self, plan: VideoPlan, purchase: Purchase | None, error: Exception, words: str
    ) -> VideoOutcome:
        if isinstance(error, _HOPELESS) and self._hopeless is None:
            self._hopeless = error
        if purchase is None:
            return VideoOutcome.of_plan(plan, VideoState.REFUSED, error=words)
        return VideoOutcome.of_plan(plan, VideoState.SUBMITTED, error=words, job_id=purchase.job_id)

    def _tell(self, plan: VideoPlan, stage: str, detail: str) -> None:
        tell(Progress(plan=plan, stage=stage, detail=detail, done=self._done, total=self._total))


@asynccontextmanager
async def open_pipeline(
    together: TogetherCredentials | None,
    archive: VideoArchive | None,
    *,
    policy: PollPolicy | None = None,
    in_flight: int = 20,
) -> AsyncIterator[Pipeline]:
    """A pipeline over blocks, or over what the environment names. The bucket is checked first.

    Raises:
        ConfigurationError, BucketRefused, StoreUnsafe, StoreUnavailable
    """
    together = together or TogetherCredentials.from_env()
    archive = archive or VideoArchive.from_env()
    spool = Spool()
    spool.sweep()
    async with (
        together.get_client() as client,
        archive.open(connections=min(64, max(8, in_flight))) as ledger,
    ):
        await ledger.check()
        yield Pipeline(client, ledger, policy=policy, in_flight=in_flight, spool=spool)
