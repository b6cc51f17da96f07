"""A claim that this process wrote, between its first byte and the first byte of the create."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

from prefect_together_video.blocks.ledger.ledger import Ledger
from together_video.api.client import TogetherClient
from together_video.errors import CreateWithdrawn, Spent
from together_video.ledger.records import Claim, RunRef, VideoPlan
from together_video.ledger.spool import Spool
from together_video.ledger.unsent import UnsentNote


async def hold(
    plan: VideoPlan, client: TogetherClient, ledger: Ledger, spool: Spool, *, run: RunRef | None
) -> HeldClaim | None:
    """Claim `plan`, with a note of it on this machine. None if another process holds the claim.

    Raises:
        BudgetReached, ConfigurationError, ArchiveError: see `Ledger.claim`.
    """
    notes: list[UnsentNote] = []

    def announce(claim: Claim) -> None:
        if (note := spool.unsent.write(claim)) is not None:
            notes.append(note)

    claim = None
    try:
        claim = await ledger.claim(
            plan,
            valid_seconds=client.timeouts.claim_seconds,
            run=run,
            key_id=client.identity.key_id,
            announce=announce,
        )
    finally:
        if claim is None:
            for note in notes:
                note.drop()
    if claim is None:
        return None
    return HeldClaim(claim, ledger, notes[0] if notes else None, client.timeouts.claim_margin_seconds)


@dataclass
class HeldClaim:
    """The claim, and the note that proves that its create was not sent, if this disk could store one."""

    claim: Claim
    ledger: Ledger
    note: UnsentNote | None
    #: Age in seconds from which the claim is too old to send anything: others may soon consider it left behind.
    patience: float

    async def release(self) -> None:
        """Release it: nothing was sent, or it is proven that nothing was created."""
        await self.ledger.release(self.claim)
        self.drop_note()

    def drop_note(self) -> None:
        """Remove the note: the claim is over, and there is nothing left to prove."""
        if self.note is not None:
            self.note.drop()

    async def departing(self) -> None:
        """Called when the create is about to be sent.

        Raises:
            CreateWithdrawn: another process has proven that it was never sent, or is about to consider the claim left
                behind.
            ConfigurationError: see `UnsentNote.spend`.
        """
        if self.note is not None and not await asyncio.to_thread(self.note.spend):
            raise CreateWithdrawn(
                f"The claim of {self.claim.id} was taken over before its create was sent.",
                spent=Spent.NOTHING,
            )
        if (datetime.now(UTC) - self.claim.claimed_at).total_seconds() > self.patience:
            raise CreateWithdrawn(
                f"The claim of {self.claim.id} was too old before its create was sent.", spent=Spent.NOTHING
            )

    def leave(self) -> None:
        """Leave the note behind: from now on any process of this machine can prove that nothing was sent."""
        if self.note is not None:
            self.note.leave()
