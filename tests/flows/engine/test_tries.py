"""Failed videos that are bought again, and models that take over: how often, at what cost, and after what crash."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from prefect_together_video.blocks import VideoArchive
from prefect_together_video.flows.batch import generate_batch
from prefect_together_video.flows.collect import collect_videos
from prefect_together_video.flows.part import generate_part
from prefect_together_video.flows.reporting.progress import Progress, listening
from prefect_together_video.flows.reporting.results import result_of
from prefect_together_video.flows.video import generate_video
from prefect_together_video.tasks.session import buying
from together_video.errors import InputError
from together_video.inputs.fallbacks import with_tries
from together_video.ledger.plans import plan_videos
from together_video.ledger.records import VideoRecord
from together_video.ledger.summary import Summary, VideoOutcome, VideoState
from together_video.polling.policy import PollPolicy
from together_video.tries import Tries, new_seed

pytestmark = pytest.mark.anyio

Make = Callable[..., Any]
FIRST, SECOND, THIRD = "pixverse/pixverse-v5", "pixverse/pixverse-v6", "vidu/vidu-q3"
PRICES = {FIRST: 0.28, SECOND: 0.09, THIRD: 0.0975}
FAILS = {"on": "create", "kind": "job_failed", "message": "an internal error", "code": "server_error"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A create that is turned away is repeated at once."""
    again = buying.buy_video.with_options(retry_delay_seconds=0, retry_jitter_factor=0)
    monkeypatch.setattr(buying, "buy_video", again)


@pytest.fixture
def api(start_api: Make) -> Any:
    return start_api(prices=PRICES, generation_seconds=0.05)


@pytest.fixture
def batch(api: Any, archive: VideoArchive, poll: PollPolicy, small: Make) -> Make:
    """Runs the batch flow's own function on prompts or requests; gives its rows."""

    async def run(*asked: Any, **parameters: Any) -> list[VideoOutcome]:
        requests = [small(one) if isinstance(one, str) else one for one in asked]
        usual = {"requests": requests, "poll": poll, "together": api.credentials(), "archive": archive}
        summary = result_of((await generate_batch.fn(**{**usual, **parameters})).data)
        assert isinstance(summary, Summary), summary
        return list(summary.videos)

    return run


async def records_of(archive: VideoArchive) -> list[VideoRecord]:
    async with archive.open() as ledger:
        listed = await ledger.store.list(archive.layout.key("records", ""))
        return [record for one in listed if (record := await ledger.read_record(one.key))]


async def test_a_failed_video_is_bought_again(api: Any, batch: Make, archive: VideoArchive) -> None:
    """Two jobs fail, the third is archived: one row, with what the attempts before it cost."""
    api.faults({**FAILS, "times": 2})
    (row,) = await batch("a fox", attempts=3)
    assert (row.state, row.failed, api.charges) == (VideoState.ARCHIVED, 2, 3)
    # A failed job reports no cost: it is perhaps paid, at the estimate.
    assert (row.cost_usd, row.failed_usd, row.failed_perhaps_usd) == (Decimal("0.28"), 0, Decimal("0.60"))
    states = sorted(record.state for record in await records_of(archive))
    assert states == ["archived", "failed", "failed"]
    (again,) = await batch("a fox", attempts=3)
    assert (again.state, again.id, again.failed, api.posts) == (VideoState.REUSED, row.id, 0, 3)


async def test_no_more_than_so_many_are_bought(api: Any, batch: Make) -> None:
    """It stays failed after that, in this run and in each later one, until more attempts or --retry-failed ask."""
    api.faults(FAILS)
    (row,) = await batch("a fox", attempts=2)
    assert (row.state, row.failed, api.charges) == (VideoState.FAILED, 1, 2)
    assert "an internal error" in (row.error or "")
    assert [found.state for found in await batch("a fox", attempts=2)] == [VideoState.FAILED]
    assert api.charges == 2
    await batch("a fox", attempts=3)
    assert api.charges == 3
    await batch("a fox", attempts=2, retry_failed=True)
    assert api.charges == 5


