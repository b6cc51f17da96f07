"""The plan in words and numbers: counts by model, the price range, what is not bought and what limits the run."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from together_video.ledger.forecast import Fate, Forecast, fate_of, low_price
from together_video.ledger.records import LedgerState, VideoPlan
from together_video.requests import VideoRequest


def _plan(prompt: str = "a fox", model: str = "minimax/hailuo-02", usd: str | None = "0.5") -> VideoPlan:
    price = None if usd is None else Decimal(usd)
    return VideoPlan(request=VideoRequest(model=model, prompt=prompt), estimate_usd=price)


@pytest.mark.parametrize("state", LedgerState)
def test_every_state_of_the_ledger_has_a_fate(state: LedgerState) -> None:
    """Nothing that was paid, or perhaps paid, counts as to be bought, unless the run resubmits."""
    bought = {LedgerState.ABSENT, LedgerState.ABANDONED}
    assert (fate_of(state) is Fate.BUY) == (state in bought)
    assert (fate_of(state, resubmits=True) is Fate.BUY) == (state in bought | {LedgerState.AMBIGUOUS})


def test_only_what_is_bought_has_a_price() -> None:
    """Five videos of two models, of which two are bought."""
    plans = [_plan(), _plan("b"), _plan("c"), _plan("d", "vidu/vidu-q1"), _plan("e")]
    forecast = Forecast.of(plans, [Fate.BUY, Fate.REUSE, Fate.IN_FLIGHT, Fate.BUY, Fate.HELD])
    assert forecast.high_usd == 1
    assert [(one.model, one.count) for one in forecast.models] == [
        ("minimax/hailuo-02", 1),
        ("vidu/vidu-q1", 1),
    ]
    assert forecast.sentence.startswith("5 videos: 2 to buy, ")
    assert forecast.sentence.endswith(" USD; 1 reused; 1 in flight; 1 held")
    assert "1 perhaps paid, not bought again." in forecast.remarks
    assert forecast.most_usd == 1


def test_an_unknown_price_is_named_and_leaves_the_sum_unknown() -> None:
    """Unless a limit bounds it."""
    plans = [_plan(), _plan("b", "acme/dream-1", None)]
    forecast = Forecast.of(plans, [Fate.BUY] * 2)
    assert forecast.most_usd is None
    assert forecast.price.endswith(" and 1 without a known price")
    assert forecast.as_json()["models"][1] == {
        "model": "acme/dream-1",
        "to_buy": 1,
        "low_usd": None,
        "high_usd": None,
    }
    alone = Forecast.of(plans[1:], [Fate.BUY])
    assert alone.price == "1 without a known price"


@pytest.mark.parametrize(
    ("budget", "left", "most", "words"),
    [
        (
            "0.3",
            None,
            "0.3",
            "The budget, 0.30 USD, may not cover everything: videos that do not fit are skipped.",
        ),
        (
            "5",
            "0.2",
            "0.2",
            "The rest of the monthly limit, 0.20 USD, may not cover everything: videos that do not fit are ",
        ),
        ("5", None, "1", "The budget, 5.00 USD, covers everything."),
    ],
)
def test_limits_bound_what_a_run_can_come_to(budget: str, left: str | None, most: str, words: str) -> None:
    """The tighter of the budget and what is left of the month."""
    forecast = Forecast.of(
        [_plan(), _plan("b")],
        [Fate.BUY] * 2,
        budget_usd=Decimal(budget),
        left_usd=None if left is None else Decimal(left),
    )
    assert forecast.most_usd == Decimal(most)
    assert any(remark.startswith(words) for remark in forecast.remarks)


def test_nothing_to_buy() -> None:
    forecast = Forecast.of([_plan()], [Fate.REUSE], budget_usd=Decimal(1))
    assert (forecast.most_usd, forecast.sentence) == (0, "1 video: 1 reused")
    assert forecast.remarks == ["1 in the archive, reused free of charge.", "Nothing will be bought."]


@given(st.lists(st.tuples(st.sampled_from(Fate), st.integers(0, 10_000)), max_size=30))
def test_the_counts_add_up(rows: list[tuple[Fate, int]]) -> None:
    """Every plan has one fate, and the high price is the sum of those to be bought; the low one is not above it."""
    plans = [_plan(str(number), usd=str(Decimal(cents) / 100)) for number, (_, cents) in enumerate(rows)]
    forecast = Forecast.of(plans, [fate for fate, _ in rows])
    assert sum(forecast.fates.values()) == forecast.total == len(rows)
    assert forecast.high_usd == sum(Decimal(cents) / 100 for fate, cents in rows if fate is Fate.BUY)
    assert forecast.low_usd <= forecast.high_usd
    assert sum(one.count for one in forecast.models) == forecast.to_buy


def test_a_price_that_was_given_is_its_own_low_reading() -> None:
    """The catalogue's low reading counts only where it is not above."""
    assert low_price(_plan(model="acme/dream-1", usd="0.2")) == Decimal("0.2")
    assert low_price(_plan(usd="0.0001")) == Decimal("0.0001")
    assert low_price(_plan(usd=None)) is None
