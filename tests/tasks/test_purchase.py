"""The purchase: one POST and no more, whatever goes wrong around it."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx
import pytest

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.tasks.steps.purchase import Purchase, buy
from prefect_together_video.tasks.steps.purchase_session import session_of
from tests.facts import record_of
from together_video.api.client import TogetherClient
from together_video.api.settings import Timeouts
from together_video.errors import (
    AccountRefused,
    ApiOverloaded,
    ApiUnreachable,
    BudgetReached,
    ConfigurationError,
    CreateAmbiguous,
    CreatesShut,
    RequestRefused,
    StoreUnavailable,
)
from together_video.jobs import VideoJob
from together_video.ledger.records import LedgerState, RunRef, Submission
from together_video.ledger.spool import Spool


@pytest.fixture
def said():
    """What a purchase had to say."""
    return []


@pytest.fixture
def purchase(plan, client, ledger, spool, turned_clock, said):
    """Buys `plan` by the turned clock; anything may be replaced."""

    async def make(**other):
        given = {"client": client, "ledger": ledger, "spool": spool, **other}
        seams = {"log": said.append, "sleep": turned_clock.sleep, "clock": turned_clock}
        return await buy(given.pop("plan", plan), **{**seams, **given})

    return make


def while_asleep(clock, *steps):
    """A sleep in which one step after the other happens elsewhere."""
    rest = list(steps)

    async def sleep(seconds):
        await clock.sleep(seconds)
        if rest and (step := rest.pop(0)) is not None:
            await step()

    return sleep


async def names(ledger):
    return [entry.key.rpartition("/")[2] for entry in await ledger.store.list("inflight/")]


@pytest.mark.anyio
async def test_accepted(purchase, plan, api, ledger):
    """One POST, one charge. The job id is in the bucket when the purchase is returned."""
    bought = await purchase(run=RunRef(flow_run_name="brave-fox"))
    assert [bought.job_id] == api.jobs
    assert not bought.resumed
    assert bought.title == "A fox in the snow"
    facts = await ledger.facts(plan.id)
    assert (facts.state, facts.claim, facts.submission) == (
        LedgerState.SUBMITTED,
        bought.claim,
        bought.submission,
    )
    assert bought.claim.run.flow_run_name == "brave-fox"
    assert bought.submission.answer["id"] == bought.job_id


@pytest.mark.anyio
async def test_a_claim_is_good_for_longer_than_its_create(purchase, client):
    """Nobody may think a claim left behind while its POST can still be under way."""
    bought = await purchase()
    limits = client.timeouts
    assert bought.claim.valid_seconds >= limits.connect_seconds + limits.create_seconds + 60


@pytest.mark.anyio
async def test_bought_twice_is_paid_once(purchase, api):
    """A later run resumes the first run's job."""
    first, second = await purchase(), await purchase()
    assert (second.job_id, second.resumed) == (first.job_id, True)
    assert api.posts == 1


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("fault", "kind", "again"),
    [
        ({"kind": "status", "status": 400}, RequestRefused, False),
        ({"kind": "status", "status": 401}, AccountRefused, False),
        ({"kind": "status", "status": 402}, AccountRefused, False),
        ({"kind": "status", "status": 403}, AccountRefused, False),
        ({"kind": "status", "status": 404}, RequestRefused, False),
        ({"kind": "status", "status": 422}, RequestRefused, False),
        ({"kind": "status", "status": 503}, ApiOverloaded, True),
        ({"kind": "moderation"}, RequestRefused, False),
    ],
)
async def test_refused(purchase, api, ledger, fault, kind, again):
    """Where it is proven that nothing was created, nothing stays in flight and the error is raised."""
    api.faults({"on": "create", **fault})
    with pytest.raises(kind) as caught:
        await purchase()
    assert (caught.value.retryable, caught.value.job_may_exist) == (again, False)
    assert await names(ledger) == []
    assert (api.jobs, api.posts) == ([], 1)
    api.faults()
    assert (await purchase()).job_id


@pytest.mark.anyio
async def test_nobody_answers(purchase, ledger):
    """A request that never left releases its claim."""
    async with TogetherClient("key", "http://127.0.0.1:9") as nobody:
        with pytest.raises(ApiUnreachable):
            await purchase(client=nobody)
    assert await names(ledger) == []