async def test_without_attempts_a_failed_video_stays_failed(api: Any, batch: Make) -> None:
    """The default buys once, as ever."""
    api.faults({**FAILS, "times": 1})
    assert [found.state for found in await batch("a fox")] == [VideoState.FAILED]
    assert api.posts == 1


@pytest.mark.parametrize(
    ("code", "message", "charges"),
    [
        (None, "The prompt was refused by content moderation.", 1),
        ("unsupportedParameter", "Unsupported parameter: steps", 1),
        ("content_moderation", "The generated video was blocked by content moderation.", 3),
        ("server_error", "Something broke", 3),
    ],
)
async def test_what_would_fail_again_is_not_bought_again(
    api: Any, batch: Make, code: str | None, message: str, charges: int
) -> None:
    """A refused prompt stays refused; that a video was moderated, which nobody has asked for, may be chance."""
    api.faults({**FAILS, "code": code, "message": message})
    (row,) = await batch("a fox", attempts=3)
    assert (row.state, api.charges) == (VideoState.FAILED, charges)


async def test_a_new_seed_follows_from_the_old_one(api: Any, batch: Make, small: Make, archive: Any) -> None:
    """Each attempt has its own seed, the same in each run; without a seed nothing is drawn."""
    api.faults({**FAILS, "times": 2})
    request = small("a fox", seed=7)
    (row,) = await batch(request, attempts=3, new_seed=True)
    by_attempt = {record.plan.attempt: record for record in await records_of(archive)}
    seeds = [by_attempt[number].plan.request.seed for number in (1, 2, 3)]
    assert seeds == [7, new_seed(7, 2), new_seed(7, 3)]
    assert len(set(seeds)) == 3
    assert all(record.id == record.plan.id for record in by_attempt.values())
    # The id does not depend on it: a run without the option finds the same purchases.
    (again,) = await batch(request, attempts=3)
    assert (again.state, again.id, api.posts) == (VideoState.REUSED, row.id, 3)
    api.faults({**FAILS, "times": 1})
    await batch("an owl", attempts=2, new_seed=True)
    assert api.posts == 5


async def test_a_run_that_dies_between_attempts_counts_them(api: Any, batch: Make) -> None:
    """Stopped after any of the steps and started again with the same options, it never buys more than three."""
    for stop_at in ("creating", "created", "again"):
        prompt = f"a fox, stopped when {stop_at}"
        before, stopped = api.charges, []
        api.faults({**FAILS, "match": prompt})
        for _ in range(5):
            running: list[asyncio.Future[Any]] = []

            def hear(change: Progress, stop_at: str = stop_at, running: Any = running) -> None:
                if change.stage == stop_at:
                    running[0].cancel()

            with listening(hear):
                running.append(asyncio.ensure_future(batch(prompt, attempts=3)))
                await asyncio.gather(*running, return_exceptions=True)
            stopped.append(running[0].cancelled())
        assert any(stopped), stop_at
        (row,) = await batch(prompt, attempts=3)
        assert (row.state, api.charges - before) == (VideoState.FAILED, 3), stop_at


async def test_runs_at_once_share_the_attempts(api: Any, batch: Make) -> None:
    """Three runs of the same command: each attempt is bought by one of them."""
    api.faults({**FAILS, "times": 2})
    rows = await asyncio.gather(*(batch("a fox", attempts=3) for _ in range(3)))
    assert len({row.id for (row,) in rows}) == 1
    assert {row.state for (row,) in rows} <= {VideoState.ARCHIVED, VideoState.REUSED}
    assert api.charges == 3


