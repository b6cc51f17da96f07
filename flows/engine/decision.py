"""Ask for a decision once the plan and the price of a run are known, before it buys anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.flows.engine.preparation import Decide
from prefect_together_video.tasks.session.prospects import Prospects, foresee
from prefect_together_video.tasks.session.run_policy import RunPolicy
from together_video.ledger.forecast import Fate, Forecast
from together_video.ledger.records import VideoPlan


class Decider(Protocol):
    """Decides whether a run may buy what it has planned."""

    def cares(self, forecast: Forecast) -> bool:
        """Whether to look up in the archive what must be bought. `forecast` assumes that everything is new."""

    async def decide(self, prospects: Prospects) -> None:
        """Let the run start, or raise.

        Raises:
            NotApproved: the run must end, and buy nothing.
        """


_decider: ContextVar[Decider | None] = ContextVar("decider", default=None)


@contextmanager
def deciding(decider: Decider | None) -> Iterator[None]:
    """Flows that run in this context call `decider` before they buy."""
    token = _decider.set(decider)
    try:
        yield
    finally:
        _decider.reset(token)


def decision_of() -> Decider | None:
    """The decider of this context; None if there is none, as in workers."""
    return _decider.get()


def decision(ledger: Ledger, policy: RunPolicy) -> Decide | None:
    """A function that calls the decider of this context; None if there is none, as in workers."""
    decider = _decider.get()
    if decider is None:
        return None

    async def decide(plans: Sequence[VideoPlan]) -> None:
        at_most = Forecast.of(plans, [Fate.BUY] * len(plans), budget_usd=policy.budget_usd)
        if decider.cares(at_most):
            await decider.decide(await foresee(ledger, plans, policy))

    return decide
