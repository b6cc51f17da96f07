"""The bill is asked about doubts: through the client, against the sandbox, beside a real ledger."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.tasks.session.bill import BillReader
from prefect_together_video.tasks.session.buying import Buyer
from prefect_together_video.tasks.session.run_budget import RunBudget
from prefect_together_video.tasks.session.run_policy import RunPolicy
from prefect_together_video.tasks.steps.archive import record_failure
from prefect_together_video.tasks.steps.purchase import Purchase, buy
from together_video.api.client import TogetherClient
from together_video.billing.doubts import Charged
from together_video.errors import BudgetReached, CreateAmbiguous, InputError, JobFailed
from together_video.ledger.records import Claim, LedgerState, VideoPlan, VideoRecord
from together_video.ledger.spool import Spool

pytestmark = pytest.mark.anyio
HOUR = 3600.0


@pytest.fixture
def made(ledger: Ledger, spool: Spool, turned_clock: Any) -> Callable[..., Any]:
    """Buys a plan by the turned clock."""

    async def make(plan: VideoPlan, client: TogetherClient) -> Purchase | VideoRecord:
        seams: dict[str, Any] = {"log": lambda _: None, "sleep": turned_clock.sleep, "clock": turned_clock}
        return await buy(plan, client, ledger, spool, **seams)

    return make


@pytest.fixture
def reader(ledger: Ledger, turned_clock: Any) -> Callable[[TogetherClient], BillReader]:
    return lambda client: BillReader(
        client, ledger, now=lambda: datetime.fromtimestamp(turned_clock.now, UTC)
    )


@pytest.fixture
def resolving(
    ledger: Ledger, spool: Spool, reader: Callable[[TogetherClient], BillReader]
) -> Callable[..., Buyer]:
    """Buys for a run with `--on-ambiguous resolve`."""

    def make(client: TogetherClient, how: str = "resolve", budget: RunBudget | None = None) -> Buyer:
        return Buyer(
            client,
            ledger,
            spool,
            budget=budget or RunBudget(None),
            link_checks=None,
            policy=RunPolicy(on_ambiguous=how),  # type: ignore[arg-type]
            bill=reader(client),
            tell=lambda *_: None,
        )

    return make


def priced(plan: VideoPlan) -> VideoPlan:
    return plan.model_copy(update={"estimate_usd": Decimal("0.30")})


async def held(
    api: Any, client: TogetherClient, made: Callable[..., Any], plan: VideoPlan, *, created: bool
) -> None:
    """A create without a clear answer, behind which there is a job or none."""
    await client.check()
    api.faults({"on": "create", "times": 1, "kind": "status", "status": 500, "created": created})
    with pytest.raises(CreateAmbiguous):
        await made(plan, client)


async def test_what_was_not_charged_is_bought_again(
    api: Any,
    client: TogetherClient,
    made: Any,
    plan: VideoPlan,
    ledger: Ledger,
    resolving: Any,
    turned_clock: Any,
) -> None:
    """Hours later the bill shows nothing: the doubt is closed at no cost, and the video is bought."""
    await held(api, client, made, plan, created=False)
    with pytest.raises(CreateAmbiguous, match=r"The bill of that time is complete at \d{4}-"):
        await resolving(client).obtain(plan)
    assert api.posts == 1
    turned_clock.now += 6 * HOUR
    bought = await resolving(client).obtain(plan)
    assert [bought.job_id] == api.jobs
    closed = await ledger.record(plan.id)
    assert closed is not None
    assert (closed.state, closed.cost_usd) == ("abandoned", Decimal(0))
    assert "It was not charged: the bill from" in (closed.error or "")


async def test_what_was_charged_stays_held(
    api: Any,
    client: TogetherClient,
    made: Any,
    plan: VideoPlan,
    ledger: Ledger,
    resolving: Any,
    turned_clock: Any,
) -> None:
    """The bill shows one video that the archive does not know: nothing is bought, and the error says so."""
    await held(api, client, made, plan, created=True)
    turned_clock.now += 6 * HOUR
    with pytest.raises(CreateAmbiguous, match=r"It was charged: the bill from .* shows 0\.28 USD for videos"):
        await resolving(client).obtain(plan)
    assert (len(api.jobs), (await ledger.facts(plan.id)).state) == (1, LedgerState.AMBIGUOUS)


@pytest.mark.parametrize("how", ["hold", "resolve"])
async def test_a_doubt_is_not_bought_again_beyond_the_budget(
    api: Any,
    client: TogetherClient,
    made: Any,
    plan: VideoPlan,
    ledger: Ledger,
    resolving: Any,
    turned_clock: Any,
    how: str,
) -> None:
    """Although the bill shows that it was not charged: it stays held until there is money for it."""
    await held(api, client, made, plan, created=False)
    turned_clock.now += 6 * HOUR
    with pytest.raises(CreateAmbiguous, match="It is held and not repeated"):
        await resolving(client, how, budget=RunBudget(Decimal("0.01"))).obtain(priced(plan))
    assert (api.posts, (await ledger.facts(plan.id)).state) == (1, LedgerState.AMBIGUOUS)


async def test_what_was_never_sent_is_not_bought_beyond_the_budget(
    api: Any, client: TogetherClient, plan: VideoPlan, ledger: Ledger, spool: Spool, resolving: Any
) -> None:
    """A claim that was left behind is released; the video waits for a run that has the money."""

    def announce(claim: Claim) -> None:
        note = spool.unsent.write(claim)
        assert note is not None
        note.leave()

    await ledger.claim(plan, valid_seconds=-1, announce=announce)
    with pytest.raises(BudgetReached):
        await resolving(client, "hold", budget=RunBudget(Decimal("0.01"))).obtain(priced(plan))
    assert (api.posts, (await ledger.facts(plan.id)).state) == (0, LedgerState.ABSENT)


async def test_hold_only_says_what_the_bill_says(
    api: Any, client: TogetherClient, made: Any, plan: VideoPlan, resolving: Any, turned_clock: Any
) -> None:
    """Nobody asked for it to be bought again."""
    await held(api, client, made, plan, created=False)
    turned_clock.now += 6 * HOUR
    with pytest.raises(CreateAmbiguous, match="It was not charged: the bill"):
        await resolving(client, "hold").obtain(plan)
    assert api.posts == 1


async def test_an_organisation_without_access(
    new_api: Any, made: Any, plan: VideoPlan, resolving: Any, turned_clock: Any
) -> None:
    """404: the doubt stays."""
    api = new_api(billing=False)
    async with TogetherClient("key", api.url) as client:
        await held(api, client, made, plan, created=False)
        turned_clock.now += 6 * HOUR
        with pytest.raises(CreateAmbiguous, match="has no access to the bill"):
            await resolving(client).obtain(plan)
    assert api.posts == 1


async def test_with_another_key(
    api: Any, client: TogetherClient, made: Any, plan: VideoPlan, resolving: Any, turned_clock: Any
) -> None:
    """Its bill would say nothing of what this key was charged."""
    await held(api, client, made, plan, created=True)
    turned_clock.now += 6 * HOUR
    async with TogetherClient("another", api.url) as other:
        await other.check()
        with pytest.raises(CreateAmbiguous, match="created with another API key"):
            await resolving(other).obtain(plan)
    assert len(api.jobs) == 1


@pytest.mark.parametrize("model", ["pixverse/pixverse-v5", ""])
async def test_beside_what_others_buy(
    new_api: Any, made: Any, plan: VideoPlan, resolving: Any, turned_clock: Any, model: str
) -> None:
    """Another user of the same key is taken for our video: a false alarm, and no second payment."""
    used = {"at": turned_clock.now + 60, "cost": 0.28, "model": model}
    api = new_api(other_usage=[{**used, "key_id": ""}])
    async with TogetherClient("key", api.url) as client:
        await held(api, client, made, plan, created=False)
        turned_clock.now += 6 * HOUR
        with pytest.raises(CreateAmbiguous, match="It was charged"):
            await resolving(client).obtain(plan)
    assert api.posts == 1


async def test_beside_what_this_archive_bought(
    api: Any,
    client: TogetherClient,
    made: Any,
    finished: Any,
    plan: VideoPlan,
    ledger: Ledger,
    resolving: Any,
    turned_clock: Any,
) -> None:
    """A video of the same model that was archived in that hour is on the bill and known."""
    await client.check()
    fox = plan.model_copy(update={"take": 2})
    purchase = await made(fox, client)
    turned_clock.now += 20
    job = await client.retrieve(purchase.job_id)
    record = VideoRecord.of(purchase.claim, "archived", submission=purchase.submission, job=job)
    await ledger.finish(record, purchase.claim)
    await held(api, client, made, plan, created=False)
    turned_clock.now += 30 * HOUR
    assert isinstance(await resolving(client).obtain(plan), Purchase)
    assert len(api.jobs) == 2


async def test_a_failed_job_of_that_hour_may_have_been_charged(
    api: Any,
    client: TogetherClient,
    made: Any,
    plan: VideoPlan,
    ledger: Ledger,
    reader: Any,
    turned_clock: Any,
) -> None:
    """If the bill shows nothing, neither was; the answer says no all the same."""
    await client.check()
    api.faults({"on": "create", "kind": "job_failed"})
    purchase = await made(plan.model_copy(update={"take": 2}), client)
    turned_clock.now += 20
    job = await client.retrieve(purchase.job_id)
    await record_failure(purchase, JobFailed("It failed.", job=job), ledger)
    await held(api, client, made, plan, created=False)
    claim = (await ledger.facts(plan.id)).claim
    assert claim is not None
    turned_clock.now += 30 * HOUR
    assert (await reader(client).was_charged(claim)).charged is Charged.NO


async def test_an_unreadable_record_makes_it_unclear(
    api: Any,
    client: TogetherClient,
    made: Any,
    plan: VideoPlan,
    ledger: Ledger,
    resolving: Any,
    turned_clock: Any,
) -> None:
    """It could be of a video that explains the bill, so nothing is decided."""
    await held(api, client, made, plan, created=False)
    await ledger.store.put_once(ledger.layout.record("f" * 24), b"no record")
    turned_clock.now += 6 * HOUR
    with pytest.raises(CreateAmbiguous, match="The bill could not be read"):
        await resolving(client).obtain(plan)
    assert api.posts == 1


async def test_a_month_is_reconciled(
    new_api: Any, made: Any, plan: VideoPlan, ledger: Ledger, reader: Any, turned_clock: Any
) -> None:
    """What is billed and unknown, and what is recorded and not billed; other keys stand apart."""
    month = f"{datetime.fromtimestamp(turned_clock.now, UTC):%Y-%m}"
    others = [
        {"at": turned_clock.now, "cost": 1.5, "model": "pixverse/pixverse-v5", "key_id": "key_b"},
        {"at": turned_clock.now, "cost": 9, "product": "Serverless Inference - Input Tokens"},
    ]
    api = new_api(other_usage=others)
    async with TogetherClient("key", api.url) as client:
        await client.check()
        purchase = await made(plan, client)
        turned_clock.now += 20
        job = await client.retrieve(purchase.job_id)
        record = VideoRecord.of(purchase.claim, "archived", submission=purchase.submission, job=job)
        await ledger.finish(record, purchase.claim)
        early = await reader(client).reconcile(month)
        assert "0.28 USD recorded but not billed" in early.sentence
        turned_clock.now += 2 * HOUR
        found = await reader(client).reconcile(month)
        assert found.agrees
        assert found.others_usd == Decimal("1.5")
        assert [row.videos for row in found.models] == [1]
        await held(api, client, made, plan.model_copy(update={"take": 2}), created=True)
        turned_clock.now += 2 * HOUR
        later = await reader(client).reconcile(month)
        assert "0.28 USD billed but not recorded" in later.sentence
        assert [row.perhaps for row in later.models] == [1]


async def test_no_access_to_reconcile(new_api: Any, reader: Any) -> None:
    """An error says what to do."""
    async with TogetherClient("key", new_api(billing=False).url) as client:
        with pytest.raises(InputError, match="no access to its bill"):
            await reader(client).reconcile("2026-11")