@pytest.mark.anyio
async def test_a_request_that_cannot_be_sent(purchase, ledger):
    """An error before anything is sent releases the claim as well: it is not one of the API's."""

    def refuse(request):
        raise httpx.LocalProtocolError("illegal header")

    async with TogetherClient("key", transport=httpx.MockTransport(refuse)) as broken:
        with pytest.raises(ConfigurationError, match="illegal header"):
            await purchase(client=broken)
    assert await names(ledger) == []


@pytest.mark.anyio
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "reset"},
        {"kind": "hang"},
        {"kind": "status", "status": 500, "created": True},
        {"kind": "status", "status": 502, "created": True},
        {"kind": "status", "status": 504, "created": True},
        {"kind": "garbage"},
        {"kind": "no_id"},
    ],
)
async def test_ambiguous(purchase, plan, api, ledger, fault):
    """Without a clear answer the purchase is held: charged at most once, and never repeated by itself."""
    api.faults({"on": "create", "times": 1, **fault})
    patience = Timeouts(create_seconds=1 if fault["kind"] == "hang" else 30)
    async with TogetherClient("key", api.url, timeouts=patience) as client:
        with pytest.raises(CreateAmbiguous, match="may have been charged") as caught:
            await purchase(client=client)
    assert (caught.value.fresh, caught.value.retryable, caught.value.video_id) == (True, False, plan.id)
    assert await names(ledger) == ["ambiguous.json", "claim.json"]
    facts = await ledger.facts(plan.id)
    assert facts.ambiguity
    assert facts.ambiguity.status == {"status": fault.get("status"), "garbage": 200, "no_id": 200}.get(
        fault["kind"]
    )
    with pytest.raises(CreateAmbiguous, match="held and not repeated") as caught:
        await purchase()
    assert not caught.value.fresh
    assert (len(api.jobs), api.posts) == (1, 1)


@pytest.mark.anyio
async def test_waits_for_a_living_claim(purchase, plan, api, ledger, turned_clock):
    """While another run creates, this one waits with growing pauses, and resumes that job."""
    claim = await ledger.claim(plan, valid_seconds=250)

    async def arrives():
        await ledger.submitted(Submission.of(claim, VideoJob.from_json({"id": "job-1"})))

    bought = await purchase(sleep=while_asleep(turned_clock, None, None, arrives))
    assert isinstance(bought, Purchase)
    assert (bought.job_id, bought.resumed, bought.claim) == ("job-1", True, claim)
    assert turned_clock.slept == [1.0, 1.5, 2.25]
    assert api.posts == 0


@pytest.mark.anyio
async def test_waits_no_longer_than_ten_seconds_at_a_time(purchase, plan, ledger, turned_clock):
    """The pauses grow to ten seconds and no further."""
    claim = await ledger.claim(plan, valid_seconds=250)

    async def arrives():
        await ledger.submitted(Submission.of(claim, VideoJob.from_json({"id": "job-1"})))

    await purchase(sleep=while_asleep(turned_clock, *[None] * 8, arrives))
    assert max(turned_clock.slept) == turned_clock.slept[-1] == 10.0


@pytest.mark.anyio
async def test_takes_over_from_a_claim_that_is_released(purchase, plan, api, ledger, turned_clock):
    """Where the other run was refused, this one makes the create itself."""
    claim = await ledger.claim(plan, valid_seconds=250)
    bought = await purchase(sleep=while_asleep(turned_clock, lambda: ledger.release(claim)))
    assert [bought.job_id] == api.jobs
    assert not bought.resumed


@pytest.mark.anyio
async def test_takes_the_record_that_the_other_run_wrote(purchase, plan, api, ledger, turned_clock):
    """Where the other run finished meanwhile, its record is the result."""
    claim = await ledger.claim(plan, valid_seconds=250)
    record = record_of(plan, state="archived", recorded_at=datetime.now(UTC))
    sleep = while_asleep(turned_clock, lambda: ledger.finish(record, claim))
    assert await purchase(sleep=sleep) == record
    assert api.posts == 0


