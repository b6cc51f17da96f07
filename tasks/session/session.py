"""What the steps of one account and one archive share in a process: client, ledger, pacing, learner."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, TypeVar

from prefect_together_video.blocks.archive import VideoArchive
from prefect_together_video.blocks.credentials import TogetherCredentials
from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.tasks.session.bill import BillReader
from prefect_together_video.tasks.session.buying import Buyer
from prefect_together_video.tasks.session.duration_history import DurationHistory
from prefect_together_video.tasks.session.finishing import Finisher
from prefect_together_video.tasks.session.model_offers import ModelOffers
from prefect_together_video.tasks.session.readiness import check_ready
from prefect_together_video.tasks.session.run_budget import RunBudget
from prefect_together_video.tasks.session.run_policy import RunPolicy
from prefect_together_video.tasks.steps.download import Clip
from prefect_together_video.tasks.steps.purchase import Purchase
from together_video.api.client import TogetherClient
from together_video.jobs import VideoJob
from together_video.ledger.spool import Spool
from together_video.media.link_checks import LinkChecks
from together_video.polling.policy import PollPolicy
from together_video.prompts import PromptSet

T = TypeVar("T")

#: How many jobs are remembered with their facts and links: the next step need not ask for them.
_REMEMBERED = 2000
#: Fewer downloaded clips, because each contains its poster.
_CLIPS = 64


class Session:
    """Live objects of one event loop. `users` counts its users, `idle_since` is when the last one left."""

    def __init__(self, client: TogetherClient, ledger: Ledger, link_checks: LinkChecks) -> None:
        self.client, self.ledger, self.link_checks = client, ledger, link_checks
        self.spool = Spool()
        self.bill = BillReader(client, ledger)
        self.offers = ModelOffers(client, ledger)
        self._durations: dict[PollPolicy, DurationHistory] = {}
        self.users = 0
        self.idle_since = time.monotonic()
        self._stack = AsyncExitStack()
        self._purchases: OrderedDict[str, Purchase] = OrderedDict()
        self._jobs: OrderedDict[str, VideoJob] = OrderedDict()
        self._clips: OrderedDict[str, Clip] = OrderedDict()
        self._checked: asyncio.Task[None] | None = None
        self._store_checked: asyncio.Task[None] | None = None
        #: One more for each brief.
        self._writing: dict[str, asyncio.Lock] = {}

    @classmethod
    async def open(cls, together: TogetherCredentials, archive: VideoArchive) -> Session:
        """Raises ConfigurationError: the blocks give no client, or this machine has no folder for downloads."""
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(together.get_client())
            ledger = await stack.enter_async_context(archive.open())
            session = cls(client, ledger, await stack.enter_async_context(LinkChecks(client.trusted_hosts)))
            session.spool.sweep()
            session._stack = stack.pop_all()
        return session

    async def close(self) -> None:
        for check in (self._checked, self._store_checked):
            if check is not None:
                check.cancel()
        await self.offers.close()
        await self._stack.aclose()

    async def check(self) -> None:
        """See `readiness.check_ready`: once for all users of this session, and again after a failure."""
        if self._checked is None or has_failed(self._checked):
            self._checked = asyncio.create_task(check_ready(self.client, self.ledger, self.spool))
        await asyncio.shield(self._checked)

    async def check_store(self) -> None:
        """Check that the archive can contain a ledger; a folder is created for it. Once, as `check`."""
        if self._checked is not None and not has_failed(self._checked):
            await self.check()
            return
        if self._store_checked is None or has_failed(self._store_checked):
            self._store_checked = asyncio.create_task(self.ledger.check())
        await asyncio.shield(self._store_checked)

    def buyer(self, policy: RunPolicy) -> Buyer:
        """A buyer for one task run, without its own budget: the archive's monthly limit applies."""
        return Buyer(
            self.client,
            self.ledger,
            self.spool,
            budget=RunBudget(None),
            link_checks=self.link_checks,
            policy=policy,
            bill=self.bill,
            tell=lambda *_: None,
        )

    def finisher(self, poll: PollPolicy | None) -> Finisher:
        """A finisher, which waits for jobs as `poll` says and archives them."""
        poll = poll or PollPolicy()
        if poll.adaptive and poll not in self._durations:
            self._durations[poll] = DurationHistory(self.ledger, poll)
        return Finisher(self.client, self.ledger, self.spool, poll, self._durations.get(poll))

    async def keep_durations(self) -> None:
        """Store what was learned about how long the models take."""
        for durations in self._durations.values():
            await durations.keep()

    async def prompts(self, brief: str, write: Callable[[], Awaitable[PromptSet]]) -> PromptSet:
        """The prompts of a brief, by its id. Callers at the same time wait for the same prompts."""
        async with self._writing.setdefault(brief, asyncio.Lock()):
            return await write()

    def remember(self, purchase: Purchase, *, job: VideoJob | None = None, clip: Clip | None = None) -> None:
        """Remember what a step has found out, for the next step in this process."""
        video = purchase.claim.id
        _keep(self._purchases, video, purchase, _REMEMBERED)
        if job is not None:
            _keep(self._jobs, video, job, _REMEMBERED)
        if clip is not None:
            _keep(self._clips, video, clip, _CLIPS)

    def forget(self, video: str) -> None:
        for known in (self._purchases, self._jobs, self._clips):
            known.pop(video, None)

    def purchase(self, video: str) -> Purchase | None:
        return self._purchases.get(video)

    def job(self, video: str) -> VideoJob | None:
        """The completed job, with a link that works for a limited time."""
        return self._jobs.get(video)

    def clip(self, video: str) -> Clip | None:
        """The downloaded file, if it is still on this machine."""
        clip = self._clips.get(video)
        return clip if clip is not None and clip.file.path.exists() else None


def has_failed(task: asyncio.Task[Any]) -> bool:
    """Whether it ended without a result."""
    return task.done() and (task.cancelled() or task.exception() is not None)


def _keep(known: OrderedDict[str, T], video: str, value: T, most: int) -> None:
    known[video] = value
    known.move_to_end(video)
    if len(known) > most:
        known.popitem(last=False)
