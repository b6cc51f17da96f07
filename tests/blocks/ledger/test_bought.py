"""Every purchase once: recorded, in flight, in doubt, given up, forged; with few requests and little memory."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from prefect_together_video.blocks.ledger import bought as module
from prefect_together_video.blocks.ledger.bought import all_bought
from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.blocks.ledger.unreadable import Unreadable
from prefect_together_video.blocks.store.store import Store
from prefect_together_video.flows.engine.spend_report import read_spend
from together_video.errors import StoreUnavailable
from together_video.jobs import VideoJob
from together_video.ledger.bought import Bought, Money
from together_video.ledger.layout import Layout
from together_video.ledger.records import Claim, Submission, VideoPlan, VideoRecord
from together_video.ledger.spend import Grouping, Period
from together_video.requests import VideoRequest

pytestmark = pytest.mark.anyio

NOW = datetime.now(UTC)
LATER = Period.of_month(f"{NOW:%Y-%m}").start or NOW


def plan(prompt: str) -> VideoPlan:
    request = VideoRequest(model="m", prompt=prompt, labels={"campaign": prompt[:1]})
    return VideoPlan(request=request, estimate_usd=Decimal("0.30"))


@pytest.fixture
def ledger(store: Store) -> Ledger:
    """A ledger under a prefix, with a monthly limit of ten dollars."""
    return Ledger(store, Layout(prefix="films"), monthly_limit=Decimal(10))


async def claimed(ledger: Ledger, prompt: str, *, valid_seconds: float = 250) -> Claim:
    claim = await ledger.claim(plan(prompt), valid_seconds=valid_seconds)
    assert claim is not None
    return claim


async def put(ledger: Ledger, key: str, fact: Any) -> None:
    assert await ledger.store.put_once(key, fact.model_dump_json().encode())


def recorded(prompt: str, *, cost: str | None = "0.28", state: str = "archived", **more: Any) -> VideoRecord:
    made = plan(prompt)
    fields = {"id": made.id, "state": state, "plan": made, "recorded_at": NOW, "claimed_at": NOW, **more}
    return VideoRecord.model_validate({**fields, "cost_usd": None if cost is None else Decimal(cost)})


async def found(ledger: Ledger, since: datetime | None = None) -> dict[str, Bought]:
    """By the first letter of the prompt."""
    all_of_them = [one async for one in all_bought(ledger, since=since)]
    assert not [one for one in all_of_them if isinstance(one, Unreadable)]
    ours = [one for one in all_of_them if isinstance(one, Bought)]
    by_letter = {one.labels["campaign"]: one for one in ours}
    assert len(by_letter) == len(ours)
    return by_letter


async def test_each_state_counts_once_as_what_it_is(ledger: Ledger) -> None:
    """A record wins over what is in flight of the same purchase, and a late record over the one that gave it up."""
    await put(ledger, ledger.layout.record(plan("archived").id), recorded("archived"))
    # Its clean-up was cut short.
    await put(ledger, ledger.layout.job(plan("archived").id), _job(plan("archived").id, "0" * 32))
    running = await claimed(ledger, "running")
    await ledger.submitted(_job(running.id, running.token))
    await claimed(ledger, "beginning")
    await ledger.ambiguous(await claimed(ledger, "doubtful"), None)
    given_up = await claimed(ledger, "given up")
    await ledger.abandon(given_up, "somebody buys it again")
    # Given up, watched, and made after all.
    watched = await claimed(ledger, "watched")
    await ledger.submitted(_job(watched.id, watched.token))
    await ledger.abandon(watched, "somebody buys it again", job_id="j", may_come=True)
    late = await claimed_late(ledger)
    seen = await found(ledger)
    assert {letter: (one.money, one.amount_usd) for letter, one in seen.items()} == {
        "a": (Money.PAID, Decimal("0.28")),
        "r": (Money.IN_FLIGHT, Decimal("0.30")),
        "b": (Money.IN_FLIGHT, Decimal("0.30")),
        "d": (Money.PERHAPS_PAID, Decimal("0.30")),
        "g": (Money.PERHAPS_PAID, Decimal("0.30")),
        "w": (Money.PERHAPS_PAID, Decimal("0.30")),
        "l": (Money.PAID, Decimal("0.27")),
    }
    assert (seen["l"].id, seen["l"].is_clip) == (late.id, True)
    assert seen["r"].job_id == "j"


async def claimed_late(ledger: Ledger) -> VideoRecord:
    claim = await claimed(ledger, "late")
    await ledger.abandon(claim, "somebody buys it again")
    job = VideoJob.model_validate({"id": "j", "status": "completed", "cost_usd": Decimal("0.27")})
    record = VideoRecord.of(claim, "archived", job=job, job_id="j")
    return await ledger.finish(record, claim)


def _job(video: str, token: str) -> Submission:
    return Submission(id=video, token=token, job_id="j", submitted_at=NOW)


async def test_a_claim_that_was_left_behind_is_a_doubt(ledger: Ledger) -> None:
    """Its process died before it knew: nobody can say whether it was paid."""
    await claimed(ledger, "old", valid_seconds=-1)
    assert (await found(ledger))["o"].money is Money.PERHAPS_PAID


async def test_a_purchase_that_ends_while_it_is_read_counts_once(ledger: Ledger) -> None:
    """It was in flight when that was listed, and has its record when it is read."""
    claim = await claimed(ledger, "quick")
    real_list = ledger.store.list

    async def list_and_finish(prefix: str) -> Any:
        all_of_them = await real_list(prefix)
        if "records" in prefix:
            await ledger.finish(VideoRecord.of(claim, "archived", cost_usd=Decimal("0.28")), claim)
        return all_of_them

    ledger.store.list = list_and_finish  # type: ignore[method-assign]
    assert (await found(ledger))["q"].money is Money.PAID


async def test_earlier_months_are_left_out(ledger: Ledger) -> None:
    """A claim of last month whose record is of this one is read and does not count."""
    last_month = LATER - timedelta(seconds=1)
    await put(ledger, ledger.layout.record(plan("old").id), recorded("old", claimed_at=last_month))
    await put(ledger, ledger.layout.record(plan("new").id), recorded("new"))
    assert set(await found(ledger, since=LATER)) == {"n"}
    assert set(await found(ledger)) == {"o", "n"}
    assert await found(ledger, since=NOW + timedelta(days=1)) == {}


async def test_what_cannot_be_read_is_named_and_the_rest_counts(ledger: Ledger) -> None:
    """Broken, of another purchase, or a job without its claim; names that are not ours are passed over."""
    await put(ledger, ledger.layout.record(plan("fine").id), recorded("fine"))
    other = ledger.layout.record("a" * 24)
    await put(ledger, other, recorded("of another one"))
    broken = ledger.layout.record("b" * 24)
    await ledger.store.put_once(broken, b'{"cost_usd": 1e999999}')
    await put(ledger, ledger.layout.job("c" * 24), _job("c" * 24, "0" * 32))
    await ledger.store.put_once(ledger.layout.key("records", "not-ours.json"), b"{}")
    await ledger.store.put_once(ledger.layout.claim("d" * 24), b"[]")
    report = await read_spend(ledger, Grouping.parse("campaign"), Period())
    assert [row.key for row in report.rows] == ["f"]
    assert report.unreadable == tuple(
        sorted([other, broken, ledger.layout.claim("c" * 24), ledger.layout.key("inflight", "d" * 24, "")])
    )


async def test_what_is_left_agrees_with_what_a_run_would_get(ledger: Ledger) -> None:
    """Reservations count, and so does what a run without the limit has recorded and nobody has taken in yet."""
    await claimed(ledger, "reserved")
    await put(ledger, ledger.layout.record(plan("elsewhere").id), recorded("elsewhere"))
    report = await read_spend(ledger, Grouping.parse("month"), Period())
    assert report.month.left_usd == Decimal(10) - Decimal("0.30") - Decimal("0.28")
    assert await ledger.spending.entries.take_in(f"{NOW:%Y-%m}") == Decimal("0.58")
    again = await read_spend(ledger, Grouping.parse("month"), Period())
    assert again.month.left_usd == report.month.left_usd


async def test_records_are_read_once_and_a_few_at_a_time(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two listings and a read for each; a consumer that stops leaves nothing running."""
    for number in range(50):
        await put(ledger, ledger.layout.record(plan(f"{number}").id), recorded(f"{number}"))
    reads: list[str] = []
    under_way = most = 0
    read = ledger.store.get

    async def counted(key: str) -> Any:
        nonlocal under_way, most
        reads.append(key)
        under_way += 1
        most = max(most, under_way)
        try:
            return await read(key)
        finally:
            under_way -= 1

    monkeypatch.setattr(ledger.store, "get", counted)
    assert len([one async for one in all_bought(ledger)]) == 50
    assert (len(reads), len(set(reads))) == (50, 50)
    assert most <= module._AT_ONCE
    reads.clear()
    results = all_bought(ledger)
    await anext(results)
    await results.aclose()  # type: ignore[attr-defined]
    await asyncio.sleep(0)
    assert under_way == 0
    assert len(reads) <= module._AT_ONCE


async def test_a_store_that_is_away_ends_it(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report in which every record is unreadable would look like a month without a purchase."""
    await put(ledger, ledger.layout.record(plan("x").id), recorded("x"))

    async def away(key: str) -> Any:
        raise StoreUnavailable("it does not answer")

    monkeypatch.setattr(ledger.store, "get", away)
    with pytest.raises(StoreUnavailable):
        await read_spend(ledger, Grouping.parse("month"), Period())
