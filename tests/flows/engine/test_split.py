"""Parts of a batch: what a part that is run again may spend, and what workers must be told."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from prefect.states import Completed, Pending, Running, Scheduled, State

from prefect_together_video.blocks import TogetherCredentials, VideoArchive
from prefect_together_video.blocks.ledger.ledger import Facts
from prefect_together_video.flows.engine import split
from prefect_together_video.flows.engine.pipeline import open_pipeline
from prefect_together_video.flows.part import generate_part
from prefect_together_video.flows.reporting.results import result_of
from together_video.errors import InputError, StoreUnavailable
from together_video.jobs import VideoJob
from together_video.ledger.plans import plan_videos
from together_video.ledger.records import Submission, VideoPlan
from together_video.ledger.summary import Summary
from together_video.polling.policy import PollPolicy

pytestmark = pytest.mark.anyio

Make = Callable[..., Any]
PRICE = Decimal("0.30")


@pytest.fixture
def part(api: Any, archive: VideoArchive, poll: PollPolicy) -> Make:
    async def run(plans: list[VideoPlan], **parameters: Any) -> Summary:
        state = await generate_part.fn(
            plans, **{"together": api.credentials(), "archive": archive, "poll": poll, **parameters}
        )
        summary = result_of(state.data)
        assert isinstance(summary, Summary), summary
        return summary

    return run


@pytest.fixture
def plans(small: Make) -> list[VideoPlan]:
    made = plan_videos([small("a fox"), small("an owl"), small("a cat")], batch_id="batch-1")
    return [plan.model_copy(update={"estimate_usd": PRICE}) for plan in made]


async def test_a_part_that_is_run_again_counts_what_it_has_paid(
    part: Make, plans: list[VideoPlan], api: Any
) -> None:
    """Its worker died after one video: the second run has that much less, and calls it archived, as the batch paid."""
    first = await part(plans[:1], budget_usd=Decimal("0.70"), part="1-1")
    assert (first.counts["archived"], api.posts) == (1, 1)
    again = await part(plans, budget_usd=Decimal("0.70"), part="1-2")
    assert (again.counts["archived"], again.counts["skipped"], api.posts) == (2, 1, 2)
    assert "the budget of 0.70 USD" in next(found.error or "" for found in again.videos if found.error)


async def test_a_second_attempt_counts_for_the_batch_that_made_it(
    part: Make, plans: list[VideoPlan], api: Any
) -> None:
    """An earlier batch's job failed, and this one bought the video again before its worker died."""
    api.faults({"on": "create", "kind": "job_failed", "times": 1})
    assert (await part([plans[0].model_copy(update={"batch_id": "batch-0"})])).counts["failed"] == 1
    bought = await part(plans[:1], budget_usd=PRICE, retry_failed=True)
    assert (bought.counts["archived"], api.posts) == (1, 2)
    again = await part(plans[:2], budget_usd=PRICE, retry_failed=True)
    assert (again.counts["archived"], again.counts["skipped"], api.posts) == (1, 1, 2)


async def test_what_another_batch_paid_is_reused_and_not_counted(
    part: Make, plans: list[VideoPlan], api: Any
) -> None:
    await part(plans[:1], budget_usd=PRICE)
    later = [plan.model_copy(update={"batch_id": "batch-2"}) for plan in plans[:2]]
    summary = await part(later, budget_usd=PRICE)
    assert (summary.counts["reused"], summary.counts["archived"], api.posts) == (1, 1, 2)


async def test_a_job_at_the_provider_needs_no_money(
    part: Make, plans: list[VideoPlan], start_api: Make
) -> None:
    """A run that could wait no longer has paid for it; the next one collects it with an empty budget."""
    now = [1_800_000_000.0]
    api = start_api(generation_seconds=60, clock=lambda: now[0])
    first = await part(plans[:1], together=api.credentials(), poll=PollPolicy.fixed(0.1, deadline=0.5))
    assert (first.counts["submitted"], api.posts) == (1, 1)
    now[0] += 120
    later = [plans[0].model_copy(update={"batch_id": "batch-2"})]
    summary = await part(later, together=api.credentials(), budget_usd=Decimal("0.01"))
    assert (summary.counts["archived"], api.posts) == (1, 1), summary.videos[0].error


