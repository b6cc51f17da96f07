"""The monthly limit: what counts, and what a run that died leaves set aside."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from prefect_together_video.blocks.ledger import spending_entries
from prefect_together_video.blocks.ledger.inventory import take_inventory
from prefect_together_video.blocks.ledger.ledger import Ledger
from tests.facts import record_of
from together_video.errors import BudgetReached, ConfigurationError, StoreUnavailable
from together_video.ledger.layout import Layout
from together_video.ledger.records import VideoPlan, VideoRecord
from together_video.requests import VideoRequest

MONTH = f"{datetime.now(UTC):%Y-%m}"
PLAN = VideoPlan(request=VideoRequest(model="m", prompt="A fox"), estimate_usd=Decimal("0.9"))


@pytest.fixture
def ledger(store):
    """A ledger under a prefix of an empty bucket, with a limit of one dollar."""
    return Ledger(store, Layout(prefix="films"), monthly_limit=Decimal(1))


@pytest.fixture
def an_hour_later(monkeypatch):
    """Everything counts as old enough."""
    monkeypatch.setattr(spending_entries, "_SETTLED_AFTER", -60)


@pytest.mark.anyio
async def test_a_reservation_left_behind_is_found(ledger, an_hour_later):
    """Its run died before the claim: nothing was made, and its money can be given back."""
    key = await ledger.spending.reserve("a" * 24, Decimal("0.9"))
    with pytest.raises(BudgetReached):
        await ledger.claim(PLAN, valid_seconds=250)
    assert await ledger.spending.entries.left_behind(await ledger.in_flight()) == [key]
    await ledger.spending.withdraw(key)
    assert await ledger.claim(PLAN, valid_seconds=250)


@pytest.mark.anyio
async def test_a_young_reservation_is_left_alone(ledger):
    """Its run may be about to claim."""
    await ledger.spending.reserve("a" * 24, Decimal("0.9"))
    assert await ledger.spending.entries.left_behind(()) == []


@pytest.mark.anyio
async def test_a_reservation_behind_a_claim_is_none_of_those(ledger, an_hour_later):
    """The purchase is in flight and settles it when it is finished."""
    await ledger.claim(PLAN, valid_seconds=250)
    assert await ledger.spending.entries.left_behind(await ledger.in_flight()) == []


@pytest.mark.anyio
async def test_what_has_a_record_counts(ledger, an_hour_later):
    """A record says that the video was paid for, though its reservation was never settled; so does a payment."""
    claim = await ledger.claim(PLAN, valid_seconds=250)
    record = record_of(PLAN, state="archived", recorded_at=datetime.now(UTC))
    await ledger.store.put_once(ledger.layout.record(PLAN.id), record.model_dump_json().encode())
    await ledger.store.delete([ledger.layout.claim(PLAN.id)])
    assert await ledger.spending.entries.left_behind(await ledger.in_flight()) == []
    assert await ledger.spending.settle(claim.reservation, Decimal("0.5")) == [claim.reservation]
    assert await ledger.spending.entries.left_behind(await ledger.in_flight()) == [claim.reservation]
    assert await ledger.spending.entries.total(MONTH) == Decimal("0.5")


@pytest.mark.anyio
async def test_a_negative_payment_makes_no_room(ledger):
    """It counts as nothing, and raises no limit."""
    key = await ledger.spending.reserve("a" * 24, Decimal("0.9"))
    await ledger.spending.settle(key, Decimal(-100))
    assert await ledger.spending.entries.total(datetime.now(UTC).strftime("%Y-%m")) == 0
    with pytest.raises(BudgetReached):
        await ledger.spending.reserve("b" * 24, Decimal("1.1"))


@pytest.fixture
def another(store):
    """The same archive in another process, with the same limit."""
    return lambda: Ledger(store, Layout(prefix="films"), monthly_limit=Decimal(1))


@pytest.fixture
def listings(store, monkeypatch):
    """Prefixes that are listed, in order."""
    seen, listed = [], store.list

    async def list_(prefix):
        seen.append(prefix)
        return await listed(prefix)

    monkeypatch.setattr(store, "list", list_)
    return seen


def names(number):
    return [f"{index:024x}" for index in range(number)]


async def all_of(*ledgers, number, amount):
    """As many reservations at the same moment, and how many were made."""
    asked = [
        ledgers[index % len(ledgers)].spending.reserve(video, amount)
        for index, video in enumerate(names(number))
    ]
    ends = await asyncio.gather(*asked, return_exceptions=True)
    assert {type(end) for end in ends} <= {str, BudgetReached}
    return sum(isinstance(end, str) for end in ends)


@pytest.mark.anyio
async def test_who_asks_at_the_same_moment_shares_a_listing(ledger, listings):
    """Forty videos: what is in flight and the index, or without one the records, once; the month before and after;
    later only after.
    """
    assert await all_of(ledger, number=40, amount=Decimal("0.01")) == 40
    assert listings == [
        "films/inflight/",
        "films/index/",
        "films/records/",
        f"films/spending/{MONTH}/",
        f"films/spending/{MONTH}/",
    ]
    assert await ledger.spending.entries.total(MONTH) == Decimal("0.4")
    listings.clear()
    await ledger.spending.reserve("a" * 24, Decimal("0.01"))
    assert len(listings) == 1


@pytest.mark.anyio
async def test_the_limit_is_never_overrun(ledger, another):
    """Three processes that ask for twice as much as there is, each for several videos at once."""
    made = await all_of(ledger, another(), another(), number=60, amount=Decimal("0.033"))
    assert 20 <= made <= 30
    assert await ledger.spending.entries.total(MONTH) == made * Decimal("0.033")


@pytest.mark.anyio
async def test_what_fits_is_not_kept_out_by_what_does_not(ledger):
    """One that is too dear for what is left does not stop the cheap ones behind it."""
    asked = [
        ledger.spending.reserve(video, amount)
        for video, amount in zip(names(3), [Decimal("0.6"), Decimal("0.6"), Decimal("0.4")], strict=True)
    ]
    first, second, third = await asyncio.gather(*asked, return_exceptions=True)
    assert (type(first), type(second), type(third)) == (str, BudgetReached, str)
    assert re.search(
        r"1.00 USD a month cannot cover another 0.60 USD \(0.60 USD paid, perhaps paid or in flight",
        str(second),
    )


@pytest.mark.anyio
async def test_money_that_comes_free_is_seen(ledger):
    """A cost below the estimate makes room, though the sum last seen was over."""
    key = await ledger.spending.reserve("a" * 24, Decimal("0.9"))
    await ledger.spending.settle(key, Decimal("0.1"))
    assert await ledger.spending.reserve("b" * 24, Decimal("0.9"))


async def recorded(ledger, video, **values):
    record = VideoRecord(
        **{"id": video, "state": "archived", "plan": PLAN, "recorded_at": datetime.now(UTC), **values}
    )
    await ledger.store.put_once(ledger.layout.record(video), record.model_dump_json().encode())


@pytest.mark.anyio
async def test_what_was_bought_without_the_limit_counts(ledger, another, listings):
    """At its cost, or its estimate where none was reported; not what was claimed last month. It is read once."""
    first, second, third, fourth, fifth = names(5)
    await recorded(ledger, first, cost_usd=Decimal("0.04"))
    await recorded(ledger, second, plan=PLAN.model_copy(update={"estimate_usd": Decimal("0.05")}))
    await recorded(ledger, third, claimed_at=datetime.now(UTC) - timedelta(days=32), cost_usd=Decimal(7))
    await ledger.store.put_once(ledger.layout.record(fourth), b"rubbish")
    limited = another()
    key = await limited.spending.reserve(fifth, Decimal("0.5"))
    await recorded(ledger, fifth, cost_usd=Decimal("0.5"))
    assert await limited.spending.entries.total(MONTH) == Decimal("0.59")
    listings.clear()
    with pytest.raises(BudgetReached, match=r"\(0\.59\d* USD paid"):
        await another().spending.reserve("a" * 24, Decimal("0.42"))
    kept = {found.key.rpartition("/")[2] for found in await ledger.store.list(f"films/spending/{MONTH}/")}
    assert kept == {
        f"{first}-recorded-paid-40000",
        f"{second}-recorded-reserved-50000",
        f"{third}-recorded-paid-0",
        key.rpartition("/")[2],
    }
    assert await ledger.spending.entries.left_behind(await ledger.in_flight()) == []


@pytest.mark.anyio
async def test_with_an_index_no_record_is_listed(ledger, another, listings):
    """In a folder each listing of a record's key reads the names of all records."""
    first, second, paid = names(3)
    key = await ledger.spending.reserve(paid, Decimal("0.5"))
    for video in (first, second, paid):
        await recorded(ledger, video, cost_usd=Decimal("0.04"))
    await ledger.spending.settle(key, Decimal("0.04"))
    await ledger.index.replace(set(), (await take_inventory(ledger)).recorded)
    listings.clear()
    await another().spending.reserve("a" * 24, Decimal("0.5"))
    assert not any("records/" in prefix for prefix in listings)
    assert await ledger.spending.entries.total(MONTH) == Decimal("0.62")