@pytest.mark.anyio
async def test_a_claim_left_behind(purchase, plan, api, ledger):
    """A claim that is older than its create can take may have been charged: it is held, and says since when."""
    await ledger.claim(plan, valid_seconds=-1)
    for _ in range(2):
        with pytest.raises(CreateAmbiguous, match="has not reported back") as caught:
            await purchase()
        assert not caught.value.fresh
    assert await names(ledger) == ["ambiguous.json", "claim.json"]
    assert api.posts == 0


@pytest.mark.anyio
async def test_a_record_that_appeared_before_the_claim(purchase, plan, api, ledger):
    """The claim is won, and the video is there: the claim is dropped and nothing is paid."""
    record = record_of(plan, state="archived", recorded_at=datetime.now(UTC))
    await ledger.store.put_once(ledger.layout.record(plan.id), record.model_dump_json().encode())
    assert await purchase() == record
    assert await names(ledger) == []
    assert api.posts == 0


@pytest.mark.anyio
async def test_a_process_that_stood_still_claims_again(purchase, api, ledger):
    """After a pause between claim and POST others may consider the claim abandoned, so it is made again."""
    moments = iter([0.0, 61.0, 62.0, 63.0])
    bought = await purchase(clock=lambda: next(moments))
    assert [bought.job_id] == api.jobs
    assert next(moments, None) is None
    assert await names(ledger) == ["claim.json", "job.json"]


@pytest.mark.anyio
async def test_429(purchase, api, ledger, turned_clock, said):
    """A 429 gives the claim back, shuts the gate for as long as the API asks, and then continues."""
    api.faults({"on": "create", "kind": "rate_limit", "times": 1, "seconds": 7})
    seen = []

    async def look():
        seen.extend(await names(ledger))

    bought = await purchase(sleep=while_asleep(turned_clock, look))
    assert [bought.job_id] == api.jobs
    assert sum(turned_clock.slept) >= 7
    assert seen == []
    assert "slow down" in said[0]
    assert api.posts == 2


@pytest.mark.anyio
async def test_a_shut_gate_holds_everyone(purchase, plan, client, turned_clock, ledger):
    """Who comes while the gate is shut waits before claiming."""
    session_of(client).rate_limiter.refused(30)
    seen = []

    async def look():
        seen.extend(await names(ledger))

    await purchase(plan=plan.model_copy(update={"take": 2}), sleep=while_asleep(turned_clock, look))
    assert turned_clock.slept[0] == pytest.approx(30)
    assert seen == []


@pytest.mark.anyio
async def test_a_gate_that_is_shut_for_hours_ends_the_run(purchase, plan, api, ledger, turned_clock):
    """Nobody waits in silence until the step's time is up: what was asked is told at once, and holds for all."""
    api.faults({"on": "create", "kind": "rate_limit", "seconds": 7200})
    for wanted in (plan, plan.model_copy(update={"take": 2})):
        with pytest.raises(
            CreatesShut, match=r"no creates until \d{4}.*Nothing was created. Run again"
        ) as shut:
            await purchase(plan=wanted)
        assert shut.value.wait_seconds == pytest.approx(7200, abs=1)
        assert not shut.value.retryable
    assert (api.posts, turned_clock.slept) == (1, [])
    assert await names(ledger) == []


@pytest.mark.anyio
async def test_the_permit_comes_before_the_claim(purchase, ledger):
    """A limit that reaches beyond this process is waited for while nothing is claimed."""
    seen = []

    async def permit():
        seen.append(await names(ledger))

    await purchase(rate_limit=permit)
    assert seen == [[]]


@pytest.fixture
def no_job_json(unruly_s3):
    """A bucket that takes everything but a job id."""
    unruly_s3.strike = lambda method, path, _: 503 if method == "PUT" and "job.json" in path else None
    return unruly_s3.url


@pytest.mark.anyio
async def test_a_job_id_that_the_bucket_cannot_take(
    purchase, plan, api, ledger, open_ledger, spool, said, no_job_json
):
    """It waits on disk. This run continues, and the next one on this machine stores it in the bucket."""
    bought = await purchase(ledger=await open_ledger(no_job_json))
    assert [bought.job_id] == api.jobs
    assert bought.job_id in said[0]
    assert await names(ledger) == ["claim.json"]
    assert spool.kept_submission(bought.claim) == bought.submission
    later = await purchase()
    assert (later.job_id, later.resumed) == (bought.job_id, True)
    assert (await ledger.facts(plan.id)).submission == bought.submission
    assert spool.kept_submission(bought.claim) is None
    assert api.posts == 1