async def test_attempts_keep_the_budget(api: Any, batch: Make) -> None:
    """What failed was charged: the next attempt must fit beside it, or the row says why there is none."""
    api.faults(FAILS)
    (row,) = await batch("a fox", attempts=5, budget_usd=Decimal("0.90"))
    # Each counts at its estimate of 0.30, as the provider reports no cost of failed jobs.
    assert (row.state, api.charges) == (VideoState.FAILED, 3)
    assert "It was not bought again" in (row.error or "")
    assert "budget of 0.90 USD" in (row.error or "")
    assert Decimal(str(api.bill()["total"])) <= Decimal("0.90")


async def test_another_model_takes_over_where_one_is_not_offered(
    start_api: Make, archive: VideoArchive, poll: PollPolicy, small: Make
) -> None:
    """Record, row and re-run name both models; the first is not asked again, and nothing is bought twice."""
    api = start_api(models=[SECOND], prices=PRICES, generation_seconds=0.05)
    given = {"poll": poll, "together": api.credentials(), "archive": archive, "fallback_models": [SECOND]}
    state = await generate_video.fn(small("a fox"), **given)
    (row,) = result_of(state.data).videos
    assert (row.state, row.model, row.asked_model) == (VideoState.ARCHIVED, SECOND, FIRST)
    assert (api.posts, api.charges) == (2, 1)
    by_model = {record.plan.request.model: record for record in await records_of(archive)}
    assert (by_model[FIRST].state, by_model[FIRST].followed_by) == ("abandoned", row.id)
    assert by_model[FIRST].cost_usd == 0
    assert (by_model[SECOND].state, by_model[SECOND].plan.asked_model) == ("archived", FIRST)
    again = result_of((await generate_video.fn(small("a fox"), **given)).data).videos[0]
    assert (again.state, again.id, again.asked_model, api.posts) == (VideoState.REUSED, row.id, FIRST, 2)
    async with archive.open() as ledger:
        assert not await ledger.in_flight()


async def test_another_model_takes_over_after_all_attempts(api: Any, batch: Make) -> None:
    """The first fails twice, the second once, and the third makes the video."""
    api.faults({**FAILS, "times": 4})
    (row,) = await batch("a fox", attempts=2, fallback_models=[SECOND, THIRD])
    assert (row.state, row.model, row.asked_model, row.failed) == (VideoState.ARCHIVED, THIRD, FIRST, 4)
    assert Counter(job["model"] for job in api.bill()["jobs"]) == {FIRST: 2, SECOND: 2, THIRD: 1}
    assert row.cost_usd == Decimal("0.0975")


async def test_another_model_takes_over_for_lack_of_capacity(api: Any, batch: Make) -> None:
    """503 to the end of the retries; but one that passes keeps the model."""
    api.faults({"on": "create", "kind": "status", "status": 503, "times": 2, "match": "owl"})
    (owl,) = await batch("an owl", fallback_models=[SECOND])
    assert (owl.state, owl.model, owl.asked_model) == (VideoState.ARCHIVED, FIRST, None)
    api.faults({"on": "create", "kind": "status", "status": 503, "times": 6, "match": "fox"})
    (fox,) = await batch("a fox", fallback_models=[SECOND])
    assert (fox.state, fox.model, fox.asked_model) == (VideoState.ARCHIVED, SECOND, FIRST)


@pytest.mark.parametrize(
    ("rule", "state"),
    [
        ({"kind": "reset"}, VideoState.AMBIGUOUS),
        ({"kind": "status", "status": 500}, VideoState.AMBIGUOUS),
        ({"kind": "status", "status": 402}, VideoState.REFUSED),
        ({"kind": "status", "status": 404, "message": "no such route"}, VideoState.REFUSED),
    ],
)
async def test_what_says_nothing_about_the_model_lets_none_take_over(
    api: Any, batch: Make, rule: dict[str, Any], state: VideoState
) -> None:
    """A create that may be charged, an account without credit, and an address that is wrong: one POST."""
    api.faults({"on": "create", **rule})
    (row,) = await batch("a fox", attempts=3, fallback_models=[SECOND])
    assert (row.state, row.model, api.posts) == (state, FIRST, 1)


