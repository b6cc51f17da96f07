"""The ledger: who holds a purchase, what each stage leaves in the bucket, and in which order."""

import asyncio
import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.blocks.store.objects import ListedObject
from tests.facts import record_of
from together_video.errors import (
    ArchiveError,
    BucketRefused,
    ConfigurationError,
    NoClearAnswer,
    StoreUnavailable,
)
from together_video.jobs import VideoJob
from together_video.ledger.layout import Layout
from together_video.ledger.records import Claim, LedgerState, RunRef, Submission, VideoPlan
from together_video.prompts import Brief, PromptSet
from together_video.requests import VideoRequest

PLAN = VideoPlan(request=VideoRequest(model="m", prompt="A fox in the snow"))


@pytest.fixture
def ledger(store):
    """A ledger under a prefix of an empty bucket."""
    return Ledger(store, Layout(prefix="films"))


@pytest.fixture
def unruly_ledger(archive, unruly_s3, open_store):
    """A ledger behind the unruly server; boto3 tries twice."""
    return Ledger(open_store(archive, unruly_s3.url, attempts=2), Layout())


async def keys(ledger):
    return [entry.key for entry in await ledger.store.list("")]


def job_of(claim, job_id="job-1"):
    return Submission.of(claim, VideoJob.from_json({"id": job_id}))


def recorded(claim, state="archived", **fields):
    return record_of(claim.plan, state=state, recorded_at=datetime.now(UTC), **fields)


def silence(creating=True):
    return NoClearAnswer("no answer", creating=creating, status=502, body="<h1>Bad gateway</h1>")


@pytest.mark.anyio
async def test_a_claim_is_won_once(ledger):
    """The first claim holds for every later caller. It fixes the keys, the run and how long it is valid."""
    run = RunRef(flow_run_id="f", flow_run_name="brave-fox", host="h")
    claim = await ledger.claim(PLAN, valid_seconds=250, run=run)
    assert await ledger.claim(PLAN, valid_seconds=250) is None
    assert claim
    assert (claim.id, claim.plan, claim.valid_seconds, claim.run) == (PLAN.id, PLAN, 250, run)
    assert claim.video_key.startswith("films/videos/")
    assert claim.video_key.endswith(f"a-fox-in-the-snow-{PLAN.id}.mp4")
    stored = await ledger.store.get(f"films/inflight/{PLAN.id}/claim.json")
    assert stored
    assert Claim.model_validate_json(stored.data) == claim


@pytest.mark.anyio
async def test_other_takes_are_other_claims(ledger):
    """Takes, editions and attempts are purchases of their own."""
    others = ({"take": 2}, {"edition": "2026-11-21"}, {"attempt": 2})
    plans = [PLAN, *(PLAN.model_copy(update=change) for change in others)]
    claims = [await ledger.claim(plan, valid_seconds=250) for plan in plans]
    assert None not in claims
    assert len(await ledger.in_flight()) == 4


@pytest.mark.anyio
async def test_a_claim_whose_answer_was_lost_is_ours(unruly_ledger, unruly_s3):
    """boto3 repeats the PUT and meets our own claim: the token in it says whose it is."""
    lost = iter(["lost"])
    unruly_s3.strike = lambda method, *_: next(lost, None) if method == "PUT" else None
    claim = await unruly_ledger.claim(PLAN, valid_seconds=250)
    assert claim
    facts = await unruly_ledger.facts(PLAN.id)
    assert facts.claim == claim
    assert await unruly_ledger.claim(PLAN, valid_seconds=250) is None


@pytest.mark.anyio
async def test_release(ledger):
    """A released claim leaves nothing, and anybody may claim again."""
    claim = await ledger.claim(PLAN, valid_seconds=250)
    await ledger.release(claim)
    assert await keys(ledger) == []
    assert await ledger.claim(PLAN, valid_seconds=250)


@pytest.mark.anyio
async def test_release_takes_its_own_ambiguity_along(ledger):
    """Who was thought dead, and then proves that nothing was created, clears the doubt about it too."""
    claim = await ledger.claim(PLAN, valid_seconds=250)
    await ledger.ambiguous(claim, None)
    await ledger.release(claim)
    assert await keys(ledger) == []