@pytest.mark.anyio
@pytest.mark.parametrize("has_index", [True, False])
async def test_what_is_in_flight_without_the_limit_counts(ledger, store, another, has_index):
    """At what it may cost at most, until its record says what it has cost."""
    unlimited = Ledger(store, Layout(prefix="films"))
    if has_index:
        await ledger.index.replace(set(), [])
    claim = await unlimited.claim(PLAN, valid_seconds=250)
    with pytest.raises(BudgetReached, match=r"0\.90 USD paid"):
        await another().spending.reserve("a" * 24, Decimal("0.2"))
    record = record_of(PLAN, state="archived", recorded_at=datetime.now(UTC), cost_usd=Decimal("0.3"))
    await asyncio.sleep(1.1)  # the store's clock counts in seconds
    await unlimited.finish(record, claim)
    assert await another().spending.reserve("a" * 24, Decimal("0.7"))
    assert await ledger.spending.entries.total(MONTH) == Decimal(1)


@pytest.mark.anyio
async def test_what_has_a_record_and_no_line_yet_counts(ledger, another):
    """Its run was killed between the two: what it has cost is in flight still."""
    unlimited = Ledger(ledger.store, Layout(prefix="films"))
    await ledger.index.replace(set(), [])
    await unlimited.claim(PLAN, valid_seconds=250)
    await recorded(ledger, PLAN.id, cost_usd=Decimal("0.95"))
    with pytest.raises(BudgetReached, match=r"0\.95 USD paid"):
        await another().spending.reserve("a" * 24, Decimal("0.1"))