async def test_a_model_that_the_check_refuses_is_replaced_before_anything_is_bought(
    api: Any, batch: Make, small: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """Unknown, or retired and strict: the next one is in its place, with a warning; without one it is an error."""
    request = small("a fox", model="pixverse/pixverse-v4")
    (row,) = await batch(request, fallback_models=[SECOND])
    assert (row.state, row.model, row.asked_model) == (VideoState.ARCHIVED, SECOND, "pixverse/pixverse-v4")
    assert api.posts == 1
    assert any(
        "pixverse-v4 is not offered: pixverse/pixverse-v6 takes its place." in m for m in caplog.messages
    )
    (again,) = await batch(request, fallback_models=[SECOND])
    assert (again.state, again.id, api.posts) == (VideoState.REUSED, row.id, 1)


async def test_a_model_that_cannot_make_the_video_does_not_take_over(
    start_api: Make, batch: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """One that needs an image is left out, with the reason; the next one is taken."""
    other = start_api(models=[SECOND, "Wan-AI/wan2.7-i2v"], prices=PRICES)
    models = ["Wan-AI/wan2.7-i2v", SECOND]
    (row,) = await batch("a fox", fallback_models=models, together=other.credentials())
    assert (row.state, row.model) == (VideoState.ARCHIVED, SECOND)
    assert any("Wan-AI/wan2.7-i2v will not take over: " in line for line in caplog.messages)


async def test_a_misspelt_model_is_found_before_anything_is_bought(
    api: Any, archive: VideoArchive, small: Make
) -> None:
    """As any other model's name."""
    state = await generate_video.fn(
        small("a fox"), together=api.credentials(), archive=archive, fallback_models=["pixverse/pixverse-6"]
    )
    error = result_of(state.data)
    assert isinstance(error, InputError)
    assert "pixverse/pixverse-v6" in error.message
    assert api.posts == 0


async def test_a_line_says_otherwise(api: Any, batch: Make, tmp_path: Any) -> None:
    """Of a table and of JSON lines; none of it is sent, and none of it is part of the id."""
    api.faults({**FAILS, "match": "fox", "times": 3}, {**FAILS, "match": "owl"})
    table = tmp_path / "table.csv"
    head = "prompt,model,width,height,seconds,fps,attempts,fallback_models"
    rows = f'a fox,{FIRST},64,48,1,8,2,"{THIRD}, {SECOND}"\nan owl,{FIRST},64,48,1,8,,\n'
    table.write_text(f"{head}\n{rows}")
    fox, owl = await batch(requests=None, file=str(table))
    assert (fox.state, fox.model, fox.asked_model) == (VideoState.ARCHIVED, THIRD, FIRST)
    assert (owl.state, api.charges) == (VideoState.FAILED, 5)
    lines = tmp_path / "lines.jsonl"
    lines.write_text(
        f'{{"prompt": "an owl", "model": "{FIRST}", "width": 64, "height": 48, "seconds": 1, "fps": 8, '
        f'"attempts": 3}}\n'
    )
    (again,) = await batch(requests=None, file=str(lines))
    # The failed attempt of the table's owl counts: the id is the same.
    assert (again.state, api.charges) == (VideoState.FAILED, 7)


async def test_a_part_that_is_run_again_keeps_to_it(
    api: Any, archive: VideoArchive, poll: PollPolicy, small: Make
) -> None:
    """It resumes, and buys nothing again, also where failed videos are to be bought again."""
    planned = plan_videos([small("a fox")], batch_id="20261127T120000-abcdef", prices=[Decimal("0.30")])
    plans, _ = with_tries(planned, [Tries(attempts=2, fallback_models=[SECOND])])
    given = {"together": api.credentials(), "archive": archive, "poll": poll, "part": "1-1"}
    api.faults({**FAILS, "times": 3})
    (row,) = result_of((await generate_part.fn(plans, **given)).data).videos
    assert (row.state, row.model, row.asked_id) == (VideoState.ARCHIVED, SECOND, plans[0].id)
    assert api.charges == 4
    budget = {"part": "1-2", "budget_usd": Decimal("1.00"), "retry_failed": True}
    (again,) = result_of((await generate_part.fn(plans, **{**given, **budget})).data).videos
    assert (again.state, again.id, api.charges) == (VideoState.ARCHIVED, row.id, 4)


async def test_collect_buys_nothing_again(start_api: Make, archive: VideoArchive, small: Make) -> None:
    """A job that has failed is recorded; its next attempt is for the run that is asked for it."""
    now = [1_800_000_000.0]
    api = start_api(generation_seconds=60, clock=lambda: now[0])
    api.faults({**FAILS, "times": 1})
    given = {"together": api.credentials(), "archive": archive}
    tries = {"attempts": 2, "fallback_models": [SECOND]}
    short = PollPolicy.fixed(0.1, deadline=0.2)
    first = await generate_video.fn(small("an owl"), poll=short, **given, **tries)
    assert result_of(first.data).counts["submitted"] == 1
    now[0] += 61
    assert result_of((await collect_videos.fn(**given)).data).counts["failed"] == 1
    assert api.charges == 1
    again = await generate_video.fn(small("an owl"), poll=short, **given, **tries)
    assert (result_of(again.data).counts["submitted"], api.charges) == (1, 2)


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_goes_wrong_the_bounds_hold(
    api: Any, archive: VideoArchive, batch: Make, seed: int
) -> None:
    """Faults, stops and runs at once by chance: the budget, the attempts and one video a plan hold, and the ledger
    has each job of the bill.
    """
    chance = random.Random(seed)
    attempts, budget = chance.randint(1, 3), Decimal(chance.randint(60, 200)) / 100
    models = chance.sample([SECOND, THIRD], chance.randint(0, 2))
    api.faults(
        {"on": "create", "kind": "status", "status": 422, "probability": 0.15},
        {"on": "create", "kind": "status", "status": 503, "probability": 0.2},
        {**FAILS, "probability": 0.4},
    )
    prompts = [f"fox {number} of {seed}" for number in range(4)]
    options = {"attempts": attempts, "fallback_models": models, "in_flight": 2, "budget_usd": budget}
    for turn in range(3):
        before = Decimal(str(api.bill()["total"]))
        running = [asyncio.ensure_future(batch(*prompts, **options)) for _ in range(1 + turn % 2)]
        if turn == 0:
            await asyncio.sleep(chance.uniform(0.1, 0.6))
            running[0].cancel()
        await asyncio.gather(*running, return_exceptions=True)
        spent = Decimal(str(api.bill()["total"])) - before
        # Each run has a budget of its own.
        assert spent <= budget * len(running)
    rows = await batch(*prompts, **{**options, "budget_usd": None})
    assert all(row.state in {"archived", "reused", "failed", "refused", "skipped"} for row in rows), rows
    records = await records_of(archive)
    archived = Counter(record.plan.asked_id for record in records if record.state == "archived")
    assert set(archived.values()) <= {1}
    bought = Counter((record.plan.asked_id, record.plan.request.model) for record in records if record.job_id)
    assert max(bought.values(), default=0) <= attempts
    assert {record.job_id for record in records if record.job_id} == set(api.jobs)
    bill = {job["id"]: Decimal(str(job["cost"])) for job in api.bill()["jobs"]}
    for record in records:
        # A failed job reports no cost: what it was billed lies within the estimate.
        if record.job_id and record.state == "archived":
            assert record.cost_usd == bill[record.job_id]
        elif record.job_id:
            assert bill[record.job_id] <= (record.plan.estimate_usd or 0)
    async with archive.open() as ledger:
        assert not await ledger.in_flight()
