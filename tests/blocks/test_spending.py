"""The monthly limit: what counts, and what a run that died leaves set aside."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from blocks import spending as spending_module
from blocks.ledger import Ledger
from together_video.errors import BudgetReached
from together_video.records import Layout, VideoPlan, VideoRecord
from together_video.requests import VideoRequest

PLAN = VideoPlan(request=VideoRequest(model="m", prompt="A fox"), estimate_usd=Decimal("0.9"))


@pytest.fixture
def ledger(store):
    """A ledger under a prefix of an empty bucket, with a limit of one dollar."""
    return Ledger(store, Layout(prefix="films"), monthly_limit=Decimal(1))


@pytest.fixture
def an_hour_later(monkeypatch):
    """Everything counts as old enough."""
    monkeypatch.setattr(spending_module, "_SETTLED_AFTER", -60)


@pytest.mark.anyio
async def test_a_reservation_left_behind_is_found(ledger, an_hour_later):
    """Its run died before the claim: nothing was made, and its money can be given back."""
    key = await ledger.spending.reserve("x" * 24, Decimal("0.9"))
    with pytest.raises(BudgetReached):
        await ledger.claim(PLAN, valid_seconds=250)
    assert await ledger.spending.left_behind(await ledger.in_flight()) == [key]
    await ledger.spending.withdraw(key)
    assert await ledger.claim(PLAN, valid_seconds=250)


@pytest.mark.anyio
async def test_a_young_reservation_is_left_alone(ledger):
    """Its run may be about to claim."""
    await ledger.spending.reserve("x" * 24, Decimal("0.9"))
    assert await ledger.spending.left_behind(()) == []


@pytest.mark.anyio
async def test_a_reservation_behind_a_claim_is_none_of_those(ledger, an_hour_later):
    """The purchase is in flight and settles it when it is finished."""
    await ledger.claim(PLAN, valid_seconds=250)
    assert await ledger.spending.left_behind(await ledger.in_flight()) == []


@pytest.mark.anyio
async def test_what_has_a_record_counts(ledger, an_hour_later):
    """A record says that the video was paid for, though its reservation was never settled; so does a payment."""
    claim = await ledger.claim(PLAN, valid_seconds=250)
    record = VideoRecord(id=PLAN.id, state="archived", plan=PLAN, recorded_at=datetime.now(UTC))
    await ledger.store.put_once(ledger.layout.record(PLAN.id), record.model_dump_json().encode())
    await ledger.store.delete([ledger.layout.claim(PLAN.id)])
    assert await ledger.spending.left_behind(await ledger.in_flight()) == []
    await ledger.spending.settle(claim.reservation, Decimal("0.5"))
    assert await ledger.spending.left_behind(await ledger.in_flight()) == []


@pytest.mark.anyio
async def test_a_negative_payment_makes_no_room(ledger):
    """It counts as nothing, and raises no limit."""
    key = await ledger.spending.reserve("x" * 24, Decimal("0.9"))
    await ledger.spending.settle(key, Decimal(-100))
    assert await ledger.spending.total(datetime.now(UTC).strftime("%Y-%m")) == 0
    with pytest.raises(BudgetReached):
        await ledger.spending.reserve("y" * 24, Decimal("1.1"))