@pytest.mark.anyio
async def test_what_is_in_flight_with_the_limit_counts_once(ledger, another):
    await ledger.claim(PLAN, valid_seconds=250)
    assert await another().spending.reserve("a" * 24, Decimal("0.1"))
    assert await ledger.spending.entries.total(MONTH) == Decimal(1)


@pytest.mark.anyio
async def test_a_bucket_that_fails_is_told_to_all_who_wait(ledger, monkeypatch):
    """Each would otherwise wait for it in turn. What was written is withdrawn, and the next try is as the first."""
    total, calls = ledger.spending.entries.total, []

    async def failing(month):
        calls.append(month)
        raise StoreUnavailable("the bucket is down")

    monkeypatch.setattr(ledger.spending.entries, "total", failing)
    asked = [ledger.spending.reserve(video, Decimal("0.1")) for video in names(5)]
    ends = await asyncio.gather(*asked, return_exceptions=True)
    assert {type(end) for end in ends} == {StoreUnavailable}
    assert len(calls) == 1
    assert await total(MONTH) == 0
    monkeypatch.setattr(ledger.spending.entries, "total", total)
    assert await all_of(ledger, number=5, amount=Decimal("0.1")) == 5


@pytest.mark.anyio
@pytest.mark.parametrize("stopped", [0, 1])
async def test_one_that_is_stopped_takes_nothing_with_it(ledger, stopped, monkeypatch):
    """Whether it decides for the others or waits for one who does: their money is reserved, its own is not."""
    put, reached, go_on = ledger.store.put_once, asyncio.Event(), asyncio.Event()

    async def slow(key, data):
        reached.set()
        await go_on.wait()
        return await put(key, data)

    monkeypatch.setattr(ledger.store, "put_once", slow)
    asked = [asyncio.create_task(ledger.spending.reserve(video, Decimal("0.1"))) for video in names(3)]
    await reached.wait()
    asked[stopped].cancel()
    go_on.set()
    ends = await asyncio.gather(*asked, return_exceptions=True)
    assert [isinstance(end, str) for end in ends] == [number != stopped for number in range(3)]
    kept = [found.key for found in await ledger.store.list(f"films/spending/{MONTH}/")]
    assert sorted(kept) == sorted(end for end in ends if isinstance(end, str))


