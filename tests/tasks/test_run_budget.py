"""The budget of a run: four parts that add up, in the same words wherever they are told."""

from decimal import Decimal

import pytest

from prefect_together_video.tasks.session.run_budget import RunBudget
from together_video.errors import BudgetReached


@pytest.mark.anyio
async def test_the_four_parts_add_up():
    """Paid, perhaps paid, in flight, left: what nobody reported a cost for is not called paid."""
    budget = RunBudget(Decimal("1.20"))
    budget.charge(Decimal("0.1"), Decimal("0.05"))
    budget.charge(Decimal("0.1"), None)
    for _ in range(3):
        await budget.reserve(Decimal("0.3"))
    await budget.settle(Decimal("0.3"), Decimal("0.2"))
    await budget.settle(Decimal("0.3"), None)
    await budget.settle(Decimal("0.3"), None, in_flight=True)
    assert budget.account.words == "0.25 USD paid, 0.40 USD perhaps paid, 0.30 USD in flight, 0.25 USD left"
    with pytest.raises(BudgetReached) as caught:
        await budget.reserve(Decimal("0.3"))
    assert caught.value.what == (
        "the budget of 1.20 USD cannot cover another 0.30 USD (0.25 USD paid, 0.40 USD perhaps paid, "
        "0.30 USD in flight, 0.25 USD left)."
    )
    await budget.reserve(Decimal("0.25"))
    await budget.release(Decimal("0.25"))
    assert budget.account.words.endswith("0.25 USD left")


@pytest.mark.anyio
async def test_without_a_limit_nothing_is_counted():
    """And everything fits."""
    budget = RunBudget(None)
    await budget.reserve(None)
    await budget.settle(Decimal("0.3"), None)
    assert budget.account.committed == 0