@pytest.mark.anyio
async def test_release_leaves_the_ambiguity_of_another_claim(ledger):
    """A doubt about somebody else's create is not ours to clear."""
    claim = await ledger.claim(PLAN, valid_seconds=250)
    await ledger.ambiguous(claim.model_copy(update={"token": "f" * 32}), silence())
    await ledger.release(claim)
    assert await keys(ledger) == [f"films/inflight/{PLAN.id}/ambiguous.json"]


@pytest.mark.anyio
async def test_release_never_removes_the_claim_of_another_run(new_archive, unruly_s3, s3_client):
    """The DELETE was done and its answer lost: what lies there by now is somebody else's, who is paying."""
    archive = new_archive(unruly_s3.url)
    lost, others = [], []

    def strike(method, path, _):
        if not path.endswith("claim.json"):
            return None
        if method == "DELETE" and not lost:
            lost.append(path)
            return "lost"
        if lost and not others:
            others.append(claim.model_copy(update={"token": "f" * 32}))
            body = others[0].model_dump_json().encode()
            s3_client.put_object(Bucket=archive.bucket, Key=archive.layout.claim(PLAN.id), Body=body)
        return None

    async with archive.open() as ledger:
        claim = await ledger.claim(PLAN, valid_seconds=250)
        unruly_s3.strike = strike
        await ledger.release(claim)
        assert (await ledger.facts(PLAN.id)).claim == others[0]


@pytest.mark.anyio
async def test_a_removal_that_comes_late_spares_the_claim_of_another_run(new_archive, unruly_s3, s3_client):
    """Between the look and the moment at which the store removes it, the claim has become somebody else's."""
    archive = new_archive(unruly_s3.url)
    others = []

    def strike(method, path, _):
        if method == "DELETE" and path.endswith("claim.json"):
            others.append(claim.model_copy(update={"token": "f" * 32}))
            body = others[0].model_dump_json().encode()
            s3_client.put_object(Bucket=archive.bucket, Key=archive.layout.claim(PLAN.id), Body=body)

    async with archive.open() as ledger:
        claim = await ledger.claim(PLAN, valid_seconds=250)
        unruly_s3.strike = strike
        await ledger.release(claim)
        assert (await ledger.facts(PLAN.id)).claim == others[0]
    assert len(others) == 1


@pytest.mark.anyio
@pytest.mark.parametrize("status", [412, 501])
async def test_a_store_without_conditional_deletes_still_removes_a_claim(
    archive, unruly_s3, open_store, status
):
    """It says that it does not know the condition, or refuses what fits: then the look alone has to do."""
    ledger = Ledger(open_store(archive, unruly_s3.url), Layout())
    claim = await ledger.claim(PLAN, valid_seconds=250)
    unruly_s3.strike = lambda method, _, headers: (
        status if method == "DELETE" and "if-match" in headers else None
    )
    await ledger.release(claim)
    assert await keys(ledger) == []
    assert [method for method, _ in unruly_s3.calls].count("DELETE") == 2


@pytest.mark.anyio
async def test_a_key_that_is_too_long_is_found_before_the_claim(archive, unruly_s3, open_store):
    """S3 takes 1,024 bytes: a template that gives more would fail only after the video is paid for."""
    layout = Layout(prefix="p" * 400, template="x" * 590 + "{id}")
    ledger = Ledger(open_store(archive, unruly_s3.url), layout, monthly_limit=Decimal(100))
    unruly_s3.calls.clear()
    with pytest.raises(ConfigurationError, match=r"1026 bytes.*Shorten the prefix or the file name template"):
        await ledger.claim(PLAN.model_copy(update={"estimate_usd": Decimal(1)}), valid_seconds=250)
    assert unruly_s3.calls == []
    longest = layout.model_copy(update={"template": layout.template[2:]})
    assert await Ledger(ledger.store, longest).claim(PLAN, valid_seconds=250)


@pytest.mark.anyio
@pytest.mark.parametrize(("refusals", "left"), [(1, 0), (2, 0), (3, 1)])
async def test_release_repeats_an_unclear_removal_of_its_own_claim(
    archive, unruly_s3, open_store, refusals, left
):
    """What is still ours may be removed again; after three tries without success the release fails."""
    ledger = Ledger(open_store(archive, unruly_s3.url), Layout())
    claim = await ledger.claim(PLAN, valid_seconds=250)
    rest = iter([503] * refusals)
    unruly_s3.strike = lambda method, *_: next(rest, None) if method == "DELETE" else None
    if left:
        with pytest.raises(StoreUnavailable):
            await ledger.release(claim)
    else:
        await ledger.release(claim)
    assert len(await keys(ledger)) == left