async def test_the_summary_of_a_part_lies_in_the_batch(
    part: Make, plans: list[VideoPlan], archive: VideoArchive
) -> None:
    """Under the prefix of the archive that made it, whatever the parent's is."""
    summary = await part(plans[:1], part="7-2")
    async with archive.open() as ledger:
        stored = await ledger.store.get(ledger.layout.key("batches", "batch-1", "parts/7-2.json"))
    assert stored is not None
    assert Summary.model_validate_json(stored.data) == summary


def test_workers_take_the_blocks_of_the_batch_or_none(archive: VideoArchive) -> None:
    """A block that was not named or never saved is refused: a worker's own may be another account or bucket."""
    unsaved = TogetherCredentials.model_validate({"api_key": "key"})
    for block in (None, unsaved):
        with pytest.raises(InputError, match="--together production"):
            split._references({"together": block})


async def test_of_a_part_without_an_answer_the_ledger_tells_each_video(
    part: Make, plans: list[VideoPlan], api: Any, archive: VideoArchive, small: Make
) -> None:
    """Its workers are gone: what they archived, bought, began and left undone is told apart."""
    archived, submitted, claimed = plans
    absent = plan_videos([small("a dog")], batch_id="batch-1")[0]
    await part([archived])
    async with open_pipeline(api.credentials(), archive) as pipeline:
        claim = await pipeline.ledger.claim(submitted, valid_seconds=60)
        assert claim is not None
        job = VideoJob.from_json({"id": "job-7", "status": "queued"})
        await pipeline.ledger.submitted(Submission.of(claim, job))
        await pipeline.ledger.claim(claimed, valid_seconds=60)
        told = [await pipeline.as_recorded(plan, "Its worker is gone.") for plan in (*plans, absent)]
        later = archived.model_copy(update={"batch_id": "batch-2"})
        assert (await pipeline.as_recorded(later, "Its worker is gone.")).state == "reused"
    assert [found.state.value for found in told] == ["archived", "submitted", "ambiguous", "skipped"]
    assert told[1].job_id == "job-7"
    assert "billed and kept in flight" in (told[1].error or "")
    assert "may have been charged" in (told[2].error or "")
    assert "Nothing was created" in (told[3].error or "")


async def test_a_ledger_that_does_not_answer_leaves_a_video_in_doubt(
    plans: list[VideoPlan], api: Any, archive: VideoArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_pipeline(api.credentials(), archive) as pipeline:

        async def facts(_: str) -> Facts:
            raise StoreUnavailable("The bucket does not answer.")

        monkeypatch.setattr(pipeline.ledger, "facts", facts)
        told = await pipeline.as_recorded(plans[0], "Its worker is gone.")
    assert (told.state, told.cost_usd) == ("ambiguous", None)
    assert "cannot be read" in (told.error or "")


class Server:
    """A Prefect server on which a run of a part is in one state for `seconds`, and then completed."""

    def __init__(self, state: State[Any], seconds: float) -> None:
        self._state, self._until = state, seconds
        self.now = 0.0
        self.forced: list[State[Any]] = []

    async def sleep(self, seconds: float) -> None:
        self.now += seconds

    async def read_flow_run(self, _: UUID) -> SimpleNamespace:
        return SimpleNamespace(state=self._state if self.now < self._until else Completed())

    async def read_artifacts(self, **_: Any) -> list[Any]:
        return []

    async def set_flow_run_state(self, _: UUID, state: State[Any], *, force: bool) -> None:
        assert force
        self.forced.append(state)


@pytest.mark.parametrize(
    ("state", "seconds", "ends"),
    [
        (Running(), 90, "Completed"),
        (Running(), 10_000, "Crashed"),
        (Pending(), 800, "Completed"),
        (Pending(), 10_000, "Crashed"),
        (Scheduled(), 10_000, "Completed"),
    ],
)
async def test_a_part_whose_worker_is_gone_is_given_up(
    monkeypatch: pytest.MonkeyPatch, state: State[Any], seconds: float, ends: str
) -> None:
    """One that was taken and never begun is as dead as one that tells nothing; one that waits for a worker is not."""
    server = Server(state, seconds)
    monkeypatch.setattr(split, "asyncio", SimpleNamespace(sleep=server.sleep))
    monkeypatch.setattr(split, "time", SimpleNamespace(monotonic=lambda: server.now))
    run: Any = SimpleNamespace(id=uuid4())
    client: Any = server
    over = await split._over(run, split.Part(1, [], {}, "a part"), client)
    assert over.name == ends
    assert [forced.name for forced in server.forced] == (["Crashed"] if ends == "Crashed" else [])
