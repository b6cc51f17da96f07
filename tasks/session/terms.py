"""The terms of a run that apply to each of its videos: how it is checked, priced and retried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from prefect_together_video.tasks.running.runs import run_logger
from prefect_together_video.tasks.session.planning import check_requests
from together_video.errors import InputError
from together_video.inputs import fallbacks
from together_video.ledger.records import VideoPlan
from together_video.requests import VideoRequest
from together_video.tries import Tries
from together_video.validation_messages import explain


@dataclass(frozen=True)
class Terms:
    """What applies to each video of a run: how strictly it is checked, and what it may need beyond one purchase.

    `price_usd` is the highest price of a video if the catalogue knows none.
    """

    tries: Tries
    strict: bool = False
    price_usd: Decimal | None = None
    _said: set[str] = field(default_factory=set, compare=False, repr=False)

    def check(
        self, requests: Sequence[VideoRequest], tries: Sequence[Tries], *, needs_price: bool, **how: Any
    ) -> list[Decimal | None]:
        """The highest price of each; that of another model if the check refuses the requested one.

        Raises:
            InputError: see `check_requests`.
        """
        first = [self.first_made(request, one) for request, one in zip(requests, tries, strict=True)]
        return check_requests(
            first, strict=self.strict, price_usd=self.price_usd, needs_price=needs_price, **how
        )

    def first_made(self, request: VideoRequest, tries: Tries) -> VideoRequest:
        """See `fallbacks.first_made`."""
        return fallbacks.first_made(request, tries.fallback_models or (), strict=self.strict)

    def with_tries(
        self, plans: Sequence[VideoPlan], tries: Sequence[Tries], *, needs_price: bool
    ) -> list[VideoPlan]:
        """The plans with their attempts and the models that take over. Remarks about them are logged once.

        Raises:
            InputError: the catalogue knows no fallback model of this name.
        """
        made, remarks = fallbacks.with_tries(
            plans, tries, strict=self.strict, price_usd=self.price_usd, needs_price=needs_price
        )
        for remark in remarks:
            # Chained shots are planned again and again.
            if remark not in self._said:
                self._said.add(remark)
                run_logger().warning(remark)
        return made

    def replanned(self, plans: Sequence[VideoPlan], *, needs_price: bool) -> list[VideoPlan]:
        """Plans that a person edited, checked and priced again, with the models that may take over now.

        Raises:
            InputError: one cannot be made, or lacks a price that is needed.
        """
        tries = [
            Tries(
                attempts=plan.attempts,
                new_seed=plan.new_seed,
                fallback_models=tuple(one.model for one in plan.fallbacks),
            )
            for plan in plans
        ]
        prices = self.check([plan.request for plan in plans], tries, needs_price=needs_price)
        priced = [
            plan.model_copy(update={"estimate_usd": price, "fallbacks": ()})
            for plan, price in zip(plans, prices, strict=True)
        ]
        return self.with_tries(priced, tries, needs_price=needs_price)


def tries_of(attempts: int, new_seed: bool, fallback_models: Sequence[str] | str | None) -> Tries:
    """The attempts and fallback models of a run.

    Raises:
        InputError: a number or a list is out of bounds.
    """
    given = {"attempts": attempts, "new_seed": new_seed, "fallback_models": fallback_models or None}
    try:
        return Tries.model_validate(given)
    except ValidationError as error:
        raise InputError(f"{'; '.join(explain(error, Tries))}. Nothing was sent.") from error
