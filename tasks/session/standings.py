"""Which purchase of a video comes next: it follows from the plan and from what is in the archive, and nothing else.

The rule is explained in `buying`, which acts on it; `prospects` only predicts it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.tasks.session.run_policy import RunPolicy
from together_video.errors import ArchiveError
from together_video.ledger.records import Claim, LedgerState, VideoPlan, VideoRecord
from together_video.remedies import is_final


class Standings:
    """How far each video of one run has come. `ours` has the ids that this run bought or passed on to another model."""

    def __init__(self, ledger: Ledger, policy: RunPolicy) -> None:
        self.ours: set[str] = set()
        self._ledger, self._policy = ledger, policy
        self._unrecorded: set[str] = set()

    async def look_ahead(self, plans: Sequence[VideoPlan]) -> None:
        """Find those without a record with a few listings, instead of reading each."""
        with suppress(ArchiveError):
            ids = {one.id for plan in plans for one in plan.chain}
            self._unrecorded |= await self._ledger.unrecorded(ids)

    async def of(self, plan: VideoPlan) -> tuple[VideoPlan, VideoRecord | None]:
        """The next purchase for this video, from any of its models, to make or to wait for. Or the record with which
        the video ends.
        """
        if not plan.fallbacks:
            return await self.latest(plan)
        found = [await self.latest(one) for one in plan.chain]
        for at, record in found:
            if record is not None and record.state == "archived":
                return at, record
        left = [at for at, record in found if record is None]
        for at in reversed(left[1:]):
            if (await self._ledger.facts(at.id)).state is not LedgerState.ABSENT:
                return at, None
        if left:
            return left[0], None
        return next((one for one in reversed(found) if one[1] and one[1].state == "failed"), found[-1])

    async def latest(self, plan: VideoPlan) -> tuple[VideoPlan, VideoRecord | None]:
        """The newest attempt at this video from this model that was started, and its record, if it has ended; or the
        next attempt, if another one follows.
        """
        if plan.id in self._unrecorded:
            # Valid the first time only: a claim may find a record that was written since.
            self._unrecorded.discard(plan.id)
            return plan, None
        successors = {one.id for one in plan.chain[1:]}
        failures = 0
        while True:
            record = await self._ledger.record(plan.id)
            if record is None or record.state == "archived":
                return plan, record
            counts = not self._policy.retry_failed or self.is_ours(plan, record)
            if record.state == "failed":
                failures += counts
                is_over = counts and (failures >= plan.attempts or _would_fail_again(record))
            else:
                is_over = counts and record.followed_by in successors
            following = plan.next_attempt()
            if is_over and (await self._ledger.facts(following.id)).state is LedgerState.ABSENT:
                return plan, record
            plan = following

    def is_ours(self, plan: VideoPlan, bought: Claim | VideoRecord) -> bool:
        """Whether this run made the purchase: this process, or another one for the same batch."""
        ours = plan.batch_id is not None and bought.plan.batch_id == plan.batch_id
        return ours or bought.id in self.ours

    async def has_more(self, plan: VideoPlan) -> bool:
        """Whether, after a failed purchase, there is another one to make or wait for, or an archived video."""
        _, record = await self.of(plan)
        return record is None or record.state == "archived"


def _would_fail_again(record: VideoRecord) -> bool:
    return is_final(record.error_code, record.error or "")
