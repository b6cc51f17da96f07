"""Several runs of the same list at once: each video is bought once, and only the run that bought it has paid for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from prefect_together_video.blocks import VideoArchive
from prefect_together_video.flows.batch import generate_batch
from prefect_together_video.flows.reporting.results import result_of
from prefect_together_video.flows.video import generate_video
from together_video.ledger.summary import Summary
from together_video.polling.policy import PollPolicy

pytestmark = pytest.mark.anyio

Make = Callable[..., Any]
PRICE = Decimal("0.30")


def paid(summaries: list[Summary]) -> Decimal:
    return sum((summary.cost_usd for summary in summaries), Decimal(0))


@pytest.fixture
def run(archive: VideoArchive, small: Make, poll: PollPolicy) -> Make:
    """Runs a flow's own function: a batch of several prompts, generate-video for one."""

    async def make(api: Any, *prompts: str, **more: Any) -> Summary:
        given = {"together": api.credentials(), "archive": archive, "poll": poll, **more}
        requests = [small(prompt) for prompt in prompts]
        if len(requests) == 1:
            state = await generate_video.fn(requests[0], **given)
        else:
            state = await generate_batch.fn(requests=requests, **given)
        summary = result_of(state.data)
        assert isinstance(summary, Summary), summary
        return summary

    return make


@pytest.mark.parametrize("prompts", [("a fox", "an owl", "a cat"), ("a fox",)], ids=["batches", "videos"])
async def test_only_the_run_that_bought_a_video_has_paid(
    start_api: Make, run: Make, prompts: tuple[str, ...]
) -> None:
    """Batches, such as redo lists, and runs of one video: the others wait for its job, and say who paid."""
    api = start_api(generation_seconds=0.5, price=float(PRICE))
    found = await asyncio.gather(*(run(api, *prompts) for _ in range(3)))
    assert api.charges == len(prompts)
    assert paid(found) == len(prompts) * PRICE
    for number in range(len(prompts)):
        rows = [summary.videos[number] for summary in found]
        assert sorted(row.account.paid for row in rows) == [0, 0, PRICE]
        assert {row.state.value for row in rows} <= {"archived", "reused"}
        assert all(row.paid_earlier for row in rows if not row.account.paid)
    waited = [one for one in found if one.counts["archived"] and any(row.paid_earlier for row in one.videos)]
    assert waited
    for summary in waited:
        assert "USD paid by another run" in summary.sentence


async def test_a_job_that_fails_is_paid_by_the_run_that_bought_it(start_api: Make, run: Make) -> None:
    """Two runs wait for a job that fails, and one of them makes the next attempt."""
    api = start_api(generation_seconds=0.5, price=float(PRICE))
    api.faults(
        {
            "on": "create",
            "kind": "job_failed",
            "message": "an internal error",
            "code": "server_error",
            "times": 1,
        }
    )
    found = await asyncio.gather(*(run(api, "a fox", attempts=2) for _ in range(2)))
    assert (api.posts, {summary.is_good for summary in found}) == (2, {True})
    accounts = [summary.account for summary in found]
    assert paid(found) == PRICE
    # The failed job without a cost is perhaps paid, once.
    assert sum(account.perhaps_paid > 0 for account in accounts) == 1


async def test_a_run_that_resumes_a_job_has_not_paid_for_it(start_api: Make, run: Make) -> None:
    """The first run's wait ends with the job in flight; the second archives it, and says that another run paid."""
    now = [1_800_000_000.0]
    api = start_api(generation_seconds=60, clock=lambda: now[0], price=float(PRICE))
    first = await run(api, "a fox", "an owl", poll=PollPolicy.fixed(0.1, deadline=0.3))
    assert first.sentence.endswith("2 submitted; 0.00 USD paid in this run, 0.60 USD in flight")
    still = await run(api, "a fox", "an owl", poll=PollPolicy.fixed(0.1, deadline=0.3))
    assert still.account.committed == 0
    assert still.sentence.endswith("0.00 USD paid by another run, 0.60 USD in flight")
    now[0] += 61
    later = await run(api, "a fox", "an owl")
    assert later.sentence == "2 videos: 2 archived; 0.00 USD paid in this run; 0.60 USD paid by another run"
    assert (await run(api, "a fox", "an owl")).sentence == "2 videos: 2 reused; 0.00 USD paid in this run"