@pytest.mark.anyio
async def test_a_job_id_that_nobody_can_take(purchase, api, open_ledger, said, no_job_json, tmp_path):
    """Where the disk refuses as well, the job id is said aloud, and this run still continues with it."""
    (tmp_path / "file").touch()
    full = Spool(tmp_path / "file" / "spool")
    bought = await purchase(ledger=await open_ledger(no_job_json), spool=full)
    assert [bought.job_id] == api.jobs
    assert bought.job_id in said[0]


@pytest.mark.anyio
async def test_an_ambiguity_that_the_bucket_cannot_take(
    purchase, plan, api, ledger, open_ledger, unruly_s3, said
):
    """It is as ambiguous and as fresh; the claim alone says so, once it is old: never a second POST."""
    api.faults({"on": "create", "kind": "reset", "times": 1})
    unruly_s3.strike = lambda method, path, _: 503 if "ambiguous" in path and method == "PUT" else None
    with pytest.raises(CreateAmbiguous) as caught:
        await purchase(ledger=await open_ledger(unruly_s3.url))
    assert (caught.value.fresh, caught.value.retryable, caught.value.video_id) == (True, False, plan.id)
    assert "could not store that this create is ambiguous" in said[0]
    assert (await ledger.facts(plan.id)).state is LedgerState.CLAIMED
    assert (len(api.jobs), api.posts) == (1, 1)


@pytest.mark.anyio
async def test_a_job_without_its_claim_is_waited_for(purchase, plan, api, ledger, bought, said):
    """Whatever removed the claim: the video was paid for once, and is not bought again."""
    first = await bought(plan)
    await ledger.store.delete([ledger.layout.claim(plan.id)])
    again = await purchase()
    assert (again.job_id, again.resumed) == (first.job_id, True)
    assert first.job_id in said[0]
    assert await names(ledger) == ["claim.json", "job.json"]
    assert api.posts == 1


@pytest.mark.anyio
async def test_a_claim_of_an_earlier_try_keeps_its_age(
    purchase, plan, api, ledger, open_ledger, unruly_s3, archive, s3_client
):
    """Its PUT was unclear an hour ago, so others think it left behind: nothing is bought behind it."""
    shaky = await open_ledger(unruly_s3.url)
    unruly_s3.strike = lambda method, *_: "lost" if method == "PUT" else 503
    with pytest.raises(StoreUnavailable):
        await purchase(ledger=shaky)
    unruly_s3.strike = lambda *_: None
    claim = (await ledger.facts(plan.id)).claim
    old = claim.model_copy(update={"claimed_at": claim.claimed_at - timedelta(hours=1)})
    body = old.model_dump_json().encode()
    s3_client.put_object(Bucket=archive.bucket, Key=ledger.layout.claim(plan.id), Body=body)
    got = await purchase(ledger=shaky)
    assert got.claim.token != claim.token
    assert datetime.now(UTC) - got.claim.claimed_at < timedelta(minutes=1)
    assert (await ledger.facts(plan.id)).claim == got.claim
    assert [got.job_id] == api.jobs


class Gatekeeper:
    """Holds the POST at the server until it is let go."""

    def __init__(self, then):
        self.arrived, self.let_go = asyncio.Event(), threading.Event()
        self._loop, self._then = asyncio.get_running_loop(), then

    def __call__(self, *_):
        self._loop.call_soon_threadsafe(self.arrived.set)
        self.let_go.wait(20)
        return self._then


