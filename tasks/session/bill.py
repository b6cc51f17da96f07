"""Asks the provider's bill about creates that had no clear answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.blocks.ledger.purchases import purchases_since
from together_video.api.client import TogetherClient
from together_video.api.usage import UsageWindow
from together_video.billing.doubts import (
    HOUR,
    Answer,
    Bill,
    Charged,
    KnownPurchase,
    first_needed,
    was_charged,
)
from together_video.billing.reconciliation import Reconciliation, reconcile
from together_video.errors import ArchiveError, InputError, TogetherError
from together_video.ledger.records import Claim

#: How long an answer of the bill and the ledger is reused, in seconds.
_FRESH = 60.0


class BillReader:
    """The bill of one account, compared with the purchases of one archive. Calls within a minute share one answer."""

    def __init__(
        self,
        client: TogetherClient,
        ledger: Ledger,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client, self._ledger, self._now = client, ledger, now
        self._within = timedelta(seconds=client.timeouts.billed_within_seconds)
        self._months: dict[str, tuple[datetime, list[UsageWindow] | None]] = {}
        self._known: tuple[datetime, datetime, list[KnownPurchase]] | None = None
        self._reading = asyncio.Lock()

    async def was_charged(self, claim: Claim) -> Answer:
        """What the bill says about the create behind an ambiguous claim. Raises nothing: if the bill cannot be read,
        the answer is unclear.
        """
        try:
            async with self._reading:
                return await self._decide(claim)
        except (TogetherError, ArchiveError) as error:
            return Answer(charged=Charged.UNCLEAR, words=f"The bill could not be read: {error.what}")

    async def reconcile(self, month: str) -> Reconciliation:
        """One month (`2026-11`) of the bill, compared with the same month of the archive.

        Raises:
            InputError: the organisation may not read its bill.
            TogetherError, ArchiveError: one of them cannot be read.
        """
        now = self._now()
        windows = await self._month(month, now)
        if windows is None:
            raise InputError(
                "This organisation has no access to its bill (GET /v1/billing/usage answers 404): it is a beta feature "
                "that Together's support enables."
            )
        first = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
        known = await self._purchases(first - timedelta(days=1), now)
        return reconcile(month, known, windows, key_id=self._client.identity.key_id)

    async def _decide(self, claim: Claim) -> Answer:
        now = self._now()
        doubt = KnownPurchase(
            id=claim.id,
            models=frozenset({claim.plan.request.model}),
            since=claim.claimed_at,
            until=claim.claimed_at + timedelta(seconds=claim.valid_seconds) + self._within,
            key_id=claim.key_id,
        )
        settles = timedelta(seconds=self._client.timeouts.bill_settles_seconds)
        if claim.key_id is not None and claim.key_id != self._client.identity.key_id:
            return Answer(
                charged=Charged.UNCLEAR, words="It was created with another API key: run again with that key."
            )
        assert doubt.until is not None  # noqa: S101 - as above
        windows: list[UsageWindow] = []
        first = first_needed(doubt)
        for month in _months(first, now):
            found = await self._month(month, now)
            if found is None:
                return Answer(
                    charged=Charged.UNCLEAR,
                    words="This organisation has no access to the bill (GET /v1/billing/usage).",
                )
            windows += found
        step = min((window.end - window.start for window in windows), default=HOUR)
        bill = Bill(windows=tuple(windows), since=first, until=now, settles=settles, step=step)
        known = [one for one in await self._purchases(first, now) if one.id != claim.id]
        return was_charged(doubt, known, bill, now=now)

    async def _month(self, month: str, now: datetime) -> list[UsageWindow] | None:
        asked_at, found = self._months.get(month, (datetime.min.replace(tzinfo=UTC), None))
        if (now - asked_at).total_seconds() > _FRESH:
            found = await self._client.usage(month)
            self._months[month] = (now, found)
        return found

    async def _purchases(self, since: datetime, now: datetime) -> list[KnownPurchase]:
        if self._known is not None:
            asked_at, first, known = self._known
            if first <= since and (now - asked_at).total_seconds() <= _FRESH:
                return known
        known = await purchases_since(self._ledger, since, within=self._within)
        self._known = (now, since, known)
        return known


def _months(first: datetime, last: datetime) -> list[str]:
    """`2026-10`, `2026-11`: all months from the first to the last, in UTC."""
    year, month = first.year, first.month
    found = []
    while (year, month) <= (last.year, last.month):
        found.append(f"{year}-{month:02}")
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return found