@pytest.mark.anyio
async def test_a_late_record_is_taken_in_at_its_cost(ledger, another):
    """It was given up, and counted at its estimate, by the time it was collected."""
    (video,) = names(1)
    await recorded(
        ledger, video, state="abandoned", plan=PLAN.model_copy(update={"estimate_usd": Decimal("0.2")})
    )
    await another().spending.reserve("a" * 24, Decimal("0.1"))
    assert await ledger.spending.entries.total(MONTH) == Decimal("0.3")
    late = VideoRecord(
        id=video, state="archived", plan=PLAN, recorded_at=datetime.now(UTC), cost_usd=Decimal("0.7")
    )
    await ledger.store.put_once(ledger.layout.late_record(video), late.model_dump_json().encode())
    await another().spending.reserve("b" * 24, Decimal("0.1"))
    assert await ledger.spending.entries.total(MONTH) == Decimal("0.9")


@pytest.mark.anyio
@pytest.mark.parametrize("paid", [True, False])
async def test_a_reservation_that_another_stands_for_is_left_behind(ledger, an_hour_later, paid):
    """A run died between its reservation and its claim, and the same video was bought after all."""
    strays = [await ledger.spending.reserve(PLAN.id, Decimal("0.04")) for _ in range(2)]
    claim = await ledger.claim(PLAN.model_copy(update={"estimate_usd": Decimal("0.5")}), valid_seconds=250)
    await recorded(ledger, PLAN.id)
    await ledger.store.delete([ledger.layout.claim(PLAN.id)])
    if paid:
        await ledger.spending.settle(claim.reservation, Decimal("0.5"))
        strays.append(claim.reservation)
    left = await ledger.spending.entries.left_behind(await ledger.in_flight())
    assert sorted(left) == sorted(strays)
    await ledger.store.delete(left)
    assert await ledger.spending.entries.total(MONTH) == Decimal("0.5")


@pytest.mark.anyio
async def test_credentials_that_end_are_told_to_all_and_lose_no_record(ledger, monkeypatch):
    """They are not the bucket's fault: each is reported once, and recorded amounts stay valid."""

    async def expired(*_):
        raise ConfigurationError("no usable AWS credentials")

    claim = await ledger.claim(PLAN, valid_seconds=250)
    with monkeypatch.context() as patch:
        patch.setattr(ledger.store, "list", expired)
        asked = [ledger.spending.reserve(video, Decimal("0.2")) for video in names(3)]
        ends = await asyncio.gather(*asked, return_exceptions=True)
        assert {type(end) for end in ends} == {ConfigurationError}
    monkeypatch.setattr(ledger.store, "delete", expired)
    record = record_of(PLAN, state="archived", recorded_at=datetime.now(UTC))
    assert await ledger.finish(record, claim) == record
    assert await ledger.record(PLAN.id) == record