@pytest.mark.anyio
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize(
    ("then", "state"), [(None, "submitted"), ("lost", "ambiguous"), ((400, "{}"), "absent")]
)
async def test_cancelled_in_the_middle_of_the_post(
    purchase, plan, api, ledger, new_unruly, then, state, times
):
    """A cancellation, and a second one, wait until the outcome of the POST is stored."""
    server = new_unruly(api.url)
    server.strike = keeper = Gatekeeper(then)
    async with TogetherClient("key", server.url) as client:
        buying = asyncio.create_task(purchase(client=client))
        await keeper.arrived.wait()
        for _ in range(times):
            buying.cancel()
            for _ in range(5):
                await asyncio.sleep(0)
        assert not buying.done()
        keeper.let_go.set()
        with pytest.raises(asyncio.CancelledError):
            await buying
    facts = await ledger.facts(plan.id)
    assert facts.state == state
    if facts.submission:
        assert [facts.submission.job_id] == api.jobs
    assert len(api.jobs) == (0 if state == "absent" else 1)


@pytest.mark.anyio
async def test_a_race(plan, api, new_archive, seaweed, tmp_path):
    """Of five runs that want the same video at the same time, one pays, and all get its job."""
    archive = new_archive(seaweed.url, (seaweed.access_key, seaweed.secret_key))

    async def run(number):
        async with archive.open() as ledger, TogetherClient("key", api.url) as client:
            return await buy(
                plan,
                client,
                ledger,
                Spool(tmp_path / str(number)),
                log=lambda _: None,
                sleep=lambda _: asyncio.sleep(0.02),
            )

    bought = await asyncio.gather(*(run(number) for number in range(5)))
    assert [{one.job_id for one in bought}] == [set(api.jobs)]
    assert sorted(one.resumed for one in bought) == [False] + [True] * 4
    bill = api.bill()
    assert (bill["posts"], len(bill["jobs"])) == (1, 1)


@pytest.mark.anyio
async def test_a_claim_that_has_grown_old_is_made_again(purchase, api, ledger):
    """A process that stood still after its claim does not POST on it: others may think it left behind."""
    moments = iter([0.0, 61.0, 100.0, 101.0])
    bought = await purchase(clock=lambda: next(moments))
    assert (await ledger.facts(bought.claim.id)).claim == bought.claim
    assert (api.bill()["posts"], next(moments, None)) == (1, None)


@pytest.fixture
def used_up(ledger):
    """The same archive with a monthly limit that holds one video of 0.3 USD and no more."""
    return Ledger(ledger.store, ledger.layout, monthly_limit=Decimal("0.5"))


@pytest.mark.anyio
@pytest.mark.parametrize("price", [Decimal("0.3"), None])
async def test_what_is_bought_needs_no_more_money(purchase, plan, api, used_up, ledger, price):
    """Its job is waited for though the month's limit is used up, as by its own price, or its price is unknown now."""
    plan = plan.model_copy(update={"estimate_usd": Decimal("0.3")})
    first = await purchase(plan=plan, ledger=used_up)
    again = plan.model_copy(update={"estimate_usd": price})
    second = await purchase(
        plan=again, ledger=Ledger(ledger.store, ledger.layout, monthly_limit=Decimal("0.5"))
    )
    assert (second.job_id, second.resumed) == (first.job_id, True)
    with pytest.raises(BudgetReached, match=r"cannot cover another 0.30 USD \(0.30 USD paid"):
        await purchase(plan=plan.model_copy(update={"take": 2}), ledger=used_up)
    assert api.posts == 1


@pytest.mark.anyio
async def test_a_doubt_stays_a_doubt_where_there_is_no_money(purchase, plan, api, used_up):
    """It is held, not put off: somebody has to decide about it."""
    plan = plan.model_copy(update={"estimate_usd": Decimal("0.3")})
    api.faults({"on": "create", "kind": "garbage", "times": 1})
    with pytest.raises(CreateAmbiguous):
        await purchase(plan=plan, ledger=used_up)
    with pytest.raises(CreateAmbiguous, match="held and not repeated"):
        await purchase(plan=plan, ledger=used_up)
    assert api.posts == 1


async def left_behind(ledger, spool, plan, *, valid_seconds=250, spent=False):
    """A claim of a process that died, before its create was sent or after that."""
    notes = []
    claim = await ledger.claim(
        plan, valid_seconds=valid_seconds, announce=lambda claim: notes.append(spool.unsent.write(claim))
    )
    if spent:
        assert notes[0].spend()
    notes[0].leave()
    return claim


