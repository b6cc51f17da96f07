"""The plan of a run before anything is bought: what it will make and what that may cost, in words and numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from together_video.catalogue.pricing import estimate
from together_video.ledger.records import LedgerState, Usd, VideoPlan
from together_video.money import usd, usd_number, usd_number_or_none, usd_range
from together_video.text import counted, printable


class Fate(StrEnum):
    """What a run will do about one video, as far as the archive shows beforehand."""

    BUY = "to buy"  # the provider makes it and is paid
    REUSE = "reused"  # in the archive: free of charge
    IN_FLIGHT = "in flight"  # bought by an earlier run: this one waits for it
    HELD = "held"  # perhaps paid: not bought again
    FAILED = "failed before"  # not bought again without retry_failed


#: What each fate means, for people; BUY is shown with its price.
FATE_WORDS = {
    Fate.REUSE: "in the archive, reused free of charge",
    Fate.IN_FLIGHT: "in flight from an earlier run, not bought again",
    Fate.HELD: "perhaps paid, not bought again",
    Fate.FAILED: "failed in an earlier run, not bought again",
}


def fate_of(state: LedgerState, *, resubmits: bool = False) -> Fate:
    """The fate of a video whose newest purchase has this state.

    Args:
        resubmits: whether the run buys ambiguous videos again.
    """
    if state in {LedgerState.CLAIMED, LedgerState.SUBMITTED}:
        return Fate.IN_FLIGHT
    if state is LedgerState.AMBIGUOUS:
        return Fate.BUY if resubmits else Fate.HELD
    return {LedgerState.ARCHIVED: Fate.REUSE, LedgerState.FAILED: Fate.FAILED}.get(state, Fate.BUY)


class ModelForecast(BaseModel):
    """The videos of one model to buy. Amounts are in US dollars, None if a price is unknown."""

    model_config = ConfigDict(frozen=True)

    model: str
    count: int
    low_usd: Usd | None
    high_usd: Usd | None

    @property
    def price(self) -> str:
        """The price range in words."""
        if self.high_usd is None:
            return "unknown"
        return usd_range(self.high_usd if self.low_usd is None else self.low_usd, self.high_usd)


class Forecast(BaseModel):
    """The plan of a run with its price.

    Attributes:
        total: how many videos the run should deliver.
        models: what it will buy, by model.
        unpriced: how many videos to buy have no known price.
        low_usd, high_usd: the price range of the others.
        may_follow: how many of those in flight may be bought again, or from another model, if their jobs fail.
        tries: whether the highest price includes further attempts or fallback models.
        budget_usd: the most that the run may spend, if there is a limit.
        left_usd: the rest of the archive's monthly limit, if it has one.
    """

    model_config = ConfigDict(frozen=True)

    total: int
    fates: dict[Fate, int]
    models: tuple[ModelForecast, ...]
    unpriced: int = 0
    low_usd: Usd = Decimal(0)
    high_usd: Usd = Decimal(0)
    may_follow: int = 0
    tries: bool = False
    budget_usd: Usd | None = None
    left_usd: Usd | None = None

    @classmethod
    def of(
        cls,
        plans: Sequence[VideoPlan],
        fates: Sequence[Fate],
        *,
        budget_usd: Decimal | None = None,
        left_usd: Decimal | None = None,
    ) -> Forecast:
        """The forecast for plans with their highest prices, and the fate of each.

        Example:
            ```python
            forecast = Forecast.of(plans, [Fate.BUY] * len(plans), budget_usd=Decimal(5))
            print(forecast.sentence)  # 4 videos: 4 to buy, 0.56 to 1.12 USD
            ```
        """
        bought: dict[str, list[VideoPlan]] = {}
        for plan, fate in zip(plans, fates, strict=True):
            if fate is Fate.BUY:
                bought.setdefault(plan.request.model, []).append(plan)
        priced = [plan for several in bought.values() for plan in several if plan.most_usd is not None]
        # If its job fails, a video in flight may be bought again, or from another model.
        follow = [
            plan
            for plan, fate in zip(plans, fates, strict=True)
            if fate is Fate.IN_FLIGHT and plan.is_tried_again
        ]
        following = [(plan.most_usd or Decimal(0)) - (plan.estimate_usd or Decimal(0)) for plan in follow]
        found = Counter(fates)
        return cls(
            total=len(plans),
            fates={fate: found[fate] for fate in Fate},
            models=tuple(_of_model(model, several) for model, several in bought.items()),
            unpriced=found[Fate.BUY] - len(priced),
            low_usd=_sum(map(low_price, priced)),
            high_usd=_sum(plan.most_usd for plan in priced) + _sum(following),
            may_follow=len(follow),
            tries=any(plan.is_tried_again for several in bought.values() for plan in several),
            budget_usd=budget_usd,
            left_usd=left_usd,
        )

    @property
    def to_buy(self) -> int:
        """How many videos the run will buy."""
        return self.fates.get(Fate.BUY, 0)

    @property
    def buys(self) -> bool:
        """Whether the run may buy anything."""
        return bool(self.to_buy or self.may_follow)

    @property
    def limit_usd(self) -> Decimal | None:
        """The most that the run can spend: the budget, or the rest of the monthly limit."""
        return min((one for one in (self.budget_usd, self.left_usd) if one is not None), default=None)

    @property
    def most_usd(self) -> Decimal | None:
        """The most that this run can cost, in US dollars; None if that is unknown."""
        if self.limit_usd is not None:
            return min(self.high_usd, self.limit_usd)
        return None if self.unpriced else self.high_usd

    @property
    def price(self) -> str:
        """`0.56 to 1.12 USD`, and how many have no known price."""
        known = usd_range(self.low_usd, self.high_usd)
        if not self.unpriced:
            return known
        missing = f"{self.unpriced} without a known price"
        return missing if self.unpriced == self.to_buy else f"{known} and {missing}"

    @property
    def sentence(self) -> str:
        """`6 videos: 4 to buy, 0.56 to 1.12 USD; 2 reused`."""
        said = [f"{self.to_buy} to buy, {self.price}"] if self.to_buy else []
        said += [f"{self.fates[fate]} {fate}" for fate in FATE_WORDS if self.fates.get(fate)]
        return f"{counted(self.total, 'video')}: {'; '.join(said) or 'nothing to do'}"

    @property
    def remarks(self) -> list[str]:
        """What is not bought, and what limits the run: one sentence each."""
        said = [f"{self.fates[fate]} {words}." for fate, words in FATE_WORDS.items() if self.fates.get(fate)]
        if self.may_follow:
            said.append(f"{self.may_follow} of those in flight may be bought again if their jobs fail.")
        if not self.buys:
            return [*said, "Nothing will be bought."]
        if self.unpriced:
            skipped = "" if self.limit_usd is None else " They are skipped because there is a limit."
            said.append(
                f"{self.unpriced} without a known price: give --price-usd, or add the price to your own "
                f"catalogue.{skipped}"
            )
        if self.unpriced and self.unpriced == self.to_buy and not self.may_follow:
            return said
        if self.tries:
            said.append("The highest price includes every attempt and every model that may take over.")
        for amount, name in (
            (self.budget_usd, "The budget"),
            (self.left_usd, "The rest of the monthly limit"),
        ):
            if amount is not None and amount < self.high_usd:
                said.append(
                    f"{name}, {usd(amount)}, may not cover everything: videos that do not fit are skipped."
                )
            elif amount is not None:
                said.append(f"{name}, {usd(amount)}, covers everything.")
        return said

    def as_json(self) -> dict[str, Any]:
        """The plan as a document: plain numbers, null if a price is unknown."""
        return {
            "videos": self.total,
            "counts": {fate.value: self.fates.get(fate, 0) for fate in Fate},
            "models": [
                {
                    "model": one.model,
                    "to_buy": one.count,
                    "low_usd": usd_number_or_none(one.low_usd),
                    "high_usd": usd_number_or_none(one.high_usd),
                }
                for one in self.models
            ],
            "unpriced": self.unpriced,
            "low_usd": usd_number(self.low_usd),
            "high_usd": usd_number(self.high_usd),
            "budget_usd": usd_number_or_none(self.budget_usd),
            "left_usd": usd_number_or_none(self.left_usd),
            "most_usd": usd_number_or_none(self.most_usd),
        }


def low_price(plan: VideoPlan) -> Decimal | None:
    """The low estimate of a plan's price in US dollars, never above the high one."""
    most = plan.most_usd
    if plan.estimate_usd is None or most is None:
        return None
    low = estimate(plan.request).low_usd
    return plan.estimate_usd if low is None else min(low, plan.estimate_usd)


def price_words(plan: VideoPlan) -> str:
    """The price range of one video in words."""
    low, most = low_price(plan), plan.most_usd
    return "price unknown" if low is None or most is None else usd_range(low, most)


def _of_model(model: str, plans: Sequence[VideoPlan]) -> ModelForecast:
    known = all(plan.most_usd is not None for plan in plans)
    return ModelForecast(
        # The name of a model that the catalogue does not know is somebody's free text.
        model=printable(model, 100),
        count=len(plans),
        low_usd=_sum(map(low_price, plans)) if known else None,
        high_usd=_sum(plan.most_usd for plan in plans) if known else None,
    )


def _sum(amounts: Iterable[Decimal | None]) -> Decimal:
    return sum((amount for amount in amounts if amount is not None), Decimal(0))