@pytest.mark.anyio
@pytest.mark.parametrize("put", ["lost", 503])
async def test_a_claim_that_is_tried_again_is_the_same(archive, unruly_s3, open_store, put):
    """Whether its PUT was done is unclear: the next try knows its own claim, which is as old as the first try."""
    ledger = Ledger(open_store(archive, unruly_s3.url), Layout())
    unruly_s3.strike = lambda method, *_: put if method == "PUT" else 503
    with pytest.raises(StoreUnavailable):
        await ledger.claim(PLAN, valid_seconds=250)
    between = datetime.now(UTC)
    unruly_s3.strike = lambda *_: None
    claim = await ledger.claim(PLAN, valid_seconds=250)
    assert claim
    assert claim.claimed_at < between
    assert (await ledger.facts(PLAN.id)).claim == claim


@pytest.mark.anyio
async def test_the_first_job_id_holds(ledger):
    """A job id is stored once; storing it again, or another, gives back the one that holds."""
    claim = await ledger.claim(PLAN, valid_seconds=250)
    first = job_of(claim)
    assert await ledger.submitted(first) == first
    assert await ledger.submitted(job_of(claim, "job-2")) == first
    assert (await ledger.facts(PLAN.id)).submission == first


@pytest.mark.anyio
async def test_ambiguous_keeps_what_is_known(ledger):
    """Status, words and body of a create without a clear answer are kept, and the first doubt holds."""
    claim = await ledger.claim(PLAN, valid_seconds=250)
    held = await ledger.ambiguous(claim, silence())
    assert (held.reason, held.status, held.body) == ("no answer", 502, "<h1>Bad gateway</h1>")
    assert await ledger.ambiguous(claim, None) == held


@pytest.mark.anyio
async def test_facts_at_each_stage(ledger):
    """What the bucket says of a purchase, from nothing to its record; the stronger fact wins."""

    async def state():
        return (await ledger.facts(PLAN.id)).state

    assert await state() is LedgerState.ABSENT
    claim = await ledger.claim(PLAN, valid_seconds=250)
    assert await state() is LedgerState.CLAIMED
    await ledger.ambiguous(claim, silence())
    assert await state() is LedgerState.AMBIGUOUS
    await ledger.submitted(job_of(claim))
    facts = await ledger.facts(PLAN.id)
    assert (facts.state, facts.ambiguity) == (LedgerState.SUBMITTED, None)
    assert facts.claim == claim
    assert facts.submission
    assert facts.submission.job_id == "job-1"
    record = recorded(claim, cost_usd=Decimal("0.28"))
    await ledger.finish(record, claim)
    facts = await ledger.facts(PLAN.id)
    assert (facts.state, facts.record, facts.claim) == (LedgerState.ARCHIVED, record, None)


@pytest.mark.anyio
async def test_a_claim_left_behind_becomes_ambiguous(ledger):
    """A claim that is older than its create can take, and has no job, may have been charged."""
    await ledger.claim(PLAN, valid_seconds=-1)
    facts = await ledger.facts(PLAN.id)
    assert facts.state is LedgerState.AMBIGUOUS
    assert facts.claim_age is not None


@pytest.mark.anyio
async def test_facts_look_again_for_a_record_that_was_just_written(unruly_ledger, unruly_s3):
    """Where the claim vanishes while the facts are read, it was finished, and is not absent."""
    claim = await unruly_ledger.claim(PLAN, valid_seconds=250)
    record = recorded(claim)
    looks = iter([(404, "", {})])
    unruly_s3.strike = lambda method, path, _: (
        next(looks, None) if method == "GET" and "records/" in path else None
    )
    await unruly_ledger.finish(record, claim)
    assert (await unruly_ledger.facts(PLAN.id)).record == record


@pytest.mark.anyio
async def test_facts_that_vanish_while_they_are_read_are_no_doubt(ledger, monkeypatch):
    """A claim that was read just before another run finished the video, and its job that was gone by then."""
    claim = await ledger.claim(PLAN, valid_seconds=0)
    await ledger.submitted(job_of(claim))
    record, get = recorded(claim), ledger.store.get

    async def get_while_another_finishes(key):
        found = await get(key)
        if key == ledger.layout.claim(PLAN.id):
            monkeypatch.undo()
            await ledger.finish(record, claim)
        return found

    monkeypatch.setattr(ledger.store, "get", get_while_another_finishes)
    facts = await ledger.facts(PLAN.id)
    assert (facts.state, facts.record) == (LedgerState.ARCHIVED, record)