@pytest.mark.anyio
async def test_a_dead_process_that_never_sent(purchase, plan, api, ledger, spool, turned_clock):
    """Its note lies on this machine: the video is bought at once, and nothing is held."""
    await left_behind(ledger, spool, plan)
    bought = await purchase()
    assert [bought.job_id] == api.jobs
    assert turned_clock.slept == []
    assert not bought.resumed


@pytest.mark.anyio
async def test_a_dead_process_on_another_machine(purchase, plan, api, ledger, tmp_path):
    """Nothing is proven there: the claim grows into a doubt."""
    await left_behind(ledger, Spool(tmp_path / "elsewhere"), plan, valid_seconds=0)
    with pytest.raises(CreateAmbiguous, match="has not reported back"):
        await purchase()
    assert api.posts == 0


@pytest.mark.anyio
async def test_a_dead_process_that_may_have_sent(purchase, plan, api, ledger, spool):
    """Its note is gone since right before the first byte."""
    await left_behind(ledger, spool, plan, valid_seconds=0, spent=True)
    with pytest.raises(CreateAmbiguous):
        await purchase()
    assert api.posts == 0


@pytest.mark.anyio
async def test_a_doubt_of_another_machine_is_resolved_here(purchase, plan, api, ledger, spool):
    """Another machine has written that the claim is ambiguous; this one knows better."""
    claim = await left_behind(ledger, spool, plan, valid_seconds=0)
    await ledger.ambiguous(claim, None)
    assert [(await purchase()).job_id] == api.jobs
    assert await names(ledger) == ["claim.json", "job.json"]


@pytest.mark.anyio
async def test_the_note_goes_before_the_first_byte(purchase, plan, ledger, spool, client, monkeypatch):
    """While the connection is made it lies there, and it is gone when the API sees the request."""
    await client.check()
    seen = []

    def note_lies_there():
        return any(spool.folder.glob("unsent/*.unsent"))

    connect = asyncio.get_running_loop().create_connection

    async def connecting(*given, **more):
        seen.append(("connecting", note_lies_there()))
        return await connect(*given, **more)

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", connecting)
    await purchase()
    assert ("connecting", True) in seen
    assert not note_lies_there()


@pytest.mark.anyio
async def test_a_claim_that_was_taken_over_is_not_sent(purchase, plan, api, ledger, spool, client):
    """A process that stood still finds its note taken: it sends nothing, and resumes with what the other made."""
    await client.check()
    rival = []
    create = client.create

    async def standing_still(request, *, departing):
        if not rival:
            claim = (await ledger.facts(plan.id)).claim
            rival.append(claim)
            assert spool.unsent.take(claim, is_old=True)
            await ledger.release(claim)
            spool.unsent.forget(claim)
        return await create(request, departing=departing)

    client.create = standing_still
    bought = await purchase()
    assert [bought.job_id] == api.jobs
    assert bought.claim.token != rival[0].token


@pytest.mark.anyio
async def test_a_refused_create_leaves_no_note(purchase, ledger, spool, api):
    """Neither claim nor note stays; nor do they where all goes well."""
    api.faults({"on": "create", "kind": "status", "status": 400, "times": 1})
    with pytest.raises(RequestRefused):
        await purchase()
    assert await names(ledger) == []
    await purchase()
    assert not list(spool.folder.glob("unsent/*"))


@pytest.mark.anyio
async def test_ids_and_time_of_the_create_are_kept(purchase, plan, api, ledger, client):
    """In job.json and in ambiguous.json, and in the words of the error."""
    await client.check()
    api.faults({"on": "create", "kind": "status", "status": 500, "times": 1})
    with pytest.raises(CreateAmbiguous, match=r"\(x-request-id sandbox-\d{6}\)"):
        await purchase()
    doubt = (await ledger.facts(plan.id)).ambiguity
    assert doubt.request_ids["x-request-id"].startswith("sandbox-")
    assert doubt.sent_at <= doubt.found_at
    bought = await purchase(plan=plan.model_copy(update={"take": 2}))
    assert bought.submission.request_ids["x-request-id"].startswith("sandbox-")
    assert bought.claim.claimed_at <= bought.submission.sent_at <= bought.submission.submitted_at
    assert bought.claim.key_id == client.identity.key_id != None  # noqa: E711 - both at once
