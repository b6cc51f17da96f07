"""What a run will do about each of its videos, read from the archive before anything is bought."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.tasks.session.run_policy import RunPolicy
from prefect_together_video.tasks.session.standings import Standings
from together_video.errors import ArchiveError
from together_video.ledger.forecast import Fate, Forecast, fate_of
from together_video.ledger.records import VideoPlan

#: How many purchases are looked up at the same time.
_AT_ONCE = 32


@dataclass(frozen=True)
class Prospects:
    """Plans, the fate of each, and their totals."""

    plans: Sequence[VideoPlan]
    fates: Sequence[Fate]
    forecast: Forecast


async def foresee(
    ledger: Ledger, plans: Sequence[VideoPlan], policy: RunPolicy, *, budget_usd: Decimal | None = None
) -> Prospects:
    """The plans with the fate of each, and what the run may cost.

    Args:
        budget_usd: what the run may spend, if it is not the policy's budget.

    Raises:
        ArchiveError: the archive does not answer.
    """
    fates = await fates_of(ledger, plans, policy)
    forecast = Forecast.of(
        plans,
        fates,
        budget_usd=policy.budget_usd if budget_usd is None else budget_usd,
        left_usd=await ledger.spending.left(),
    )
    return Prospects(plans, fates, forecast)


async def fates_of(ledger: Ledger, plans: Sequence[VideoPlan], policy: RunPolicy) -> list[Fate]:
    """The fate of each plan, in their order. Reads facts, and writes none.

    Raises:
        ArchiveError: the archive does not answer.
    """
    unrecorded: set[str] = set()
    with suppress(ArchiveError):
        unrecorded = await ledger.unrecorded({one.id for plan in plans for one in plan.chain})
    in_flight = set(await ledger.in_flight()) if unrecorded else set()
    places, standings = asyncio.Semaphore(_AT_ONCE), Standings(ledger, policy)

    async def look_up(plan: VideoPlan) -> Fate:
        if all(one.id in unrecorded and one.id not in in_flight for one in plan.chain):
            return Fate.BUY
        async with places:
            return await _fate(ledger, plan, policy, standings)

    return list(await asyncio.gather(*map(look_up, plans)))


async def _fate(ledger: Ledger, plan: VideoPlan, policy: RunPolicy, standings: Standings) -> Fate:
    at, record = await standings.of(plan)
    if record is not None:
        return Fate.REUSE if record.state == "archived" else Fate.FAILED
    state = (await ledger.facts(at.id)).state
    return fate_of(state, resubmits=policy.on_ambiguous != "hold")