@pytest.mark.anyio
async def test_finish_writes_the_record_before_it_cleans_up(unruly_ledger, unruly_s3):
    """The record is the commit: it comes first, then its line for lists, and then one request empties inflight."""
    claim = await unruly_ledger.claim(PLAN, valid_seconds=250)
    await unruly_ledger.submitted(job_of(claim))
    unruly_s3.calls.clear()
    await unruly_ledger.finish(recorded(claim), claim)
    steps = [(method, path.rpartition("/")[2]) for method, path in unruly_s3.calls]
    assert steps[0] == ("PUT", f"{PLAN.id}.json")
    assert [method for method, _ in steps[1:]] == ["PUT", "POST"]
    line, found = sorted(await keys(unruly_ledger))
    assert (line.split("/")[0], found) == ("index", f"records/{PLAN.id}.json")


@pytest.mark.anyio
async def test_clean_ups_at_the_same_time_share_requests(ledger, unruly_ledger, unruly_s3):
    """While one request is under way all others gather for the next; a caller who gives up takes none with him."""
    for number in range(20):
        await ledger.store.put_once(ledger.layout.claim(f"v{number}"), b"{}")
        await unruly_ledger.store.put_once(unruly_ledger.layout.claim(f"v{number}"), b"{}")
    unruly_s3.calls.clear()
    tasks = [asyncio.create_task(unruly_ledger.clear(f"v{number}")) for number in range(20)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert [end for end in ends if end is not None] == [ends[0]]
    assert 1 <= len(unruly_s3.calls) <= 2
    assert await unruly_ledger.in_flight() == {}


@pytest.mark.anyio
async def test_all_whose_clean_up_failed_are_told(unruly_ledger, unruly_s3):
    """One request is for all of them, and so is its error."""
    unruly_s3.strike = lambda method, *_: 403
    ends = await asyncio.gather(*(unruly_ledger.clear(f"v{n}") for n in range(3)), return_exceptions=True)
    assert [type(end) for end in ends] == [BucketRefused] * 3


@pytest.mark.anyio
async def test_what_a_listing_tells_of_records(ledger):
    """One listing for 50 ids names those without a record; fewer ids are not worth one."""
    ids = [f"id{number:02}" for number in range(50)]
    for name in ("id07", "id09.late", "id11"):
        await ledger.store.put_once(ledger.layout.key("records", f"{name}.json"), b"{}")
    assert await ledger.unrecorded(ids[:49]) == set()
    assert await ledger.unrecorded(ids) == {*ids} - {"id07", "id09", "id11"}


@pytest.mark.anyio
async def test_a_listing_that_is_cut_off_tells_of_what_it_covers(ledger, monkeypatch):
    """Of what lies behind its last key nothing is known."""
    ids = [f"id{number:02}" for number in range(50)]

    async def cut_off(prefix, *, pages):
        assert pages == 1
        last = ListedObject(key=f"{prefix}id20.json", size=2, written_at=datetime.now(UTC))
        return [last], False

    monkeypatch.setattr(ledger.store, "list_first", cut_off)
    assert await ledger.unrecorded(ids) == set(ids[:20])


@pytest.mark.anyio
async def test_finish_twice(ledger):
    """Who finishes second gets the record of the first, and still cleans up."""
    claim = await ledger.claim(PLAN, valid_seconds=250)
    first, second = recorded(claim, job_id="job-1"), recorded(claim, job_id="job-2")
    assert await ledger.finish(first, claim) == first
    await ledger.submitted(job_of(claim))
    assert await ledger.finish(second, claim) == first
    *_, found = await keys(ledger)
    assert found == f"films/records/{PLAN.id}.json"
    assert await ledger.in_flight() == {}


@pytest.mark.anyio
async def test_a_clean_up_that_fails_is_done_by_the_next(unruly_ledger, unruly_s3):
    """The record holds although what is in flight could not be removed; the next finish removes it."""
    claim = await unruly_ledger.claim(PLAN, valid_seconds=250)
    record = recorded(claim)
    unruly_s3.strike = lambda method, *_: 400 if method in {"POST", "DELETE"} else None
    assert await unruly_ledger.finish(record, claim) == record
    assert list(await unruly_ledger.in_flight()) == [PLAN.id]
    assert (await unruly_ledger.facts(PLAN.id)).state is LedgerState.ARCHIVED
    unruly_s3.strike = lambda *_: None
    assert await unruly_ledger.finish(recorded(claim, "failed"), claim) == record
    assert await unruly_ledger.in_flight() == {}


@pytest.mark.anyio
async def test_what_comes_home_after_it_was_given_up(ledger):
    """The decision to buy again stays, and the late record lies beside it."""
    claim = await ledger.claim(PLAN, valid_seconds=250)
    given_up = await ledger.abandon(claim, "bought again")
    late = recorded(claim, job_id="job-1")
    assert await ledger.finish(late, claim) == late
    assert await ledger.record(PLAN.id) == given_up
    assert await ledger.read_record(ledger.layout.late_record(PLAN.id)) == late


@pytest.mark.anyio
async def test_in_flight(ledger):
    """One listing gives each purchase with its facts and the time of its first; records are not in it."""
    assert await ledger.in_flight() == {}
    other = PLAN.model_copy(update={"take": 2})
    claim, _ = [await ledger.claim(plan, valid_seconds=250) for plan in (PLAN, other)]
    await ledger.submitted(job_of(claim))
    done = await ledger.claim(PLAN.model_copy(update={"take": 3}), valid_seconds=250)
    await ledger.finish(recorded(done), done)
    found = await ledger.in_flight()
    assert {video: entry.facts for video, entry in found.items()} == {
        PLAN.id: {"claim.json", "job.json"},
        other.id: {"claim.json"},
    }
    written = {entry.key: entry.written_at for entry in await ledger.store.list("films/inflight/")}
    assert found[PLAN.id].since == min(at for key, at in written.items() if PLAN.id in key)


@pytest.mark.anyio
async def test_prompts_are_kept_once(ledger):
    """If two runs write prompts for one brief, both use those of the first."""
    first, second = (
        PromptSet(
            id="brief-1",
            brief=Brief(subject="foxes"),
            chat_model="m",
            prompts=(prompt,),
            created_at=datetime.now(UTC),
        )
        for prompt in ("A red fox", "A white fox")
    )
    assert await ledger.prompts("brief-1") is None
    assert await asyncio.gather(ledger.keep_prompts(first)) == [first]
    assert await ledger.keep_prompts(second) == first
    assert await ledger.prompts("brief-1") == first


@pytest.mark.anyio
@pytest.mark.parametrize("text", ["", "{", "[]", '{"id": 1}', "\xff", "null"])
async def test_a_fact_that_is_none(ledger, text):
    """What this project did not write is named, and nothing is paid on its ground."""
    await ledger.store.put_once(ledger.layout.claim(PLAN.id), text.encode("latin-1"))
    with pytest.raises(ArchiveError, match=f"{PLAN.id}/claim.json .* Inspect it by hand") as caught:
        await ledger.facts(PLAN.id)
    assert not caught.value.retryable
    with pytest.raises(ArchiveError, match="Inspect it by hand"):
        await ledger.claim(PLAN, valid_seconds=250)


@pytest.mark.anyio
async def test_facts_of_a_newer_version_are_read(ledger):
    """Unknown fields are ignored."""
    claim = await ledger.claim(PLAN, valid_seconds=250)
    fact = {**json.loads(job_of(claim).model_dump_json()), "weather": "fine"}
    await ledger.store.put_once(ledger.layout.job(PLAN.id), json.dumps(fact).encode())
    assert (await ledger.facts(PLAN.id)).state is LedgerState.SUBMITTED


@pytest.mark.anyio
async def test_a_purchase_that_another_model_makes_is_closed_at_no_cost(store):
    """Who claims it later finds the record and buys nothing; the month's reservation is free again."""
    ledger = Ledger(store, Layout(prefix="films"), monthly_limit=Decimal("0.50"))
    plan = PLAN.model_copy(update={"estimate_usd": Decimal("0.30")})
    claim = await ledger.claim(plan, valid_seconds=250)
    record = await ledger.pass_on(claim, "HTTP 404: model m is not available", to="b" * 24)
    assert (record.state, record.cost_usd, record.followed_by) == ("abandoned", 0, "b" * 24)
    assert await ledger.in_flight() == {}
    assert await ledger.spending.has_room(Decimal("0.50"))
    late = await ledger.claim(plan, valid_seconds=250)
    assert (await ledger.record(plan.id)) == record
    await ledger.release(late)
    assert await ledger.spending.has_room(Decimal("0.50"))