@pytest.fixture
def at(store, monkeypatch):
    """Lets what is listed look as old as `ages` says, in seconds, by the end of its key."""
    listed = store.list
    ages = {}

    async def list_(prefix):
        now = datetime.now(UTC)
        found = await listed(prefix)
        return [
            one._replace(written_at=now - timedelta(seconds=age))
            if (age := next((ages[end] for end in ages if end in one.key), None)) is not None
            else one
            for one in found
        ]

    monkeypatch.setattr(store, "list", list_)
    return ages


@pytest.mark.anyio
async def test_a_young_reservation_stands_for_no_old_one(ledger, at):
    """It is of a run that is about to find the record, and withdraws it."""
    real = await ledger.spending.reserve(PLAN.id, Decimal("0.3"))
    await recorded(ledger, PLAN.id)
    young = await ledger.spending.reserve(PLAN.id, Decimal("0.5"))
    at[real.rpartition("/")[2]] = 7200
    assert await ledger.spending.entries.left_behind(()) == []
    at[young.rpartition("/")[2]] = 7200
    assert await ledger.spending.entries.left_behind(()) == [real]


@pytest.mark.anyio
async def test_a_passing_reservation_hides_no_record(ledger, another, at):
    """What was bought without the limit counts though a run holds money for it until it finds the record."""
    (video,) = names(1)
    passing = await ledger.spending.reserve(video, Decimal("0.4"))
    await recorded(ledger, video, cost_usd=Decimal("0.4"))
    at[f"records/{video}"] = 60
    other = another()
    with pytest.raises(BudgetReached):
        await other.spending.reserve("a" * 24, Decimal("0.4"))
    await ledger.spending.withdraw(passing)
    assert await other.spending.entries.total(MONTH) == Decimal("0.4")
    assert await other.spending.reserve("a" * 24, Decimal("0.6"))


@pytest.mark.anyio
async def test_a_later_claim_of_what_is_recorded_costs_nothing(ledger):
    """Its run died before it found the record; who tidies up after it gives its money back."""
    first = await ledger.claim(PLAN.model_copy(update={"estimate_usd": Decimal("0.2")}), valid_seconds=250)
    record = record_of(
        PLAN,
        state="archived",
        claimed_at=first.claimed_at,
        recorded_at=datetime.now(UTC),
        cost_usd=Decimal("0.2"),
    )
    await ledger.finish(record, first)
    second = await ledger.claim(PLAN.model_copy(update={"estimate_usd": Decimal("0.2")}), valid_seconds=250)
    assert await ledger.spending.entries.total(MONTH) == Decimal("0.4")
    await ledger.finish(record, second)
    assert await ledger.spending.entries.total(MONTH) == Decimal("0.2")
    assert await ledger.in_flight() == {}


@pytest.mark.anyio
@pytest.mark.parametrize("cost", [Decimal("0.2"), None])
async def test_a_late_record_under_the_limit_counts_once(ledger, another, cost):
    """A process that begins between the record and its payment leaves it to the purchase's own reservation."""
    claim = await ledger.claim(PLAN.model_copy(update={"estimate_usd": Decimal("0.3")}), valid_seconds=250)
    await ledger.abandon(claim, "bought again")
    late = record_of(
        PLAN, state="archived", claimed_at=claim.claimed_at, recorded_at=datetime.now(UTC)
    ).model_copy(update={"cost_usd": cost})
    await ledger.store.put_once(ledger.layout.late_record(PLAN.id), late.model_dump_json().encode())
    await another().spending.reserve("a" * 24, Decimal("0.1"))
    await ledger.spending.settle(claim.reservation, cost)
    assert await ledger.spending.entries.total(MONTH) == Decimal("0.1") + (cost or Decimal("0.3"))
